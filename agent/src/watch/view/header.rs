//! Whom, how many goroutines, how well, what was found, and what was missed: a few lines.

use ratatui::style::Stylize as _;
use ratatui::text::{Line, Span};

use super::paint::Paint;
use crate::model::{Assessment, ProbeState, Quantity, Subjects, Verdict};
use crate::report::style::Role;
use crate::report::{format, phrases, view};
use crate::watch::state::State;

/// Columns of an executable's name.
const NAME: usize = 30;

/// The lines, the most needed first.
pub(super) fn lines(state: &State, assessment: &Assessment, paint: Paint) -> Vec<Line<'static>> {
    let mut lines = vec![
        who(state, assessment, paint),
        result(assessment, paint),
        window(state, assessment, paint),
        remark(assessment, paint),
    ];
    if let Some((text, is_warning)) = phrases::collections_in_brief(assessment) {
        let role = if is_warning { Role::Doubt } else { Role::Dim };
        lines.insert(2, Line::from(paint.span(role, format::clean(&text))));
    }
    lines
}

fn who(state: &State, assessment: &Assessment, paint: Paint) -> Line<'static> {
    let target = &assessment.target;
    let name = format::cut(&format::clean(&target.name()), NAME);
    let mut spans = vec![paint.span(Role::Title, name)];
    if target.exe.is_some() {
        spans.push(format!("  {}", format::clean(&target.id.to_string())).into());
    }
    if let Some(version) = &target.go_version {
        spans.push(format!("  {}", format::clean(version)).into());
    }
    spans.push(paint.span(Role::Number, format!("  {}", phrases::goroutines(assessment))));
    if let Some(health) = assessment.health() {
        spans.push(paint.span(Role::Title, format!("  health {health} of 100")));
    }
    if let Some(memory) = phrases::memory_in_brief(assessment.memory.as_ref()) {
        spans.push(format!("  {memory}").dim());
    }
    if let Some(resources) = phrases::resources_in_brief(assessment.resources.as_ref()) {
        spans.push(format!("  {resources}").dim());
    }
    if let Some((place, of)) = state.targets.place() {
        spans.push(format!("  [{place} of {of}]").dim());
    }
    spans.into()
}

/// What was found so far. Where the number of goroutines rises, that too.
fn result(assessment: &Assessment, paint: Paint) -> Line<'static> {
    let Some(judgement) = &assessment.judgement else {
        return Line::from(paint.span(Role::Dim, "not judged"));
    };
    let role = match judgement.findings.iter().map(|finding| finding.verdict).max() {
        Some(Verdict::Proven | Verdict::Likely) => Role::Alarm,
        Some(Verdict::Suspect) => Role::Doubt,
        None if phrases::is_well(assessment, judgement) => Role::Well,
        None => Role::Warning,
    };
    let mut spans = vec![paint.span(role, phrases::result(assessment, judgement))];
    if let Some(rise) = &judgement.rise {
        let goroutines = judgement.trends.iter().find(|it| it.quantity == Quantity::Goroutines);
        let since = goroutines.and_then(|trend| phrases::since(trend, &assessment.window));
        let since = since.map_or_else(String::new, |since| format!(" {since}"));
        let rises = format!("  rising {}{since}", format::growth(rise.per_second));
        spans.push(paint.span(Role::Warning, rises));
    }
    if let Some(unusual) = phrases::unusual(judgement).first() {
        spans.push(paint.span(Role::Warning, format!("  {unusual}")));
    }
    spans.into()
}

fn window(state: &State, assessment: &Assessment, paint: Paint) -> Line<'static> {
    let coverage = &assessment.coverage;
    let mut spans: Vec<Span<'static>> = Vec::new();
    if let Some(rates) = state.targets.current().and_then(|target| target.shown.now) {
        spans.push(format!("{}  ", format::rates(rates)).into());
    }
    spans.push(phrases::window(&assessment.window).dim());
    if coverage.subjects.goroutines {
        let (read, seen) = (coverage.goroutines_read, coverage.goroutines_seen);
        spans.push(format!("  read {} of {}", format::count(read), format::count(seen)).dim());
    }
    for gap in view::gaps(coverage).into_iter().filter(|gap| !gap.kind.is_detail()) {
        let text = format!("  {} {}", format::count(gap.count), phrases::gap(gap.kind));
        spans.push(paint.span(Role::Doubt, text));
    }
    let probes = &coverage.probes;
    let attached = probes.iter().filter(|probe| probe.state == ProbeState::Attached).count();
    if attached < probes.len() {
        let text = format!("  {attached} of {} probes attached", probes.len());
        spans.push(paint.span(Role::Doubt, text));
    }
    spans.into()
}

/// Why the process could not run, or the first note of what was missed, or else what its goroutines
/// wait for.
fn remark(assessment: &Assessment, paint: Paint) -> Line<'static> {
    if let Some(held) = &assessment.held {
        return Line::from(paint.span(Role::Alarm, phrases::held(held)));
    }
    if assessment.subjects() != Subjects::ALL {
        return Line::from(paint.span(Role::Dim, phrases::scope(assessment)));
    }
    if let Some(note) = phrases::notes(assessment).first() {
        return Line::from(paint.span(Role::Doubt, format::clean(note)));
    }
    let mut waits: Vec<_> = assessment.totals.by_wait.iter().collect();
    waits.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
    let texts =
        waits.iter().map(|(wait, count)| format!("{} {}", format::count(**count), wait.name()));
    Line::from(paint.span(Role::Wait, texts.collect::<Vec<_>>().join("  ")))
}
