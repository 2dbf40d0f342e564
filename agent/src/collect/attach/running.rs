//! Whether the target can run: stopped, traced, frozen, throttled or starved, as the kernel says.
//!
//! A process whose goroutines all wait uses no CPU either, and is not held: only what *prevents* it
//! counts.

use std::fs;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::golang::task::{Stat, living, thread_file, threads};
use crate::host::cgroup::{Cgroups, number};
use crate::model::{Halt, Running};

/// Threads whose state is read, so that one with many more costs no more.
const MAX_THREADS: usize = 1024;
/// Threads whose time on run queues is read.
const MAX_METERED: usize = 256;
/// A process is starved when its threads waited for this many times what they ran.
const STARVED: u32 = 4;

/// Follows one process.
pub(super) struct Meter {
    pid: u32,
    last: Option<Reading>,
}

/// What was read at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reading {
    at: Duration,
    halt: Option<Halt>,
    threads: FxHashMap<u32, Spent>,
    /// For how long the cgroup's tasks were throttled, summed over processors.
    throttled: Option<Duration>,
}

/// What a thread did with its time: ran, or was ready and waited for a processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    ran: Duration,
    waited: Duration,
}

impl Meter {
    pub(super) const fn new(pid: u32) -> Self {
        Self { pid, last: None }
    }

    /// How the process runs at `now`, and could since the call before.
    pub(super) fn read(&mut self, now: Duration) -> Running {
        let cgroups = Cgroups::of(self.pid);
        let reading = Reading {
            at: now,
            halt: halt(self.pid, &cgroups),
            threads: spent(self.pid),
            throttled: throttled(&cgroups),
        };
        let held = self.last.as_ref().map(|last| held(last, &reading));
        let halt = reading.halt;
        self.last = Some(reading);
        Running {
            halt,
            held_seconds: held.map(|held| held.as_secs_f64()),
            cpu_seconds: cpu_seconds(self.pid),
        }
    }
}

