//! amd64.

use super::{CLONE_FLAGS, Sites, Wait, is_wait};
use crate::host::trace::Registers;

// Places in `user_regs_struct` (`sys/user.h`).
const R13: usize = 2;
const R12: usize = 3;
const R10: usize = 7;
const R9: usize = 8;
const R8: usize = 9;
const RAX: usize = 10;
const RDX: usize = 12;
const RSI: usize = 13;
const RDI: usize = 14;
const ORIG_RAX: usize = 15;
const RIP: usize = 16;
const RSP: usize = 19;

/// A copy that nobody stops ends by itself.
pub(crate) const COPY_WAITS: bool = false;
/// How long the instruction of a system call is.
const CALL_LEN: u64 = 2;
/// What the kernel leaves in RAX of a call that is to be begun again (`ERESTARTSYS`).
const BEGIN_AGAIN: u64 = -512_i64 as u64;
/// The same of `clone` (`ERESTARTNOINTR`).
const BEGIN_AGAIN_ALWAYS: u64 = -513_i64 as u64;
/// "No system call": the kernel begins none again.
const NONE: u64 = u64::MAX;

/// The wait of a thread that was stopped in one.
pub(crate) fn waiting(registers: &Registers) -> Option<Wait> {
    let waits = registers[ORIG_RAX] == libc::SYS_futex as u64
        && registers[RAX] == BEGIN_AGAIN
        && is_wait(registers[RSI])
        && registers[R10] == 0;
    waits.then(|| Wait {
        call: registers[RIP].wrapping_sub(CALL_LEN),
        word: registers[RDI],
        expected: registers[RDX] as u32,
    })
}

/// What the kernel itself would make of the registers of a thread whose call is to be begun again. Right at whatever
/// stop they are set.
pub(crate) fn begun_again(waiting: &Registers) -> Registers {
    let mut registers = *waiting;
    registers[RIP] = waiting[RIP].wrapping_sub(CALL_LEN);
    registers[RAX] = waiting[ORIG_RAX];
    registers[ORIG_RAX] = NONE;
    registers
}

/// Registers with which a thread makes a system call at an instruction.
pub(crate) fn calling(
    before: &Registers,
    at: u64,
    call: libc::c_long,
    args: [u64; 4],
) -> Registers {
    let mut registers = *before;
    let [first, second, third, fourth] = args;
    registers[RIP] = at;
    registers[ORIG_RAX] = NONE;
    registers[RAX] = call as u64;
    (registers[RDI], registers[RSI]) = (first, second);
    (registers[RDX], registers[R10]) = (third, fourth);
    registers
}

/// Registers with which a waiting thread clones its process. Should nobody be there any more when it has, then the
/// thread returns from `runtime.clone` as it would have from `runtime.futex`, and the copy does as a new thread does
/// whose function has returned.
pub(crate) fn cloning(waiting: &Registers, sites: &Sites) -> Registers {
    // The copy's stack is the same address, in memory of its own.
    let stack = waiting[RSP];
    let mut registers = calling(waiting, sites.clone, libc::SYS_clone, [CLONE_FLAGS, stack, 0, 0]);
    registers[R8] = 0;
    // No m and no g: nothing of Go's is set up. And the function that is called is what would come behind it.
    (registers[R13], registers[R9]) = (0, 0);
    registers[R12] = sites.exit;
    registers
}

/// Of a thread that is about to clone its process, or would begin to again, those with which it does not, and goes on as
/// when it had; `None` of any other.
pub(crate) fn not_cloning(stopped: &Registers, code: &[u8]) -> Option<Registers> {
    let are_ours = stopped[RDI] == CLONE_FLAGS
        && [RDX, R10, R8, R9, R13].iter().all(|register| stopped[*register] == 0);
    let mut registers = *stopped;
    if stopped[ORIG_RAX] == libc::SYS_clone as u64 && stopped[RAX] == BEGIN_AGAIN_ALWAYS {
        // Behind the call already.
    } else if stopped[RAX] == libc::SYS_clone as u64 && code.starts_with(&CLONE) {
        registers[RIP] = stopped[RIP].wrapping_add(CALL_LEN);
    } else {
        return None;
    }
    (registers[RAX], registers[ORIG_RAX]) = (1, NONE);
    are_ours.then_some(registers)
}

/// Where the code is that a stopped thread executes next.
pub(crate) fn next_code(registers: &Registers) -> u64 {
    registers[RIP]
}

/// What a system call has returned, at the stop behind it.
pub(crate) const fn returned(registers: &Registers) -> i64 {
    registers[RAX] as i64
}

/// The program counter, the stack pointer, and all other registers that can hold an address.
pub(crate) fn parts(registers: &Registers) -> (u64, u64, &[u64]) {
    // The first 15, from R15 to RDI.
    (registers[RIP], registers[RSP], registers.get(..ORIG_RAX).unwrap_or_default())
}

/// The parts of what `XSAVE` keeps that are registers: of the first 512 bytes those of the x87 unit and XMM, and all
/// behind the header.
pub(crate) fn vector_parts(words: &[u64]) -> [&[u64]; 2] {
    [words.get(4..52).unwrap_or_default(), words.get(72..).unwrap_or_default()]
}

/// `SYSCALL; MOVL AX, ret+40(FP); RET`: how `runtime.futex` ends (`sys_linux_amd64.s`, Go 1.21 to 1.27).
const FUTEX: [u8; 7] = [0x0f, 0x05, 0x89, 0x44, 0x24, 0x30, 0xc3];

