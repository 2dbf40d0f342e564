//! What detectors state.

use std::time::Duration;

use super::allocated;
use super::contention;
use super::forced::{freed, heap_freed};
use super::lock::does;
use super::memory;
use super::place::place;
use super::proof::verdicts_differ;
use super::resource;
use super::retained;
use super::source_rule;
use crate::model::{
    Accumulation, CauseBasis, CausedAt, Evidence, HeldBy, KeptAllocations, MemoryKind, StackTable,
    Stillness, Trend, Waiter,
};
use crate::report::format::{bytes, count, counted, duration};

/// Which detector states what: `stuck: 4 goroutines have ...`.
#[must_use]
pub fn evidence(evidence: &Evidence, stacks: &StackTable) -> String {
    format!("{}: {}", evidence.detector().name(), statement(evidence, stacks))
}

/// What it states.
#[must_use]
pub fn statement(evidence: &Evidence, stacks: &StackTable) -> String {
    match evidence {
        Evidence::RuntimeFound { goroutines } => {
            format!("the Go runtime itself found {} of them leaked", count(*goroutines))
        }
        Evidence::Unreachable { goroutines } => format!(
            "nothing that can still run can reach what {} for",
            match goroutines {
                1 => "1 of them waits".to_owned(),
                _ => format!("{} of them wait", count(*goroutines)),
            }
        ),
        Evidence::VerdictsDiffer { by, runtime_alone } => verdicts_differ(*by, *runtime_alone),
        Evidence::NilChannel => "a nil channel never lets anybody go on".to_owned(),
        Evidence::EmptySelect => "select {} never ends".to_owned(),
        Evidence::BlockedFinalizer { at, blocked } => format!(
            "the goroutine that runs finalizers and cleanups has been blocked in {} for {}: \
             none runs any more",
            stacks.lookup(*at).map_or("an unknown function", |frame| frame.function),
            duration(*blocked)
        ),
        Evidence::Cycle { example, cycles } => cycle(example, *cycles),
        Evidence::StuckLock { goroutines, longest, locks, held_by } => {
            stuck_lock(*goroutines, *longest, *locks, held_by)
        }
        Evidence::SteadyGrowth { survivors, window, before, gone } => format!(
            "{} born within {:.0} s are still here; of the {} that were here before, {} gone",
            counted(*survivors, "goroutine", "goroutines"),
            window.as_secs_f64(),
            count(*before),
            match gone {
                0 => "none has".to_owned(),
                1 => "1 has".to_owned(),
                _ => format!("{} have", count(*gone)),
            }
        ),
        Evidence::CountGrowth { from, to, window, per_second, low, high } => format!(
            "from {} to {} within {:.0} s, {per_second:+.2} a second ({low:+.2} to {high:+.2} with \
             95 % confidence)",
            count(*from),
            count(*to),
            window.as_secs_f64(),
        ),
        Evidence::Accumulated(pile) => accumulated(pile),
        Evidence::Busy { samples, window } => format!(
            "running, or ready to run, at each of {samples} samples in {:.0} s",
            window.as_secs_f64()
        ),
        Evidence::Large { still, limit } => {
            format!("{}; that is {} or more", stillness(still), count(*limit))
        }
        Evidence::LargeAtOnce { goroutines, limit } => format!(
            "{} wait here at once, each on an object of its own; that is {} or more, and nothing tells \
             for how long most of them have",
            counted(*goroutines, "goroutine", "goroutines"),
            count(*limit)
        ),
        Evidence::TooLong { blocked, limit } => {
            format!("blocked for {}, longer than the {} set", duration(*blocked), duration(*limit))
        }
        Evidence::ShownBySource { still, pattern } => {
            format!("{}, and the source shows why: {}", stillness(still), pattern.meaning())
        }
        Evidence::Suspicious { function, reason } => {
            let why = reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{function} is on the list of suspicious functions{why}")
        }
        Evidence::Contended { count: waits, delay, over } => format!(
            "the program's block profile counts {} here {}, {} in all",
            counted(*waits, "wait", "waits"),
            contention::over(*over),
            duration(*delay)
        ),
        Evidence::Collected(it) => freed(it),
        Evidence::HeapCollected(it) => heap_freed(it),
        Evidence::MemoryGrowth { kind, window, collections, trend } => {
            memory_growth(*kind, *window, *collections, trend)
        }
        Evidence::Kept { window, kept } => memory_kept(*window, kept),
        Evidence::LimitNears(limit) => memory::limit(limit),
        Evidence::ResourceGrowth(trend) => resource::trend(trend),
        Evidence::CloseWait { sockets, of } => resource::close_wait(*sockets, *of),
        Evidence::Unreaped { children } => format!(
            "{} ended and never waited for",
            counted(*children, "child process has", "child processes have")
        ),
        Evidence::ResourceLimit(limit) => resource::resource_limit(limit),
        Evidence::MostlyOf { key, count, of } => {
            format!("{count} of the {of} are {}", resource(key))
        }
        Evidence::HeapHeld(held) => retained::heap_held(held),
        Evidence::AllocatedAt(lines) => allocated::allocated_at(lines),
        Evidence::Stuck(still) => stillness(still),
        Evidence::Source(note) => source_rule::note(note),
        Evidence::CausedAt(caused) => caused_at(*caused, stacks),
        Evidence::CauseUnknown => {
            "no line of the program's own is on their stacks, and nobody saw who \
                                   created them: probes see it (root, or CAP_BPF and CAP_PERFMON)"
                .to_owned()
        }
    }
}

