//! An executable's file as memory: what a loader would make of it, at its link addresses.

use anyhow::{Context, Result};
use leak_agent::golang::memory::{Memory, ReadError};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, RelocationFlags, elf};

/// The loaded segments of an executable, relocated for a load bias of 0.
#[derive(Debug)]
pub struct Loaded {
    segments: Vec<(u64, Vec<u8>)>,
}

impl Loaded {
    /// Loads a file.
    ///
    /// # Errors
    /// When it is no whole 64-bit little-endian ELF file.
    pub fn load(file: &[u8]) -> Result<Self> {
        let endian = Endianness::Little;
        let parsed = ElfFile64::<Endianness>::parse(file)?;
        let mut segments = Vec::new();
        for header in parsed.elf_program_headers() {
            if header.p_type(endian) == elf::PT_LOAD {
                let data = header.data(endian, file).ok().context("a segment is cut off")?;
                let mut bytes = data.to_vec();
                bytes.resize(usize::try_from(header.p_memsz(endian))?, 0);
                segments.push((header.p_vaddr(endian), bytes));
            }
        }
        let mut image = Self { segments };
        for (address, relocation) in parsed.dynamic_relocations().into_iter().flatten() {
            let relative = [elf::R_X86_64_RELATIVE, elf::R_AARCH64_RELATIVE]
                .map(|r_type| RelocationFlags::Elf { r_type });
            if relative.contains(&relocation.flags()) {
                image.set(address, relocation.addend()).context("a relocation of nothing")?;
            }
        }
        Ok(image)
    }

    fn set(&mut self, address: u64, value: i64) -> Option<()> {
        let (start, bytes) = self
            .segments
            .iter_mut()
            .find(|(start, bytes)| (*start..*start + bytes.len() as u64).contains(&address))?;
        let at = usize::try_from(address - *start).ok()?;
        bytes.get_mut(at..at + 8)?.copy_from_slice(&value.to_le_bytes());
        Some(())
    }
}

impl Memory for Loaded {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let bytes = self.segments.iter().find_map(|(start, bytes)| {
            let at = usize::try_from(addr.checked_sub(*start)?).ok()?;
            bytes.get(at..at.checked_add(buf.len())?)
        });
        let bytes = bytes.ok_or(ReadError::Unmapped { addr, len: buf.len() })?;
        buf.copy_from_slice(bytes);
        Ok(())
    }
}
