//! The report for people at a terminal: whom, what leaks; if asked for, where goroutines wait and the
//! groups, largest first; and last a summary with the verdict.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use super::json::time;
use super::style::{Role, Style};
use super::view::{self, Gap, GapKind};
use super::{Render, Report, format, phrases};
use crate::model::{
    Assessment, Coverage, Group, ProbeCoverage, ProbeEvent, ProbeReason, ProbeState, WaitClass,
};

mod contention;
mod finding;
mod group;
mod judgement;
mod locks;
mod memory;
pub mod parts;
mod paths;
mod resources;
mod sites;
mod trends;

/// Narrower than this nothing can be laid out.
const NARROWEST: usize = 40;

/// Renders text for people.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether to use colour.
    pub style: Style,
    /// Columns to keep to, as far as file names and lines allow.
    pub width: usize,
    /// How many findings, and groups, to show in full; all, with every frame, when `None`.
    pub top: Option<usize>,
    /// Whether to show the groups, and what else is more than a verdict.
    pub groups: bool,
}

impl Render for Terminal {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        for (index, assessment) in report.assessments.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            let details = self.groups || self.top.is_none() || assessment.judgement.is_none();
            self.page(details, out).assessment(assessment)?;
        }
        if report.assessments.len() > 1 {
            writeln!(out)?;
            self.page(false, out).overview(report.assessments)?;
        }
        Ok(())
    }
}

impl Terminal {
    fn page<'a>(&self, details: bool, out: &'a mut dyn Write) -> Page<'a> {
        Page { style: self.style, width: self.width.max(NARROWEST), top: self.top, details, out }
    }
}

