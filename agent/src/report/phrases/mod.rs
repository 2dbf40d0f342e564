//! Sentences, made once for every form of the report: terminal, HTML, JSON and live view.
//!
//! The model has values; here they become words. A text of the target's (a name, a path, a label) goes into a
//! sentence as it is: each form cleans or escapes the whole.

mod account;
mod allocated;
mod caller;
mod cause;
mod class;
mod contention;
mod coverage_note;
mod evidence;
mod forced;
mod held;
mod held_waits;
mod idle;
mod line;
mod lineage;
mod lock;
mod measure;
mod memory;
mod note;
mod pause;
mod place;
mod probe;
mod profile;
mod proof;
mod reached;
mod resource;
mod result;
mod retained;
mod rise;
mod seen;
mod source_rule;
mod suggestion;
mod trend;

pub use account::{
    Accounting, accounting, by_reason, ignored_by_reason, lack, not_analysed,
    not_analysed_by_reason,
};
pub use allocated::{
    allocated_basis, allocated_notes, allocation_in_brief, allocation_line, allocation_note,
    large_allocations, not_allocated,
};
pub use caller::{Caller, callers, callers_in_brief, stack_in_brief};
pub use cause::cause;
pub use class::class_meaning;
pub use contention::{contended_over, within};
pub use coverage_note::coverage_note;
pub use evidence::{evidence, statement};
pub use forced::{collections, collections_in_brief, freed, would_free};
pub use held::{halt, held};
pub use held_waits::{held_wait, waits_held};
pub use idle::{idle, no_stack};
pub use line::{Line, about, lead, line_note, lines};
pub use lineage::{Branch, branches};
pub use lock::{Room, cycles, does, holder, holders};
pub use measure::{
    amount, amount_in_brief, forecast, growth_interval, oldest, rate, score_parts, turnover,
};
pub use memory::{
    collector, limit, memory, memory_growth, memory_in_brief, rss_parts, size_classes, trend,
};
pub use note::{cut_short, notes, replaced};
pub use pause::pauses;
pub use place::{brief_place, place};
pub use probe::{hit_cost, hit_note, probe_reason, probe_state};
pub use profile::{files, profile};
pub use proof::{proof, proof_in_brief, proven, proven_by, proven_over};
pub use resource::{
    piled_up, resource, resource_kinds, resource_limit, resource_names, resources,
    resources_counted, resources_in_brief, resources_named,
};
pub use result::{health, is_well, result};
pub use retained::{
    descriptors_held, heap_cycle, heap_held_brief, heap_held_path, heap_holder, heap_path,
    held_descriptors, held_heap, held_since, share_of_heap, type_name, unreached, walk, walk_notes,
};
pub use rise::{rise, rise_reason};
pub use seen::{
    build, gap, goroutines, memory_unseen, nothing_known, of_what, scope, window, window_and_end,
};
pub use suggestion::suggestions;
pub use trend::{relations, since, trends, unusual, usual};

#[cfg(test)]
mod tests;
