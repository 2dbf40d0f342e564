//! What is made again and again and never closed: what it is, and what to do.

use super::case::Case;
use super::caused::CauseLine;
use super::known;
use crate::model::function::{self, Origin};
use crate::model::{CauseBasis, FrameId, Made, Resolved, Suggestion};

/// What the goroutines of a case run for.
pub(super) fn made(case: &Case<'_>, cause: Option<&CauseLine>) -> Option<Made> {
    if case.are_coroutines() {
        return Some(known::made("iter.Pull"));
    }
    if case.accepts_connections() {
        return Some(known::made("net.Listen"));
    }
    let lookup = |frame: FrameId| case.stacks.lookup(frame).ok();
    let callee = cause.and_then(|cause| cause.callee).and_then(lookup);
    let library =
        |frame: &Resolved<'_>| function::origin(frame.function, frame.file) != Origin::User;
    let callee = callee.filter(library).map(|frame| frame.function);
    let maker = callee.or_else(|| case.entry_function())?;
    Some(known::made(maker))
}

/// What to do about it; `None` where it is not known what it is.
pub(super) fn fix(case: &Case<'_>, line: Option<&CauseLine>) -> Option<Suggestion> {
    let made = made(case, line)?;
    let line = line.filter(|line| line.at.basis != CauseBasis::Creator);
    Some(Suggestion::Close { made, below: line.map(|line| line.at.frame) })
}
