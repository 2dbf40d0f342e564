#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use super::*;
use crate::golang::arch::Arch;
use crate::golang::layout::Layout;
use crate::golang::memory::ReadError;
use crate::golang::version::GoVersion;

const MEMSTATS: u64 = 0x10_0000;
const CONTROLLER: u64 = 0x20_0000;
const WORK: u64 = 0x30_0000;
const ALL_P: u64 = 0x40_0000;
const LEN: u64 = 0x10_0000;

/// A heap of one Go version, written word by word. Every word that was never written is 0.
struct Written {
    words: Vec<(u64, u64)>,
    /// Reads until the generation changes once.
    sums_up_after: Cell<u32>,
    layout: layout::Heap,
}

impl Memory for Written {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        if !(MEMSTATS..ALL_P + LEN).contains(&addr) {
            return Err(ReadError::Unmapped { addr, len: buf.len() });
        }
        buf.fill(0);
        for (at, word) in &self.words {
            for (byte, at) in word.to_le_bytes().into_iter().zip(*at..) {
                if let Some(to) = at.checked_sub(addr).and_then(|to| buf.get_mut(to as usize)) {
                    *to = byte;
                }
            }
        }
        if addr == MEMSTATS {
            let left = self.sums_up_after.get();
            self.sums_up_after.set(left.saturating_sub(1));
            if left == 1 {
                buf[self.layout.mstats.generation as usize] ^= 1;
            }
        }
        Ok(())
    }
}

fn layout_of(version: &str) -> layout::Heap {
    Layout::for_version(&version.parse().unwrap(), Arch::Amd64).unwrap().layout.heap.unwrap()
}

/// 10 objects of 64 bytes, 4 of them freed, and one of 100,000 bytes, in spans of 122,880 bytes.
fn written(version: &str) -> Written {
    let layout = layout_of(version);
    let (delta, controller) = (layout.delta, layout.controller);
    let at = |delta_number: u32, field: u32| {
        MEMSTATS + u64::from(layout.mstats.deltas + delta_number * delta.size + field)
    };
    let of = |field: u32| CONTROLLER + u64::from(field);
    let class = 6 * 8;
    let words = vec![
        (at(0, delta.small_allocs + class), 7),
        (at(2, delta.small_allocs + class), 3),
        (at(1, delta.small_frees + class), 4),
        (at(1, delta.large_allocs), 1),
        (at(1, delta.large_alloc_bytes), 100_000),
        (at(0, delta.in_heap), 131_072),
        // Less than nothing, in one of them.
        (at(1, delta.in_heap), 8192_u64.wrapping_neg()),
        (at(1, delta.in_stacks), 32_768),
        (at(2, delta.in_work_bufs), 4096),
        (MEMSTATS + u64::from(layout.mstats.span_structs), 65_536),
        (MEMSTATS + u64::from(layout.mstats.other), 12_288),
        (MEMSTATS + u64::from(layout.mstats.collections), 258 | (1 << 32)),
        (MEMSTATS + u64::from(layout.mstats.pauses + 8), 77),
        (MEMSTATS + u64::from(layout.mstats.pause_total), 999),
        (of(controller.gc_percent), 100),
        (of(controller.memory_limit), i64::MAX.unsigned_abs()),
        (of(controller.percent_goal), 4 << 20),
        (of(controller.triggered), u64::MAX),
        (of(controller.heap_marked), 100_100),
        (of(controller.heap_in_use), 122_880),
        (of(controller.heap_free), 8192),
        (of(controller.heap_released), 16_384),
        (of(controller.total_alloc), 100_640),
        (of(controller.total_free), 256),
        (of(controller.mapped_ready), 262_144),
        (WORK + u64::from(layout.work.cpu_stats) + 4 * 8, 5),
        (WORK + u64::from(layout.work.cpu_stats) + 10 * 8, 100),
    ];
    Written { words, sums_up_after: Cell::new(0), layout }
}

impl Written {
    fn heap(&self) -> Heap {
        Heap {
            memstats: MEMSTATS,
            controller: CONTROLLER,
            work: WORK,
            all_p: ALL_P,
            mheap: 0,
            queues: Queues { finalizers: None, cleanups: None },
            layout: self.layout,
            form: Form::of(&GoVersion::release(27, 0), Arch::Amd64),
        }
    }

    fn figures(&self) -> Result<Figures, HeapError> {
        self.heap().figures(self)
    }

    fn set(&mut self, at: u64, word: u64) {
        self.words.push((at, word));
    }
}

