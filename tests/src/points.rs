//! Where a target may be probed, found from its symbol table: an oracle beside the agent's own
//! search, which does without symbols.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Register};
use leak_agent::collect::attach::probes::{Kind, Point};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Architecture, Endianness, Object, ObjectSymbol, SymbolKind, elf};

/// The symbols and the code of an executable.
pub struct Code64 {
    file: Vec<u8>,
}

/// An instruction that bears a probe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Landmark {
    /// It calls the function at an address.
    Call(u64),
    /// It saves the frame pointer, or on arm64 the link register, below the stack.
    Push,
}

/// A function: where it is in memory, in the file, and how long.
struct Function {
    address: u64,
    offset: u64,
    len: u64,
}

impl Code64 {
    /// Reads an executable that has its symbols.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { file })
    }

    /// The points that the version has: creations of every kind where Go has coroutines, `go`
    /// statements where it has none, parks and exits.
    ///
    /// # Errors
    /// When an instruction is not where it is expected.
    pub fn points(&self) -> Result<Vec<Point>> {
        let has_coroutines = self.function("runtime.gdestroy").is_ok();
        let create = if has_coroutines {
            self.call(Kind::CreateAny, "runtime.newproc1", "runtime.casgstatus")?
        } else {
            self.call(Kind::CreateGo, "runtime.newproc.func1", "runtime.runqput")?
        };
        let exit = if has_coroutines { "runtime.gdestroy" } else { "runtime.goexit0" };
        Ok(vec![create, self.push(Kind::Park, "runtime.gopark")?, self.push(Kind::Exit, exit)?])
    }

    /// The point where a function calls another one last.
    ///
    /// # Errors
    /// When it does not.
    pub fn call(&self, kind: Kind, function: &str, callee: &str) -> Result<Point> {
        let call = Landmark::Call(self.function(callee)?.address);
        let found = self.landmarks(function)?.into_iter().rfind(|(_, found)| *found == call);
        self.point(kind, function, found.with_context(|| format!("no call of {callee}"))?.0)
    }

    fn push(&self, kind: Kind, function: &str) -> Result<Point> {
        let found = self.landmarks(function)?.into_iter().find(|(_, it)| *it == Landmark::Push);
        self.point(kind, function, found.with_context(|| format!("no push in {function}"))?.0)
    }

    fn point(&self, kind: Kind, function: &str, within: u64) -> Result<Point> {
        let Function { offset, .. } = self.function(function)?;
        Ok(Point::inside(kind, offset, offset + within)?)
    }

    /// The calls and pushes of a function, by their distance from its first byte.
    fn landmarks(&self, function: &str) -> Result<Vec<(u64, Landmark)>> {
        let Function { address, offset, len } = self.function(function)?;
        let (start, end) = (usize::try_from(offset)?, usize::try_from(offset + len)?);
        let code = self.file.get(start..end).context("a function past the end")?;
        match ElfFile64::<Endianness>::parse(&*self.file)?.architecture() {
            Architecture::X86_64 => Ok(amd64(code, address)),
            Architecture::Aarch64 => Ok(arm64(code, address)),
            other => bail!("a target for {other:?}"),
        }
    }

    fn function(&self, name: &str) -> Result<Function> {
        let elf = ElfFile64::<Endianness>::parse(&*self.file)?;
        let symbol = elf.symbol_by_name(name).with_context(|| format!("no symbol {name}"))?;
        let offset = offset_of(&elf, symbol.address()).context("no segment holds it")?;
        Ok(Function { address: symbol.address(), offset, len: symbol.size() })
    }

    /// The name of the function that holds an address of the link.
    ///
    /// # Errors
    /// When none does.
    pub fn name_of(&self, address: u64) -> Result<String> {
        let elf = ElfFile64::<Endianness>::parse(&*self.file)?;
        let holds = |symbol: &object::read::elf::ElfSymbol64<'_, '_>| {
            symbol.kind() == SymbolKind::Text
                && (symbol.address()..symbol.address() + symbol.size()).contains(&address)
        };
        let symbol = elf.symbols().find(holds);
        Ok(symbol.with_context(|| format!("nothing at {address:#x}"))?.name()?.to_owned())
    }

    /// Where a word of the file is loaded, and what it is.
    ///
    /// # Errors
    /// When no segment holds it.
    pub fn loaded_at(&self, offset: u64) -> Result<(u64, [u8; 4])> {
        let elf = ElfFile64::<Endianness>::parse(&*self.file)?;
        let endian = Endianness::Little;
        let segments = elf.elf_program_headers().iter();
        let address = segments.filter(|it| it.p_type(endian) == elf::PT_LOAD).find_map(|it| {
            let within = offset.checked_sub(it.p_offset(endian))?;
            (within < it.p_filesz(endian)).then(|| it.p_vaddr(endian) + within)
        });
        let word = self.file.get(usize::try_from(offset)?..).and_then(|rest| rest.first_chunk());
        let word = word.context("past the end of the file")?;
        Ok((address.context("no segment holds it")?, *word))
    }

    /// Where every function begins in the file.
    ///
    /// # Errors
    /// When the symbols cannot be read.
    pub fn entries(&self) -> Result<Vec<u64>> {
        let elf = ElfFile64::<Endianness>::parse(&*self.file)?;
        let functions = elf.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
        let entries: Vec<u64> =
            functions.filter_map(|symbol| offset_of(&elf, symbol.address())).collect();
        ensure!(entries.len() > 1000, "only {} functions", entries.len());
        Ok(entries)
    }
}

fn amd64(code: &[u8], address: u64) -> Vec<(u64, Landmark)> {
    let landmark = |it: Instruction| {
        let found = match it.code() {
            Code::Call_rel32_64 => Landmark::Call(it.near_branch_target()),
            Code::Push_r64 if it.op0_register() == Register::RBP => Landmark::Push,
            _ => return None,
        };
        Some((it.ip() - address, found))
    };
    Decoder::with_ip(64, code, address, DecoderOptions::NONE)
        .into_iter()
        .filter_map(landmark)
        .collect()
}

fn arm64(code: &[u8], address: u64) -> Vec<(u64, Landmark)> {
    let landmark = |(at, word): (usize, &[u8; 4])| {
        let (within, word) = (at as u64 * 4, u32::from_le_bytes(*word));
        // BL: a signed distance of 26 bits, in instructions. STR X30, [SP, #-N]!: N in 9 bits.
        let distance = i64::from((word << 6).cast_signed() >> 6) * 4;
        let found = match word {
            _ if word >> 26 == 0b10_0101 => {
                Landmark::Call(address.wrapping_add(within).wrapping_add_signed(distance))
            }
            _ if word & 0xffe0_0fff == 0xf800_0ffe => Landmark::Push,
            _ => return None,
        };
        Some((within, found))
    };
    code.as_chunks().0.iter().enumerate().filter_map(landmark).collect()
}

fn offset_of(elf: &ElfFile64<'_, Endianness>, address: u64) -> Option<u64> {
    let endian = Endianness::Little;
    elf.elf_program_headers().iter().filter(|it| it.p_type(endian) == elf::PT_LOAD).find_map(|it| {
        let within = address.checked_sub(it.p_vaddr(endian))?;
        (within < it.p_filesz(endian)).then(|| it.p_offset(endian) + within)
    })
}
