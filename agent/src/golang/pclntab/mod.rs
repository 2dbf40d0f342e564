//! Go's function table (pclntab): which function a program counter is in, and what its tables say.
//!
//! The format is that of Go 1.20 and later (`runtime/symtab.go`, `cmd/link/internal/ld/pcln.go`).
//! Parsed from bytes; every offset in them may be hostile.

mod func;
mod shared;
mod varint;

use std::sync::Arc;

use thiserror::Error;

pub use func::{Func, FuncFlags, StackData};
use varint::PcValue;

/// The magic number of Go 1.20 and later.
const MAGIC: u32 = 0xffff_fff1;
/// The header: magic, pad, instruction quantum, pointer size, then eight words.
pub const HEADER_LEN: usize = 8 + 8 * 8;
/// One entry of the function index: entry and record offset.
const INDEX_ENTRY: usize = 8;
/// The largest programs have some hundred thousand functions, and all their names are read.
const MAX_FUNCTIONS: u64 = 4 << 20;
/// Names and paths longer than this are cut: nobody writes them, only a hostile file holds them.
const MAX_NAME: usize = 4096;

/// Why a pclntab could not be parsed.
#[derive(Debug, Error)]
pub enum PclntabError {
    /// Too short for what it says it holds.
    #[error("it is cut off: {what} ends at {need:#x}, the table has {have:#x} bytes")]
    Truncated {
        /// What does not fit.
        what: &'static str,
        /// Where that would end.
        need: u64,
        /// How long the table is.
        have: u64,
    },
    /// Another format.
    #[error("{}", of_format(*.magic))]
    Magic {
        /// The magic number.
        magic: u32,
        /// Whether it is that of an older Go.
        is_known: bool,
    },
    /// Not a 64-bit target's.
    #[error("pointer size {0}, where 8 is expected")]
    PointerSize(u8),
    /// More functions than any program has.
    #[error("it claims {0} functions; more than {MAX_FUNCTIONS} are taken for a broken table")]
    Functions(u64),
}

/// Whose magic number it is, where that is not of Go 1.20 and later (`debug/gosym`, `pclntab.go`).
const fn older(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0xffff_fffb => "Go 1.2 to 1.15",
        0xffff_fffa => "Go 1.16 and 1.17",
        0xffff_fff0 => "Go 1.18 and 1.19",
        _ => return None,
    })
}

fn of_format(magic: u32) -> String {
    match older(magic) {
        Some(of) => format!("it has the format of {of}; Go 1.21 or later is needed"),
        None => format!("unknown magic number {magic:#010x} (Go 1.20 and later have 0xfffffff1)"),
    }
}

/// A parsed function table. Its bytes are shared by all processes of a build.
pub struct Pclntab {
    bytes: Arc<Vec<u8>>,
    quantum: u8,
    functions: usize,
    names: usize,
    units: usize,
    files: usize,
    values: usize,
    index: usize,
}

impl Pclntab {
    /// Parses a table that starts with the first byte; bytes behind its end do no harm. They are
    /// copied only once the header is found to be good.
    ///
    /// # Errors
    /// When the header is not that of a 64-bit little-endian Go 1.20+ table, or what it announces
    /// does not fit.
    pub fn parse(table: impl AsRef<[u8]> + Into<Vec<u8>>) -> Result<Self, PclntabError> {
        match u32_at(table.as_ref(), 0) {
            Some(magic) if magic != MAGIC => {
                Err(PclntabError::Magic { magic, is_known: older(magic).is_some() })
            }
            _ => Self::parse_any(table),
        }
    }

    /// As [`Pclntab::parse`], of a section that has the name of such a table: obfuscators change the
    /// magic number, so that any but those of older formats will do.
    ///
    /// # Errors
    /// As [`Pclntab::parse`].
    pub fn parse_named(table: Vec<u8>) -> Result<Self, PclntabError> {
        match u32_at(&table, 0) {
            Some(magic) if older(magic).is_some() => {
                Err(PclntabError::Magic { magic, is_known: true })
            }
            _ => Self::parse_any(table),
        }
    }

