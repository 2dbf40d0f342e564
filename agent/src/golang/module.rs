//! The runtime's description of the loaded program (`runtime.moduledata`), found by what it must hold.

use std::ops::Range;

use super::layout;
use super::memory::{Memory, ReadError};

/// How much is read at once while searching.
const CHUNK: usize = 1 << 20;

/// Where the program was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// The struct's address.
    pub address: u64,
    /// The start of Go's text.
    pub text: u64,
    /// Its end.
    pub etext: u64,
    /// What inline trees are found from.
    pub gofunc: u64,
}

impl Module {
    /// Searches initialised data for the word that is the function table's address, followed by
    /// that of its name table.
    ///
    /// # Errors
    /// When memory cannot be read any more. `Ok(None)`: it is not there.
    pub fn find(
        memory: &dyn Memory,
        layout: &layout::ModuleData,
        data: &[Range<u64>],
        pclntab: u64,
        names: u64,
    ) -> Result<Option<Self>, ReadError> {
        let mut mark = pclntab.to_le_bytes().to_vec();
        mark.extend(pclntab.wrapping_add(names).to_le_bytes());
        let finder = memchr::memmem::Finder::new(&mark);
        let mut chunk = Vec::new();
        for range in data {
            // Chunks overlap by less than a mark, so that none is cut in two.
            let mut at = range.start;
            while at < range.end {
                let len = CHUNK.min((range.end - at) as usize);
                chunk.resize(len, 0);
                match memory.read(at, &mut chunk) {
                    Ok(()) => {}
                    Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                    // A page that is not there holds no module data.
                    Err(_) => chunk.fill(0),
                }
                for place in finder.find_iter(&chunk) {
                    let address = at + place as u64;
                    if address.is_multiple_of(8)
                        && let Some(module) = Self::read(memory, layout, address)?
                    {
                        return Ok(Some(module));
                    }
                }
                at = at.saturating_add(if len == CHUNK {
                    (CHUNK - mark.len()) as u64
                } else {
                    len as u64
                });
            }
        }
        Ok(None)
    }

    /// The module data at an address; `Ok(None)` when what stands there is none.
    ///
    /// # Errors
    /// When memory cannot be read any more.
    pub fn read(
        memory: &dyn Memory,
        layout: &layout::ModuleData,
        address: u64,
    ) -> Result<Option<Self>, ReadError> {
        // What is not there is 0, which no field of a module is.
        let field = |offset: u32| match memory.read_u64(address.wrapping_add(u64::from(offset))) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
            word => Ok(word.unwrap_or(0)),
        };
        let (text, etext) = (field(layout.text)?, field(layout.etext)?);
        let module = Self { address, text, etext, gofunc: field(layout.gofunc)? };
        let sensible = module.text != 0 && module.text < module.etext && module.gofunc != 0;
        Ok(sensible.then_some(module))
    }

    /// Whether an address is in its Go text.
    #[must_use]
    pub fn is_text(&self, address: u64) -> bool {
        (self.text..self.etext).contains(&address)
    }
}
