//! What one hit costs on this host: our own park program, hit in a loop of the agent's own.
//!
//! The probed function is the agent's, with the instruction that is probed in Go programs too. No
//! other process is touched, and the probe is gone again when the cost is known.
#![allow(unsafe_code)]

use std::arch::naked_asm;
use std::fs;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use aya::Ebpf;
use aya::programs::UProbe;
use aya::programs::uprobe::{UProbeAttachLocation, UProbeScope};
use nix::time::{ClockId, clock_gettime};

use super::method::Method;
use super::table::Table;
use super::{Object, Settings, Sizes};
use crate::error_chain::one_line;
use crate::golang::arch::Arch;
use crate::model::{HitCost, HitNote};

/// What one hit costs where that cannot be measured. In a net/http server under load it was 0.9 to
/// 1.3 us (Linux 6.18, amd64).
const ASSUMED: Duration = Duration::from_nanos(1_200);
/// By how much a hit in that server cost more than one in an empty loop on the same machine, where
/// all that it touches is cached: 1.5 to 2.2 times on a calm one, 2.5 times on one whose caches many
/// others use. (`cargo xtask bench overhead server` measures both; the governor's headroom covers
/// the difference.)
const FACTOR: f64 = 2.0;
/// What is believed. Less would promise too much; more is an emulated processor's.
const BELIEVED: RangeInclusive<Duration> = Duration::from_nanos(300)..=Duration::from_micros(5);

/// Hits between two readings of the clock.
const BATCH: u64 = 200;
/// How often that is done, the quickest being the one that nobody disturbed; and for how long.
const BATCHES: usize = 12;
const ENOUGH: Duration = Duration::from_millis(6);
/// How long the probe stays when it is no longer needed. To take it out holds up whoever attaches
/// meanwhile, and now that is the target's turn.
const STAYS: Duration = Duration::from_secs(1);
/// Who has not measured by then never will.
const PATIENCE: Duration = Duration::from_secs(2);

/// Begins to find out, so that [`hit_cost`] need not wait for it.
pub(in crate::collect::attach) fn begin() {
    thread::spawn(hit_cost);
}

/// What one hit costs on this host. Measured once.
pub(in crate::collect::attach) fn hit_cost() -> &'static HitCost {
    static COST: OnceLock<HitCost> = OnceLock::new();
    COST.get_or_init(|| {
        let (tell, told) = channel();
        thread::spawn(move || {
            let (measured, probe) = match measure() {
                Ok((measured, probe)) => (Ok(measured), Some(probe)),
                Err(why) => (Err(why), None),
            };
            // Whoever asked may have lost patience.
            let _ = tell.send(measured);
            thread::sleep(STAYS);
            drop(probe);
        });
        let measured = told.recv_timeout(PATIENCE);
        judge(measured.unwrap_or_else(|_| Err("it took too long".to_owned())))
    })
}

fn judge(measured: Result<Duration, String>) -> HitCost {
    let cost = |taken, in_a_loop, note| HitCost { taken, in_a_loop, factor: FACTOR, note };
    match measured {
        Ok(in_a_loop) => {
            let taken = in_a_loop.mul_f64(FACTOR);
            let believed = taken.clamp(*BELIEVED.start(), *BELIEVED.end());
            let note = (believed != taken).then_some(HitNote::NotBelieved);
            cost(believed, Some(in_a_loop), note)
        }
        Err(why) => cost(ASSUMED, None, Some(HitNote::NotMeasured { why })),
    }
}

/// The time that one hit takes in a loop, and what holds the probe.
fn measure() -> Result<(Duration, Ebpf), String> {
    let arch = if cfg!(target_arch = "x86_64") { Arch::Amd64 } else { Arch::Arm64 };
    let sizes = Sizes { slots: 1, sites: 1, call_sites: 1, descriptors: 1, large: 1 };
    let mut ebpf =
        Object::embedded(arch).load(Fake::SETTINGS, sizes).map_err(|error| one_line(&error))?;
    let counted = Table::of(&mut ebpf, sizes).map_err(|error| one_line(&error))?;
    let without = quickest(1);
    attach(&mut ebpf)?;
    let with = quickest(BATCHES);
    let parks = counted.counters().map_err(|error| one_line(&error))?.parks;
    if parks < BATCH {
        return Err(format!("the probe was hit {parks} times only"));
    }
    let batch = with.saturating_sub(without);
    Ok((Duration::from_nanos(u64::try_from(batch.as_nanos()).unwrap_or(0) / BATCH), ebpf))
}