#[test]
fn deltas_add_up_in_every_version() {
    for minor in 21..=27 {
        let figures = written(&format!("go1.{minor}.0")).figures().unwrap();
        assert_eq!((figures.objects, figures.objects_bytes), (7, 100_384), "1.{minor}");
        assert_eq!((figures.allocated_objects, figures.freed_objects), (11, 4));
        assert_eq!((figures.in_use_bytes, figures.stacks_bytes), (122_880, 32_768));
        assert_eq!(figures.runtime_bytes, 4096 + 65_536 + 12_288);
        assert_eq!(figures.mapped_bytes, 122_880 + 8192 + 16_384 + 32_768 + 81_920);
        assert_eq!((figures.collections, figures.forced_collections), (258, 1));
        assert_eq!((figures.last_pause_ns, figures.pause_total_ns), (Some(77), 999));
        assert_eq!((figures.gc_percent, figures.memory_limit_bytes), (Some(100), None));
        assert_eq!(figures.goal_bytes, Some(4 << 20));
        assert_eq!((figures.cpu.gc_ns, figures.cpu.total_ns), (5, 100));
        let [small, large] = figures.classes[..] else { panic!("{:?}", figures.classes) };
        assert_eq!((small.object_bytes, small.allocated, small.in_use_bytes), (Some(64), 10, 384));
        assert_eq!((large.object_bytes, large.in_use_bytes), (None, 100_000));
        assert_eq!(figures.retried, 0);
    }
}

#[test]
fn what_a_cache_holds_is_counted_too() {
    let mut memory = written("go1.26.6");
    let (p, cache, span, empty) =
        (ALL_P + 0x100, ALL_P + 0x8000, ALL_P + 0x1_0000, ALL_P + 0x2_0000);
    let layout = memory.layout;
    memory.set(ALL_P, ALL_P + 0x80);
    memory.set(ALL_P + 8, 1);
    memory.set(ALL_P + 0x80, p);
    memory.set(p + u64::from(layout.p.mcache), cache);
    memory.set(cache + u64::from(layout.mcache.tiny_allocs), 5);
    for class in 0..136 {
        let held = if class == 13 { span } else { empty };
        memory.set(cache + u64::from(layout.mcache.spans) + 8 * class, held);
    }
    // The two counts and what stands beside them, in words.
    let mut head = [0; 256];
    let at = |field: u32| field as usize;
    head[at(layout.mspan.class)] = 13;
    head[at(layout.mspan.object_bytes)] = 64;
    head[at(layout.mspan.allocated)] = 9;
    head[at(layout.mspan.counted)] = 2;
    for (word, at) in head.as_chunks::<8>().0.iter().zip((span..).step_by(8)) {
        memory.set(at, u64::from_le_bytes(*word));
    }
    let figures = memory.figures().unwrap();
    assert_eq!((figures.objects, figures.allocated_objects), (14, 23));
    assert_eq!(figures.allocated_bytes, 100_640 + 7 * 64);
}

#[test]
fn what_is_summed_up_meanwhile_is_read_again() {
    let memory = written("go1.27.3");
    memory.sums_up_after.set(2);
    assert_eq!(memory.figures().unwrap().retried, 1);
}

#[test]
fn figures_that_cannot_be_are_refused() {
    let layout = layout_of("go1.24.11");
    let of = |field: u32| CONTROLLER + u64::from(field);
    let oddities = [
        (of(layout.controller.heap_in_use), 1 << 60, Oddity::Size),
        (of(layout.controller.heap_in_use), 1 << 20, Oddity::Spans),
        (of(layout.controller.total_alloc), 1 << 30, Oddity::Allocated),
        (of(layout.controller.total_free), 1 << 20, Oddity::Freed),
        (MEMSTATS + u64::from(layout.delta.small_frees + 48), 1 << 63, Oddity::Freed),
    ];
    for (at, word, expected) in oddities {
        let mut memory = written("go1.24.11");
        memory.set(at, word);
        match memory.figures() {
            Err(HeapError::Odd { reads: MAX_READS, oddity }) => assert_eq!(oddity, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn random_words_are_survived() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..2000 {
        let mut memory = written("go1.25.5");
        for _ in 0..3 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let at = seed as usize % memory.words.len();
            memory.words[at].1 = seed >> (seed % 64);
        }
        // All that may be said: what is believed has sizes that a process can have.
        if let Ok(figures) = memory.figures() {
            assert!(figures.in_use_bytes <= 1 << 56 && figures.stacks_bytes <= 1 << 56);
        }
    }
}
