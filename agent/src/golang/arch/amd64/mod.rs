//! amd64: its registers, and reading its code.

mod data_refs;
mod landmarks;

pub(super) use data_refs::data_refs;
pub(super) use landmarks::{called_before, calls, past_stack_check};

use super::Register;

/// R14: Go's current goroutine (`cmd/compile/abi-internal.md`).
pub(super) const G: Register = Register(14);
/// AX, BX, CX, DI, SI: where Go passes the first integer arguments.
pub(super) const ARGUMENTS: [Register; 5] =
    [Register(0), Register(3), Register(1), Register(7), Register(6)];
