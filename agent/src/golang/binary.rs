//! A Go executable: everything that is read from its file, once, at attach.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectKind, ObjectSection, ReadRef, elf};

use super::arch::Arch;
use super::build_version;
use super::buildinfo::BuildInfo;
use super::error::Error;
use super::globals;
use super::layout::Located as LocatedLayout;
use super::layout::table::OLDEST_MINOR;
use super::pclntab::{HEADER_LEN, Pclntab};
use super::version::GoVersion;

/// No honest executable's function table, or the data that is searched for marks, is larger.
const MAX_PCLNTAB: u64 = 1 << 30;
const MAX_SEARCH: u64 = 256 << 20;
/// Executables have four to ten segments.
const MAX_SEGMENTS: usize = 64;
/// What garble writes in place of the version.
const OBFUSCATED: &str = "unknown";
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
    /// Whether file or memory names the version. If not, it is the one whose functions the runtime has.
    pub is_told: bool,
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
    /// Offsets in the runtime's structs, and where they come from.
    pub layout: LocatedLayout,
    segments: Vec<Segment>,
}

/// How a file is loaded.
pub struct Mapped {
    /// Where execution starts, by the link.
    pub entry: u64,
    segments: Vec<Segment>,
}

impl Mapped {
    /// How far from its link addresses a file was loaded that has the bytes from `offset` mapped for
    /// execution at `address`; `None` where it has no code there.
    #[must_use]
    pub fn bias(&self, address: u64, offset: u64) -> Option<u64> {
        bias(&self.segments, address, offset)
    }

    /// Writable memory that the file initialises, by the link.
    #[must_use]
    pub fn initialised(&self) -> Vec<Range<u64>> {
        initialised(&self.segments)
    }

    /// From the first byte that is loaded to the last, by the link.
    #[must_use]
    pub fn extent(&self) -> Range<u64> {
        let start = self.segments.iter().map(|it| it.address).min().unwrap_or_default();
        let ends = self.segments.iter().map(|it| it.range(it.memory_len).end);
        start..ends.max().unwrap_or_default()
    }
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
        let copy = |offset, len| file.read_bytes_at(offset, len).ok().map(<[u8]>::to_vec);
        Self::read_with(exe, file, &copy, &|_| Ok(None))
    }

    /// As [`Binary::read`]. `copy` gives the bytes from an offset of the file, and how many; where the
    /// file does not tell Go's version, `version` is asked for it.
    ///
    /// # Errors
    /// As [`Binary::read`], and whatever `version` returns.
    pub fn read_with<'d, R: ReadRef<'d>>(
        exe: &str,
        file: R,
        copy: &dyn Fn(u64, u64) -> Option<Vec<u8>>,
        version: &dyn Fn(&Mapped) -> Result<Option<String>, Error>,
    ) -> Result<Self, Error> {
        let elf = parse_elf(exe, file)?;
        let arch = machine(exe, &elf)?;
        let mapped = Mapped { entry: elf.entry(), segments: segments(exe, &elf, file)? };
        let known = build_info(&elf, file, &mapped.segments);
        let settings = known.as_ref().map(|info| info.settings.clone());
        let known = known.filter(|info| info.version != OBFUSCATED);
        let unreadable = |why: String| Error::Version { exe: exe.to_owned(), why };
        let parse = |text: &str| {
            text.parse::<GoVersion>().map_err(|error| unreadable(error.to_string())).and_then(
                |version| match version.minor {
                    ..OLDEST_MINOR => Err(Error::TooOld { exe: exe.to_owned(), version }),
                    _ => Ok(version),
                },
            )
        };
        // The version first: that says more than a function table of another format.
        let told = known.as_ref().map(|info| parse(&info.version)).transpose()?;
        let table = function_table(exe, &elf, file, copy, &mapped.segments);
        let (pclntab_address, pclntab) = match table {
            Err(Error::NotGo { .. }) if settings.is_none() => return Err(not_go(exe, file)),
            table => table?,
        };
        let mut is_told = true;
        let info = match known {
            Some(info) => info,
            None => {
                let version = match version(&mapped)? {
                    Some(version) => version,
                    None => {
                        is_told = false;
                        let minor = build_version::minor_by_functions(&pclntab);
                        let minor =
                            minor.ok_or_else(|| Error::NoVersion { exe: exe.to_owned() })?;
                        format!("go1.{minor} (by its functions)")
                    }
                };
                BuildInfo { version, settings: settings.unwrap_or_default() }
            }
        };
        let version = told.map_or_else(|| parse(&info.version), Ok)?;
        let segments = mapped.segments;
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
            initialised: initialised(&segments),
            layout,
            info,
            is_told,
            segments,
        })
    }

    /// How far from its link addresses it was loaded, as [`Mapped::bias`].
    #[must_use]
    pub fn bias(&self, address: u64, offset: u64) -> Option<u64> {
        bias(&self.segments, address, offset)
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

/// Reads pieces of a file.
pub fn copying(file: &File) -> impl Fn(u64, u64) -> Option<Vec<u8>> + use<'_> {
    |offset, len| {
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    }
}

