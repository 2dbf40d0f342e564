//! The verdict in the terminal report: what was found, how well the process is, what was left out,
//! and what nobody could judge.

use std::io;

use super::{Page, locks, words};
use crate::model::{Assessment, Finding, Judgement, Level, Verdict};
use crate::report::style::Role;
use crate::report::telling;

/// Suspects shown unless all is asked for.
const SUSPECTS: usize = 5;

impl Page<'_> {
    pub(super) fn judgement(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let result = telling::result(assessment, judgement);
        let surest = judgement.findings.iter().map(|finding| finding.verdict).max();
        self.line("result    ", &[(surest.map_or(Role::Well, role), result)])?;
        self.findings(&judgement.findings, assessment)?;
        if !judgement.findings.is_empty() {
            writeln!(self.out)?;
        }
        let form = (self.style, self.width);
        if locks::draw(&judgement.lock_graph, form, self.top.is_none(), self.out)? {
            writeln!(self.out)?;
        }
        let mut health = format!("{} of 100", judgement.health);
        if judgement.level > Level::Normal {
            let goroutines = words::counted(assessment.totals.goroutines, "goroutine");
            health.push_str(&format!(
                ", {} number of goroutines: {goroutines}",
                judgement.level.name()
            ));
        }
        self.line("health    ", &[(Role::Title, health)])?;
        if let Some(left_out) = telling::left_out(judgement) {
            let text = format!("as idle: {left_out}");
            self.line("left out  ", &[(Role::Dim, words::clean(&text).into_owned())])?;
        }
        for sentence in telling::not_judged(&assessment.coverage, judgement) {
            let sentence = words::clean(&sentence).into_owned();
            self.line("unjudged  ", &[(Role::Warning, sentence)])?;
        }
        Ok(())
    }

    /// Findings that are sure enough in full, suspects in brief; all in full if asked for.
    fn findings(&mut self, findings: &[Finding], assessment: &Assessment) -> io::Result<()> {
        let (mut sure, mut suspects) = (0, 0);
        for (index, finding) in findings.iter().enumerate() {
            let suspected = finding.verdict == Verdict::Suspect;
            let (shown, most) = match (suspected, self.top) {
                (false, top) => (&mut sure, top.unwrap_or(usize::MAX)),
                (true, Some(_)) => (&mut suspects, SUSPECTS),
                (true, None) => (&mut suspects, usize::MAX),
            };
            if *shown == most {
                continue;
            }
            *shown += 1;
            writeln!(self.out)?;
            let group = assessment.groups.get(finding.group);
            if suspected && self.top.is_some() {
                self.suspect(index + 1, finding, group, assessment)?;
            } else {
                self.finding(index + 1, finding, group, assessment)?;
            }
        }
        let hidden = findings.len() - sure - suspects;
        if hidden > 0 {
            let more = words::counted(hidden as u64, "more finding");
            writeln!(self.out)?;
            self.line("", &[(Role::Dim, format!("… and {more}: --all shows them"))])?;
        }
        Ok(())
    }
}

/// How a verdict looks.
pub(super) const fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Proven | Verdict::Likely => Role::Alarm,
        Verdict::Suspect => Role::Doubt,
    }
}