fn memory_kept(window: Duration, kept: &KeptAllocations) -> String {
    let KeptAllocations { collections, least_share, objects } = kept;
    format!(
        "each of {} kept {:.0} % or more of what was allocated since the one before, and what is on the heap rose from \
         {} to {} within {:.0} s, to the end",
        counted(collections.saturating_sub(1), "collection", "collections"),
        100.0 * least_share,
        bytes(objects.from_bytes),
        bytes(objects.to_bytes),
        window.as_secs_f64(),
    )
}

fn memory_growth(
    kind: MemoryKind,
    window: Duration,
    collections: Option<u64>,
    trend: &Trend,
) -> String {
    let what = match (kind, collections) {
        (MemoryKind::Heap, Some(collections)) => format!(
            "what {} left on the heap grew",
            counted(collections, "collection", "collections")
        ),
        (MemoryKind::Heap, None) => "what collections left on the heap grew".to_owned(),
        (MemoryKind::OffHeap, _) => {
            "anonymous memory that Go's runtime does not know of grew".to_owned()
        }
    };
    format!("{what} within {:.0} s: {}", window.as_secs_f64(), memory::trend(trend))
}

fn cycle(example: &[Waiter], cycles: u64) -> String {
    let example = match example {
        [one] => format!(
            "goroutine {} waits for the lock at {:#x}, which it holds itself",
            one.goid, one.object
        ),
        _ => {
            let ids: Vec<String> = example.iter().map(|waiter| waiter.goid.to_string()).collect();
            format!("goroutines {} wait for each other in a deadlock cycle", ids.join(", "))
        }
    };
    match cycles {
        0 | 1 => example,
        cycles => format!("{example}, one of {} such cycles", count(cycles)),
    }
}

fn stuck_lock(goroutines: u64, longest: Duration, locks: u64, held_by: &HeldBy) -> String {
    let have = if goroutines == 1 { "has" } else { "have" };
    let who = format!(
        "{} {have} waited {}",
        counted(goroutines, "goroutine", "goroutines"),
        duration(longest)
    );
    let of = if locks > 1 { "locks" } else { "a lock" };
    match held_by {
        HeldBy::One(holder) => format!(
            "{who} for a lock that goroutine {} probably holds, which itself {}",
            holder.goid,
            does(holder.doing)
        ),
        HeldBy::Each(holders) => format!(
            "{who} for {of}, of which {} wait for one that a goroutine probably holds which itself {}",
            count(holders.waiters),
            does(holders.doing)
        ),
        HeldBy::Cycles => format!("{who} for {of}, held in or behind deadlock cycles"),
        HeldBy::Nobody => format!("{who} for {of} that no goroutine seems to hold"),
        HeldBy::Unknown => format!("{who} for {of}, and who holds it is not known"),
    }
}

fn stillness(still: &Stillness) -> String {
    match *still {
        Stillness::AtOnce { goroutines, median, longest } => format!(
            "half of {} have waited for {} or longer, the longest for {}",
            counted(goroutines, "goroutine", "goroutines"),
            duration(median),
            duration(longest)
        ),
        Stillness::Through { goroutines, of, window, longest } => {
            let have = if goroutines == 1 { "has" } else { "have" };
            let of = if goroutines == of { String::new() } else { format!(" of {}", count(of)) };
            format!(
                "{}{of} {have} not moved through the last two thirds of {:.0} s; the longest for {}",
                counted(goroutines, "goroutine", "goroutines"),
                window.as_secs_f64(),
                duration(longest)
            )
        }
    }
}

fn accumulated(pile: &Accumulation) -> String {
    let basis = match pile.per_minute {
        Some(_) => "ids and the runtime's clock of waits",
        None => "ids",
    };
    let rate = pile.per_minute.map(|rate| {
        format!("; ≈ {rate:.1} come a minute, and none that came before has run again")
    });
    let but = if pile.may_be_sessions {
        "; whoever started them, or was started with them, is at work: they may be sessions"
    } else {
        ""
    };
    format!(
        "{} piled up over the process's life of ≈ {}: by their {basis}, estimated, the oldest is ≈ {} \
         old, half of them ≈ {} or more, the latest ≈ {}{}{but}",
        counted(pile.goroutines, "goroutine", "goroutines"),
        duration(pile.life),
        duration(pile.oldest),
        duration(pile.median),
        duration(pile.latest),
        rate.unwrap_or_default(),
    )
}

fn caused_at(caused: CausedAt, stacks: &StackTable) -> String {
    let basis = match caused.basis {
        CauseBasis::Stack => "is on their stacks",
        CauseBasis::CreationSite => "started them",
        CauseBasis::CreationStack => "led to their creation, as a probe saw it",
        CauseBasis::Creator => {
            "is where one of their creators is now, which need not be where it made them"
        }
    };
    let line = place(stacks, caused.frame).unwrap_or_else(|| "an unknown line".to_owned());
    format!("{line} {basis}")
}
