//! The verdict in the terminal report: findings first, and last a summary, so that the end of a long
//! report says what matters too.

use std::collections::HashSet;
use std::io;

use super::{Page, format};
use crate::model::{Assessment, Finding, Judgement, Verdict};
use crate::report::phrases;
use crate::report::style::Role;

/// Suspects shown in full unless all is asked for.
const SUSPECTS: usize = 5;
/// Findings listed in the summary.
const LISTED: usize = 8;
/// So many findings are listed with their fixes.
const WITH_FIX: usize = 3;
/// Groups that are named of those that make the number of goroutines rise.
const RISING: usize = 3;
/// Groups without a finding that are named in the summary.
const NAMED: usize = 5;

/// Columns of the labels in the summary.
const LABEL: usize = 14;

impl Page<'_> {
    /// What was found, in a line.
    pub(super) fn result(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let result = phrases::result(assessment, judgement);
        self.summary_line("result", &[(colour(judgement, assessment), result)])
    }

    /// Findings in full, as many as are asked for.
    pub(super) fn findings(
        &mut self,
        findings: &[Finding],
        assessment: &Assessment,
    ) -> io::Result<()> {
        let (mut sure, mut suspects) = (0, 0);
        for (index, finding) in findings.iter().enumerate() {
            let (shown, most) = match (finding.verdict, self.top) {
                (Verdict::Suspect, Some(_)) => (&mut suspects, SUSPECTS),
                (Verdict::Suspect, None) => (&mut suspects, usize::MAX),
                (_, top) => (&mut sure, top.unwrap_or(usize::MAX)),
            };
            if *shown == most {
                continue;
            }
            *shown += 1;
            writeln!(self.out)?;
            self.finding(index + 1, finding, finding.group_in(&assessment.groups), assessment)?;
        }
        let hidden = findings.len() - sure - suspects;
        if hidden > 0 {
            let more = format::counted(hidden as u64, "more finding", "more findings");
            writeln!(self.out)?;
            self.line("", &[(Role::Dim, format!("… and {more}: --all shows them"))])?;
        }
        Ok(())
    }

    /// What it all comes to, the verdict last.
    pub(super) fn summary(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        self.list(&judgement.findings, assessment)?;
        self.basis(judgement, assessment)?;
        self.rise(judgement, assessment)?;
        if !self.details && assessment.subjects().goroutines {
            self.groups_in_brief(judgement, assessment)?;
        }
        self.not_analysed(judgement, assessment)?;
        self.memory(assessment)?;
        self.resources(assessment)?;
        self.trends(judgement, assessment)?;
        self.collections(assessment)?;
        self.coverage(&assessment.coverage)?;
        self.notes(assessment)?;
        self.overhead(assessment)?;
        self.summary_line("scope", &[(Role::Dim, phrases::scope(assessment).to_owned())])?;
        self.summary_line("health", &[(Role::Title, phrases::health(assessment, judgement))])?;
        self.result(judgement, assessment)
    }

    /// What the verdict rests on: where all goroutines went.
    pub(super) fn basis(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        if let Some(sums) = phrases::accounting(assessment, judgement) {
            let text = sums.to_string();
            self.summary_line("goroutines", &[(Role::Title, text)])?;
        }
        if self.details {
            for (label, reasons) in [
                ("ignored", phrases::ignored_by_reason(judgement)),
                ("not analysed", phrases::not_analysed_by_reason(judgement)),
            ] {
                if let Some(text) = phrases::by_reason(&reasons) {
                    let text = format::clean(&text).into_owned();
                    self.summary_line(label, &[(Role::Dim, text)])?;
                }
            }
        }
        Ok(())
    }

    /// What makes the number of goroutines rise, where it does.
    pub(super) fn rise(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        match phrases::rise(assessment, judgement, RISING) {
            Some(rise) => {
                let text = format::clean(&rise).into_owned();
                self.summary_line("rising", &[(Role::Warning, text)])
            }
            None => Ok(()),
        }
    }

    /// What could not be analysed, and why.
    pub(super) fn not_analysed(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        for sentence in phrases::not_analysed(assessment, judgement) {
            let sentence = format::clean(&sentence).into_owned();
            self.summary_line("not analysed", &[(Role::Warning, sentence)])?;
        }
        Ok(())
    }

    /// A finding a line, the surest and worst first.
    fn list(&mut self, findings: &[Finding], assessment: &Assessment) -> io::Result<()> {
        for (index, finding) in findings.iter().take(LISTED).enumerate() {
            let verdict = finding.verdict.name().to_uppercase();
            let number = format!("{:>2}  ", index + 1);
            let room = self.width.saturating_sub(number.len() + verdict.len() + 3);
            let text = headline(finding, assessment, room);
            let parts = [(role(finding.verdict), verdict), (Role::Place, text)];
            self.line(&number, &parts)?;
            if findings.len() <= WITH_FIX
                && let Some(fix) = phrases::suggestions(finding, &assessment.stacks).first()
            {
                let label = "    fix   ";
                let fix = format::cut(&format::clean(fix), self.width - format::width(label));
                self.line(label, &[(Role::Title, fix)])?;
            }
        }
        let hidden = findings.len().saturating_sub(LISTED) as u64;
        if hidden > 0 {
            let more = format::counted(hidden, "more finding", "more findings");
            self.line("    ", &[(Role::Dim, format!("… and {more}"))])?;
        }
        Ok(())
    }

    /// All groups in a line: how many, and the largest of those that no finding speaks of.
    fn groups_in_brief(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let found: HashSet<usize> = judgement
            .findings
            .iter()
            .flat_map(|finding| finding.groups().iter().copied())
            .collect();
        let groups = assessment.groups.iter().enumerate();
        let beside = groups.filter(|(index, _)| !found.contains(index)).map(|(_, group)| group);
        let mut text = format::count(assessment.groups.len() as u64);
        let end = " (--groups)";
        let room = self.width.saturating_sub(LABEL + format::width(end));
        let mut named = 0;
        for group in beside {
            let Some(frame) = group.blocked_at.or(group.created_by) else { continue };
            let at = format::frame(&assessment.stacks, frame);
            if at.runtime {
                continue;
            }
            let lead = if named == 0 { ": " } else { ", " };
            let piece = format!("{lead}{} × {}", format::count(group.count), at.short());
            if named == NAMED || format::width(&text) + format::width(&piece) > room {
                break;
            }
            text.push_str(&piece);
            named += 1;
        }
        self.summary_line("groups", &[(Role::Dim, format!("{text}{end}"))])
    }

    /// A line of the summary, under its label.
    pub(super) fn summary_line(&mut self, label: &str, parts: &[(Role, String)]) -> io::Result<()> {
        self.line(&format!("{label:LABEL$}"), parts)
    }
}