/// `SYSCALL; CMPQ AX, $0; JEQ 3(PC); MOVL AX, ret+40(FP); RET; MOVQ SI, SP; CMPQ R13, $0; JEQ`: `runtime.clone`. In the
/// thread that clones, the same as in `runtime.futex` behind the call.
const CLONE: [u8; 19] = [
    0x0f, 0x05, 0x48, 0x83, 0xf8, 0x00, 0x74, 0x05, 0x89, 0x44, 0x24, 0x30, 0xc3, 0x48, 0x89, 0xf4,
    0x49, 0x83, 0xfd,
];
const CLONE_REST: [u8; 2] = [0x00, 0x74];

/// `CALL R12; MOVL $111, DI; MOVL $SYS_exit, AX; SYSCALL`: where that jump leads.
const NO_G: [u8; 15] = [0x41, 0xff, 0xd4, 0xbf, 0x6f, 0, 0, 0, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05];
/// How long its first instruction is.
const CALL_R12: u64 = 3;

/// Finds the sites in the code that begins with the waiting thread's system call; `None` where it is not what is known.
pub(crate) fn sites(call: u64, code: &[u8]) -> Option<Sites> {
    if !code.starts_with(&FUTEX) {
        return None;
    }
    let (at, rest) = code.windows(CLONE.len()).enumerate().find_map(|(at, window)| {
        let rest = code.get(at..)?.strip_prefix(&CLONE)?.strip_prefix(&CLONE_REST)?;
        (window == CLONE).then_some((at, rest))
    })?;
    let (jump, behind) = rest.split_first()?;
    let target = behind.get(usize::from(*jump)..)?;
    if *jump >= 0x80 || !target.starts_with(&NO_G) {
        return None;
    }
    let before = CLONE.len() + CLONE_REST.len() + 1;
    let clone = call.wrapping_add(at as u64);
    let exit = clone.wrapping_add(before as u64).wrapping_add(u64::from(*jump));
    Some(Sites { clone, exit: exit.wrapping_add(CALL_R12) })
}

/// Whether code that begins with a system call is `runtime.futex`'s.
pub(crate) fn is_futex(code: &[u8]) -> bool {
    code.starts_with(&FUTEX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `runtime.futex` from its call on, and `runtime.clone`, of Go 1.26.6, 0x6d bytes between their ends and starts
    /// made shorter.
    fn code() -> Vec<u8> {
        let mut code = FUTEX.to_vec();
        code.resize(0x4f + 0x20, 0xcc);
        code.extend(CLONE);
        code.extend(CLONE_REST);
        code.push(0x26);
        code.resize(code.len() + 0x26, 0x90);
        code.extend(NO_G);
        code
    }

    #[test]
    fn clone_is_found_behind_futex() {
        let sites = sites(0x47_90c1, &code()).expect("found");
        assert_eq!(sites.clone, 0x47_90c1 + 0x6f);
        // 0x479130 and 0x47916f in that binary.
        assert_eq!(sites, Sites { clone: 0x47_9130, exit: 0x47_916f });
    }

    #[test]
    fn other_code_is_refused() {
        for at in [0, 6, 0x6f, 0x6f + 12, 0x6f + 20, 0x6f + 22 + 0x26, 0x6f + 22 + 0x26 + 9] {
            let mut code = code();
            code[at] ^= 1;
            assert_eq!(sites(0, &code), None, "{at}");
        }
        let whole = code();
        for len in 0..whole.len() {
            assert_eq!(sites(0, &whole[..len]), None, "{len}");
        }
        let mut backwards = code();
        backwards[0x6f + 21] = 0xf0;
        assert_eq!(sites(0, &backwards), None);
    }

    #[test]
    fn who_is_about_to_clone_need_not() {
        let sites = Sites { clone: 0x47_9130, exit: 0x47_916f };
        let waiting = [7; 27];
        let cloning = cloning(&waiting, &sites);
        let not = not_cloning(&cloning, &CLONE).expect("it would");
        assert_eq!((not[RIP], not[RAX], not[RSP], not[ORIG_RAX]), (0x47_9132, 1, 7, NONE));
        assert_eq!(not_cloning(&cloning, &FUTEX), None);
        let mut begins_again = cloning;
        (begins_again[ORIG_RAX], begins_again[RAX]) = (56, -513_i64 as u64);
        begins_again[RIP] = 0x47_9132;
        let not = not_cloning(&begins_again, &[]).expect("it would");
        assert_eq!((not[RIP], not[RAX], not[ORIG_RAX]), (0x47_9132, 1, NONE));
        // Somebody else's call: a thread of the runtime's own.
        begins_again[RDI] = 0x5_0f00;
        assert_eq!(not_cloning(&begins_again, &[]), None);
        assert_eq!(not_cloning(&waiting, &CLONE), None);
    }

    #[test]
    fn only_waits_without_a_limit_that_were_not_woken() {
        let mut registers = [0; 27];
        (registers[ORIG_RAX], registers[RAX]) = (202, BEGIN_AGAIN);
        (registers[RDI], registers[RSI], registers[RDX]) = (0x5000, 128, 7);
        registers[RIP] = 0x47_90c3;
        let wait = Wait { call: 0x47_90c1, word: 0x5000, expected: 7 };
        assert_eq!(waiting(&registers), Some(wait));
        for (register, value) in
            [(ORIG_RAX, 232), (RAX, 0), (RAX, -516_i64 as u64), (RSI, 129), (R10, 0x6000)]
        {
            let mut other = registers;
            other[register] = value;
            assert_eq!(waiting(&other), None, "{register}");
        }
        let again = begun_again(&registers);
        assert_eq!(not_cloning(&again, &FUTEX), None);
        assert_eq!((again[RIP], again[RAX], again[ORIG_RAX]), (0x47_90c1, 202, u64::MAX));
        assert_eq!((again[RDI], again[RSI], again[RDX]), (0x5000, 128, 7));
    }
}
