//! One group in the terminal report: its numbers, the lines to look at, the stack.

use std::io;

use super::{Page, format, wrap};
use crate::model::{Assessment, FrameId, Group, StackId, StackTable};
use crate::report::format::FrameText;
use crate::report::phrases;
use crate::report::style::Role;

/// Frames of a stack shown unless all is asked for.
const FRAMES: usize = 24;

/// Callers of a creator that are named.
const CALLERS: usize = 6;

/// Columns before each line below a group's headline.
pub(super) const INDENT: usize = 4;

impl Page<'_> {
    pub(super) fn group(
        &mut self,
        number: usize,
        group: &Group,
        finding: Option<&str>,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let stacks = &*assessment.stacks;
        self.headline(number, group)?;
        self.places(group, stacks)?;
        if let Some(object) = format::objects(group) {
            self.field("on       ", &object)?;
        }
        if let Some(ages) = group.ages {
            let [oldest, median] = [ages.oldest, ages.median].map(format::duration);
            let known = format::count(ages.known);
            let text = format!("oldest {oldest}, median {median} (of {known} seen created)");
            self.field("age      ", &text)?;
        }
        if !group.labels.is_empty() {
            let labels = group.labels.iter().map(|(key, value)| format!("{key}={value}"));
            self.field("labels   ", &labels.collect::<Vec<_>>().join("  "))?;
        }
        if let Some(stack) = group.creation_stack {
            self.called_by("called   ", stack, stacks)?;
        }
        if let Some(goids) = format::goids(&group.goids_sample, group.count) {
            self.field("goids    ", &goids)?;
        }
        if let Some(id) = finding {
            self.field("finding  ", id)?;
        }
        self.stack_of(group, stacks)
    }

    /// The stack of one of its goroutines, or why there is none.
    pub(super) fn stack_of(&mut self, group: &Group, stacks: &StackTable) -> io::Result<()> {
        match (group.stack, group.no_stack) {
            (Some(stack), _) => self.stack(stacks.frames_of(stack), stacks.elided(stack), stacks),
            (None, Some(why)) => self.field("no stack ", phrases::no_stack(why)),
            (None, None) => Ok(()),
        }
    }

    /// The lines to look at: where they block, and where they were created.
    fn places(&mut self, group: &Group, stacks: &StackTable) -> io::Result<()> {
        for (label, site, role) in [
            ("at       ", group.blocked_at, Role::Place),
            ("created  ", group.created_by, Role::Title),
        ] {
            if let Some(site) = site {
                self.place(label, site, role, stacks)?;
            }
        }
        Ok(())
    }

    /// A function and its place on one line.
    pub(super) fn place(
        &mut self,
        label: &str,
        frame: FrameId,
        role: Role,
        stacks: &StackTable,
    ) -> io::Result<()> {
        let text = format::frame(stacks, frame);
        let (function, place) = fit(&text, self.width - INDENT - format::width(label));
        self.row(label, (role, &function), &place, 0)
    }

    /// Who called the creator, as far as the program's own code is among them.
    pub(super) fn called_by(
        &mut self,
        label: &str,
        creation: StackId,
        stacks: &StackTable,
    ) -> io::Result<()> {
        let callers = phrases::callers_in_brief(stacks, creation);
        let shown = if self.top.is_some() { CALLERS.min(callers.len()) } else { callers.len() };
        let mut pieces: Vec<_> = callers[..shown].iter().map(phrases::Caller::brief).collect();
        if shown < callers.len() {
            pieces.push("…".to_owned());
        }
        let room = self.width.saturating_sub(INDENT + format::width(label));
        let mut lines: Vec<String> = Vec::new();
        for piece in pieces {
            match lines.last_mut() {
                None => lines.push(piece),
                Some(line) if format::width(line) + 3 + format::width(&piece) <= room => {
                    line.push_str(&format!(" ← {piece}"));
                }
                Some(_) => lines.push(format!("← {piece}")),
            }
        }
        for (index, line) in lines.iter().enumerate() {
            let below = " ".repeat(format::width(label));
            self.field(if index == 0 { label } else { &below }, line)?;
        }
        Ok(())
    }

    fn headline(&mut self, number: usize, group: &Group) -> io::Result<()> {
        let mut parts = vec![
            (Role::Number, format!("{} ×", format::count(group.count))),
            (Role::Wait, group.wait.name().to_owned()),
        ];
        if let Some(reason) = group.reason.as_deref().filter(|&why| why != group.wait.name()) {
            parts.push((Role::Dim, format!("({})", format::clean(reason))));
        }
        if let Some(growth) = group.growth_per_second {
            let role = if format::is_growth(growth) { Role::Warning } else { Role::Dim };
            parts.push((role, format::growth(growth)));
        }
        // Unless a probe saw its beginning, a time is a lower bound.
        let exact = group.exact;
        let least = if exact { "" } else { "≥" };
        for (name, time) in [("oldest", group.oldest), ("median", group.median)] {
            // "At least nothing" says nothing.
            if let Some(time) = time.filter(|time| exact || !time.is_zero()) {
                parts.push((Role::Title, format!("{name} {least}{}", format::duration(time))));
            }
        }
        if group.locked_to_thread > 0 {
            let locked = format::count(group.locked_to_thread);
            parts.push((Role::Dim, format!("{locked} locked to a thread")));
        }
        self.line(&format!("{number:>2}  "), &parts)
    }

    /// Unless all is asked for, frames of the runtime are left out, and those of Go and of modules
    /// drawn together, so that the program's own are seen.
    fn stack(&mut self, frames: &[FrameId], elided: u32, stacks: &StackTable) -> io::Result<()> {
        let room = self.width - INDENT - 2;
        let all: Vec<_> = frames.iter().map(|&frame| format::frame(stacks, frame)).collect();
        let brief = if self.top.is_some() {
            phrases::stack_in_brief(
                &all.into_iter().filter(|text| !text.runtime).collect::<Vec<_>>(),
            )
        } else {
            all.into_iter().map(phrases::Caller::Frame).collect()
        };
        let shown = if self.top.is_some() { FRAMES.min(brief.len()) } else { brief.len() };
        let rows: Vec<_> = brief[..shown]
            .iter()
            .map(|caller| match caller {
                phrases::Caller::Frame(text) => {
                    let role = if text.own { Role::Title } else { Role::Dim };
                    (role, fit(text, room))
                }
                elided @ phrases::Caller::Elided { .. } => {
                    (Role::Dim, (format::cut(&elided.brief(), room), String::new()))
                }
            })
            .collect();
        // Places stand below each other as far as the functions are of usual length.
        let column = rows
            .iter()
            .filter(|(_, (_, place))| !place.is_empty())
            .map(|(_, (function, _))| format::width(function) + 2)
            .filter(|&column| column <= room / 2)
            .max()
            .unwrap_or_default();
        for (role, (function, place)) in &rows {
            self.row("  ", (*role, function), place, column)?;
        }
        let hidden = (brief.len() - shown) as u64;
        if hidden > 0 {
            let frames = format::counted(hidden, "outer frame", "outer frames");
            self.field("  … ", &format!("{frames}: --all shows them"))?;
        }
        if elided > 0 {
            let frames = format::counted(elided.into(), "frame", "frames");
            self.field("  … ", &format!("{frames} not shown: the stack is too deep"))?;
        }
        Ok(())
    }

    /// A label, a function and its place: from `column` on, or right behind the function, or on
    /// a line of its own, wherever there is room.
    pub(super) fn row(
        &mut self,
        label: &str,
        (role, function): (Role, &str),
        place: &str,
        column: usize,
    ) -> io::Result<()> {
        let start = INDENT + format::width(label);
        let used = format::width(function);
        write!(self.out, "{:INDENT$}{}", "", self.style.paint(Role::Dim, label))?;
        write!(self.out, "{}", self.style.paint(role, function))?;
        let room = self.width.saturating_sub(start + format::width(place));
        let gap = [column.saturating_sub(used), 2]
            .into_iter()
            .find(|&gap| gap >= 2 && used + gap <= room);
        let place = self.style.paint(Role::Dim, place);
        match gap {
            _ if place.is_empty() => writeln!(self.out),
            Some(gap) => writeln!(self.out, "{:gap$}{place}", ""),
            None => writeln!(self.out, "\n{:start$}  {place}", ""),
        }
    }

    /// A label and a text that can be skipped in reading.
    pub(super) fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        self.text(label, Role::Dim, text)
    }

    /// A label and a text that may take several lines.
    pub(super) fn text(&mut self, label: &str, role: Role, text: &str) -> io::Result<()> {
        let start = INDENT + format::width(label);
        write!(self.out, "{:INDENT$}{}", "", self.style.paint(Role::Dim, label))?;
        let text = format::clean(text);
        for (index, piece) in wrap(&text, self.width - start).into_iter().enumerate() {
            let indent = if index == 0 { 0 } else { start };
            writeln!(self.out, "{:indent$}{}", "", self.style.paint(role, piece))?;
        }
        Ok(())
    }
}

/// A frame's function and place as they fit one line of `room` columns; where no shortening is
/// enough for both, as they fit a line each.
pub(super) fn fit(text: &FrameText, room: usize) -> (String, String) {
    let mark = if text.inlined { " (inlined)" } else { "" };
    let place = format::fit_place(&text.place, room / 2);
    let own = room.saturating_sub(format::width(mark));
    let beside = own.saturating_sub(format::width(&place) + 2);
    let function = format::fit_function(text.short(), beside);
    if function.ends_with('…') {
        let function = format::fit_function(text.short(), own);
        (format!("{function}{mark}"), format::fit_place(&text.place, room - 2).into_owned())
    } else {
        (format!("{function}{mark}"), place.into_owned())
    }
}
