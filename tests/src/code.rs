//! The code of a target, by its symbol table: an oracle beside the agent, which does without one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, SymbolKind, elf};

/// The symbols and the code of an executable.
pub struct Code {
    file: Vec<u8>,
}

impl Code {
    /// Reads an executable that has its symbols.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { file })
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

fn offset_of(elf: &ElfFile64<'_, Endianness>, address: u64) -> Option<u64> {
    let endian = Endianness::Little;
    elf.elf_program_headers().iter().filter(|it| it.p_type(endian) == elf::PT_LOAD).find_map(|it| {
        let within = address.checked_sub(it.p_vaddr(endian))?;
        (within < it.p_filesz(endian)).then(|| it.p_offset(endian) + within)
    })
}
