//! One function of the table.

use super::{Pclntab, u32_at};

/// Byte offsets in the function record (`runtime._func`); the same since Go 1.20.
mod record {
    pub(super) const NAME: usize = 4;
    pub(super) const ARGUMENTS: usize = 8;
    pub(super) const PCSP: usize = 16;
    pub(super) const PCFILE: usize = 20;
    pub(super) const PCLN: usize = 24;
    pub(super) const PCDATA_COUNT: usize = 28;
    pub(super) const UNIT: usize = 32;
    pub(super) const FUNC_ID: usize = 40;
    pub(super) const FLAG: usize = 41;
    pub(super) const FUNCDATA_COUNT: usize = 43;
    pub(super) const LEN: usize = 44;
}

/// PCDATA index of the stack map (`abi.PCDATA_StackMapIndex`).
const PCDATA_STACK_MAP: u32 = 1;
/// PCDATA index of the inline tree's position (`abi.PCDATA_InlTreeIndex`).
const PCDATA_INLINE_INDEX: u32 = 2;
/// FUNCDATA index of the inline tree (`abi.FUNCDATA_InlTree`).
const FUNCDATA_INLINE_TREE: u32 = 3;
/// What stands for the size of arguments that differ from call to call (`abi.ArgsSizeUnknown`).
const ARGUMENTS_UNKNOWN: u32 = 1 << 31;

/// What the compiler says of where a function's frames have pointers (`abi.FUNCDATA_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackData {
    /// Bitmaps of arguments and results.
    Arguments = 0,
    /// Bitmaps of local variables.
    Locals = 1,
    /// The list of variables whose address is taken.
    Objects = 2,
}

/// What the linker says of a function (`abi.FuncFlag`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncFlags(u8);

impl FuncFlags {
    /// The outermost frame of a stack (`goexit`, `mstart`): unwinding ends here.
    #[must_use]
    pub const fn is_top_frame(self) -> bool {
        self.0 & 1 != 0
    }

    /// Writes the stack pointer in ways that the tables do not tell: unwinding cannot go past it.
    #[must_use]
    pub const fn writes_sp(self) -> bool {
        self.0 & 2 != 0
    }
}

/// One function of a [`Pclntab`].
#[derive(Clone, Copy)]
pub struct Func<'a> {
    table: &'a Pclntab,
    entry: u32,
    end: u32,
    record: usize,
}

impl<'a> Func<'a> {
    pub(super) fn new(table: &'a Pclntab, entry: u32, end: u32, record: usize) -> Option<Self> {
        let whole = record.checked_add(record::LEN)? <= table.bytes.len();
        (whole && entry <= end).then_some(Self { table, entry, end, record })
    }

    /// Its first byte, from the start of Go's text.
    #[must_use]
    pub const fn entry(&self) -> u32 {
        self.entry
    }

    /// One past its last byte, from the start of Go's text.
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.end
    }

    /// Its full name, as the runtime prints it.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.table.name_at(self.word(record::NAME)?)
    }

    /// The linker's kind of function (`abi.FuncID`); the numbers differ between Go versions.
    #[must_use]
    pub fn func_id(&self) -> u8 {
        self.byte(record::FUNC_ID)
    }

    /// What the linker says of it.
    #[must_use]
    pub fn flags(&self) -> FuncFlags {
        FuncFlags(self.byte(record::FLAG))
    }

    /// Whether its frames have sizes at all; functions from outside Go (the race detector) have none.
    #[must_use]
    pub fn has_frame_sizes(&self) -> bool {
        self.word(record::PCSP).is_some_and(|table| table != 0)
    }

    /// The bytes between the stack pointer at `offset` (from the start of Go's text) and the
    /// frame's end, the return address not counted on amd64.
    #[must_use]
    pub fn frame_size(&self, offset: u32) -> Option<u32> {
        u32::try_from(self.value(record::PCSP, offset)?).ok()
    }

    /// File and line at `offset`.
    #[must_use]
    pub fn file_line(&self, offset: u32) -> Option<(&'a str, u32)> {
        let line = u32::try_from(self.value(record::PCLN, offset)?).ok()?;
        let file = u32::try_from(self.value(record::PCFILE, offset)?).ok()?;
        Some((self.table.file_at(self.word(record::UNIT)?, file)?, line))
    }

    /// Which entry of the inline tree covers `offset`; `None` outside inlined code.
    #[must_use]
    pub fn inline_index(&self, offset: u32) -> Option<u32> {
        u32::try_from(self.data_value(PCDATA_INLINE_INDEX, offset)?).ok()
    }

    /// Where the inline tree stands, from `moduledata.gofunc`; `None` where nothing was inlined.
    #[must_use]
    pub fn inline_tree(&self) -> Option<u32> {
        self.data(FUNCDATA_INLINE_TREE)
    }

    /// How many bytes of its caller's frame hold its arguments and results; `None` where that differs from call to call
    /// (`reflect.makeFuncStub`, `reflect.methodValueCall`).
    #[must_use]
    pub fn argument_bytes(&self) -> Option<u32> {
        self.word(record::ARGUMENTS).filter(|bytes| *bytes != ARGUMENTS_UNKNOWN)
    }

    /// Which of the bitmaps holds at `offset`; `None` where no call is.
    #[must_use]
    pub fn stack_map_index(&self, offset: u32) -> Option<u32> {
        u32::try_from(self.data_value(PCDATA_STACK_MAP, offset)?).ok()
    }

    /// Where that stands which tells of pointers in its frames, from `moduledata.gofunc`; `None` where there is none.
    #[must_use]
    pub fn stack_data(&self, of: StackData) -> Option<u32> {
        self.data(of as u32)
    }

    /// An entry of PCDATA at an offset.
    fn data_value(&self, index: u32, offset: u32) -> Option<i32> {
        if index >= self.word(record::PCDATA_COUNT)? {
            return None;
        }
        let table = self.word(record::LEN + 4 * index as usize)?;
        self.table.values(table)?.at(offset.checked_sub(self.entry)?)
    }

    /// An entry of FUNCDATA.
    fn data(&self, index: u32) -> Option<u32> {
        if index >= u32::from(self.byte(record::FUNCDATA_COUNT)) {
            return None;
        }
        let slot = self.word(record::PCDATA_COUNT)?.checked_add(index)?;
        let offset = self.word(record::LEN.checked_add((slot as usize).checked_mul(4)?)?)?;
        (offset != u32::MAX).then_some(offset)
    }

    fn value(&self, table: usize, offset: u32) -> Option<i32> {
        self.table.values(self.word(table)?)?.at(offset.checked_sub(self.entry)?)
    }

    fn word(&self, at: usize) -> Option<u32> {
        u32_at(&self.table.bytes, self.record.checked_add(at)?)
    }

    fn byte(&self, at: usize) -> u8 {
        self.table.bytes.get(self.record + at).copied().unwrap_or(0)
    }
}
