//! The modules of a program besides its main one: plugins, and what is known of their code.
//!
//! The runtime links the data of every module that was loaded into one list
//! (`moduledata.next`, `runtime.addmoduledata`), at its end. Each has a function table of its own.

use super::layout::ModuleData;
use super::memory::{Memory, ReadError};
use super::module::Module;
use super::pclntab::{Func, HEADER_LEN, Pclntab};

/// More modules than this are no list of plugins.
const MAX_MODULES: usize = 1000;
/// Bytes of function tables kept over all plugins.
const MAX_TABLE_BYTES: u64 = 1 << 30;
/// From `moduledata.pcHeader` to `moduledata.pclntable`, the slice that ends with the function table
/// (`runtime/symtab.go`, Go 1.21 to 1.27). What is found there is checked against the table's header.
const TABLE_SLICE: u64 = 104;

/// One module's function table, and where its code was loaded.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// Its function table.
    pub pclntab: &'a Pclntab,
    /// The start of its Go text.
    pub text: u64,
    /// What its inline trees are found from (`moduledata.gofunc`).
    pub gofunc: u64,
}

/// The code of all modules of a program.
#[derive(Clone, Copy)]
pub struct Codes<'a> {
    main: Code<'a>,
    plugins: &'a [Plugin],
}

impl<'a> Codes<'a> {
    /// Of a program with these plugins.
    #[must_use]
    pub const fn new(main: Code<'a>, plugins: &'a [Plugin]) -> Self {
        Self { main, plugins }
    }

    /// The function at an address, the module that it is in, and the address as an offset from the
    /// start of that module's text.
    #[must_use]
    pub fn find(&self, pc: u64) -> Option<(Code<'a>, Func<'a>, u32)> {
        let within = |code: Code<'a>| {
            let offset = pc.checked_sub(code.text)?;
            Some((code, code.pclntab.find(offset)?, u32::try_from(offset).ok()?))
        };
        within(self.main).or_else(|| self.plugins.iter().find_map(|plugin| within(plugin.code())))
    }
}

/// A plugin that can be read.
pub struct Plugin {
    module: Module,
    pclntab: Pclntab,
}

impl Plugin {
    fn code(&self) -> Code<'_> {
        Code { pclntab: &self.pclntab, text: self.module.text, gofunc: self.module.gofunc }
    }
}

/// All plugins that were met so far.
pub struct Plugins {
    readable: Vec<Plugin>,
    /// Every module of the list, the main one first.
    addresses: Vec<u64>,
    /// Why some cannot be read, one sentence each.
    gaps: Vec<String>,
    table_bytes: u64,
}

impl Plugins {
    /// None yet: of the program whose main module this is.
    #[must_use]
    pub fn after(main: &Module) -> Self {
        let addresses = vec![main.address];
        Self { readable: Vec::new(), addresses, gaps: Vec::new(), table_bytes: 0 }
    }

    /// How many there are, those that cannot be read too.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.addresses.len().saturating_sub(1)
    }

    /// Those that can be read.
    #[must_use]
    pub fn readable(&self) -> &[Plugin] {
        &self.readable
    }

    /// Why others cannot be read: one sentence for each.
    #[must_use]
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    /// Whether an address is in the Go text of one of them.
    #[must_use]
    pub fn is_text(&self, address: u64) -> bool {
        self.readable.iter().any(|plugin| plugin.module.is_text(address))
    }

    /// Whether a module was loaded since the list was last read. One word is read.
    #[must_use]
    pub fn has_more(&self, memory: &dyn Memory, layout: &ModuleData) -> bool {
        self.next(memory, layout).is_ok_and(|next| next.is_some())
    }

    /// Reads the list on from where it ended. Whether there is any more of it.
    ///
    /// # Errors
    /// When memory cannot be read any more.
    pub fn refresh(&mut self, memory: &dyn Memory, layout: &ModuleData) -> Result<bool, ReadError> {
        let mut has_grown = false;
        while let Some(address) = self.next(memory, layout)? {
            has_grown = true;
            self.addresses.push(address);
            if self.addresses.len() == MAX_MODULES {
                self.gaps.push(format!(
                    "the program's list of modules has {MAX_MODULES} entries; no more are read"
                ));
            }
            match self.read(memory, layout, address) {
                Ok(plugin) => self.readable.push(plugin),
                Err(Gap::Gone(error)) => return Err(error),
                Err(Gap::Unreadable(why)) => self.gaps.push(format!(
                    "the plugin whose module data is at {address:#x} cannot be read ({why}); \
                     neither can stacks that go through it"
                )),
            }
        }
        Ok(has_grown)
    }

    fn next(&self, memory: &dyn Memory, layout: &ModuleData) -> Result<Option<u64>, ReadError> {
        let last = self.addresses.last().copied().unwrap_or_default();
        if self.addresses.len() >= MAX_MODULES {
            return Ok(None);
        }
        match memory.read_u64(last.wrapping_add(u64::from(layout.next))) {
            // A list that leads back into itself has ended too.
            Ok(next) => Ok(Some(next).filter(|next| *next != 0 && !self.addresses.contains(next))),
            Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn read(
        &mut self,
        memory: &dyn Memory,
        layout: &ModuleData,
        address: u64,
    ) -> Result<Plugin, Gap> {
        let module = Module::read(memory, layout, address)?
            .ok_or_else(|| Gap::of("its module data makes no sense"))?;
        let header_field = address.wrapping_add(u64::from(layout.pc_header));
        let table = memory.read_u64(header_field)?;
        let slice = header_field.wrapping_add(TABLE_SLICE);
        let (start, len) = (memory.read_u64(slice)?, memory.read_u64(slice.wrapping_add(8))?);
        let mut header = [0; HEADER_LEN];
        memory.read(table, &mut header)?;
        let index = header.last_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        let size = index
            .checked_add(len)
            .filter(|_| start.checked_sub(table) == Some(index))
            .ok_or_else(|| Gap::of("its function table is not where its module data says"))?;
        let total = self.table_bytes.saturating_add(size);
        if total > MAX_TABLE_BYTES {
            return Err(Gap::of("the function tables of all plugins are too large to be kept"));
        }
        let bytes = memory.read_vec(table, size as usize)?;
        let pclntab = Pclntab::parse(bytes).map_err(|error| Gap::Unreadable(error.to_string()))?;
        self.table_bytes = total;
        Ok(Plugin { module, pclntab })
    }
}

/// Why a plugin could not be read.
enum Gap {
    Gone(ReadError),
    Unreadable(String),
}

impl Gap {
    fn of(why: &str) -> Self {
        Self::Unreadable(why.to_owned())
    }
}

impl From<ReadError> for Gap {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Exited | ReadError::Denied => Self::Gone(error),
            ReadError::Unmapped { .. } | ReadError::Os { .. } => {
                Self::Unreadable(error.to_string())
            }
        }
    }
}
