//! What differs between processor architectures, behind one type.

mod amd64;
mod arm64;

use std::ops::Range;

use thiserror::Error;

/// No more of one function is disassembled than this: its end may come from a hostile table.
pub const MAX_CODE: usize = 64 << 10;
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
    /// elements) does not. Reads the first 64 KiB and the first 256 references only, and
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

    /// The first instruction behind a function's stack check, where the function's arguments are
    /// still in their registers and its caller's frame is whole: `push rbp` on amd64, the store of
    /// the link register on arm64. Nothing where `code` does not start with a stack check.
    #[must_use]
    pub fn past_stack_check(self, code: &[u8]) -> Option<Landmark> {
        match self {
            Self::Amd64 => amd64::past_stack_check(code),
            Self::Arm64 => arm64::past_stack_check(code),
        }
    }

    /// The direct calls, by a function's `code` linked at `address`, of the function linked at
    /// `target`, in the order of their addresses.
    ///
    /// # Errors
    /// When there are bytes that do not decode, so that what follows may be misread.
    pub fn calls(self, code: &[u8], address: u64, target: u64) -> Result<Vec<Call>, Undecodable> {
        match self {
            Self::Amd64 => amd64::calls(code, address, target),
            Self::Arm64 => arm64::calls(code, address, target),
        }
    }

    /// The function that a direct call calls which returns to `address`, by the `code` right before that; `None` for a
    /// call through a register.
    #[must_use]
    pub fn called_before(self, code: &[u8], address: u64) -> Option<u64> {
        match self {
            Self::Amd64 => amd64::called_before(code, address),
            Self::Arm64 => arm64::called_before(code, address),
        }
    }

    /// Where Go keeps the goroutine that runs (on a system stack: the thread's g0).
    #[must_use]
    pub const fn g(self) -> Register {
        match self {
            Self::Amd64 => amd64::G,
            Self::Arm64 => arm64::G,
        }
    }

    /// Where Go passes its integer and pointer arguments, the first five
    /// (`cmd/compile/abi-internal.md`, the same in Go 1.21 to 1.27).
    #[must_use]
    pub const fn arguments(self) -> [Register; 5] {
        match self {
            Self::Amd64 => amd64::ARGUMENTS,
            Self::Arm64 => arm64::ARGUMENTS,
        }
    }
}

/// A general register, by the number that instructions encode it with: on amd64 AX 0, CX 1, DX 2,
/// BX 3, SP 4, BP 5, SI 6, DI 7, R8 8 and so on; on arm64 Rn is n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Register(pub u8);

/// What the kernel does with an instruction that a probe replaced by a breakpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handling {
    /// Emulates the push of a register (amd64).
    EmulatedPush,
    /// Emulates the call (amd64; arm64 says: simulates).
    EmulatedCall,
    /// A five-byte NOP (amd64). Kernel 6.18 and later put a call there in place of the breakpoint,
    /// the cheapest of all, which uses some of the current stack: only where code runs on a system
    /// stack. Kernels from before the middle of 2025 step it, the dearest of all.
    Nop5,
    /// Single-steps a copy of it elsewhere (the store of the link register on arm64).
    Stepped,
}

/// An instruction that a probe may sit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landmark {
    /// Its first byte, from its function's.
    pub offset: u32,
    /// What the kernel makes of it.
    pub handling: Handling,
}

/// A call of a certain function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The call.
    pub landmark: Landmark,
    /// A five-byte NOP right before it, which is run if and only if the call is.
    pub nop: Option<Landmark>,
}

/// Code with something in it that is no instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bytes at offset {offset:#x} are no instruction")]
pub struct Undecodable {
    /// Where, from the function's first byte.
    pub offset: u32,
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
