//! Who holds the heap, in words.

use crate::model::{
    Amount, HeapCycle, HeapHeld, HeapHolder, HeapPath, HeapStep, HeldDescriptors, HeldHeap,
    HeldSince, HolderKind, ResourceGrowth, Retained,
};
use crate::report::format::{self, count, counted};

/// Descriptors that nobody is known to hold are told of if they are more than this part of all: some are opened and closed
/// between counting and walking.
const MANY_UNKNOWN: u64 = 10;

/// A holder: `main.store`, `variable at 0x5a2c40`, `3 goroutines of main.worker`.
#[must_use]
pub fn heap_holder(holder: &HeapHolder) -> String {
    let name = || match (&holder.name, holder.address) {
        (Some(name), _) => name.clone(),
        (None, Some(address)) => format!("{address:#x}"),
        (None, None) => "an unknown place".to_owned(),
    };
    match holder.kind {
        HolderKind::Variable if holder.name.is_some() => name(),
        HolderKind::Variable => format!("variable at {}", name()),
        HolderKind::Goroutines if holder.name.as_deref() == Some("runtime.main") => {
            "the main goroutine".to_owned()
        }
        HolderKind::Goroutines => {
            format!("{} of {}", counted(holder.count, "goroutine", "goroutines"), name())
        }
        HolderKind::Finalizers => {
            let records = counted(holder.count, "record", "records");
            format!("finalizers, cleanups and weak pointers ({records})")
        }
        HolderKind::Cycle => {
            format!(
                "{} × {}, which their own finalizers keep",
                count(holder.count),
                type_name(holder.name.as_deref())
            )
        }
        HolderKind::CleanupCycle => {
            let function = holder.function.as_deref().map(|name| format!(" {name}"));
            format!(
                "{} × {}, which their own cleanup{} keeps",
                count(holder.count),
                type_name(holder.name.as_deref()),
                function.unwrap_or_default()
            )
        }
        HolderKind::WeakCycle => {
            let of = holder.entries_of.as_deref().map(|name| format!(" of {name}"));
            format!(
                "{} × {}, which entries{} with weak pointers to them keep",
                count(holder.count),
                type_name(holder.name.as_deref()),
                of.unwrap_or_default()
            )
        }
        HolderKind::Meanwhile => "what came or was moved while the walk went on".to_owned(),
    }
}

/// A path, from its holder on: `main.store -> map[string]*main.Session -> main.Session.events -> []byte`.
#[must_use]
pub fn heap_path(retained: &Retained, path: &HeapPath) -> String {
    let holder = retained.holders.get(path.holder).map(heap_holder);
    steps(holder.unwrap_or_else(|| "an unknown place".to_owned()), &path.steps)
}

/// By which fields objects keep themselves: `main.node .next -> main.leaf .parent -> main.node`.
#[must_use]
pub fn heap_cycle(cycle: &HeapCycle) -> String {
    heap_cycle_of(&cycle.steps)
}

fn heap_cycle_of(cycle: &[HeapStep]) -> String {
    match cycle.split_first() {
        Some((first, rest)) => steps(type_name(first.type_name.as_deref()).to_owned(), rest),
        None => type_name(None).to_owned(),
    }
}

pub(super) fn steps(mut text: String, steps: &[HeapStep]) -> String {
    for step in steps {
        if let Some(via) = &step.via {
            text.push('.');
            text.push_str(via);
        }
        text.push_str(" -> ");
        text.push_str(type_name(step.type_name.as_deref()));
    }
    text
}

/// A holder with its type, and its part of all that is reachable: `main.cache (map[string][]byte), 83 % of the live
/// heap`.
#[must_use]
pub fn heap_held_brief(held: &HeapHeld) -> String {
    let first = held.steps.first().filter(|step| step.via.is_none());
    let of_type = first.and_then(|step| step.type_name.as_deref());
    let of_type = of_type.filter(|_| held.holder.kind == HolderKind::Variable);
    let of_type = of_type.map(|name| format!(" ({name})")).unwrap_or_default();
    let what = match held.holder.kind {
        HolderKind::Variable => "global ",
        HolderKind::Goroutines
        | HolderKind::Finalizers
        | HolderKind::Cycle
        | HolderKind::CleanupCycle
        | HolderKind::WeakCycle
        | HolderKind::Meanwhile => "",
    };
    let share = share_of_heap(held);
    format!("{what}{}{of_type}, {share} of the live heap", heap_holder(&held.holder))
}

/// The holder's part of all that is reachable: `83 %`.
#[must_use]
pub fn share_of_heap(held: &HeapHeld) -> String {
    let share = held.holder.holds.bytes as f64 * 100.0 / held.reached.bytes.max(1) as f64;
    format!("{share:.0} %")
}

/// Who holds most of a heap of which it is not known whether it leaks: `main.store 61 % (1.2 GiB), main.cache 20 %
/// (400.0 MiB); whether they grow is not known`.
#[must_use]
pub fn held_heap(held: &HeldHeap) -> String {
    let all = held.reached.bytes.max(1) as f64;
    let holders = held.holders.iter().map(|holder| {
        let bytes = holder.holds.bytes;
        let share = bytes as f64 * 100.0 / all;
        format!("{} {share:.0} % ({})", heap_holder(holder), format::bytes(bytes))
    });
    let part = if held.is_whole { "" } else { "; the walk was not completed" };
    let holders = holders.collect::<Vec<_>>().join(", ");
    format!("{holders}; whether they grow is not known{part}")
}

