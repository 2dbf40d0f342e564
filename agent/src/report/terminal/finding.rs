//! One finding in the terminal report.

use std::io;

use super::group::INDENT;
use super::judgement::role;
use super::{Page, format};
use crate::model::{Assessment, Finding, Group, LockWait, Snippet, StackTable};
use crate::report::format::FrameText;
use crate::report::phrases::{self, Room};
use crate::report::style::Role;

/// Evidence shown unless all is asked for.
const EVIDENCE: usize = 3;
/// Who holds descriptors, or what goroutines wait on: so many are shown.
const HOLDERS: usize = 3;
/// Kinds of goroutines shown unless all is asked for.
const KINDS: usize = 4;

/// What marks the line that matters.
const MARK: &str = "▶";

/// Below a label: as wide as the labels.
const BELOW: &str = "           ";

impl Page<'_> {
    /// Everything but the stacks, which the groups show.
    pub(super) fn finding(
        &mut self,
        number: usize,
        finding: &Finding,
        group: Option<&Group>,
        assessment: &Assessment,
    ) -> io::Result<()> {
        self.finding_headline(number, finding, group)?;
        self.text("", Role::Plain, &phrases::cause(finding, &assessment.stacks))?;
        self.finding_lines(finding, group, &assessment.stacks)?;
        self.kinds(finding, assessment)?;
        for (index, piled_up) in
            finding.goroutines().iter().flat_map(|leak| &leak.piled_up).enumerate()
        {
            let label = if index == 0 { "with them  " } else { BELOW };
            self.text(label, Role::Plain, &phrases::piled_up(piled_up))?;
        }
        if let Some(leak) = finding.goroutines() {
            self.lock_wait(&leak.lock_wait, &assessment.stacks)?;
        }
        for (by, note) in
            phrases::waits_held(finding, &assessment.stacks, Room::Brief).into_iter().take(HOLDERS)
        {
            self.text("reached by ", Role::Title, &by)?;
            self.field(BELOW, &note)?;
        }
        if let Some(source) = &finding.source {
            self.source(source)?;
        }
        let suggestions = phrases::suggestions(finding, &assessment.stacks);
        for (index, suggestion) in suggestions.iter().enumerate() {
            let label = if index == 0 { "fix        " } else { BELOW };
            self.text(label, Role::Title, suggestion)?;
        }
        if let Some(pattern) = finding.pattern {
            let meaning = pattern.meaning();
            self.text("pattern    ", Role::Plain, &format!("{}: {meaning}", pattern.name()))?;
        }
        self.evidence(finding, &assessment.stacks)?;
        if let Some(growth) = &finding.growth {
            let forecast = growth.forecast.as_ref().map(phrases::forecast);
            let forecast = forecast.map(|text| format!("; {text}")).unwrap_or_default();
            let rate = phrases::rate(finding).unwrap_or_default();
            let pattern = growth.pattern.name();
            let interval = phrases::growth_interval(finding).unwrap_or_default();
            self.field("growth     ", &format!("{rate} ({interval}), {pattern}{forecast}"))?;
        }
        let parts = phrases::score_parts(finding.score);
        let parts = parts.iter().filter(|(_, points, _)| *points > 0);
        let parts: Vec<_> = parts.map(|(name, points, _)| format!("{name} {points}")).collect();
        let score = format!("{} of 100", finding.score.total());
        match parts.is_empty() {
            true => self.field("score      ", &score)?,
            false => self.field("score      ", &format!("{score}: {}", parts.join(" + ")))?,
        }
        let stacks = finding.goroutines().and_then(|leak| leak.stack_bytes).map(format::bytes);
        let stacks = stacks.map(|size| format!("   {size} of stacks")).unwrap_or_default();
        let kept = finding.goroutines().and_then(|leak| leak.kept_bytes).map(format::bytes);
        let kept = kept.map(|size| format!("   {size} of heap kept")).unwrap_or_default();
        self.field("id         ", &format!("{}{stacks}{kept}", finding.id))
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
            (Role::Number, phrases::amount(finding)),
        ];
        if let Some(proven) = finding.goroutines().and_then(phrases::proven) {
            parts.push((Role::Alarm, proven));
        }
        if let Some(growth) = finding.growth {
            let role = if format::is_growth(growth.per_second) { Role::Warning } else { Role::Dim };
            parts.push((role, phrases::rate(finding).unwrap_or_default()));
        }
        if let Some(oldest) = phrases::oldest(finding, group) {
            parts.push((Role::Title, format!("oldest {oldest}")));
        }
        self.line(&format!("{number:>2}  "), &parts)
    }

    /// The program's own line first, then where they block and were created.
    fn finding_lines(
        &mut self,
        finding: &Finding,
        group: Option<&Group>,
        stacks: &StackTable,
    ) -> io::Result<()> {
        for (index, (line, frame)) in
            phrases::lines(Some(finding), group, stacks).iter().enumerate()
        {
            let role = if index == 0 { Role::Place } else { Role::Title };
            self.place(&format!("{:11}", line.name()), *frame, role, stacks)?;
            if let Some(note) = phrases::line_note(*line) {
                self.field(BELOW, &note)?;
            }
        }
        for (index, at) in finding.allocated_at().iter().enumerate() {
            let role = if index == 0 { Role::Place } else { Role::Title };
            self.text("allocated  ", role, &phrases::allocation_line(at))?;
            self.field(BELOW, &phrases::allocation_note(at))?;
        }
        if let Some(held) = finding.heap_held() {
            self.text("held by    ", Role::Title, &phrases::heap_held_brief(held))?;
        }
        for (by, count) in finding.resources().flat_map(phrases::descriptors_held).take(HOLDERS) {
            self.text("held by    ", Role::Title, &by)?;
            self.field(BELOW, &count)?;
        }
        match group.and_then(|group| group.creation_stack) {
            Some(stack) => self.called_by("called by  ", stack, stacks),
            None => Ok(()),
        }
    }

    /// The kinds of goroutines that one cause piles up, a line each.
    fn kinds(&mut self, finding: &Finding, assessment: &Assessment) -> io::Result<()> {
        let parts = finding.goroutines().map_or(&[][..], |leak| &leak.parts);
        let shown = if self.top.is_some() { KINDS.min(parts.len()) } else { parts.len() };
        for (index, part) in parts[..shown].iter().enumerate() {
            let label = if index == 0 { "kinds      " } else { BELOW };
            let wait = assessment.groups.get(part.group).map(|group| group.wait.name());
            let entry = part.entry.map(|entry| format::frame(&assessment.stacks, entry));
            let room = self.width.saturating_sub(INDENT + format::width(label));
            let said = |entry: Option<&str>| {
                let said: Vec<&str> = [entry, wait].into_iter().flatten().collect();
                format!("{} × {}", format::count(part.count), said.join(", "))
            };
            // The function says more than its line.
            let mut text = said(entry.as_ref().map(FrameText::brief).as_deref());
            if format::width(&text) > room {
                text = said(entry.as_ref().map(FrameText::short));
            }
            self.text(label, Role::Plain, &format::cut(&text, room))?;
        }
        let more = (parts.len() - shown) as u64;
        if more > 0 {
            self.field(
                BELOW,
                &format!(
                    "and {}: --all shows them",
                    format::counted(more, "more kind", "more kinds")
                ),
            )?;
        }
        Ok(())
    }

    fn lock_wait(&mut self, lock_wait: &LockWait, stacks: &StackTable) -> io::Result<()> {
        let cycle = &lock_wait.cycle;
        let several = phrases::cycles(lock_wait);
        if let Some(several) = &several {
            self.text("deadlock   ", Role::Warning, several)?;
        }
        for (index, waiter) in cycle.iter().enumerate() {
            let next = &cycle[(index + 1) % cycle.len()];
            let at = waiter.at.and_then(|at| phrases::brief_place(stacks, at));
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            let text = format!(
                "goroutine {} waits{at} for {:#x}, which goroutine {} holds",
                waiter.goid, waiter.object, next.goid,
            );
            let label = if index == 0 && several.is_none() { "deadlock   " } else { BELOW };
            self.text(label, Role::Warning, &text)?;
        }
        let holder = lock_wait.likely_holder.as_ref();
        let held_by = match (holder, &lock_wait.holders) {
            (Some(holder), _) => phrases::holder(holder, stacks, Room::Brief),
            (None, Some(holders)) => phrases::holders(holders, stacks, Room::Brief),
            (None, None) => return Ok(()),
        };
        self.text("held by    ", Role::Title, &held_by)
    }

    fn source(&mut self, source: &Snippet) -> io::Result<()> {
        let stale = if source.stale { " (newer than the program: lines may not fit)" } else { "" };
        let room = self.width.saturating_sub(INDENT + BELOW.len() + format::width(stale));
        let file = format::clean(&source.file);
        self.field("source     ", &format!("{}{stale}", format::fit_place(&file, room)))?;
        let last = u64::from(source.first) + source.lines.len() as u64;
        let digits = last.to_string().len();
        for (number, line) in (u64::from(source.first)..).zip(&source.lines) {
            let blocked = number == u64::from(source.line);
            let (mark, role) = if blocked { (MARK, Role::Place) } else { (" ", Role::Dim) };
            let gutter = format!("{:INDENT$}{mark} {number:>digits$} │ ", "");
            let line = line.replace('\t', "    ");
            let room = self.width.saturating_sub(format::width(&gutter));
            let line = format::cut(&format::clean(&line), room);
            let gutter = self.style.paint(role, &gutter);
            writeln!(self.out, "{gutter}{}", self.style.paint(role, line.trim_end()))?;
        }
        Ok(())
    }

    fn evidence(&mut self, finding: &Finding, stacks: &StackTable) -> io::Result<()> {
        let all = &finding.evidence;
        let shown = if self.top.is_some() { EVIDENCE.min(all.len()) } else { all.len() };
        for (index, evidence) in all[..shown].iter().enumerate() {
            let label = if index == 0 { "because    " } else { BELOW };
            self.text(label, Role::Plain, &phrases::evidence(evidence, stacks))?;
        }
        if all.len() > shown {
            let more = format::count((all.len() - shown) as u64);
            self.field(BELOW, &format!("and {more} more: --all shows them"))?;
        }
        Ok(())
    }
}
