//! What is made again and again and never closed: what it is, who makes it, and what to do.

use super::case::Case;
use super::caused::Cause;
use super::known::{self, Made};
use crate::model::function::{self, Origin};
use crate::model::{CauseBasis, FrameId, Resolved};

/// What the goroutines of a case run for.
pub(super) fn made(case: &Case<'_>, cause: Option<&Cause>) -> Option<Made> {
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

/// What they do, to follow their number in a sentence.
pub(super) fn says(case: &Case<'_>, one: bool, cause: Option<&Cause>) -> String {
    let verb = if one { "runs" } else { "run" };
    let by = match cause.and_then(|cause| case.stacks.lookup(cause.at.frame).ok()) {
        Some(frame) => format!(" below {}", function::short(frame.function)),
        None => String::new(),
    };
    let what = made(case, cause).map(|made| format!(" ({})", made.what)).unwrap_or_default();
    format!("{verb} for what is made again and again{by} and never closed{what}")
}

/// What to do about connections that clients keep open.
pub(super) fn connection_fixes() -> Vec<String> {
    vec![
        "Find the clients: they open connections, and neither reuse nor close them (`ss -tnp` names the \
         other ends)."
            .to_owned(),
        "Set http.Server.IdleTimeout (and ReadHeaderTimeout), so that the server closes those that nobody \
         uses."
            .to_owned(),
    ]
}

/// What to do, most helpful first.
pub(super) fn fixes(case: &Case<'_>, cause: Option<&Cause>) -> Vec<String> {
    let Some(made) = made(case, cause) else { return Vec::new() };
    let place = cause.filter(|cause| cause.at.basis != CauseBasis::Creator);
    let place = place.and_then(|cause| case.stacks.lookup(cause.at.frame).ok()).map(|frame| {
        let file = frame.file.rsplit('/').next().unwrap_or(frame.file);
        format!("{} ({file}:{})", function::short(frame.function), frame.line)
    });
    let what = &made.what;
    let close = match (made.close, &place) {
        (Some(call), Some(place)) => Some(format!(
            "Call {call} on each {what} once its work is done: it is made below {place}."
        )),
        (Some(call), None) => Some(format!("Call {call} on each {what} once its work is done.")),
        (None, _) if made.advice.is_some() => None,
        (None, Some(place)) => Some(format!(
            "End each {what} once its work is done (Close, Stop, Shutdown, or the cancellation of its \
             context), or make it once and share it: it is made below {place}."
        )),
        (None, None) => Some(format!(
            "End each {what} once its work is done (Close, Stop, Shutdown, or the cancellation of its \
             context), or make it once and share it."
        )),
    };
    close.into_iter().chain(made.advice.map(str::to_owned)).collect()
}
