//! One pass over all function names, for whatever is wanted by name.

use rustc_hash::{FxHashMap, FxHashSet};

use super::pclntab::Pclntab;

/// The last of the special functions in every Go version, right before the compiler's wrappers
/// (`internal/abi/symtab.go`); the numbers differ between versions.
const BEFORE_WRAPPER: &str = "runtime.systemstack_switch";
/// C enters Go here; linked into every program with cgo, and into no other.
const CGO_ENTRY: &str = "crosscall2";

/// What the function names of a program tell.
#[derive(Debug, Default)]
pub struct Survey {
    /// The linker's number for compiler wrappers (`abi.FuncIDWrapper`).
    pub wrapper_id: Option<u8>,
    /// Whether there is cgo code.
    pub cgo: bool,
    /// Entry and end, from the start of Go's text, of the functions that are to be taken apart.
    pub functions: FxHashMap<&'static str, (u32, u32)>,
}

impl Survey {
    /// Reads every function's name once. `wanted` are the functions that are to be taken apart.
    #[must_use]
    pub fn of(pclntab: &Pclntab, wanted: impl IntoIterator<Item = &'static str>) -> Self {
        let wanted: FxHashSet<&'static str> = wanted.into_iter().collect();
        let mut survey = Self::default();
        for func in pclntab.functions() {
            let Some(name) = func.name() else { continue };
            if name == BEFORE_WRAPPER {
                survey.wrapper_id = func.func_id().checked_add(1);
            } else if name == CGO_ENTRY {
                survey.cgo = true;
            } else if let Some(&name) = wanted.get(name) {
                survey.functions.insert(name, (func.entry(), func.end()));
            }
        }
        survey
    }
}
