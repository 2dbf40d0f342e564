//! A Go executable: everything that is read from its file, once, at attach.

use std::ops::Range;

use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectKind, ObjectSection, ReadRef, elf};

use super::arch::Arch;
use super::buildinfo::BuildInfo;
use super::error::Error;
use super::globals::{self, Globals};
use super::layout::Located as LocatedLayout;
use super::pclntab::{HEADER_LEN, Pclntab};
use super::version::{GoVersion, UnknownVersion};

/// No honest executable's function table, or the data that is searched for marks, is larger.
const MAX_PCLNTAB: u64 = 1 << 30;
const MAX_SEARCH: u64 = 256 << 20;
/// Executables have four to ten segments.
const MAX_SEGMENTS: usize = 64;
/// UPX writes its mark right behind the program headers.
const PACKER_HEADER: u64 = 1024;

/// What the file of a Go executable holds. All addresses are those of the link, without the load
/// bias of a position-independent one.
pub struct Binary {
    /// The processor it is for.
    pub arch: Arch,
    /// Go's version.
    pub version: GoVersion,
    /// What the linker says of the build.
    pub info: BuildInfo,
    /// Neither symbol table nor DWARF.
    pub stripped: bool,
    /// Position independent.
    pub pie: bool,
    /// Where execution starts.
    pub entry: u64,
    /// The function table.
    pub pclntab: Pclntab,
    /// Its address.
    pub pclntab_address: u64,
    /// Where Go's variables are.
    pub variables: Vec<Range<u64>>,
    /// Writable memory that the file initialises; the module data is in it.
    pub initialised: Vec<Range<u64>>,
    /// The runtime's variables, by the symbol table; `None` when it has none of them.
    pub symbols: Option<Globals>,
    /// Offsets in the runtime's structs, and where they come from.
    pub layout: LocatedLayout,
    segments: Vec<Segment>,
}

/// A piece of the file, as it is loaded.
struct Segment {
    address: u64,
    offset: u64,
    file_len: u64,
    memory_len: u64,
    writable: bool,
    executable: bool,
}

impl Segment {
    fn range(&self, len: u64) -> Range<u64> {
        self.address..self.address.saturating_add(len)
    }
}

impl Binary {
    /// Reads the executable `exe` (its name, for messages) from its bytes.
    ///
    /// # Errors
    /// When it is not a Go program that this version can read. Never panics, whatever the bytes.
    pub fn read<'d, R: ReadRef<'d>>(exe: &str, file: R) -> Result<Self, Error> {
        let elf = parse_elf(exe, file)?;
        let arch = machine(exe, &elf)?;
        let segments = segments(exe, &elf, file)?;
        let info = build_info(&elf, file, &segments).ok_or_else(|| not_go(exe, file))?;
        let unreadable = |why: String| Error::Version { exe: exe.to_owned(), why };
        let version: GoVersion =
            info.version.parse().map_err(|error: UnknownVersion| unreadable(error.to_string()))?;
        let (pclntab_address, pclntab) = function_table(exe, &elf, file, &segments)?;
        let has_symbols = elf.symbols().next().is_some();
        let has_dwarf = elf.sections().any(|s| s.name().is_ok_and(|n| n.ends_with("debug_info")));
        let layout = LocatedLayout::find(&elf, &version, arch)
            .map_err(|error| unreadable(error.to_string()))?;
        Ok(Self {
            arch,
            version,
            stripped: !has_symbols && !has_dwarf,
            pie: elf.kind() == ObjectKind::Dynamic,
            entry: elf.entry(),
            pclntab,
            pclntab_address,
            variables: variables(&elf, &segments),
            initialised: segments
                .iter()
                .filter(|s| s.writable && s.file_len > 0)
                .map(|s| s.range(s.file_len.min(s.memory_len).min(MAX_SEARCH)))
                .collect(),
            symbols: Globals::from_symbols(&elf),
            layout,
            info,
            segments,
        })
    }

    /// Where in the file `len` bytes of code are that are linked at `address`. Nothing where not
    /// all of them are in one executable segment.
    #[must_use]
    pub fn code_offset(&self, address: u64, len: u64) -> Option<u64> {
        let end = address.checked_add(len)?;
        let segment = self.segments.iter().find(|segment| {
            let loaded = segment.range(segment.file_len.min(segment.memory_len));
            segment.executable && loaded.start <= address && end <= loaded.end
        })?;
        segment.offset.checked_add(address - segment.address)
    }
}

type Elf<'d, R> = ElfFile64<'d, Endianness, R>;

fn parse_elf<'d, R: ReadRef<'d>>(exe: &str, file: R) -> Result<Elf<'d, R>, Error> {
    let bad = |why: String| Error::BadElf { exe: exe.to_owned(), why };
    let ident =
        file.read_bytes_at(0, 16).map_err(|()| bad("it is shorter than an ELF header".into()))?;
    if !ident.starts_with(&elf::ELFMAG) {
        return Err(bad("it does not start with the ELF mark".into()));
    }
    if ident[4] != elf::ELFCLASS64 || ident[5] != elf::ELFDATA2LSB {
        let machine = "a 32-bit or big-endian machine".to_owned();
        return Err(Error::Machine { exe: exe.to_owned(), machine });
    }
    Elf::parse(file).map_err(|error| bad(error.to_string()))
}