    /// As [`Pclntab::parse`], whatever the magic number: of what is known to be such a table.
    ///
    /// # Errors
    /// As [`Pclntab::parse`], but for the magic number.
    pub fn parse_any(table: impl AsRef<[u8]> + Into<Vec<u8>>) -> Result<Self, PclntabError> {
        let bytes = table.as_ref();
        let have = bytes.len() as u64;
        let truncated = |what, need| PclntabError::Truncated { what, need, have };
        let word = |index: usize| {
            u64_at(bytes, 8 + index * 8).ok_or_else(|| truncated("the header", HEADER_LEN as u64))
        };
        let (functions, index) = (word(0)?, word(7)?);
        let pointer_size = bytes[7];
        if pointer_size != 8 {
            return Err(PclntabError::PointerSize(pointer_size));
        }
        if functions > MAX_FUNCTIONS {
            return Err(PclntabError::Functions(functions));
        }
        // The index has one entry more than functions: the end of the text.
        let index_end = functions
            .checked_add(1)
            .and_then(|entries| entries.checked_mul(INDEX_ENTRY as u64))
            .and_then(|len| len.checked_add(index))
            .unwrap_or(u64::MAX);
        if index_end > have {
            return Err(truncated("the function index", index_end));
        }
        let part = |what, index| match word(index) {
            Ok(offset) if offset <= have => Ok(offset as usize),
            Ok(offset) => Err(truncated(what, offset)),
            Err(error) => Err(error),
        };
        Ok(Self {
            quantum: bytes[6].max(1),
            functions: functions as usize,
            names: part("the name table", 3)?,
            units: part("the unit table", 4)?,
            files: part("the file table", 5)?,
            values: part("the value tables", 6)?,
            index: index as usize,
            bytes: shared::shared(table.into()),
        })
    }

    /// How many functions there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.functions
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.functions == 0
    }

    /// Where the name table starts, from the start of the pclntab: the second word of
    /// `runtime.moduledata` points there, which is how that is found in memory.
    #[must_use]
    pub const fn name_table_offset(&self) -> u64 {
        self.names as u64
    }

    /// The length of Go's text that the table covers.
    #[must_use]
    pub fn text_len(&self) -> u32 {
        self.entry(self.functions).unwrap_or(0)
    }

    /// The function that covers an offset from the start of Go's text.
    #[must_use]
    pub fn find(&self, text_offset: u64) -> Option<Func<'_>> {
        let text_offset = u32::try_from(text_offset).ok()?;
        if text_offset >= self.text_len() {
            return None;
        }
        // partition_point over the index; entries are sorted in every honest table, and in a
        // hostile one the search still ends.
        let (mut low, mut high) = (0, self.functions);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)? <= text_offset { low = middle + 1 } else { high = middle }
        }
        self.function(low.checked_sub(1)?)
    }

    /// The function at a place of the index.
    #[must_use]
    pub fn function(&self, index: usize) -> Option<Func<'_>> {
        if index >= self.functions {
            return None;
        }
        let at = self.index + index * INDEX_ENTRY;
        let record = self.index.checked_add(u32_at(&self.bytes, at + 4)? as usize)?;
        Func::new(self, u32_at(&self.bytes, at)?, self.entry(index + 1)?, record)
    }

    /// All functions, in the order of their addresses.
    pub fn functions(&self) -> impl Iterator<Item = Func<'_>> {
        (0..self.functions).filter_map(|index| self.function(index))
    }

    /// The name at an offset of the name table.
    #[must_use]
    pub fn name_at(&self, offset: u32) -> Option<&str> {
        self.text_at(self.names.checked_add(offset as usize)?)
    }

    fn entry(&self, index: usize) -> Option<u32> {
        u32_at(&self.bytes, self.index + index * INDEX_ENTRY)
    }

    fn file_at(&self, unit: u32, file: u32) -> Option<&str> {
        let slot = (unit as usize).checked_add(file as usize)?;
        let at = self.units.checked_add(slot.checked_mul(4)?)?;
        let offset = u32_at(&self.bytes, at)?;
        if offset == u32::MAX {
            return None;
        }
        self.text_at(self.files.checked_add(offset as usize)?)
    }

    fn text_at(&self, offset: usize) -> Option<&str> {
        let bytes = self.bytes.get(offset..)?;
        let bytes = &bytes[..bytes.len().min(MAX_NAME)];
        let end = bytes.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    }

    fn values(&self, table: u32) -> Option<PcValue<'_>> {
        if table == 0 {
            return None;
        }
        let bytes = self.bytes.get(self.values.checked_add(table as usize)?..)?;
        Some(PcValue::new(bytes, self.quantum))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
