//! arm64.

use super::{CLONE_FLAGS, Sites, Wait, is_wait};
use crate::host::trace::Registers;

// Places in `user_pt_regs` (`asm/ptrace.h`): X0 to X30, and these.
const X8: usize = 8;
const SP: usize = 31;
const PC: usize = 32;

/// A copy that nobody stops waits for good.
pub(crate) const COPY_WAITS: bool = true;

/// The wait of a thread that was stopped in one. The kernel shows it as it will be begun again: at the instruction, with
/// its arguments (`do_signal`, `arch/arm64/kernel/signal.c`).
pub(crate) fn waiting(registers: &Registers) -> Option<Wait> {
    let waits =
        registers[X8] == libc::SYS_futex as u64 && is_wait(registers[1]) && registers[3] == 0;
    waits.then(|| Wait { call: registers[PC], word: registers[0], expected: registers[2] as u32 })
}

/// The registers of a thread whose call is to be begun again are so already.
pub(crate) fn begun_again(waiting: &Registers) -> Registers {
    *waiting
}

/// Registers with which a thread makes a system call at an instruction.
pub(crate) fn calling(
    before: &Registers,
    at: u64,
    call: libc::c_long,
    args: [u64; 4],
) -> Registers {
    let mut registers = *before;
    for (register, value) in registers.iter_mut().zip(args) {
        *register = value;
    }
    registers[X8] = call as u64;
    registers[PC] = at;
    registers
}

/// Registers with which a waiting thread clones its process: from its own system call. Should nobody be there any more
/// when it has, then the thread goes on as when woken for nothing, and so does the copy: it finds that the futex holds
/// what it did, and waits again, for good, since there is nobody in it who could wake it.
pub(crate) fn cloning(waiting: &Registers, sites: &Sites) -> Registers {
    let mut registers = calling(waiting, sites.clone, libc::SYS_clone, [CLONE_FLAGS, 0, 0, 0]);
    registers[4] = 0;
    registers
}

/// Of a thread that is about to clone its process, or would begin to again, those with which it does not, and goes on as
/// when it had; `None` of any other.
pub(crate) fn not_cloning(stopped: &Registers, code: &[u8]) -> Option<Registers> {
    let are_ours = stopped[X8] == libc::SYS_clone as u64
        && stopped[0] == CLONE_FLAGS
        && stopped.get(1..5).is_some_and(|it| it.iter().all(|register| *register == 0));
    let mut registers = *stopped;
    registers[0] = 1;
    registers[PC] = stopped[PC].wrapping_add(4);
    (are_ours && is_futex(code)).then_some(registers)
}

/// Where the code is that a stopped thread executes next.
pub(crate) fn next_code(registers: &Registers) -> u64 {
    registers[PC]
}

/// What a system call has returned, at the stop behind it.
pub(crate) const fn returned(registers: &Registers) -> i64 {
    registers[0] as i64
}

/// The program counter, the stack pointer, and all other registers that can hold an address.
pub(crate) fn parts(registers: &Registers) -> (u64, u64, &[u64]) {
    (registers[PC], registers[SP], registers.get(..SP).unwrap_or_default())
}

/// Of the vector registers all but their two state words.
pub(crate) fn vector_parts(words: &[u64]) -> [&[u64]; 2] {
    [words.get(..64).unwrap_or_default(), &[]]
}

/// `SVC; MOVW R0, ret+40(FP); RET`: how `runtime.futex` ends (`sys_linux_arm64.s`, Go 1.21 to 1.27).
const FUTEX: [u8; 12] = [1, 0, 0, 0xd4, 0xe0, 0x33, 0, 0xb9, 0xc0, 3, 0x5f, 0xd6];

/// Finds the sites in the code that begins with the waiting thread's system call; `None` where it is not what is known.
pub(crate) fn sites(call: u64, code: &[u8]) -> Option<Sites> {
    // A copy that nobody stops goes nowhere else.
    is_futex(code).then_some(Sites { clone: call, exit: call })
}

/// Whether code that begins with a system call is `runtime.futex`'s.
pub(crate) fn is_futex(code: &[u8]) -> bool {
    code.starts_with(&FUTEX)
}