/// Who holds a heap that grew, and by which path.
pub(super) fn heap_held(held: &HeapHeld) -> String {
    let HeapHeld { holder, grown_bytes, reached, is_whole, .. } = held;
    let grown = grown_bytes.map(|more| format!(", {} more than before", format::bytes(more)));
    let part = if *is_whole { "" } else { "; the walk was not completed" };
    format!(
        "{} holds {} of the {} that it reached{}, most by {}{part}",
        heap_holder(holder),
        format::bytes(holder.holds.bytes),
        format::bytes(reached.bytes),
        grown.unwrap_or_default(),
        heap_held_path(held),
    )
}

/// The path by which it holds most.
#[must_use]
pub fn heap_held_path(held: &HeapHeld) -> String {
    if held.holder.kind.is_cycle() {
        return heap_cycle_of(&held.steps);
    }
    steps(heap_holder(&held.holder), &held.steps)
}

/// Who holds descriptors, by which path, and how many of all that there are: a line for each path, and one for those
/// that nobody is known to hold, if they are many.
#[must_use]
pub fn descriptors_held(growth: &ResourceGrowth) -> Vec<(String, String)> {
    let of = count(growth.to);
    let known: u64 = growth.held_by.iter().flatten().map(|held| held.count).sum();
    // The walk comes after the last sample: more may have been opened meanwhile.
    let part = |held: u64| match known > growth.to {
        true => format!("{} by the time of the walk", count(held)),
        false => format!("{} of {of}", count(held)),
    };
    let held = growth.held_by.iter().flatten();
    let held = held.map(|held| (held_descriptors(held), part(held.count)));
    let mut lines: Vec<(String, String)> = held.collect();
    let unknown = growth.held_by_unknown();
    if unknown > growth.to / MANY_UNKNOWN {
        let what = "nobody known: the program's own numbers, C code's, connections still being made, or what the walk missed";
        lines.push((what.to_owned(), format!("{} of {of}", count(unknown))));
    }
    lines
}

/// By which path descriptors are held.
#[must_use]
pub fn held_descriptors(held: &HeldDescriptors) -> String {
    match &held.by {
        Some(by) => steps(heap_holder(&by.holder), &by.steps),
        None => "nothing: they are garbage, and collections of it close them".to_owned(),
    }
}

/// A type.
#[must_use]
pub fn type_name(name: Option<&str>) -> &str {
    name.unwrap_or("unknown")
}

/// How much was reached, and what that took.
#[must_use]
pub fn walk(retained: &Retained) -> String {
    format!("{}, by a walk of {}", amount(retained.reached), format::duration(retained.walk.took),)
}

/// How what is reached differs from a walk before.
#[must_use]
pub fn held_since(retained: &Retained, since: &HeldSince) -> String {
    let (before, now) = (since.before.bytes, retained.reached.bytes);
    let sign = if now < before { '-' } else { '+' };
    let part = if since.are_whole {
        ""
    } else {
        "; one of both walks was not completed, so that what is more may not have come since"
    };
    format!(
        "{} then, {} now ({sign}{}){part}",
        format::bytes(before),
        format::bytes(now),
        format::bytes(now.abs_diff(before))
    )
}

/// What was not reached.
#[must_use]
pub fn unreached(retained: &Retained) -> String {
    format!("{}: not freed yet, or missed", amount(retained.unreached))
}

/// How exact it is: a sentence for each thing that makes it less so.
#[must_use]
pub fn walk_notes(retained: &Retained) -> Vec<String> {
    let walk = retained.walk;
    let of_spans = format!("of {}", counted(walk.spans, "span", "spans"));
    let changed = counted(walk.changed_spans, "was", "were");
    [
        (!walk.is_whole).then(|| {
            "the time was over before all pointers were followed: there are more than these"
                .to_owned()
        }),
        (!walk.has_names)
            .then(|| "the executable has no symbol table: variables have no names".to_owned()),
        (!walk.has_variable_types).then(|| {
            "the executable has no debug information that can be read: types are known only where \
             the runtime says them"
                .to_owned()
        }),
        (walk.untraced > 0).then(|| {
            let untraced = counted(walk.untraced, "object has", "objects have");
            format!("{untraced} a path that was not kept: they count for its beginning")
        }),
        walk.collected.then(|| {
            "the program collected garbage meanwhile: what was freed may still be counted"
                .to_owned()
        }),
        (walk.changed_spans > 0)
            .then(|| format!("{of_spans} {changed} freed or used otherwise meanwhile")),
        (walk.torn_spans > 0).then(|| {
            let torn = counted(walk.torn_spans, "span", "spans");
            format!("{torn} could not be read, or made no sense: what they hold is missing")
        }),
        (walk.astray > 0).then(|| {
            let astray = counted(walk.astray, "object", "objects");
            format!("{astray} came meanwhile, or only stacks still mention what they were")
        }),
        (walk.untyped > 0).then(|| {
            let untyped = counted(walk.untyped, "object has", "objects have");
            format!("{untyped} no type that is known: every word of it was taken for a pointer")
        }),
        (walk.came.objects > 0).then(|| {
            let came = amount(walk.came);
            format!("{came} came after the walk began: what they point to was followed, they are in no sum")
        }),
        (walk.unsearched.objects > 0).then(|| {
            let unsearched = amount(walk.unsearched);
            format!("of that {unsearched} were not searched: what they alone hold is missing")
        }),
        (walk.unexamined > 0).then(|| {
            let entries = counted(walk.unexamined, "entry", "entries");
            format!("of {entries} with weak pointers was not examined whether they keep their own objects")
        }),
        (walk.running > 0).then(|| {
            let running = counted(walk.running, "goroutine", "goroutines");
            format!("{running} ran: what they hold in registers alone is missing")
        }),
        (walk.unread > 0).then(|| {
            let unread = count(walk.unread);
            format!("{unread} of the objects, stacks and records could not be read")
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn amount(amount: Amount) -> String {
    format!("{} in {}", format::bytes(amount.bytes), counted(amount.objects, "object", "objects"))
}