fn attach(ebpf: &mut Ebpf) -> Result<(), String> {
    let program = ebpf.program_mut(Method::best().park()).ok_or("there is no program")?;
    let program: &mut UProbe = program.try_into().map_err(|error| one_line(&error))?;
    program.load().map_err(|error| one_line(&error))?;
    let place = UProbeAttachLocation::AbsoluteOffset(file_offset(probed as *const () as u64)?);
    let own = NonZeroU32::new(std::process::id()).ok_or("a process without an id")?;
    program
        .attach([place], "/proc/self/exe", UProbeScope::OneProcess(own))
        .map_err(|error| one_line(&error))?;
    Ok(())
}

/// Where in the executable's file stands what the process has at an address.
fn file_offset(address: u64) -> Result<u64, String> {
    let maps = fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    let offset = maps.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let (start, end, offset) = (hex(start)?, hex(end)?, hex(words.nth(1)?)?);
        (start..end).contains(&address).then(|| offset + (address - start))
    });
    offset.ok_or_else(|| "the agent's own code is mapped nowhere".to_owned())
}

/// The processor time of the quickest of some batches.
fn quickest(batches: usize) -> Duration {
    let fake = Fake::default();
    let (mut quickest, mut spent) = (Duration::MAX, Duration::ZERO);
    for _ in 0..batches {
        let start = own_time();
        // SAFETY: the loop keeps every register that its caller expects to find again, reads and
        // writes no memory but its stack, and is done after `BATCH` rounds.
        unsafe { hit(&raw const fake, BATCH) };
        let took = own_time().saturating_sub(start);
        (quickest, spent) = (quickest.min(took), spent + took);
        if spent > ENOUGH {
            break;
        }
    }
    quickest
}

/// The processor time of this thread, so that others on the same processor do not count.
fn own_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// What the program takes for a `runtime.g`: goroutine 1, created by nobody anywhere.
#[repr(C)]
struct Fake {
    goid: u64,
    rest: [u64; 7],
}

impl Default for Fake {
    fn default() -> Self {
        Self { goid: 1, rest: [0; 7] }
    }
}

impl Fake {
    /// Its fields' offsets.
    const SETTINGS: Settings = Settings {
        goid: 0,
        parent_goid: 8,
        gopc: 16,
        startpc: 24,
        m: 32,
        curg: 40,
        sched_bp: 48,
        newproc1_sets_goid: 0,
        sysfd: 0,
        span_start: 0,
    };
}

/// Calls [`probed`] `count` times, with `g` in the register that holds the running goroutine in Go.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn hit(g: *const Fake, count: u64) {
    naked_asm!(
        "push r14",
        "mov r14, rdi",
        "2:",
        "call {probed}",
        "dec rsi",
        "jnz 2b",
        "pop r14",
        "ret",
        probed = sym probed,
    )
}

/// What `gopark` is probed at: the kernel does not step over it, it pushes itself.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn probed() {
    naked_asm!("push rbp", "pop rbp", "ret")
}

/// Calls [`probed`] `count` times, with `g` in the register that holds the running goroutine in Go.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn hit(g: *const Fake, count: u64) {
    naked_asm!(
        "stp x28, x30, [sp, #-16]!",
        "mov x28, x0",
        "2:",
        "bl {probed}",
        "subs x1, x1, #1",
        "b.ne 2b",
        "ldp x28, x30, [sp], #16",
        "ret",
        probed = sym probed,
    )
}

/// What `gopark` is probed at: the kernel steps over it.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
extern "C" fn probed() {
    naked_asm!("str x30, [sp, #-16]!", "ldr x30, [sp], #16", "ret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_taken_times_the_factor_within_bounds() {
        for (in_a_loop, taken, noted) in
            [(600, 1_200, false), (100, 300, true), (900_000, 5_000, true), (2_000, 4_000, false)]
        {
            let cost = judge(Ok(Duration::from_nanos(in_a_loop)));
            assert_eq!(cost.taken, Duration::from_nanos(taken));
            assert_eq!(cost.in_a_loop, Some(Duration::from_nanos(in_a_loop)));
            assert_eq!(cost.note.is_some(), noted, "{cost:?}");
        }
    }

    #[test]
    fn what_could_not_be_measured_is_assumed_and_said() {
        let cost = judge(Err("no permission".to_owned()));
        assert_eq!((cost.taken, cost.in_a_loop), (ASSUMED, None));
        assert_eq!(cost.note, Some(HitNote::NotMeasured { why: "no permission".to_owned() }));
    }

    #[test]
    fn the_loop_ends_and_the_probed_function_lies_in_the_file() {
        assert!(quickest(2) < Duration::from_secs(1));
        let offset = file_offset(probed as *const () as u64).expect("it is mapped");
        let file = fs::read("/proc/self/exe").expect("this test's executable");
        let first = file[usize::try_from(offset).expect("a small file")];
        assert_eq!(first, if cfg!(target_arch = "x86_64") { 0x55 } else { 0xfe });
    }
}
