//! A process's memory.

use std::time::Duration;

use super::allocated::allocated_at;
use super::forced::would_free;
use super::{amount, hex, seconds};
use crate::model::{
    Collector, Heap, HeapHolder, HeapProfile, HeldHeap, LargeLines, LimitKind, LimitUse, Memory,
    MemoryAccount, ProcessMemory, RssParts, Trend,
};
use crate::report::schema::{
    CliffDoc, CollectorDoc, HeapDoc, HeapHolderDoc, HeapProfileDoc, HeldHeapDoc, Interval,
    LargeLinesDoc, LimitDoc, LimitKindDoc, MemoryAccountDoc, MemoryPointDoc, ProcessMemoryDoc,
    ResidentDoc, SizeClassDoc, TrendDoc,
};

/// The account.
pub(in crate::report) fn memory(account: &MemoryAccount) -> MemoryAccountDoc {
    let Memory { heap, process, profile, .. } = &account.now;
    let point = |point: &crate::model::MemoryPoint| MemoryPointDoc {
        seconds: point.elapsed.as_secs_f64(),
        live_bytes: point.live_bytes,
        objects_bytes: point.objects_bytes,
        rss_bytes: point.rss_bytes,
    };
    MemoryAccountDoc {
        level: account.level,
        heap: heap.as_ref().map(self::heap),
        process: process.map(self::process),
        heap_profile: profile.as_ref().map(heap_profile),
        held: account.held.as_ref().map(held),
        large: account.large.as_ref().map(large),
        would_free: account.would_free.as_ref().map(would_free),
        resident: account.parts.map(resident),
        live: account.live.map(trend),
        rss: account.rss.map(trend),
        outside: account.outside.map(trend),
        allocated_bytes_per_second: account.allocation.map(|it| it.bytes_per_second),
        allocated_objects_per_second: account.allocation.map(|it| it.objects_per_second),
        collector: account.collector.map(collector),
        limits: account.limits.iter().map(limit).collect(),
        history: account.history.iter().map(point).collect(),
    }
}

fn held(held: &HeldHeap) -> HeldHeapDoc {
    HeldHeapDoc {
        holders: held.holders.iter().cloned().map(holder).collect(),
        reached: amount(held.reached),
        is_whole: held.is_whole,
    }
}

fn large(large: &LargeLines) -> LargeLinesDoc {
    LargeLinesDoc {
        since_seconds: large.since.as_secs_f64(),
        lines: large.lines.iter().cloned().map(allocated_at).collect(),
        lost: large.lost,
    }
}

/// A holder of part of the heap.
pub(in crate::report) fn holder(holder: HeapHolder) -> HeapHolderDoc<'static> {
    HeapHolderDoc {
        kind: holder.kind,
        name: holder.name.map(Into::into),
        address: holder.address.map(hex),
        function: holder.function.map(Into::into),
        entries_of: holder.entries_of.map(Into::into),
        count: holder.count,
        bytes: holder.holds.bytes,
        objects: holder.holds.objects,
    }
}

const fn heap_profile(profile: &HeapProfile) -> HeapProfileDoc {
    HeapProfileDoc {
        basis: profile.basis,
        in_use_bytes: profile.in_use_bytes,
        in_use_objects: profile.in_use_objects,
        allocated_bytes: profile.allocated_bytes,
    }
}

fn heap(heap: &Heap) -> HeapDoc {
    let classes = heap.classes.iter().map(|class| SizeClassDoc {
        object_bytes: class.object_bytes,
        allocated: class.allocated,
        freed: class.freed,
        in_use_bytes: class.in_use_bytes,
    });
    HeapDoc {
        served: heap.is_served,
        live_bytes: heap.marked_bytes,
        objects_bytes: heap.objects_bytes,
        objects: heap.objects,
        in_use_bytes: heap.in_use_bytes,
        idle_bytes: heap.idle_bytes,
        released_bytes: heap.released_bytes,
        stacks_bytes: heap.stacks_bytes,
        runtime_bytes: heap.runtime_bytes,
        goal_bytes: heap.goal_bytes,
        gc_percent: heap.gc_percent,
        limit_bytes: heap.limit_bytes,
        allocated_bytes: heap.allocated_bytes,
        freed_bytes: heap.freed_bytes,
        allocated_objects: heap.allocated_objects,
        freed_objects: heap.freed_objects,
        collections: heap.collections,
        forced_collections: heap.forced_collections,
        pause_total_seconds: seconds(heap.pause_total_ns.map(Duration::from_nanos)),
        last_pause_seconds: seconds(heap.last_pause_ns.map(Duration::from_nanos)),
        classes: classes.collect(),
    }
}

const fn process(memory: ProcessMemory) -> ProcessMemoryDoc {
    ProcessMemoryDoc {
        rss_bytes: memory.rss_bytes,
        anonymous_bytes: memory.anonymous_bytes,
        file_bytes: memory.file_bytes,
        shared_bytes: memory.shared_bytes,
        swap_bytes: memory.swap_bytes,
        page_tables_bytes: memory.page_tables_bytes,
        peak_rss_bytes: memory.peak_rss_bytes,
        threads: memory.threads,
    }
}

const fn resident(parts: RssParts) -> ResidentDoc {
    ResidentDoc {
        live_bytes: parts.live_bytes,
        uncollected_bytes: parts.uncollected_bytes,
        fragmented_bytes: parts.fragmented_bytes,
        idle_bytes: parts.idle_bytes,
        stacks_bytes: parts.stacks_bytes,
        runtime_bytes: parts.runtime_bytes,
        outside_bytes: parts.outside_bytes,
        file_bytes: parts.file_bytes,
        shared_bytes: parts.shared_bytes,
        not_resident_bytes: parts.not_resident_bytes,
    }
}

fn trend(trend: Trend) -> TrendDoc {
    let growth = trend.growth;
    TrendDoc {
        from_bytes: trend.from_bytes,
        to_bytes: trend.to_bytes,
        per_second: growth.per_second,
        interval: Interval(growth.low, growth.high),
        pattern: growth.pattern,
        grows: trend.grows,
        cliff: trend.cliff.map(|it| CliffDoc {
            at_seconds: it.at_seconds,
            from_bytes: it.from_bytes,
            to_bytes: it.to_bytes,
        }),
    }
}

fn collector(collector: Collector) -> CollectorDoc {
    CollectorDoc {
        collections: collector.collections,
        cpu_share: collector.cpu_share,
        first_half_share: collector.halves.map(|(first, _)| first),
        second_half_share: collector.halves.map(|(_, second)| second),
        is_pressed: collector.is_pressed,
    }
}

fn limit(limit: &LimitUse) -> LimitDoc {
    let kind = match limit.kind {
        LimitKind::GoMemory => LimitKindDoc::GoMemory,
        LimitKind::ControlGroup => LimitKindDoc::ControlGroup,
    };
    LimitDoc {
        kind,
        limit_bytes: limit.limit_bytes,
        used_bytes: limit.used_bytes,
        level: limit.level,
        reached_in_seconds: seconds(limit.reached_in.map(|it| it.earliest)),
        reached_in_seconds_likely: seconds(limit.reached_in.and_then(|it| it.likely)),
        reached_in_seconds_at_most: seconds(limit.reached_in.and_then(|it| it.latest)),
    }
}
