//! The report for people at a terminal: whom, what leaks, how much was seen, where goroutines wait,
//! and the groups, largest first.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use super::json::time;
use super::style::{Role, Style};
use super::{Render, Report, words};
use crate::model::{Assessment, Build, Coverage, Overhead, ProbeCoverage, ProbeState};

mod finding;
mod group;
mod judgement;
mod locks;
mod paths;
mod sites;

/// Narrower than this nothing can be laid out.
const NARROWEST: usize = 40;

/// Groups shown beside findings, which say more, unless all is asked for.
const BESIDE_FINDINGS: usize = 5;

/// Renders text for people.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether to use colour.
    pub style: Style,
    /// Columns to keep to, as far as file names and lines allow.
    pub width: usize,
    /// How many groups to show in full; all when `None`.
    pub top: Option<usize>,
}

impl Render for Terminal {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        for (index, assessment) in report.assessments.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            Page { style: self.style, width: self.width.max(NARROWEST), top: self.top, out }
                .assessment(assessment)?;
        }
        Ok(())
    }
}

/// Where one assessment is written, and how.
struct Page<'a> {
    style: Style,
    width: usize,
    top: Option<usize>,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn assessment(&mut self, assessment: &Assessment) -> io::Result<()> {
        self.header(assessment)?;
        if let Some(judgement) = &assessment.judgement {
            self.judgement(judgement, assessment)?;
        }
        self.coverage(&assessment.coverage)?;
        self.overhead(&assessment.overhead)?;
        self.waits(assessment)?;
        if let Some(judgement) = &assessment.judgement {
            self.hot_paths(judgement, assessment)?;
        }
        self.groups(assessment)?;
        if let Some(judgement) = &assessment.judgement {
            self.lineage(judgement, assessment)?;
        }
        self.sites(assessment)
    }

    fn header(&mut self, assessment: &Assessment) -> io::Result<()> {
        let target = &assessment.target;
        let mut parts = vec![(Role::Title, words::clean(&target.exe).into_owned())];
        if let Some(pid) = target.pid {
            parts.push((Role::Dim, format!("pid {pid}")));
        }
        let version = target.go_version.as_deref().unwrap_or("Go version unknown");
        parts.push((Role::Dim, words::clean(version).into_owned()));
        parts.extend(target.build.map(|build| (Role::Dim, describe(build))));
        self.line("", &parts)?;

        let window = &assessment.window;
        let totals = &assessment.totals;
        let mut parts = vec![(Role::Number, words::counted(totals.goroutines, "goroutine"))];
        match totals.rates {
            Some(rates) => parts.push((Role::Title, words::rates(rates))),
            None => parts.push((Role::Dim, "rates need a second look".to_owned())),
        }
        let looks = words::counted(window.observations, "look");
        let last = time(window.last).unwrap_or_default();
        parts.push((
            Role::Dim,
            match window.observations {
                1 => format!("{looks} at {last}"),
                _ => format!("{looks} in {} until {last}", words::duration(window.duration)),
            },
        ));
        self.line("", &parts)
    }

    /// What was seen and, always, what was not.
    fn coverage(&mut self, coverage: &Coverage) -> io::Result<()> {
        let (seen, read) = (coverage.goroutines_seen, coverage.goroutines_read);
        let mut parts = vec![(
            if read + coverage.running < seen { Role::Warning } else { Role::Dim },
            format!("read {} of {}", words::count(read), words::count(seen)),
        )];
        let gaps = [
            (coverage.running, "running (no readable stack)", Role::Dim),
            (coverage.torn, "torn", Role::Warning),
            (coverage.not_unwound, "not unwound", Role::Warning),
            (coverage.unresolved_frames, "frames without a name", Role::Warning),
            (coverage.events_dropped, "events dropped", Role::Warning),
            (coverage.retried, "read again", Role::Dim),
        ];
        for (count, what, role) in gaps {
            if count > 0 {
                parts.push((role, format!("{} {what}", words::count(count))));
            }
        }
        let alike =
            |a: &ProbeCoverage, b: &ProbeCoverage| (a.state, &a.reason) == (b.state, &b.reason);
        let mut probes: Vec<_> = coverage.probes.iter().collect();
        probes.sort_by_key(|probe| probe.event == "park");
        for probes in probes.chunk_by(|a, b| alike(a, b)) {
            let (Some(probe), count) = (probes.first(), probes.len()) else { continue };
            let state = match probe.state {
                ProbeState::Attached => continue,
                ProbeState::Burst => "in a burst",
                ProbeState::Shed => "shed",
                ProbeState::Unavailable => "unavailable",
            };
            let reason = probe.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let events: Vec<_> = probes.iter().map(|probe| probe.event.as_str()).collect();
            let noun = if count == 1 { "probe" } else { "probes" };
            let covered = Duration::from_secs_f64(probe.covered_seconds.max(0.0));
            let covered = match probe.state {
                ProbeState::Shed => format!("; there for {}", words::duration(covered)),
                _ => String::new(),
            };
            let text = format!("{} {noun} {state}{reason}{covered}", events.join(", "));
            parts.push((Role::Warning, words::clean(&text).into_owned()));
        }
        self.line("coverage  ", &parts)?;
        for note in &coverage.notes {
            self.line("note      ", &[(Role::Warning, words::clean(note).into_owned())])?;
        }
        Ok(())
    }

    fn overhead(&mut self, overhead: &Overhead) -> io::Result<()> {
        let mut parts = Vec::new();
        if let Some(took) = overhead.snapshot {
            parts.push((Role::Dim, format!("last look took {}", words::duration(took))));
        }
        if let (Some(hit), Some(percent)) = (&overhead.hit, overhead.target_cpu_percent_estimate) {
            let cost = words::hit_cost(hit);
            let text = format!("probes cost the target {percent:.2} % of a core, {cost}");
            parts.push((Role::Dim, text));
        }
        if let Some(percent) = overhead.agent_cpu_percent {
            parts.push((Role::Dim, format!("agent {percent:.1} % of a core")));
        }
        if let Some(size) = overhead.agent_rss_bytes {
            parts.push((Role::Dim, format!("agent {}", words::bytes(size))));
        }
        parts.push(match overhead.pauses_ms.iter().copied().reduce(f64::max) {
            None => (Role::Dim, "target never paused".to_owned()),
            Some(longest) => {
                let pauses = words::counted(overhead.pauses_ms.len() as u64, "pause");
                (Role::Warning, format!("{pauses} of the target, longest {longest:.1}ms"))
            }
        });
        self.line("overhead  ", &parts)
    }

    fn waits(&mut self, assessment: &Assessment) -> io::Result<()> {
        let mut waits: Vec<_> = assessment.totals.by_wait.iter().collect();
        waits.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
        let parts: Vec<_> = waits
            .into_iter()
            .map(|(wait, &count)| (Role::Wait, format!("{} {}", words::count(count), wait.name())))
            .collect();
        self.line("waits     ", &parts)
    }

    fn groups(&mut self, assessment: &Assessment) -> io::Result<()> {
        let groups = &assessment.groups;
        let findings = assessment.judgement.as_ref().map_or(&[][..], |judged| &judged.findings);
        let of_group: HashMap<usize, &str> = findings
            .iter()
            .flat_map(|finding| finding.groups.iter().map(|&group| (group, &*finding.id)))
            .collect();
        let most = if findings.is_empty() { usize::MAX } else { BESIDE_FINDINGS };
        let shown = self.top.map_or(groups.len(), |top| top.min(most)).min(groups.len());
        for (index, group) in groups.iter().take(shown).enumerate() {
            writeln!(self.out)?;
            self.group(index + 1, group, of_group.get(&index).copied(), assessment)?;
        }
        let rest = &groups[shown..];
        if !rest.is_empty() {
            let goroutines = rest.iter().map(|group| group.count).sum();
            let text = format!(
                "… and {} with {}: --all shows them",
                words::counted(rest.len() as u64, "more group"),
                words::counted(goroutines, "goroutine"),
            );
            writeln!(self.out)?;
            self.line("", &[(Role::Dim, text)])?;
        }
        Ok(())
    }

    /// A label and its parts, three columns apart, going on below the first part where the width
    /// ends.
    fn line(&mut self, label: &str, parts: &[(Role, String)]) -> io::Result<()> {
        let indent = words::width(label);
        write!(self.out, "{}", self.style.paint(Role::Title, label))?;
        let mut column = indent;
        for (role, text) in parts {
            let mut first = true;
            for piece in wrap(text, self.width - indent.min(self.width / 2)) {
                let room = words::width(piece);
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
    while words::width(rest) > room {
        let limit = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
        let Some(space) = rest[..limit].rfind(' ').or_else(|| rest.find(' ')) else { break };
        pieces.push(&rest[..space]);
        rest = &rest[space + 1..];
    }
    pieces.push(rest);
    pieces
}

fn describe(build: Build) -> String {
    let said = [(build.stripped, "stripped"), (build.pie, "PIE"), (build.cgo, "cgo")];
    let said: Vec<_> = said.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
    if said.is_empty() { "with symbols".to_owned() } else { said.join(", ") }
}

#[cfg(test)]
mod tests;
