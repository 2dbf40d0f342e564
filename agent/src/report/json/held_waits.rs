//! Who holds what goroutines wait on.

use super::frame::frame;
use crate::model::{HeldWait, HeldWaits, HolderKind, HoldingGoroutines, StackTable, WaitHolder};
use crate::report::phrases;
use crate::report::schema::{WaitHeldDoc, WaitHolderKind, WaitsHeldDoc};

pub(super) fn waits_held<'a>(held: &'a HeldWaits, stacks: &'a StackTable) -> WaitsHeldDoc<'a> {
    WaitsHeldDoc {
        by: held.by.iter().map(|held| wait_held(held, stacks)).collect(),
        looked_at: held.looked_at,
        others: held.others,
        unknown: held.unknown,
    }
}

fn wait_held<'a>(held: &'a HeldWait, stacks: &'a StackTable) -> WaitHeldDoc<'a> {
    let (path, goroutines) = match &held.way {
        WaitHolder::Path(path, goroutines) => (Some(path), goroutines.as_ref()),
        WaitHolder::LeftOnStacks(path) => (Some(path), None),
        WaitHolder::Themselves | WaitHolder::Nothing => (None, None),
    };
    let HoldingGoroutines { goids, wait, at, finding, .. } =
        goroutines.cloned().unwrap_or_default();
    WaitHeldDoc {
        kind: kind(&held.way),
        name: path.and_then(|path| path.holder.name.as_deref()).map(Into::into),
        path: phrases::held_wait(held).into(),
        goroutines: held.goroutines,
        goids,
        wait_class: wait,
        at: at.map(|at| frame(stacks, at)),
        finding: finding.map(Into::into),
    }
}

fn kind(way: &WaitHolder) -> WaitHolderKind {
    match way {
        WaitHolder::Path(path, _) => match path.holder.kind {
            HolderKind::Variable => WaitHolderKind::Variable,
            HolderKind::Goroutines => WaitHolderKind::Goroutines,
            HolderKind::Finalizers
            | HolderKind::Cycle
            | HolderKind::CleanupCycle
            | HolderKind::WeakCycle
            | HolderKind::Meanwhile => WaitHolderKind::Other,
        },
        WaitHolder::Themselves => WaitHolderKind::Themselves,
        WaitHolder::LeftOnStacks(_) => WaitHolderKind::LeftOnStacks,
        WaitHolder::Nothing => WaitHolderKind::Nothing,
    }
}