fn initialised(segments: &[Segment]) -> Vec<Range<u64>> {
    segments
        .iter()
        .filter(|s| s.writable && s.file_len > 0)
        .map(|s| s.range(s.file_len.min(s.memory_len).min(MAX_SEARCH)))
        .collect()
}

/// Segments are mapped by whole pages, so that a mapping may begin before its segment.
fn bias(segments: &[Segment], address: u64, offset: u64) -> Option<u64> {
    const MAX_PAGE: u64 = 64 << 10;
    let segment = segments.iter().find(|segment| {
        let end = segment.offset.saturating_add(segment.file_len);
        segment.executable && segment.offset.saturating_sub(MAX_PAGE) <= offset && offset < end
    })?;
    let linked = segment.address.wrapping_add(offset).wrapping_sub(segment.offset);
    Some(address.wrapping_sub(linked))
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
        Error::NotGo {
            exe: exe.to_owned(),
            why: "it holds neither Go build information nor a Go function table (pclntab)",
        }
    }
}

/// The function table: in its own section, or (cgo with an external linker, no section headers)
/// somewhere in a segment, where its header gives it away.
fn function_table<'d, R: ReadRef<'d>>(
    exe: &str,
    elf: &Elf<'d, R>,
    file: R,
    copy: &dyn Fn(u64, u64) -> Option<Vec<u8>>,
    segments: &[Segment],
) -> Result<(u64, Pclntab), Error> {
    let broken = |source| Error::Pclntab { exe: exe.to_owned(), source };
    let named = elf
        .sections()
        .find(|s| s.name().is_ok_and(|n| n == ".gopclntab" || n == ".data.rel.ro.gopclntab"));
    if let Some(section) = named {
        let whole = file.len().unwrap_or(0);
        let is_there = |&(offset, len): &(u64, u64)| {
            len <= MAX_PCLNTAB && offset.checked_add(len).is_some_and(|end| end <= whole)
        };
        let place = section.file_range().filter(is_there);
        let bytes = place.and_then(|(offset, len)| copy(offset, len));
        let bytes = bytes.ok_or_else(|| Error::BadElf {
            exe: exe.to_owned(),
            why: "its .gopclntab section reaches past the end of the file".to_owned(),
        })?;
        let table = Pclntab::parse_named(bytes);
        return Ok((section.address(), table.map_err(broken)?));
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

/// Ranges of a file, where it was loaded `bias` bytes on.
pub(super) fn moved(ranges: &[Range<u64>], bias: u64) -> Vec<Range<u64>> {
    ranges.iter().map(|r| r.start.wrapping_add(bias)..r.end.wrapping_add(bias)).collect()
}
