//! What to do about a finding.

mod general;
mod library;
mod named;
mod resource;

use super::place::brief_place;
use super::source_rule;
use crate::model::{Finding, StackTable, Suggestion};

/// What to do, most helpful first: a sentence or two each.
#[must_use]
pub fn suggestions(finding: &Finding, stacks: &StackTable) -> Vec<String> {
    finding.suggestions.iter().flat_map(|it| sentences(it, stacks)).collect()
}

fn sentences(suggestion: &Suggestion, stacks: &StackTable) -> Vec<String> {
    let given = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match suggestion {
        Suggestion::Source(mistake) => vec![source_rule::fix(mistake)],
        Suggestion::Pattern(pattern) => given(&[general::of_pattern(*pattern)]),
        Suggestion::Class(class) => given(general::of_class(*class)),
        Suggestion::Named(wait) => given(named::of_named(*wait)),
        Suggestion::NoSleep => given(&[
            "Wait in a select between time.After (or a time.Timer) and ctx.Done() in place of time.Sleep, \
             and return when the context ends.",
        ]),
        Suggestion::UseOfLibrary { library, made, from } => {
            library::by_use(library, made.as_ref(), *from, stacks)
        }
        Suggestion::Close { made, below } => library::close(made, *below, stacks),
        Suggestion::Release { key, closed_by_peer } => {
            given(resource::release(key, *closed_by_peer))
        }
        Suggestion::RaiseLimit(kind) => given(&[resource::raise(*kind)]),
        Suggestion::IdleConnections => given(&[
            "Find the clients: they open connections, and neither reuse nor close them (`ss -tnp` names \
             the other ends).",
            "Set http.Server.IdleTimeout (and ReadHeaderTimeout), so that the server closes those that \
             nobody uses.",
        ]),
        Suggestion::BreakDeadlock { goid, at } => {
            let place = at.and_then(|frame| brief_place(stacks, frame));
            let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
            vec![format!(
                "Break the deadlock of goroutine {goid}{place}: it never gives back what these wait for."
            )]
        }
    }
}
