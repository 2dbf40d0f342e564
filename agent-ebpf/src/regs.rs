//! The target's registers, by what Go keeps in them (its ABIInternal).

use aya_ebpf::bindings::pt_regs;
use aya_ebpf::programs::ProbeContext;

/// The registers at the probed instruction.
#[derive(Clone, Copy)]
pub struct Regs(*const pt_regs);

/// Reads one register. Volatile: otherwise the compiler may hand out the address of a register
/// itself as a map's key, which the verifier refuses.
macro_rules! read {
    ($regs:expr, $($place:tt)+) => {
        // SAFETY: the kernel hands every program a whole set of registers.
        unsafe { core::ptr::read_volatile(&raw const (*$regs.0).$($place)+) }
    };
}

impl Regs {
    /// Those of a hit.
    #[inline(always)]
    pub const fn of(context: &ProbeContext) -> Self {
        Self(context.regs.cast_const())
    }
}

#[cfg(bpf_target_arch = "x86_64")]
impl Regs {
    /// The running goroutine: R14.
    #[inline(always)]
    pub fn g(self) -> u64 {
        read!(self, r14)
    }

    /// The function's first argument: RAX.
    #[inline(always)]
    pub fn argument_0(self) -> u64 {
        read!(self, rax)
    }

    /// Its second: RBX.
    #[inline(always)]
    pub fn argument_1(self) -> u64 {
        read!(self, rbx)
    }

    /// Its third: RCX.
    #[inline(always)]
    pub fn argument_2(self) -> u64 {
        read!(self, rcx)
    }

    /// The frame pointer, RBP: the address of the caller's, below the return address.
    #[inline(always)]
    pub fn frame(self) -> u64 {
        read!(self, rbp)
    }

    /// The return address of a function that has no frame yet: at the top of the stack.
    #[inline(always)]
    pub fn caller(self) -> Option<u64> {
        crate::user::word(read!(self, rsp), 0)
    }
}

#[cfg(bpf_target_arch = "aarch64")]
impl Regs {
    /// The running goroutine: R28.
    #[inline(always)]
    pub fn g(self) -> u64 {
        read!(self, regs[28])
    }

    /// The function's first argument: R0.
    #[inline(always)]
    pub fn argument_0(self) -> u64 {
        read!(self, regs[0])
    }

    /// Its second: R1.
    #[inline(always)]
    pub fn argument_1(self) -> u64 {
        read!(self, regs[1])
    }

    /// Its third: R2.
    #[inline(always)]
    pub fn argument_2(self) -> u64 {
        read!(self, regs[2])
    }

    /// The frame pointer, R29: the address of the caller's, below the return address.
    #[inline(always)]
    pub fn frame(self) -> u64 {
        read!(self, regs[29])
    }

    /// The return address of a function that has no frame yet: R30.
    #[inline(always)]
    pub fn caller(self) -> Option<u64> {
        Some(read!(self, regs[30]))
    }
}
