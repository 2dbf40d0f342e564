//! The eBPF programs of leak-agent: goroutine creation, park and exit, the opening of
//! descriptors, and the allocation of large objects.
//!
//! `cargo xtask ebpf build` builds them for the kernel, once for each architecture whose registers
//! they read. Nothing here may ever write to the target.
#![cfg_attr(target_arch = "bpf", no_std, no_main, feature(asm_experimental_arch))]
#![cfg_attr(target_arch = "bpf", expect(unstable_features, reason = "BPF assembly is unstable"))]

#[cfg(target_arch = "bpf")]
mod atomic;
#[cfg(target_arch = "bpf")]
mod call_sites;
#[cfg(target_arch = "bpf")]
mod larges;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod probe;
#[cfg(target_arch = "bpf")]
mod regs;
#[cfg(target_arch = "bpf")]
mod say;
#[cfg(target_arch = "bpf")]
mod settings;
#[cfg(target_arch = "bpf")]
mod sites;
#[cfg(target_arch = "bpf")]
mod slots;
#[cfg(target_arch = "bpf")]
mod user;

#[cfg(target_arch = "bpf")]
mod entries {
    //! The programs, each as a plain uprobe and, `_multi`, for one `uprobe_multi` link.

    use aya_ebpf::macros::uprobe;
    use aya_ebpf::programs::ProbeContext;

    use crate::regs::Regs;
    use crate::{probe, settings};

    /// One body, two programs: the kernel tells them apart when they are loaded.
    macro_rules! programs {
        ($($(#[$doc:meta])* $plain:ident, $multi:ident => |$regs:ident| $body:expr;)*) => {$(
            $(#[$doc])*
            #[uprobe]
            pub fn $plain(context: ProbeContext) -> u32 {
                let $regs = Regs::of(&context);
                $body;
                0
            }

            $(#[$doc])*
            #[uprobe(multi)]
            pub fn $multi(context: ProbeContext) -> u32 {
                let $regs = Regs::of(&context);
                $body;
                0
            }
        )*};
    }

    programs! {
        /// In `newproc.func1`, where `runqput(pp, newg, true)` is called: `go` statements.
        create_go, create_go_multi => |regs| {
            probe::create::hit(regs.argument_1(), regs.g(), regs.frame(), true)
        };
        /// In `newproc1`, where `casgstatus(newg, ..)` is called last: every kind of goroutine.
        create_any, create_any_multi => |regs| {
            let goid_is_set = settings::settings().newproc1_sets_goid == 1;
            probe::create::hit(regs.argument_0(), regs.g(), regs.frame(), goid_is_set)
        };
        /// In `gopark(unlockf, lock, reason, ..)`, behind its stack check.
        park, park_multi => |regs| probe::park::hit(regs.g(), regs.argument_1(), regs.argument_2());
        /// In `gdestroy(gp)` (Go 1.23 and later) or `goexit0(gp)`, behind its stack check.
        exit, exit_multi => |regs| probe::exit::hit(regs.argument_0());
        /// In `internal/poll.(*FD).Init(net, pollable)`, behind its stack check.
        open, open_multi => |regs| {
            probe::open::hit(regs.argument_0(), regs.g(), regs.caller(), regs.frame())
        };
        /// In `(*mcache).allocLarge`, where `(*spanSet).push(s)` is called.
        allocate, allocate_multi => |regs| {
            probe::allocate::hit(regs.argument_1(), regs.g(), regs.frame())
        };
    }
}

/// Which version of the shared types these programs keep to: the agent reads it before it loads.
#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "leak_agent_abi")]
#[unsafe(no_mangle)]
static LEAK_AGENT_ABI: u32 = leak_agent_common::ABI;

#[cfg(target_arch = "bpf")]
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(target_arch = "bpf")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // Nothing here can panic; the verifier would refuse a program that reaches an endless loop.
    loop {}
}

/// For another machine than the kernel's there is nothing to run.
#[cfg(not(target_arch = "bpf"))]
fn main() {
    eprintln!("these programs run in the kernel; build them with: cargo xtask ebpf build");
    std::process::exit(2);
}
