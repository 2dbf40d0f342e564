//! One finding in the terminal report: in full, or in brief.

use std::io;

use super::group::INDENT;
use super::judgement::role;
use super::{Page, words};
use crate::model::{Assessment, Finding, Group, LockWait, Snippet};
use crate::report::style::Role;
use crate::report::telling;

/// Evidence shown unless all is asked for.
const EVIDENCE: usize = 4;

/// What marks the line where they block.
const MARK: &str = "▶";

impl Page<'_> {
    /// Everything but the stacks, which the groups below show.
    pub(super) fn finding(
        &mut self,
        number: usize,
        finding: &Finding,
        group: Option<&Group>,
        assessment: &Assessment,
    ) -> io::Result<()> {
        self.finding_headline(number, finding, group)?;
        self.text("", Role::Plain, &finding.cause)?;
        if let Some(group) = group {
            self.places(group, &assessment.stacks)?;
            if let Some(stack) = group.creation_stack {
                self.called_by(stack, &assessment.stacks)?;
            }
        }
        self.lock_wait(&finding.lock_wait)?;
        if let Some(source) = &finding.source {
            self.source(source)?;
        }
        for (index, suggestion) in finding.suggestions.iter().enumerate() {
            let label = if index == 0 { "mend     " } else { "         " };
            self.text(label, Role::Title, suggestion)?;
        }
        if let Some(pattern) = finding.pattern {
            let meaning = pattern.meaning();
            self.text("pattern  ", Role::Plain, &format!("{}: {meaning}", pattern.name()))?;
        }
        self.evidence(finding)?;
        if let Some(growth) = &finding.growth {
            let forecast = growth.forecast.as_ref().map(telling::forecast);
            let forecast = forecast.map(|text| format!("; {text}")).unwrap_or_default();
            self.field("growth   ", &format!("{}{forecast}", telling::growth(growth)))?;
        }
        let parts = telling::score_parts(finding.score);
        let parts = parts.iter().filter(|(_, points, _)| *points > 0);
        let parts: Vec<_> = parts.map(|(name, points, _)| format!("{name} {points}")).collect();
        let score = format!("{} of 100", finding.score.total());
        match parts.is_empty() {
            true => self.field("score    ", &score)?,
            false => self.field("score    ", &format!("{score}: {}", parts.join(" + ")))?,
        }
        self.field("id       ", &finding.id)
    }

    /// A headline, the line to look at, and the cause.
    pub(super) fn suspect(
        &mut self,
        number: usize,
        finding: &Finding,
        group: Option<&Group>,
        assessment: &Assessment,
    ) -> io::Result<()> {
        self.finding_headline(number, finding, group)?;
        if let Some(frame) = group.and_then(|group| group.blocked_at.or(group.created_by)) {
            let text = words::frame(&assessment.stacks, frame);
            let (function, place) = super::group::fit(&text, self.width - INDENT - 9);
            self.row("at       ", (Role::Place, &function), &place, 0)?;
        }
        self.text("", Role::Plain, &finding.cause)
    }

    fn finding_headline(
        &mut self,
        number: usize,
        finding: &Finding,
        group: Option<&Group>,
    ) -> io::Result<()> {
        let mut parts = vec![
            (role(finding.verdict), finding.verdict.name().to_uppercase()),
            (Role::Title, finding.severity().name().to_owned()),
            (Role::Wait, finding.class.name().to_owned()),
            (Role::Number, words::counted(finding.count, "goroutine")),
        ];
        if let Some(proven) = finding.proven_count.filter(|&proven| proven > 0) {
            parts.push((Role::Alarm, format!("{} proven", words::count(proven))));
        }
        if let Some(growth) = finding.growth {
            let role = if growth.per_second >= 0.005 { Role::Warning } else { Role::Dim };
            parts.push((role, words::growth(growth.per_second)));
        }
        if let Some(oldest) = telling::oldest(finding, group) {
            parts.push((Role::Title, format!("oldest {oldest}")));
        }
        if let Some(size) = finding.stack_bytes {
            parts.push((Role::Dim, format!("{} of stacks", words::bytes(size))));
        }
        parts.push((Role::Dim, format!("score {}", finding.score.total())));
        self.line(&format!("{number:>2}  "), &parts)
    }

    fn lock_wait(&mut self, lock_wait: &LockWait) -> io::Result<()> {
        let cycle = &lock_wait.cycle;
        for (index, waiter) in cycle.iter().enumerate() {
            let next = &cycle[(index + 1) % cycle.len()];
            let at = if waiter.at.is_empty() { "" } else { " at " };
            let text = format!(
                "goroutine {} waits{at}{} for {:#x}, which goroutine {} holds",
                waiter.goid, waiter.at, waiter.object, next.goid,
            );
            self.text(if index == 0 { "circle   " } else { "         " }, Role::Warning, &text)?;
        }
        match &lock_wait.likely_holder {
            Some(holder) => self.text("held by  ", Role::Title, &telling::holder(holder)),
            None => Ok(()),
        }
    }

    fn source(&mut self, source: &Snippet) -> io::Result<()> {
        let stale = if source.stale { " (newer than the program: lines may not fit)" } else { "" };
        self.field("source   ", &format!("{}{stale}", source.file))?;
        let last = u64::from(source.first) + source.lines.len() as u64;
        let digits = last.to_string().len();
        for (number, line) in (u64::from(source.first)..).zip(&source.lines) {
            let blocked = number == u64::from(source.line);
            let (mark, role) = if blocked { (MARK, Role::Place) } else { (" ", Role::Dim) };
            let gutter = format!("{:INDENT$}{mark} {number:>digits$} │ ", "");
            let line = line.replace('\t', "    ");
            let room = self.width.saturating_sub(words::width(&gutter));
            let line = words::cut(&words::clean(&line), room);
            let gutter = self.style.paint(role, &gutter);
            writeln!(self.out, "{gutter}{}", self.style.paint(role, line.trim_end()))?;
        }
        Ok(())
    }

    fn evidence(&mut self, finding: &Finding) -> io::Result<()> {
        let all = &finding.evidence;
        let shown = if self.top.is_some() { EVIDENCE.min(all.len()) } else { all.len() };
        for (index, evidence) in all[..shown].iter().enumerate() {
            let label = if index == 0 { "because  " } else { "         " };
            self.text(label, Role::Plain, &telling::evidence(evidence))?;
        }
        if all.len() > shown {
            let more = words::count((all.len() - shown) as u64);
            self.field("         ", &format!("… and {more} more: --all shows them"))?;
        }
        Ok(())
    }
}
