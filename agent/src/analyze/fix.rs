//! What to do about a finding: by its pattern, and by its class.

use super::case::Case;
use super::caused::CauseLine;
use super::{not_closed, waits};
use crate::model::function::{self, Origin};
use crate::model::{CauseClass, Doing, Holder, LockWait, Pattern, Suggestion, WaitClass};

/// Suggestions, most helpful first.
pub(super) fn suggestions(
    case: &Case<'_>,
    class: CauseClass,
    pattern: Option<Pattern>,
    line: Option<&CauseLine>,
    lock_wait: &LockWait,
) -> Vec<Suggestion> {
    if class == CauseClass::NotClosed {
        return not_closed::fix(case, line).into_iter().collect();
    }
    // Whatever their own code looks like, they wait for others to be mended.
    if let Some(Holder { goid, at, doing: Doing::Wait { in_cycle: true, .. }, .. }) =
        lock_wait.likely_holder
    {
        return vec![Suggestion::BreakDeadlock { goid, at }];
    }
    if case.keep_connections_alive() {
        return vec![Suggestion::IdleConnections];
    }
    // What is said of every leak of a kind helps only where nothing better is known.
    if let Some(wait) = waits::of(case) {
        return vec![Suggestion::Named(wait)];
    }
    if let Some(own) = case.hints.mistake.as_ref().filter(|own| pattern == Some(own.pattern)) {
        return vec![Suggestion::Source(own.mistake.clone())];
    }
    if let Some(use_of_library) = of_library(case, line) {
        return vec![use_of_library];
    }
    if case.wait() == WaitClass::Sleep {
        return vec![Suggestion::NoSleep];
    }
    vec![pattern.map_or(Suggestion::Class(class), Suggestion::Pattern)]
}

/// What to do about a wait within a module that the program uses: nobody is to change that, only how it is
/// used.
fn of_library(case: &Case<'_>, line: Option<&CauseLine>) -> Option<Suggestion> {
    let blocked = case.blocked_at()?;
    if function::origin(blocked.function, blocked.file) != Origin::Dependency {
        return None;
    }
    if line.is_some_and(|line| Some(line.at.frame) == case.group.blocked_at) {
        return None;
    }
    let is_called = line.is_some_and(|line| line.callee.is_some());
    Some(Suggestion::UseOfLibrary {
        library: function::package(blocked.function).to_owned(),
        made: not_closed::made(case, line).filter(|_| is_called || case.is_librarys()),
        from: line.map(|line| line.at.frame),
    })
}

#[cfg(test)]
mod tests;
