//! The modules of a program besides its main one: plugins, and what is known of their code.
//!
//! The runtime links the data of every module that was loaded into one list
//! (`moduledata.next`, `runtime.addmoduledata`), at its end. Each has a function table of its own.

use super::caveat::PluginGap;
use super::layout::ModuleData;
use super::memory::{Memory, ReadError};
use super::module::Module;
use super::pclntab::{Func, HEADER_LEN, Pclntab};

/// More modules than this are no list of plugins.
const MAX_MODULES: usize = 1000;
/// More plugins that cannot be read than this are only counted.
const MAX_GAPS: usize = 10;
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
    /// Why some cannot be read, and how many others.
    gaps: Vec<PluginGap>,
    /// How many cannot be read.
    unreadable: usize,
    table_bytes: u64,
}

impl Plugins {
    /// None yet: of the program whose main module this is.
    #[must_use]
    pub fn after(main: &Module) -> Self {
        let addresses = vec![main.address];
        Self { readable: Vec::new(), addresses, gaps: Vec::new(), unreadable: 0, table_bytes: 0 }
    }

    /// How many there are, those that cannot be read too.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.addresses.len().saturating_sub(1)
    }

    /// The module data of every module, the main one first.
    #[must_use]
    pub fn addresses(&self) -> &[u64] {
        &self.addresses
    }

    /// Those that can be read.
    #[must_use]
    pub fn readable(&self) -> &[Plugin] {
        &self.readable
    }

    /// Why others cannot be read: each of the first, and how many more.
    #[must_use]
    pub fn gaps(&self) -> &[PluginGap] {
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

    /// Whether the list is known to have no more modules than those that were met.
    #[must_use]
    pub fn is_whole(&self, memory: &dyn Memory, layout: &ModuleData) -> bool {
        let last = self.addresses.last().copied().unwrap_or_default();
        let next = memory.read_u64(last.wrapping_add(u64::from(layout.next)));
        self.addresses.len() < MAX_MODULES
            && next.is_ok_and(|next| next == 0 || self.addresses.contains(&next))
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
            match self.read(memory, layout, address) {
                Ok(plugin) => self.readable.push(plugin),
                Err(Gap::Gone(error)) => return Err(error),
                Err(Gap::Unreadable(why)) => self.miss(address, why),
            }
            if self.addresses.len() == MAX_MODULES {
                self.gaps.push(PluginGap::Cut(MAX_MODULES));
            }
        }
        Ok(has_grown)
    }

    fn miss(&mut self, address: u64, why: String) {
        self.unreadable += 1;
        if let Some(more @ 1..) = self.unreadable.checked_sub(MAX_GAPS) {
            self.gaps.truncate(MAX_GAPS);
            self.gaps.push(PluginGap::MoreUnreadable(more));
        } else {
            self.gaps.push(PluginGap::Unreadable { address, why });
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LAYOUT: ModuleData = ModuleData {
        size: 256,
        pc_header: 0,
        text: 8,
        etext: 16,
        gofunc: 24,
        types: 72,
        end_types: 80,
        data: 40,
        edata: 48,
        bss: 56,
        ebss: 64,
        data_mask: 72,
        bss_mask: 80,
        next: 32,
    };
    const MAIN: u64 = 0x1000;
    const FIRST: u64 = 0x2000;
    const SECOND: u64 = 0x3000;
    /// From a module's data to its function table.
    const TABLE: u64 = 0x800;

    /// Words at addresses, nothing between them.
    #[derive(Default)]
    struct Words(BTreeMap<u64, u64>);

    impl Words {
        /// With a main module.
        fn new() -> Self {
            Self::default().with(MAIN + u64::from(LAYOUT.next), 0)
        }

        fn with(mut self, addr: u64, word: u64) -> Self {
            self.0.insert(addr, word);
            self
        }

        fn linked(self, from: u64, to: u64) -> Self {
            self.with(from + u64::from(LAYOUT.next), to)
        }

        /// A plugin's data, and a function table of no functions.
        fn plugin(self, at: u64) -> Self {
            let (table, index) = (at + TABLE, HEADER_LEN as u64);
            let words = [
                (at + u64::from(LAYOUT.pc_header), table),
                (at + u64::from(LAYOUT.text), at << 16),
                (at + u64::from(LAYOUT.etext), (at << 16) + 0x100),
                (at + u64::from(LAYOUT.gofunc), at + 0xa00),
                (at + u64::from(LAYOUT.next), 0),
                (at + TABLE_SLICE, table + index),
                (at + TABLE_SLICE + 8, 8),
                // The header: magic, quantum 1 and pointers of 8 bytes, then where its parts are.
                (table, 0x0801_0000_ffff_fff1),
                (table + 8, 0),
                (table + 64, index),
                (table + index, 0),
            ];
            let parts = (2..7).map(|word| (table + 8 + word * 8, index));
            let all = words.into_iter().chain(parts).chain([(table + 16, 0)]);
            all.fold(self, |words, (addr, word)| words.with(addr, word))
        }
    }

    impl Memory for Words {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            let len = buf.len();
            for (index, chunk) in (0..).zip(buf.chunks_mut(8)) {
                let at = addr.checked_add(8 * index);
                let word = at.and_then(|at| self.0.get(&at));
                let word = word.ok_or(ReadError::Unmapped { addr, len })?;
                chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    /// Modules without an end: whatever is read, is the address behind it.
    struct Endless;

    impl Memory for Endless {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            for chunk in buf.chunks_mut(8) {
                chunk.copy_from_slice(&addr.wrapping_add(0x1000).to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    struct Exited;

    impl Memory for Exited {
        fn read(&self, _: u64, _: &mut [u8]) -> Result<(), ReadError> {
            Err(ReadError::Exited)
        }
    }

    fn none_yet() -> Plugins {
        Plugins::after(&Module { address: MAIN, text: 1, etext: 2, gofunc: 3 })
    }

    /// What is found in a memory, which is then known to hold no more.
    fn all(memory: &dyn Memory) -> Plugins {
        let mut plugins = none_yet();
        plugins.refresh(memory, &LAYOUT).expect("memory that can be read");
        assert!(!plugins.has_more(memory, &LAYOUT));
        assert!(!plugins.refresh(memory, &LAYOUT).expect("memory that can be read"));
        plugins
    }

    #[test]
    fn plugins_are_read_as_they_come() {
        let memory = Words::new().plugin(FIRST).plugin(SECOND);
        let mut plugins = all(&memory);
        assert_eq!(plugins.count(), 0);
        let memory = memory.linked(MAIN, FIRST);
        assert!(plugins.has_more(&memory, &LAYOUT));
        assert!(plugins.refresh(&memory, &LAYOUT).expect("memory that can be read"));
        assert!(plugins.is_text(FIRST << 16) && !plugins.is_text(SECOND << 16));
        let memory = memory.linked(FIRST, SECOND);
        assert!(plugins.refresh(&memory, &LAYOUT).expect("memory that can be read"));
        assert!(plugins.is_text(FIRST << 16) && plugins.is_text(SECOND << 16));
        assert_eq!((plugins.count(), plugins.readable().len()), (2, 2));
        assert!(plugins.gaps().is_empty(), "{:?}", plugins.gaps());
    }

    #[test]
    fn a_list_is_whole_where_its_end_is_read() {
        let whole = |plugins: &Plugins, memory: &dyn Memory| plugins.is_whole(memory, &LAYOUT);
        let memory = Words::new().plugin(FIRST);
        assert!(whole(&none_yet(), &memory));
        assert!(!whole(&none_yet(), &Words::new().linked(MAIN, FIRST)), "there is one more");
        assert!(!whole(&none_yet(), &Words::default()), "it is not there");
        assert!(!whole(&none_yet(), &Exited));
        let memory = memory.linked(MAIN, FIRST);
        assert!(whole(&all(&memory), &memory));
        assert!(whole(&all(&memory), &memory.linked(FIRST, MAIN)), "back into itself");
        assert!(!whole(&all(&Endless), &Endless), "more than are read");
    }

    #[test]
    fn a_list_that_leads_back_into_itself_ends() {
        for back in [MAIN, FIRST, SECOND] {
            let memory = Words::new().plugin(FIRST).plugin(SECOND);
            let memory = memory.linked(MAIN, FIRST).linked(FIRST, SECOND).linked(SECOND, back);
            let plugins = all(&memory);
            assert_eq!((plugins.count(), plugins.readable().len()), (2, 2), "back to {back:#x}");
        }
        assert_eq!(all(&Words::new().linked(MAIN, MAIN)).count(), 0);
    }

    #[test]
    fn a_list_that_leads_nowhere_is_a_gap() {
        for nowhere in [1, 0xdead_0000, 1 << 63, u64::MAX - 7, u64::MAX] {
            let plugins = all(&Words::new().linked(MAIN, nowhere));
            assert_eq!((plugins.count(), plugins.readable().len()), (1, 0));
            let [PluginGap::Unreadable { address, why }] = plugins.gaps() else {
                panic!("one gap: {:?}", plugins.gaps())
            };
            assert_eq!(*address, nowhere);
            assert!(why.contains("no sense"), "{why}");
        }
    }

    #[test]
    fn a_list_without_an_end_is_cut_and_said_to_be() {
        let plugins = all(&Endless);
        assert_eq!((plugins.count(), plugins.readable().len()), (MAX_MODULES - 1, 0));
        let gaps = plugins.gaps();
        assert_eq!(gaps.len(), MAX_GAPS + 2, "{gaps:?}");
        let more = PluginGap::MoreUnreadable(MAX_MODULES - 1 - MAX_GAPS);
        assert_eq!(gaps[MAX_GAPS..], [more, PluginGap::Cut(MAX_MODULES)]);
    }

    #[test]
    fn a_plugin_whose_table_lies_is_a_gap_and_the_next_is_read() {
        let (header, slice) = (FIRST + TABLE, FIRST + TABLE_SLICE);
        for (addr, word, why) in [
            (slice, header, "not where"),
            (slice + 8, u64::MAX, "not where"),
            (slice + 8, MAX_TABLE_BYTES, "too large"),
            (slice + 8, 1 << 20, "not mapped"),
            (header, 0x0801_0000_ffff_ff00, "magic"),
            (header + 8, u64::MAX, "functions"),
            (FIRST + u64::from(LAYOUT.pc_header), u64::MAX, "not mapped"),
            (FIRST + u64::from(LAYOUT.etext), 1, "no sense"),
        ] {
            let memory = Words::new().plugin(FIRST).plugin(SECOND);
            let memory = memory.linked(MAIN, FIRST).linked(FIRST, SECOND).with(addr, word);
            let plugins = all(&memory);
            assert_eq!((plugins.count(), plugins.readable().len()), (2, 1), "{why}");
            assert!(plugins.is_text(SECOND << 16));
            let [PluginGap::Unreadable { address: FIRST, why: told }] = plugins.gaps() else {
                panic!("one gap: {:?}", plugins.gaps())
            };
            assert!(told.contains(why), "{why}: {told}");
        }
    }

    #[test]
    fn a_process_that_is_gone_is_an_error_and_no_gap() {
        let mut plugins = none_yet();
        assert!(matches!(plugins.refresh(&Exited, &LAYOUT), Err(ReadError::Exited)));
        assert!(plugins.gaps().is_empty());
        assert!(!plugins.has_more(&Exited, &LAYOUT));
    }
}