/// For how long a process could not run between two readings.
fn held(last: &Reading, now: &Reading) -> Duration {
    let interval = now.at.saturating_sub(last.at);
    // When in between it was halted, or let go, nobody knows: none of it counts.
    if last.halt.is_some() || now.halt.is_some() {
        return interval;
    }
    let (mut ran, mut waited, mut longest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for (thread, spent) in &now.threads {
        let before = last.threads.get(thread).copied().unwrap_or_default();
        ran += spent.ran.saturating_sub(before.ran);
        let wait = spent.waited.saturating_sub(before.waited);
        waited += wait;
        longest = longest.max(wait);
    }
    let starved = if waited > ran * STARVED { longest } else { Duration::ZERO };
    let throttled = match (last.throttled, now.throttled) {
        (Some(before), Some(now)) => now.saturating_sub(before),
        _ => Duration::ZERO,
    };
    // Throttled time is that of all processors together, each of which ran or was throttled.
    let busy = (ran + throttled).as_secs_f64() / interval.as_secs_f64().max(f64::MIN_POSITIVE);
    let throttled = throttled.div_f64(busy.ceil().max(1.0));
    starved.max(throttled).min(interval)
}

/// What keeps all threads from running.
fn halt(pid: u32, cgroups: &Cgroups) -> Option<Halt> {
    let state = |thread: u32| Stat::of_thread(pid, thread).ok().map(|stat| stat.state);
    let first = state(living(pid)?)?;
    if matches!(first, 'T' | 't') {
        let mut is_traced = first == 't';
        for thread in threads(pid).ok()?.take(MAX_THREADS) {
            match state(thread) {
                Some('t') => is_traced = true,
                Some('T' | 'Z' | 'X') | None => {}
                Some(_) => return None,
            }
        }
        return Some(if is_traced { Halt::Traced } else { Halt::Stopped });
    }
    is_frozen(pid, cgroups).then_some(Halt::Frozen)
}

/// By the freezer of its control group, or else by where its threads sleep in the kernel: from inside a
/// container another's control group cannot be seen.
fn is_frozen(pid: u32, cgroups: &Cgroups) -> bool {
    let of_group = cgroups.folders("freezer").find_map(|folder| {
        // Version 2: of the group itself or any above; version 1: the same, in another file.
        let events = fs::read_to_string(folder.join("cgroup.events")).ok();
        let events = events.and_then(|events| number(&events, "frozen"));
        let state = || fs::read_to_string(folder.join("freezer.state")).ok();
        match events {
            Some(frozen) => (frozen == 1).then_some(true),
            None => state().filter(|state| state.trim() == "FROZEN").map(|_| true),
        }
    });
    of_group.unwrap_or_else(|| sleeps_in_freezer(pid))
}

fn sleeps_in_freezer(pid: u32) -> bool {
    let place = living(pid).map(|thread| fs::read_to_string(thread_file(pid, thread, "wchan")));
    // kernel/freezer.c and kernel/signal.c; the trap of version 2 is inlined into its caller, which
    // sleeps nowhere else.
    let places = ["__refrigerator", "do_freezer_trap", "get_signal"];
    place.is_some_and(|place| place.is_ok_and(|place| places.contains(&place.trim())))
}

/// What each thread did with its time (`/proc/PID/task/TID/schedstat`, in nanoseconds).
fn spent(pid: u32) -> FxHashMap<u32, Spent> {
    let of = |thread: u32| {
        let text = fs::read_to_string(thread_file(pid, thread, "schedstat")).ok()?;
        Some((thread, parse_spent(&text)?))
    };
    threads(pid).map_or_else(
        |_| FxHashMap::default(),
        |threads| threads.take(MAX_METERED).filter_map(of).collect(),
    )
}

fn parse_spent(text: &str) -> Option<Spent> {
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
    let mut next = || Some(Duration::from_nanos(numbers.next()??));
    Some(Spent { ran: next()?, waited: next()? })
}

/// Throttled time of the control group that was throttled most, of its own and those above.
fn throttled(cgroups: &Cgroups) -> Option<Duration> {
    let of = |text: &str| {
        let v2 = || number(text, "throttled_usec").map(Duration::from_micros);
        number(text, "throttled_time").map(Duration::from_nanos).or_else(v2)
    };
    let texts = cgroups.folders("cpu").map(|folder| fs::read_to_string(folder.join("cpu.stat")));
    texts.filter_map(|text| of(&text.ok()?)).max()
}

/// User and system time of all threads, those that have ended too.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    let stat = Stat::read(pid).ok()?;
    Some(stat.cpu_ticks? as f64 / u32::try_from(ticks).ok().filter(|&it| it > 0).map(f64::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn reading(at: u64, threads: &[(u32, u64, u64)], throttled: u64) -> Reading {
        let threads = threads.iter().map(|&(thread, ran, waited)| {
            (thread, Spent { ran: millis(ran), waited: millis(waited) })
        });
        Reading {
            at: millis(at),
            halt: None,
            threads: threads.collect(),
            throttled: Some(millis(throttled)),
        }
    }

    #[test]
    fn an_idle_process_and_a_busy_one_are_not_held() {
        let idle = held(&reading(0, &[(1, 5, 5)], 0), &reading(1000, &[(1, 5, 5)], 0));
        assert_eq!(idle, Duration::ZERO);
        // Two threads share a processor with as much again of others.
        let busy = held(&reading(0, &[(1, 0, 0)], 0), &reading(1000, &[(1, 300, 600)], 0));
        assert_eq!(busy, Duration::ZERO);
    }

    #[test]
    fn who_waits_for_a_processor_most_of_the_time_is_starved() {
        let last = reading(0, &[(1, 10, 10), (2, 7, 7)], 0);
        let now = reading(1000, &[(1, 60, 910), (2, 7, 107), (3, 0, 50)], 0);
        assert_eq!(held(&last, &now), millis(900));
        let longer = reading(1000, &[(1, 60, 9_910)], 0);
        assert_eq!(held(&last, &longer), millis(1000), "no longer than there was time");
    }

    #[test]
    fn throttled_time_is_that_of_all_processors() {
        let one = held(&reading(0, &[(1, 0, 0)], 0), &reading(1000, &[(1, 100, 0)], 900));
        assert_eq!(one, millis(900));
        let eight: Vec<_> = (1..=8).map(|thread| (thread, 250, 0)).collect();
        let eight = held(&reading(0, &[], 0), &reading(1000, &eight, 6000));
        assert_eq!(eight, millis(750));
    }

    #[test]
    fn time_next_to_a_halt_does_not_count() {
        let mut halted = reading(1000, &[(1, 900, 0)], 0);
        halted.halt = Some(Halt::Stopped);
        assert_eq!(held(&reading(0, &[], 0), &halted), millis(1000));
        assert_eq!(held(&halted, &reading(1500, &[(1, 1300, 0)], 0)), millis(500));
    }

    #[test]
    fn we_run_and_use_cpu() {
        let mut meter = Meter::new(std::process::id());
        let first = meter.read(millis(0));
        assert_eq!((first.halt, first.held_seconds), (None, None));
        assert!(first.cpu_seconds.is_some(), "{first:?}");
        assert!(meter.read(millis(100)).held_seconds.is_some());
        assert_eq!(parse_spent("12 34 5\n").map(|it| it.waited), Some(Duration::from_nanos(34)));
        assert_eq!(parse_spent("12\n"), None);
    }
}
