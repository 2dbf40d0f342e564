//! A debug section read from front to back: inflated only as far as it is needed.
//!
//! Go compresses its DWARF, and `.debug_info` of a large program inflates to more than 100 MB. What
//! the agent needs is one part of it, and only that part is ever held in memory.

use flate2::{Decompress, FlushDecompress, Status};
use object::{CompressionFormat, Object, ObjectSection};

use super::dwarf_error::DwarfError;

/// A compressed section is inflated no further than this.
const MAX_INFLATED: u64 = 256 << 20;
/// How much is inflated at a time.
const STEP: usize = 64 << 10;

/// What is left of a section.
pub(super) struct DebugSection<'data> {
    name: &'static str,
    source: Source<'data>,
}

enum Source<'data> {
    Plain(&'data [u8]),
    Zlib(Inflater<'data>),
}

impl<'data> DebugSection<'data> {
    /// The section `name` of a file, from its start.
    pub(super) fn open(file: &impl Object<'data>, name: &'static str) -> Result<Self, DwarfError> {
        let section = file.section_by_name(name).ok_or(DwarfError::NoSection { section: name })?;
        let content = section
            .compressed_data()
            .map_err(|source| DwarfError::Section { section: name, source })?;
        let source = match content.format {
            CompressionFormat::None => Source::Plain(content.data),
            CompressionFormat::Zlib => Source::Zlib(Inflater::new(content.data)),
            _ => return Err(DwarfError::Compression { section: name }),
        };
        Ok(Self { name, source })
    }

    /// The next `len` bytes, or as many as there are, without going past them.
    pub(super) fn peek(&mut self, len: usize) -> Result<&[u8], DwarfError> {
        match &mut self.source {
            Source::Plain(rest) => Ok(&rest[..len.min(rest.len())]),
            Source::Zlib(inflater) => {
                inflater.fill(len).map_err(|fault| fault.error(self.name))?;
                let ready = inflater.ready();
                Ok(&ready[..len.min(ready.len())])
            }
        }
    }

    /// Goes past the next `len` bytes, or to the end.
    pub(super) fn skip(&mut self, len: u64) -> Result<(), DwarfError> {
        match &mut self.source {
            Source::Plain(rest) => {
                let len = usize::try_from(len).unwrap_or(usize::MAX).min(rest.len());
                *rest = &rest[len..];
                Ok(())
            }
            Source::Zlib(inflater) => inflater.skip(len).map_err(|fault| fault.error(self.name)),
        }
    }
}

/// Inflates a zlib stream into a window that starts where the reader is.
struct Inflater<'data> {
    zlib: Decompress,
    rest: &'data [u8],
    /// Inflated bytes; those before `start` have been passed.
    window: Vec<u8>,
    start: usize,
    ended: bool,
}

/// Why inflating stopped.
enum Fault {
    Broken,
    TooLong,
}

impl Fault {
    fn error(self, section: &'static str) -> DwarfError {
        match self {
            Self::Broken => DwarfError::Inflate { section },
            Self::TooLong => DwarfError::Limit { what: "compressed debug data before it is found" },
        }
    }
}

impl<'data> Inflater<'data> {
    fn new(rest: &'data [u8]) -> Self {
        Self { zlib: Decompress::new(true), rest, window: Vec::new(), start: 0, ended: false }
    }

    fn ready(&self) -> &[u8] {
        &self.window[self.start..]
    }

    /// Inflates until `len` bytes are ready, or the stream ends.
    fn fill(&mut self, len: usize) -> Result<(), Fault> {
        if self.ready().len() >= len {
            return Ok(());
        }
        self.window.drain(..self.start);
        self.start = 0;
        while self.window.len() < len && !self.ended {
            self.inflate()?;
        }
        Ok(())
    }

    fn skip(&mut self, len: u64) -> Result<(), Fault> {
        let mut left = len;
        loop {
            let ready = self.ready().len();
            if let Ok(step) = usize::try_from(left)
                && step <= ready
            {
                self.start += step;
                return Ok(());
            }
            left -= ready as u64;
            self.window.clear();
            self.start = 0;
            if self.ended {
                return Ok(());
            }
            self.inflate()?;
        }
    }

    /// Appends the next piece to the window.
    fn inflate(&mut self) -> Result<(), Fault> {
        if self.zlib.total_out() >= MAX_INFLATED {
            return Err(Fault::TooLong);
        }
        self.window.reserve(STEP);
        let (taken, given) = (self.zlib.total_in(), self.zlib.total_out());
        let status = self
            .zlib
            .decompress_vec(self.rest, &mut self.window, FlushDecompress::None)
            .map_err(|_| Fault::Broken)?;
        // `total_in` counts what was consumed of `rest`, so it stays inside.
        let taken = (self.zlib.total_in() - taken) as usize;
        self.rest = self.rest.get(taken..).unwrap_or(&[]);
        match status {
            Status::StreamEnd => self.ended = true,
            Status::Ok | Status::BufError => {
                let stuck = taken == 0 && self.zlib.total_out() == given;
                if stuck {
                    return Err(Fault::Broken);
                }
            }
        }
        Ok(())
    }
}