/// How the result looks: as its surest finding does; well only where there was enough to judge by.
pub(super) fn colour(judgement: &Judgement, assessment: &Assessment) -> Role {
    match judgement.findings.iter().map(|finding| finding.verdict).max() {
        Some(surest) => role(surest),
        None if phrases::is_well(assessment, judgement) => Role::Well,
        None => Role::Warning,
    }
}

/// `686 × channel-send at main.f (a.go:3)`, the function as short as `room` columns ask for.
pub(super) fn headline(finding: &Finding, assessment: &Assessment, room: usize) -> String {
    let text = format!("{} × {}", phrases::amount_in_brief(finding), finding.class.name());
    let at = phrases::lead(finding, finding.group_in(&assessment.groups));
    let Some(at) = at.map(|at| format::frame(&assessment.stacks, at)) else {
        if finding.goroutines().is_some() {
            return text;
        }
        let about = phrases::about(finding);
        return format::cut(&format!("{text}: {}", format::clean(&about)), room);
    };
    let line = match at.line() {
        "" => String::new(),
        line => format!(" ({line})"),
    };
    let room = room.saturating_sub(format::width(&text) + format::width(&line) + " at ".len());
    format!("{text} at {}{line}", format::fit_function(at.short(), room))
}

/// How a verdict looks.
pub(super) const fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Proven | Verdict::Likely => Role::Alarm,
        Verdict::Suspect => Role::Doubt,
    }
}
