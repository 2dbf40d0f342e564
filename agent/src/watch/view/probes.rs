//! What sees events, what was missed, and what all of it costs.

use ratatui::text::Line;

use super::paint::Paint;
use crate::model::{Assessment, ProbeCoverage, ProbeState};
use crate::report::style::Role;
use crate::report::terminal::parts;
use crate::report::{format, phrases};

/// Spells of a probe that are shown, the latest.
const SPELLS: usize = 3;

/// Columns before what is said of a probe.
const INDENT: usize = 8;

/// The tab's lines.
pub(super) fn lines(assessment: &Assessment, width: usize, paint: Paint) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let probes = &assessment.coverage.probes;
    if probes.is_empty() {
        let text = "no probes: what comes and goes between two samples is not seen";
        lines.extend(paint.lines(parts::sentence(Role::Warning, text, width)));
    }
    for probe in probes {
        lines.extend(self::probe(probe, width, paint));
    }
    for part in [
        parts::overhead(assessment, width),
        parts::coverage(assessment, width),
        parts::sites(assessment, width),
        parts::resources(assessment, width),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    {
        lines.push(Line::default());
        lines.extend(paint.lines(part));
    }
    lines
}

fn probe(probe: &ProbeCoverage, width: usize, paint: Paint) -> Vec<Line<'static>> {
    let role = match probe.state {
        ProbeState::Attached => Role::Well,
        ProbeState::Burst | ProbeState::Shed | ProbeState::Unavailable => Role::Warning,
    };
    let covered = seconds(probe.covered_seconds);
    let mut lines = vec![Line::from(vec![
        paint.span(Role::Title, format!("{:INDENT$}", probe.event.name())),
        paint.span(role, format!("{:12}", phrases::probe_state(probe.state))),
        paint.span(Role::Plain, format!("attached for {covered} in all")),
    ])];
    let mut said: Vec<String> =
        probe.reason.iter().map(|reason| phrases::probe_reason(reason).into_owned()).collect();
    let earlier = probe.history.len().saturating_sub(SPELLS) as u64 + probe.history_left_out;
    let latest = probe.history.iter().rev().take(SPELLS).rev();
    let mut spells: Vec<_> = latest
        .map(|spell| {
            let until = spell.until_seconds.map_or_else(|| "now".to_owned(), seconds);
            format!(
                "{} {} to {until}",
                phrases::probe_state(spell.state),
                seconds(spell.from_seconds)
            )
        })
        .collect();
    if earlier > 0 {
        spells.insert(0, format::counted(earlier, "earlier spell", "earlier spells"));
    }
    if !spells.is_empty() {
        said.push(spells.join(", "));
    }
    let room = width.saturating_sub(INDENT);
    for text in said {
        for mut line in paint.lines(parts::sentence(Role::Dim, &format::clean(&text), room)) {
            line.spans.insert(0, " ".repeat(INDENT).into());
            lines.push(line);
        }
    }
    lines
}

fn seconds(seconds: f64) -> String {
    std::time::Duration::try_from_secs_f64(seconds.max(0.0))
        .map_or_else(|_| "?".to_owned(), format::duration)
}
