//! A process's memory in words.

use std::time::Duration;

use super::reached::reached;
use crate::model::{
    Collector, Heap, HeapProfile, HeapProfileBasis, Level, LimitKind, LimitUse, MemoryAccount,
    RssParts, Trend,
};
use crate::report::format;

/// What there is, a few words each: resident memory, live heap, goal, stacks, what collections cost.
#[must_use]
pub fn memory(account: &MemoryAccount) -> Vec<String> {
    let now = &account.now;
    let resident = now.process.map(|it| format!("{} resident", format::bytes(it.rss_bytes)));
    let heap = now.heap.iter().flat_map(|heap| {
        let live = heap.marked_bytes.map(|live| format!("live heap {}", format::bytes(live)));
        let objects = format!("objects {}", format::bytes(heap.objects_bytes));
        let goal = heap.goal_bytes.map(|goal| format!("goal {}", format::bytes(goal)));
        let stacks = format!("stacks {}", format::bytes(heap.stacks_bytes));
        live.into_iter().chain([objects]).chain(goal).chain([stacks])
    });
    resident.into_iter().chain(heap).chain(now.profile.iter().map(heap_profile)).collect()
}

/// What a heap profile says of the whole heap: `heap profile: 12.0 MiB in 340 objects, estimated`.
fn heap_profile(profile: &HeapProfile) -> String {
    let bytes = format::bytes(profile.in_use_bytes);
    let objects = format::counted(profile.in_use_objects, "object", "objects");
    let basis = match profile.basis {
        HeapProfileBasis::Sampled => "in use at the last collection, estimated",
        HeapProfileBasis::Counted => "in use or not collected yet",
    };
    format!("heap profile: {bytes} in {objects} {basis}")
}