/// Where one assessment is written, and how.
struct Page<'a> {
    style: Style,
    width: usize,
    top: Option<usize>,
    /// Whether to show more than the verdict.
    details: bool,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn assessment(&mut self, assessment: &Assessment) -> io::Result<()> {
        self.header(assessment)?;
        if let Some(judgement) = &assessment.judgement {
            // Without findings, the end of the report is near enough.
            if !judgement.findings.is_empty() {
                self.result(judgement, assessment)?;
            }
            self.findings(&judgement.findings, assessment)?;
            writeln!(self.out)?;
        }
        if self.details {
            self.details(assessment)?;
        }
        match &assessment.judgement {
            Some(judgement) => self.summary(judgement, assessment),
            None => {
                self.memory(assessment)?;
                self.resources(assessment)?;
                self.collections(assessment)?;
                self.coverage(&assessment.coverage)?;
                self.notes(assessment)?;
                self.overhead(assessment)
            }
        }
    }

    /// What is more than a verdict: locks, waits, groups, who created whom, what came and went.
    fn details(&mut self, assessment: &Assessment) -> io::Result<()> {
        if let Some(judgement) = &assessment.judgement {
            let form = (self.style, self.width);
            if locks::draw(
                (&judgement.lock_graph, &assessment.stacks),
                form,
                self.top.is_none(),
                self.out,
            )? {
                writeln!(self.out)?;
            }
        }
        if assessment.coverage.has_goroutines() {
            self.waits(assessment)?;
        }
        if let Some(judgement) = &assessment.judgement {
            self.hot_paths(judgement, assessment)?;
        }
        self.groups(assessment)?;
        if let Some(judgement) = &assessment.judgement {
            self.lineage(judgement, assessment)?;
        }
        self.sites(assessment)?;
        self.contention(assessment)?;
        writeln!(self.out)
    }

    /// The verdicts on several processes, a line each.
    fn overview(&mut self, assessments: &[Assessment]) -> io::Result<()> {
        for assessment in assessments {
            let target = &assessment.target;
            let mut name = format::clean(&target.name()).into_owned();
            if let Some(pid) = target.pid() {
                name.push_str(&format!("[{pid}]"));
            }
            let (role, result) = match &assessment.judgement {
                Some(judgement) => (
                    judgement::colour(judgement, assessment),
                    phrases::result(assessment, judgement),
                ),
                None => (Role::Dim, "not judged".to_owned()),
            };
            let findings = assessment.judgement.as_ref().map(|judgement| &*judgement.findings);
            let mut parts = vec![(role, result)];
            if let Some([first, ..]) = findings {
                let room = self.width.saturating_sub(format::width(&name) + 3);
                parts.push((Role::Place, judgement::headline(first, assessment, room)));
            }
            self.line(&format!("{name}   "), &parts)?;
        }
        Ok(())
    }

    fn header(&mut self, assessment: &Assessment) -> io::Result<()> {
        let target = &assessment.target;
        let window = &assessment.window;
        let mut parts = vec![(Role::Title, format::clean(&target.name()).into_owned())];
        if target.exe.is_some() {
            parts.push((Role::Dim, format::clean(&target.id.to_string()).into_owned()));
        }
        let version = target.go_version.as_deref().unwrap_or("Go version unknown");
        parts.push((Role::Dim, format::clean(version).into_owned()));
        parts.extend(target.build.map(|build| (Role::Dim, phrases::build(build))));
        parts.extend(time(window.last).map(|last| (Role::Dim, format::date(&last))));
        self.line("", &parts)?;

        if assessment.coverage.is_without_goroutines() {
            let parts = [
                (Role::Warning, "no goroutines were given".to_owned()),
                (Role::Dim, phrases::window(window)),
            ];
            return self.line("", &parts);
        }
        let mut parts = vec![(Role::Number, phrases::goroutines(assessment))];
        match assessment.totals.rates {
            _ if !assessment.subjects().goroutines => {}
            Some(rates) => {
                parts.push((Role::Title, format::rates(rates)));
                let interval = format::interval(rates.created()).filter(|_| self.details);
                parts.extend(interval.map(|text| (Role::Dim, format!("created, {text}"))));
            }
            None => parts.push((Role::Dim, "rates need a second sample".to_owned())),
        }
        parts.push((Role::Dim, phrases::window(window)));
        self.line("", &parts)?;
        match &assessment.held {
            Some(held) => self.line("process   ", &[(Role::Warning, phrases::held(held))]),
            None => Ok(()),
        }
    }

    /// What was seen and, always, what was not.
    fn coverage(&mut self, coverage: &Coverage) -> io::Result<()> {
        if !coverage.has_goroutines() {
            return Ok(());
        }
        let (seen, read) = (coverage.goroutines_seen, coverage.goroutines_read);
        let mut parts = vec![(
            if read + coverage.running < seen { Role::Warning } else { Role::Dim },
            format!("read {} of {}", format::count(read), format::count(seen)),
        )];
        for Gap { kind, count } in view::gaps(coverage) {
            if kind != GapKind::Unmoved {
                let role = if kind.is_loss() { Role::Warning } else { Role::Dim };
                parts.push((role, format!("{} {}", format::count(count), phrases::gap(kind))));
            }
        }
        parts.extend(self.probes(coverage).map(|text| (Role::Warning, text)));
        self.summary_line("coverage", &parts)?;
        let Some(proof) = &coverage.proof else { return Ok(()) };
        let said = match self.details {
            true => Some(phrases::proof(proof)),
            false => phrases::proof_in_brief(proof),
        };
        let Some((is_lacking, text)) = said else { return Ok(()) };
        let role = match is_lacking {
            true => Role::Warning,
            false if proof.proven > 0 => Role::Alarm,
            false => Role::Dim,
        };
        self.summary_line("proof", &[(role, format::clean(&text).into_owned())])
    }

    /// What collections show that were forced.
    fn collections(&mut self, assessment: &Assessment) -> io::Result<()> {
        for (text, is_warning) in phrases::collections(assessment) {
            let role = if is_warning { Role::Warning } else { Role::Title };
            self.summary_line("collections", &[(role, format::clean(&text).into_owned())])?;
        }
        Ok(())
    }

    /// What there is to note of the coverage, the beginning and the end.
    fn notes(&mut self, assessment: &Assessment) -> io::Result<()> {
        for note in &phrases::notes(assessment) {
            self.summary_line("note", &[(Role::Warning, format::clean(note).into_owned())])?;
        }
        Ok(())
    }

    /// Probes that are not there all the while, those alike together. Why a budget sheds some is a
    /// detail; why others cannot be had is not.
    fn probes(&self, coverage: &Coverage) -> impl Iterator<Item = String> + use<> {
        let details = self.details;
        let why = move |probe: &ProbeCoverage| {
            let is_said = details || probe.state == ProbeState::Unavailable;
            probe
                .reason
                .as_ref()
                .filter(|_| is_said)
                .map(|why| phrases::probe_reason(why).into_owned())
        };
        let mut probes: Vec<_> = coverage.probes.clone();
        probes.retain(|probe| {
            let needless = [ProbeReason::NotLookedAt, ProbeReason::KeepsProfile];
            let is_left_out = probe.reason.as_ref().is_some_and(|it| needless.contains(it));
            probe.state != ProbeState::Attached && !is_left_out
        });
        probes.sort_by_key(|probe| probe.event == ProbeEvent::Park);
        let alike = |a: &ProbeCoverage, b: &ProbeCoverage| (a.state, why(a)) == (b.state, why(b));
        let texts: Vec<_> = probes
            .chunk_by(alike)
            .filter_map(|probes| {
                let probe = probes.first()?;
                let state = phrases::probe_state(probe.state);
                let reason = why(probe).map(|why| format!(": {why}")).unwrap_or_default();
                let events: Vec<_> = probes.iter().map(|probe| probe.event.name()).collect();
                let noun = if probes.len() == 1 { "probe" } else { "probes" };
                let covered = Duration::try_from_secs_f64(probe.covered_seconds.max(0.0));
                let covered = match (probe.state, covered) {
                    (ProbeState::Shed, Ok(covered)) if details => {
                        format!("; there for {}", format::duration(covered))
                    }
                    _ => String::new(),
                };
                let text = format!("{} {noun} {state}{reason}{covered}", events.join(", "));
                Some(format::clean(&text).into_owned())
            })
            .collect();
        texts.into_iter()
    }

    /// What the observation cost, in a line; how that is known if details are asked for.
    fn overhead(&mut self, assessment: &Assessment) -> io::Result<()> {
        let overhead = &assessment.overhead;
        let mut parts = Vec::new();
        if let (Some(hit), Some(percent)) = (&overhead.hit, overhead.target_cpu_percent_estimate) {
            let mut text = format!("probes {percent:.2} % of a core");
            if self.details {
                text.push_str(&format!(", {}", phrases::hit_cost(hit)));
            }
            parts.push((Role::Dim, text));
        }
        let percent = overhead.agent_cpu_percent.map(|percent| format!("{percent:.1} %"));
        let size = overhead.agent_rss_bytes.map(format::bytes);
        let agent: Vec<_> = [percent, size].into_iter().flatten().collect();
        if !agent.is_empty() {
            parts.push((Role::Dim, format!("agent {}", agent.join(", "))));
        }
        let (is_warning, pauses) = phrases::pauses(assessment);
        parts.push((if is_warning { Role::Warning } else { Role::Dim }, pauses));
        if let Some(took) = overhead.snapshot.filter(|_| self.details) {
            parts.push((Role::Dim, format!("last sample took {}", format::duration(took))));
        }
        self.summary_line("overhead", &parts)
    }

    fn waits(&mut self, assessment: &Assessment) -> io::Result<()> {
        let mut waits: Vec<_> = assessment.totals.by_wait.iter().collect();
        waits.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
        let parts: Vec<_> = waits
            .into_iter()
            .map(|(wait, &count)| (Role::Wait, format!("{} {}", format::count(count), wait.name())))
            .collect();
        self.summary_line("waits", &parts)
    }

    /// Groups, largest first. Those of nobody's code but the runtime's are for those who ask for all.
    fn groups(&mut self, assessment: &Assessment) -> io::Result<()> {
        let findings = assessment.judgement.as_ref().map_or(&[][..], |judged| &judged.findings);
        let of_group: HashMap<usize, &str> = findings
            .iter()
            .flat_map(|finding| finding.groups().iter().map(|&group| (group, &*finding.id)))
            .collect();
        let all = assessment.groups.iter().enumerate();
        let (shown, runtime): (Vec<_>, Vec<_>) = all.partition(|(_, group)| {
            self.top.is_none() || group.blocked_at.is_some() || group.wait != WaitClass::Runtime
        });
        let most = self.top.unwrap_or(usize::MAX).min(shown.len());
        for &(index, group) in &shown[..most] {
            writeln!(self.out)?;
            self.group(index + 1, group, of_group.get(&index).copied(), assessment)?;
        }
        self.hidden(&shown[most..], ("more group", "more groups"))?;
        self.hidden(&runtime, ("group of the runtime", "groups of the runtime"))
    }

    fn hidden(&mut self, groups: &[(usize, &Group)], (one, many): (&str, &str)) -> io::Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let noun = if groups.len() == 1 { one } else { many };
        let count = format::count(groups.len() as u64);
        let goroutines = groups.iter().map(|(_, group)| group.count).sum();
        let goroutines = format::counted(goroutines, "goroutine", "goroutines");
        let text = format!("… and {count} {noun} with {goroutines}: --all shows them");
        writeln!(self.out)?;
        self.line("", &[(Role::Dim, text)])
    }

    /// A label and its parts, three columns apart, going on below the first part where the width
    /// ends.
    fn line(&mut self, label: &str, parts: &[(Role, String)]) -> io::Result<()> {
        let indent = format::width(label);
        write!(self.out, "{}", self.style.paint(Role::Title, label))?;
        let mut column = indent;
        for (role, text) in parts {
            let mut first = true;
            for piece in wrap(text, self.width - indent.min(self.width / 2)) {
                let room = format::width(piece);
                let gap = if first { 3 } else { self.width };
                if column > indent && column + gap + room > self.width {
                    write!(self.out, "\n{:indent$}", "")?;
                    column = indent;
                } else if column > indent {
                    write!(self.out, "{:gap$}", "")?;
                    column += gap;
                }
                write!(self.out, "{}", self.style.paint(*role, piece))?;
                column += room;
                first = false;
            }
        }
        writeln!(self.out)
    }
}

/// Breaks a text at spaces into pieces of at most `room` columns, a longer word aside.
pub(super) fn wrap(text: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while format::width(rest) > room {
        let limit = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
        let Some(space) = rest[..limit].rfind(' ').or_else(|| rest.find(' ')) else { break };
        pieces.push(&rest[..space]);
        rest = &rest[space + 1..];
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests;
