//! The memory part of a sample: the runtime's own figures, the kernel's, the control group's.

use crate::error_chain;
use crate::golang::Program;
use crate::golang::heap::{Cpu, Figures, HeapError};
use crate::host::memory::Allowance;
use crate::host::process_memory;
use crate::model::{Coverage, CoverageNote, GroupMemory, Heap, Memory, ProcessMemory, SizeClass};

/// Everything that is known of a program's memory now. What could not be read is said in the coverage.
pub(super) fn read(program: &Program, coverage: &mut Coverage) -> Memory {
    let heap = match program.heap() {
        Ok(heap) => match heap.figures(program.memory()) {
            Ok(figures) => Some(figures),
            Err(HeapError::Memory(_)) if !program.process().is_alive() => None,
            Err(error) => {
                let why = error_chain::one_line(&error);
                coverage.notes.push(CoverageNote::HeapUnread { why });
                None
            }
        },
        Err(why) => {
            coverage.notes.push(CoverageNote::NoHeap { why: why.to_string() });
            None
        }
    };
    coverage.heap_retried = heap.as_ref().map_or(0, |figures| u64::from(figures.retried));
    let process = process_memory::ProcessMemory::read(&program.process().folder());
    let group = Allowance::of_process(program.process().pid);
    Memory {
        heap: heap.map(of_figures),
        process: process.map(of_process),
        group: group
            .map(|it| GroupMemory { limit_bytes: it.limit_bytes, used_bytes: it.used_bytes }),
        profile: None,
        large: None,
        profiled: None,
    }
}

fn of_figures(figures: Figures) -> Heap {
    let Cpu { gc_ns, gc_idle_ns, total_ns, idle_ns } = figures.cpu;
    let classes = figures.classes.into_iter().map(|class| SizeClass {
        object_bytes: class.object_bytes,
        allocated: class.allocated,
        freed: class.freed,
        in_use_bytes: class.in_use_bytes,
    });
    Heap {
        marked_bytes: (figures.collections > 0).then_some(figures.marked_bytes),
        objects_bytes: figures.objects_bytes,
        objects: figures.objects,
        in_use_bytes: figures.in_use_bytes,
        idle_bytes: figures.idle_bytes,
        released_bytes: figures.released_bytes,
        stacks_bytes: figures.stacks_bytes,
        runtime_bytes: figures.runtime_bytes,
        goal_bytes: figures.goal_bytes,
        gc_percent: figures.gc_percent,
        limit_bytes: figures.memory_limit_bytes,
        allocated_bytes: figures.allocated_bytes,
        freed_bytes: figures.freed_bytes,
        allocated_objects: figures.allocated_objects,
        freed_objects: figures.freed_objects,
        collections: figures.collections,
        forced_collections: figures.forced_collections,
        last_collection_ns: figures.last_collection_ns,
        pause_total_ns: Some(figures.pause_total_ns),
        last_pause_ns: figures.last_pause_ns,
        gc_cpu_ns: gc_ns.saturating_sub(gc_idle_ns),
        busy_cpu_ns: total_ns.saturating_sub(idle_ns).saturating_sub(gc_idle_ns),
        classes: classes.collect(),
        is_served: false,
    }
}

const fn of_process(memory: process_memory::ProcessMemory) -> ProcessMemory {
    ProcessMemory {
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
