//! Who holds the heap, in words.

use crate::model::{Amount, HeapHolder, HolderKind, Retained};
use crate::report::format::{self, count, counted};

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
    }
}

/// How much was reached, and what that took.
#[must_use]
pub fn walk(retained: &Retained) -> String {
    format!("{}, by a walk of {}", amount(retained.reached), format::duration(retained.walk.took),)
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
            let astray = counted(walk.astray, "pointer leads", "pointers lead");
            format!("{astray} to objects that came meanwhile, or that stacks still mention")
        }),
        (walk.untyped > 0).then(|| {
            let untyped = counted(walk.untyped, "object has", "objects have");
            format!("{untyped} no type that is known: every word of it was taken for a pointer")
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