fn machine<'d, R: ReadRef<'d>>(exe: &str, elf: &Elf<'d, R>) -> Result<Arch, Error> {
    let machine = elf.architecture();
    Arch::of(machine)
        .ok_or_else(|| Error::Machine { exe: exe.to_owned(), machine: format!("{machine:?}") })
}

/// What is loaded. Each is searched, so a file that loads the same bytes over and over is refused.
fn segments<'d, R: ReadRef<'d>>(
    exe: &str,
    elf: &Elf<'d, R>,
    file: R,
) -> Result<Vec<Segment>, Error> {
    let endian = Endianness::Little;
    let segments: Vec<_> = elf
        .elf_program_headers()
        .iter()
        .filter(|header| header.p_type(endian) == elf::PT_LOAD)
        .map(|header| Segment {
            address: header.p_vaddr(endian),
            offset: header.p_offset(endian),
            file_len: header.p_filesz(endian),
            memory_len: header.p_memsz(endian),
            writable: header.p_flags(endian) & elf::PF_W != 0,
            executable: header.p_flags(endian) & elf::PF_X != 0,
        })
        .take(MAX_SEGMENTS + 1)
        .collect();
    let bad = |why: &str| Error::BadElf { exe: exe.to_owned(), why: why.to_owned() };
    if segments.len() > MAX_SEGMENTS {
        return Err(bad("it has too many segments"));
    }
    let loaded = segments.iter().fold(0_u64, |sum, it| sum.saturating_add(it.file_len));
    if loaded / 2 > file.len().unwrap_or(0) {
        return Err(bad("its segments overlap, or reach past its end"));
    }
    Ok(segments)
}

/// By their sections; without section headers, all that is writable.
fn variables<'d, R: ReadRef<'d>>(elf: &Elf<'d, R>, segments: &[Segment]) -> Vec<Range<u64>> {
    let sections = globals::data_ranges(elf);
    if sections.is_empty() {
        segments.iter().filter(|s| s.writable).map(|s| s.range(s.memory_len)).collect()
    } else {
        sections
    }
}

fn build_info<'d, R: ReadRef<'d>>(
    elf: &Elf<'d, R>,
    file: R,
    segments: &[Segment],
) -> Option<BuildInfo> {
    let section = elf.section_by_name(".go.buildinfo").and_then(|section| section.data().ok());
    if let Some(info) = section.and_then(BuildInfo::find) {
        return Some(info);
    }
    // Without section headers it still stands in initialised data.
    segments
        .iter()
        .filter(|s| s.file_len <= MAX_SEARCH)
        .filter_map(|s| file.read_bytes_at(s.offset, s.file_len).ok())
        .find_map(BuildInfo::find)
}

fn not_go<'d, R: ReadRef<'d>>(exe: &str, file: R) -> Error {
    let head = PACKER_HEADER.min(file.len().unwrap_or(0));
    let head = file.read_bytes_at(0, head).unwrap_or_default();
    if memchr::memmem::find(head, b"UPX!").is_some() {
        Error::Packed { exe: exe.to_owned() }
    } else {
        Error::NotGo { exe: exe.to_owned(), why: "it holds no Go build information" }
    }
}

/// The function table: in its own section, or (cgo with an external linker, no section headers)
/// somewhere in a segment, where its header gives it away.
fn function_table<'d, R: ReadRef<'d>>(
    exe: &str,
    elf: &Elf<'d, R>,
    file: R,
    segments: &[Segment],
) -> Result<(u64, Pclntab), Error> {
    let broken = |source| Error::Pclntab { exe: exe.to_owned(), source };
    let named = elf
        .sections()
        .find(|s| s.name().is_ok_and(|n| n == ".gopclntab" || n == ".data.rel.ro.gopclntab"));
    if let Some(section) = named {
        let bytes = section.data().ok().filter(|bytes| bytes.len() as u64 <= MAX_PCLNTAB);
        let bytes = bytes.ok_or_else(|| Error::BadElf {
            exe: exe.to_owned(),
            why: "its .gopclntab section reaches past the end of the file".to_owned(),
        })?;
        return Ok((section.address(), Pclntab::parse(bytes).map_err(broken)?));
    }
    // Magic, two zeroes, an instruction quantum of 1 or 4, a pointer size of 8.
    for segment in segments.iter().filter(|s| s.file_len <= MAX_PCLNTAB) {
        let Ok(bytes) = file.read_bytes_at(segment.offset, segment.file_len) else { continue };
        for at in memchr::memmem::find_iter(bytes, b"\xf1\xff\xff\xff\0\0") {
            let head = bytes.get(at..at + HEADER_LEN);
            let plausible =
                at % 8 == 0 && head.is_some_and(|head| matches!(head[6], 1 | 4) && head[7] == 8);
            if plausible && let Ok(table) = Pclntab::parse(&bytes[at..]) {
                return Ok((segment.address.wrapping_add(at as u64), table));
            }
        }
    }
    Err(Error::NotGo { exe: exe.to_owned(), why: "it holds no Go function table (pclntab)" })
}
