//! From addresses to functions, files and lines, inlined calls unfolded.

use super::memory::Memory;
use super::pclntab::Func;
use super::plugins::{Code, Codes};

/// No honest inline tree is deeper; a hostile one may be a cycle.
const MAX_INLINE_DEPTH: usize = 200;
/// One entry of an inline tree (`runtime.inlinedCall`, since Go 1.20).
const INLINED_CALL: u64 = 16;
/// A call at an address: its function, file and line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The function's full name.
    pub function: &'a str,
    /// The file's path.
    pub file: &'a str,
    /// The line.
    pub line: u32,
    /// Whether the compiler inlined it into the call that follows.
    pub inlined: bool,
    /// Whether the compiler made the function up (a `go` statement's or a method value's wrapper).
    pub wrapper: bool,
}

/// Names addresses of one program.
pub struct Symbolizer<'a> {
    codes: Codes<'a>,
    memory: &'a dyn Memory,
    wrapper_id: Option<u8>,
}

impl<'a> Symbolizer<'a> {
    /// For a program with this code. Its modules are built by one toolchain, so that one number for
    /// wrappers goes for all.
    pub fn new(codes: Codes<'a>, memory: &'a dyn Memory, wrapper_id: Option<u8>) -> Self {
        Self { codes, memory, wrapper_id }
    }

    /// Every call at `pc`, innermost first: inlined ones, then the function itself. `false` when
    /// the address is in no Go function or its tables are broken: what was reported is then not to be believed.
    pub fn calls(&self, pc: u64, call: &mut dyn FnMut(Call<'a>)) -> bool {
        let Some((code, func, mut offset)) = self.codes.find(pc) else { return false };
        let Some(name) = func.name() else { return false };
        for _ in 0..MAX_INLINE_DEPTH {
            let Some((file, line)) = func.file_line(offset) else { break };
            let Some(inner) = self.inlined_at(code, &func, offset) else {
                let wrapper = self.is_wrapper(func.func_id());
                call(Call { function: name, file, line, inlined: false, wrapper });
                return true;
            };
            let wrapper = self.is_wrapper(inner.func_id);
            call(Call { function: inner.name, file, line, inlined: true, wrapper });
            let Some(parent) = func.entry().checked_add(inner.parent) else { break };
            offset = parent;
        }
        false
    }

    /// The function at `pc` itself with the line of `pc`, as the runtime prints creation sites:
    /// inlined calls are not unfolded.
    #[must_use]
    pub fn function_line(&self, pc: u64) -> Option<Call<'a>> {
        let (_, func, offset) = self.codes.find(pc)?;
        let (file, line) = func.file_line(offset)?;
        let wrapper = self.is_wrapper(func.func_id());
        Some(Call { function: func.name()?, file, line, inlined: false, wrapper })
    }

    /// The first byte of the function at `pc`, and that function's name.
    #[must_use]
    pub fn entry(&self, pc: u64) -> Option<(u64, &'a str)> {
        let (_, func, offset) = self.codes.find(pc)?;
        let into = offset.checked_sub(func.entry())?;
        Some((pc.checked_sub(u64::from(into))?, func.name()?))
    }

    /// The address of the call that returns to `pc`: one before it, but for a function's first byte.
    #[must_use]
    pub fn call_address(&self, pc: u64) -> u64 {
        let found = self.codes.find(pc);
        let at_entry = found.is_some_and(|(_, func, offset)| offset == func.entry());
        if at_entry { pc } else { pc.saturating_sub(1) }
    }

    fn is_wrapper(&self, func_id: u8) -> bool {
        self.wrapper_id == Some(func_id)
    }

    fn inlined_at(&self, code: Code<'a>, func: &Func<'a>, offset: u32) -> Option<InlinedCall<'a>> {
        let index = func.inline_index(offset)?;
        let tree = code.gofunc.checked_add(u64::from(func.inline_tree()?))?;
        let mut entry = [0; INLINED_CALL as usize];
        let at = tree.checked_add(u64::from(index) * INLINED_CALL)?;
        self.memory.read(at, &mut entry).ok()?;
        let word = |at: usize| {
            u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
        };
        Some(InlinedCall {
            func_id: entry[0],
            name: code.pclntab.name_at(word(4))?,
            parent: word(8),
        })
    }
}

/// One entry of an inline tree.
struct InlinedCall<'a> {
    func_id: u8,
    name: &'a str,
    /// Where the call stands in the function, from its entry.
    parent: u32,
}
