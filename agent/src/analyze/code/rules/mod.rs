//! The rules: each examines a scene and names a mistake, or none.

mod channel;
mod ending;
mod lock;
mod receive;
mod send;
mod wait;

use super::expression::last_part;
use super::facts::Found;
use super::outline::Kind;
use super::scene::Scene;
use crate::model::{SourceNote, WaitClass};

/// The mistake that fits best.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Found> {
    match &scene.outline.ops[scene.op].kind {
        Kind::Send { channel, .. } => {
            channel::never_made(scene, channel).or_else(|| send::apply(scene, channel))
        }
        Kind::Receive { channel, .. } | Kind::Range { over: channel } => {
            channel::never_made(scene, channel).or_else(|| receive::apply(scene, channel))
        }
        Kind::Select { cases: 0, default: false } => Some(channel::empty_select(scene)),
        Kind::Select { .. } => receive::select(scene),
        Kind::Call { callee, .. } => match last_part(callee) {
            "Lock" | "RLock" => lock::apply(scene, callee),
            "Wait" if scene.wait == WaitClass::Cond => wait::cond(scene, callee),
            "Wait" => wait::group(scene, callee).or_else(|| wait::cond(scene, callee)),
            "Sleep" => ending::endless_sleep(scene),
            _ => ending::unclosed_body(scene).or_else(|| ending::no_deadline(scene, callee)),
        },
        _ => None,
    }
}

/// What else is worth knowing: what keeps the one who should end the wait.
pub(super) fn remark(scene: &Scene<'_>) -> Option<SourceNote> {
    lock::holder_waits(scene)
        .or_else(|| wait::done_waits(scene))
        .or_else(|| ending::unclosed_rows(scene))
}
