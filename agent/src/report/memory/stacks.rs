//! Who holds the heap, as stacks: the holder, then each field and type on the way, last the objects.

use std::collections::HashMap;

use crate::model::{Amount, Retained};
use crate::report::phrases;

/// What is held at the end of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldStack {
    /// The holder first.
    pub frames: Vec<HeldFrame>,
    /// Objects at its end, without what those hold.
    pub holds: Amount,
}

/// One step from the holder to the objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeldFrame {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: HeldFrameKind,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeldFrameKind {
    /// Who holds.
    Holder,
    /// A field that leads on.
    Field,
    /// Objects of a type.
    Type,
    /// All paths that are not told.
    Rest,
}

/// The stacks. Together they hold all that is reached: what a holder has by paths that are not told is a stack of
/// its own.
#[must_use]
pub fn stacks(retained: &Retained) -> Vec<HeldStack> {
    let frame = |name: String, kind| HeldFrame { name, kind };
    let mut told: HashMap<usize, Amount> = HashMap::new();
    let mut stacks = Vec::new();
    for path in &retained.paths {
        let Some(holder) = retained.holders.get(path.holder) else { continue };
        let mut frames = vec![frame(phrases::heap_holder(holder), HeldFrameKind::Holder)];
        for step in &path.steps {
            let before = frames.last().map_or("", |before| &*before.name);
            if let Some(via) = &step.via {
                frames.push(frame(format!("{before}.{via}"), HeldFrameKind::Field));
            }
            let name = phrases::type_name(step.type_name.as_deref()).to_owned();
            frames.push(frame(name, HeldFrameKind::Type));
        }
        let told = told.entry(path.holder).or_default();
        told.bytes = told.bytes.saturating_add(path.holds.bytes);
        told.objects = told.objects.saturating_add(path.holds.objects);
        stacks.push(HeldStack { frames, holds: path.holds });
    }
    for (place, holder) in retained.holders.iter().enumerate() {
        let told = told.get(&place).copied().unwrap_or_default();
        let holds = Amount {
            bytes: holder.holds.bytes.saturating_sub(told.bytes),
            objects: holder.holds.objects.saturating_sub(told.objects),
        };
        if holds != Amount::default() {
            let holder = frame(phrases::heap_holder(holder), HeldFrameKind::Holder);
            let rest = frame("other paths".to_owned(), HeldFrameKind::Rest);
            stacks.push(HeldStack { frames: vec![holder, rest], holds });
        }
    }
    stacks
}
