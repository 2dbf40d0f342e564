//! A program's memory as `leak-agent/memory/v1`.

use std::io::{self, Write};

use super::MemoryReport;
use crate::model::{HeapCycle, HeapPath, HeapStep, HeapType, HeldSince, Retained, RetainedClass};
use crate::report::json::forced::would_free;
use crate::report::json::memory::holder;
use crate::report::json::resources::held_by;
use crate::report::json::{allocated, amount, coverage, memory, time};
use crate::report::phrases;
use crate::report::schema::{
    AgentDoc, HeapCycleDoc, HeapHolderDoc, HeapPathDoc, HeapStepDoc, HeapTypeDoc, HeldSinceDoc,
    HolderChangeDoc, MemoryReportDoc, RetainedClassDoc, RetainedDoc, SchemaName, TypeChangeDoc,
    WalkDoc,
};

/// Writes the memory of a program as one document.
///
/// # Errors
/// What the writer says.
pub fn write_json(report: &MemoryReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let assessment = report.assessment;
    let document = MemoryReportDoc {
        schema: SchemaName::default(),
        agent: AgentDoc { version: env!("CARGO_PKG_VERSION").into() },
        target: coverage::target(&assessment.target),
        at: time(assessment.window.last).map(Into::into),
        memory: assessment.memory.as_ref().map(memory::memory),
        allocated: report.profile().map(|(it, lines)| allocated::allocated(it, lines)),
        retained: report.retained.map(|it| retained(it, report)),
        notes: report.notes().into_iter().map(Into::into).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn retained<'a>(retained: &'a Retained, report: &MemoryReport<'a>) -> RetainedDoc<'a> {
    let walk = retained.walk;
    RetainedDoc {
        holders: retained.holders.iter().cloned().map(holder).collect(),
        reached: amount(retained.reached),
        unreached: amount(retained.unreached),
        would_free: report.would_free.map(would_free),
        classes: retained.classes.iter().map(class).collect(),
        paths: retained.paths.iter().map(|path| self::path(retained, path)).collect(),
        types: retained.types.iter().map(heap_type).collect(),
        cycles: retained.cycles.iter().map(cycle).collect(),
        descriptors: retained.descriptors.iter().map(held_by).collect(),
        walk: WalkDoc {
            is_whole: walk.is_whole,
            seconds: walk.took.as_secs_f64(),
            read_bytes: walk.read_bytes,
            spans: walk.spans,
            changed_spans: walk.changed_spans,
            torn_spans: walk.torn_spans,
            astray: walk.astray,
            untyped: walk.untyped,
            untraced: walk.untraced,
            unread: walk.unread,
            running: walk.running,
            came: amount(walk.came),
            unsearched: amount(walk.unsearched),
            unexamined: walk.unexamined,
            collected: walk.collected,
            has_names: walk.has_names,
            has_variable_types: walk.has_variable_types,
        },
        since: report.since.map(since),
        notes: phrases::walk_notes(retained).into_iter().map(Into::into).collect(),
    }
}

fn since(since: &HeldSince) -> HeldSinceDoc<'_> {
    HeldSinceDoc {
        reached_before: amount(since.before),
        are_whole: since.are_whole,
        holders: (since.holders.iter())
            .map(|it| HolderChangeDoc {
                holder: HeapHolderDoc {
                    bytes: it.now.bytes,
                    objects: it.now.objects,
                    ..holder(it.of.clone())
                },
                before: amount(it.before),
            })
            .collect(),
        types: (since.types.iter())
            .map(|it| TypeChangeDoc {
                name: it.of.as_deref().map(Into::into),
                before: amount(it.before),
                now: amount(it.now),
            })
            .collect(),
    }
}

fn step(step: &HeapStep) -> HeapStepDoc<'_> {
    HeapStepDoc {
        via: step.via.as_deref().map(Into::into),
        type_name: step.type_name.as_deref().map(Into::into),
    }
}

fn cycle(cycle: &HeapCycle) -> HeapCycleDoc<'_> {
    HeapCycleDoc {
        holder: cycle.holder,
        steps: cycle.steps.iter().map(step).collect(),
        text: phrases::heap_cycle(cycle).into(),
    }
}

fn path<'a>(retained: &Retained, path: &'a HeapPath) -> HeapPathDoc<'a> {
    HeapPathDoc {
        holder: path.holder,
        steps: path.steps.iter().map(step).collect(),
        text: phrases::heap_path(retained, path).into(),
        bytes: path.holds.bytes,
        objects: path.holds.objects,
    }
}

fn heap_type(it: &HeapType) -> HeapTypeDoc<'_> {
    HeapTypeDoc {
        name: it.name.as_deref().map(Into::into),
        bytes: it.holds.bytes,
        objects: it.holds.objects,
    }
}

const fn class(class: &RetainedClass) -> RetainedClassDoc {
    RetainedClassDoc {
        object_bytes: class.object_bytes,
        reached: amount(class.reached),
        unreached: amount(class.unreached),
    }
}