/// In a few words: `312.4 MiB resident, live heap 120.1 MiB`; `None` where nothing is known of it.
#[must_use]
pub fn memory_in_brief(account: Option<&MemoryAccount>) -> Option<String> {
    let now = &account?.now;
    let resident = now.process.map(|it| format!("{} resident", format::bytes(it.rss_bytes)));
    let live = now.live_bytes().map(|live| format!("live heap {}", format::bytes(live)));
    let known: Vec<_> = resident.into_iter().chain(live).collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// What collections cost, in a few words each; empty where the heap is not known.
#[must_use]
pub fn collector(account: &MemoryAccount) -> Vec<String> {
    let (Some(heap), Some(collector)) = (&account.now.heap, account.collector) else {
        return Vec::new();
    };
    let collections = format::counted(heap.collections.into(), "collection", "collections");
    let share = collector.cpu_share.map(|share| format!("{:.1} % of its CPU", share * 100.0));
    let pause = heap
        .last_pause_ns
        .map(|pause| format!("last pause {}", format::duration(Duration::from_nanos(pause))));
    let settings = [
        (!heap.is_served).then(|| {
            heap.gc_percent.map_or_else(|| "GOGC off".to_owned(), |it| format!("GOGC {it}"))
        }),
        heap.limit_bytes.map(|limit| format!("GOMEMLIMIT {}", format::bytes(limit))),
    ];
    let allocated = account.allocation.map(|it| {
        let bytes = format::bytes(it.bytes_per_second.max(0.0) as u64);
        format!("{bytes}/s allocated")
    });
    [Some(collections), share, pause, allocated].into_iter().chain(settings).flatten().collect()
}

/// Where the resident memory is, most first.
#[must_use]
pub fn rss_parts(parts: &RssParts) -> String {
    let mut named = [
        (parts.live_bytes, "live heap"),
        (parts.uncollected_bytes, "not collected yet"),
        (parts.fragmented_bytes, "room in spans"),
        (parts.idle_bytes, "idle heap"),
        (parts.stacks_bytes, "stacks"),
        (parts.runtime_bytes, "Go's runtime"),
        (parts.outside_bytes, "outside of Go"),
        (parts.file_bytes, "files"),
        (parts.shared_bytes, "shared"),
    ];
    named.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let named = named.iter().filter(|(bytes, _)| *bytes > 0);
    let sum: Vec<_> =
        named.map(|(bytes, name)| format!("{} {name}", format::bytes(*bytes))).collect();
    let less = match parts.not_resident_bytes {
        0 => String::new(),
        less => format!(" − {} that Go mapped and is not resident", format::bytes(less)),
    };
    format!("{}{less} = {}", sum.join(" + "), format::bytes(parts.rss_bytes))
}

/// What grows for sure, and what that leads to: a sentence each. Empty where nothing does.
#[must_use]
pub fn memory_growth(account: &MemoryAccount) -> Vec<String> {
    let grows = |trend: &Option<Trend>| trend.filter(|trend| trend.grows);
    let mut sentences = Vec::new();
    if let Some(live) = grows(&account.live) {
        sentences.push(format!("the live heap grows: {}", trend(&live)));
    }
    if let Some(outside) = grows(&account.outside) {
        sentences.push(format!(
            "memory outside of Go's heap grows: {}; no profile of Go shows it: look at cgo and mmap",
            trend(&outside)
        ));
    }
    if let Some(Collector { is_pressed: true, cpu_share: Some(share), halves, .. }) =
        account.collector
    {
        let before = halves.map_or_else(String::new, |(before, after)| {
            format!(
                ", {:.0} % in the first half and {:.0} % in the second",
                before * 100.0,
                after * 100.0
            )
        });
        sentences.push(format!(
            "the memory limit leaves the live heap too little room: collections take {:.0} % of the CPU \
             time that is used{before}",
            share * 100.0
        ));
    }
    sentences
}

/// `+1.2 MiB/s (1.1 MiB/s to 1.3 MiB/s), linear, from 100.0 MiB to 172.0 MiB`.
#[must_use]
pub fn trend(trend: &Trend) -> String {
    let growth = &trend.growth;
    format!(
        "{} ({} to {}), {}, from {} to {}",
        rate(growth.per_second),
        rate(growth.low),
        rate(growth.high),
        growth.pattern.name(),
        format::bytes(trend.from_bytes),
        format::bytes(trend.to_bytes),
    )
}

pub(super) fn rate(bytes_per_second: f64) -> String {
    let sign = if bytes_per_second < 0.0 { '-' } else { '+' };
    format!("{sign}{}/s", format::bytes(bytes_per_second.abs() as u64))
}

/// A limit and what is used of it: `control group 512.0 MiB of 1.0 GiB (50 %); reached in 4m12s (3m50s to 4m40s)`.
#[must_use]
pub fn limit(limit: &LimitUse) -> String {
    let name = match limit.kind {
        LimitKind::GoMemory => "GOMEMLIMIT",
        LimitKind::ControlGroup => "control group",
    };
    let percent = limit.used_bytes as f64 * 100.0 / limit.limit_bytes.max(1) as f64;
    let mut text = format!(
        "{name} {} of {} ({percent:.0} %)",
        format::bytes(limit.used_bytes),
        format::bytes(limit.limit_bytes)
    );
    if limit.level != Level::Normal {
        text.push_str(&format!(", {}", limit.level.name()));
    }
    if let Some(when) = &limit.reached_in {
        text.push_str(&format!("; reached {}", reached(when)));
    }
    text
}

/// What of the heap is in objects of which size: the classes with most bytes, most first.
#[must_use]
pub fn size_classes(heap: &Heap, most: usize) -> Vec<String> {
    let mut classes = heap.classes.clone();
    classes.sort_by_key(|class| std::cmp::Reverse(class.in_use_bytes));
    let named = classes.iter().filter(|class| class.in_use_bytes > 0).take(most).map(|class| {
        let objects =
            format::counted(class.allocated.saturating_sub(class.freed), "object", "objects");
        let size = class.object_bytes.map_or_else(|| "more than 32 KiB".to_owned(), format::bytes);
        format!("{} in {objects} of {size}", format::bytes(class.in_use_bytes))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Growth, GrowthPattern, Reached};

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_parts_are_a_sum() {
        let parts = RssParts {
            rss_bytes: 12 * MIB,
            live_bytes: 8 * MIB,
            file_bytes: 5 * MIB,
            not_resident_bytes: MIB,
            ..RssParts::default()
        };
        assert_eq!(
            rss_parts(&parts),
            "8.0 MiB live heap + 5.0 MiB files − 1.0 MiB that Go mapped and is not resident = 12.0 MiB"
        );
    }

    #[test]
    fn growth_is_said_with_where_it_leads() {
        let growth = Growth {
            per_second: MIB as f64,
            low: 0.5 * MIB as f64,
            high: 2.0 * MIB as f64,
            pattern: GrowthPattern::Linear,
            r2: 1.0,
            forecast: None,
        };
        let live = Trend {
            from_bytes: MIB,
            to_bytes: 9 * MIB,
            growth,
            grows: true,
            is_steady: true,
            cliff: None,
        };
        let account = MemoryAccount { live: Some(live), ..MemoryAccount::default() };
        assert_eq!(
            memory_growth(&account),
            [
                "the live heap grows: +1.0 MiB/s (+512.0 KiB/s to +2.0 MiB/s), linear, from 1.0 MiB to 9.0 MiB"
            ]
        );
        let used = LimitUse {
            kind: LimitKind::ControlGroup,
            limit_bytes: 100 * MIB,
            used_bytes: 90 * MIB,
            level: Level::High,
            reached_in: Some(Reached {
                earliest: Duration::from_secs(5),
                likely: Some(Duration::from_secs(9)),
                latest: None,
            }),
        };
        assert_eq!(
            limit(&used),
            "control group 90.0 MiB of 100.0 MiB (90 %), high; reached in 9.0s (5.0s or later)"
        );
    }
}
