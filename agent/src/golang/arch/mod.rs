//! What differs between processor architectures, behind one type.

mod amd64;
mod arm64;

use std::ops::Range;

/// No more of one function is disassembled than this: its end may come from a hostile table.
const MAX_CODE: usize = 64 << 10;
/// No more references than this are collected from one function.
const MAX_REFS: usize = 256;

/// A processor architecture that the agent reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// AArch64, little-endian.
    Arm64,
}

impl Arch {
    /// The architecture that an ELF file's `e_machine` names, as the object crate reads it, or
    /// nothing if it is none of ours.
    #[must_use]
    pub const fn of(machine: object::Architecture) -> Option<Self> {
        match machine {
            object::Architecture::X86_64 => Some(Self::Amd64),
            object::Architecture::Aarch64 => Some(Self::Arm64),
            _ => None,
        }
    }

    /// Whether a call leaves its return address in a register (and the callee saves it at the
    /// bottom of its frame) rather than on the caller's stack.
    #[must_use]
    pub const fn uses_link_register(self) -> bool {
        matches!(self, Self::Arm64)
    }

    /// The addresses inside `data` that a function's `code`, linked at `address`, refers to:
    /// each once, in the order of their first appearance in the code (which is not always the
    /// order in which they are used).
    ///
    /// An address counts where the code forms it: what is then reached through it (fields,
    /// elements) does not. Looks at the first 64 KiB and the first 256 references only, and
    /// steps over whatever does not decode.
    #[must_use]
    pub fn data_refs(self, code: &[u8], address: u64, data: &[Range<u64>]) -> Vec<u64> {
        let mut refs = DataRefs { data, found: Vec::new() };
        let code = &code[..code.len().min(MAX_CODE)];
        match self {
            Self::Amd64 => amd64::data_refs(code, address, &mut refs),
            Self::Arm64 => arm64::data_refs(code, address, &mut refs),
        }
        refs.found
    }
}

/// Collects references in order.
struct DataRefs<'a> {
    data: &'a [Range<u64>],
    found: Vec<u64>,
}

impl DataRefs<'_> {
    fn add(&mut self, address: u64) {
        let wanted = self.found.len() < MAX_REFS
            && self.data.iter().any(|range| range.contains(&address))
            && !self.found.contains(&address);
        if wanted {
            self.found.push(address);
        }
    }
}
