//! How two moments differ, as the document that is written and shown of it.

use crate::analyze::compare::{
    Change, Changed, Difference, Line, MemoryAt, Moment, ResourceChange,
};
use crate::report::json;
use crate::report::schema::{
    ChangeKind, ChangedDoc, ComparisonDoc, MomentDoc, MomentMemoryDoc, PlaceDoc, ResourceChangeDoc,
    SchemaName,
};

/// The document of a difference.
pub(super) fn document(
    before: &Moment,
    after: &Moment,
    difference: &Difference,
) -> ComparisonDoc<'static> {
    ComparisonDoc {
        schema: SchemaName::default(),
        before: moment(before),
        after: moment(after),
        groups: difference.groups.iter().map(changed).collect(),
        unchanged: difference.unchanged,
        resources: difference.resources.iter().map(resource).collect(),
    }
}

fn moment(moment: &Moment) -> MomentDoc<'static> {
    MomentDoc {
        at: moment.at.and_then(json::time).map(Into::into),
        exe: moment.exe.clone().into(),
        goroutines: moment.goroutines,
        memory: moment.memory.map(memory),
    }
}

const fn memory(memory: MemoryAt) -> MomentMemoryDoc {
    let MemoryAt { live_bytes, objects_bytes, stacks_bytes, outside_bytes, rss_bytes } = memory;
    MomentMemoryDoc { live_bytes, objects_bytes, stacks_bytes, outside_bytes, rss_bytes }
}

fn resource(ResourceChange { key, before, after }: &ResourceChange) -> ResourceChangeDoc<'static> {
    let change = json::resource_change(key, *before, *after);
    let name = change.name.map(|name| name.into_owned().into());
    ResourceChangeDoc {
        name,
        kind: change.kind,
        leads_to: change.leads_to,
        before: *before,
        after: *after,
    }
}

fn changed(changed: &Changed) -> ChangedDoc<'static> {
    let Changed { change, signature, before, after, group } = changed;
    ChangedDoc {
        change: match change {
            Change::New => ChangeKind::New,
            Change::Grown => ChangeKind::Grown,
            Change::Shrunk => ChangeKind::Shrunk,
            Change::Gone => ChangeKind::Gone,
        },
        signature: signature.clone().into(),
        before: *before,
        after: *after,
        wait_class: group.wait,
        blocked_at: group.blocked_at.as_ref().map(place),
        created_by: group.created_by.as_ref().map(place),
    }
}

fn place(Line { function, file, line }: &Line) -> PlaceDoc<'static> {
    PlaceDoc { function: function.clone().into(), file: file.clone().into(), line: *line }
}
