//! A difference for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::analyze::compare::{Change, Changed, Difference, Line, Moment};
use crate::report::{format, json};

/// The schema of the JSON form. Keys are only ever added within v1.
const SCHEMA: &str = "leak-agent/compare/v1";

/// Two moments, and how they differ.
pub(super) struct Page<'a> {
    pub(super) before: &'a Moment,
    pub(super) after: &'a Moment,
    pub(super) difference: &'a Difference,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    before: Head<'a>,
    after: Head<'a>,
    /// Groups whose count is another, largest change first.
    groups: Vec<Row<'a>>,
    /// How many groups are as large as before.
    unchanged: u64,
}

#[derive(Serialize)]
struct Head<'a> {
    at: Option<String>,
    exe: &'a str,
    goroutines: u64,
}

#[derive(Serialize)]
struct Row<'a> {
    change: Change,
    signature: &'a str,
    before: u64,
    after: u64,
    wait_class: &'a str,
    blocked_at: Option<&'a Line>,
    created_by: Option<&'a Line>,
}

impl Page<'_> {
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let head = |moment: &Moment| moment.at.and_then(json::time);
        let document = Document {
            schema: SCHEMA,
            before: Head::of(self.before, head(self.before)),
            after: Head::of(self.after, head(self.after)),
            groups: self.difference.groups.iter().map(Row::of).collect(),
            unchanged: self.difference.unchanged,
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }

    /// For people: at most `top` groups, all without it.
    pub(super) fn write(&self, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
        write_head("before", self.before, out)?;
        write_head("after ", self.after, out)?;
        let groups = &self.difference.groups;
        if groups.is_empty() {
            return writeln!(out, "\nno group is larger or smaller");
        }
        let shown = top.unwrap_or(usize::MAX).min(groups.len());
        for group in &groups[..shown] {
            write_group(group, out)?;
        }
        writeln!(out)?;
        let hidden = groups.len() - shown;
        if hidden > 0 {
            let more = format::counted(hidden as u64, "more group", "more groups");
            writeln!(out, "… and {more}: --all shows them")?;
        }
        writeln!(
            out,
            "as large as before: {}",
            format::counted(self.difference.unchanged, "group", "groups")
        )
    }
}

impl<'a> Head<'a> {
    fn of(moment: &'a Moment, at: Option<String>) -> Self {
        Self { at, exe: &moment.exe, goroutines: moment.goroutines }
    }
}

impl<'a> Row<'a> {
    fn of(changed: &'a Changed) -> Self {
        Self {
            change: changed.change,
            signature: &changed.signature,
            before: changed.before,
            after: changed.after,
            wait_class: &changed.group.wait,
            blocked_at: changed.group.blocked_at.as_ref(),
            created_by: changed.group.created_by.as_ref(),
        }
    }
}

fn write_head(name: &str, moment: &Moment, out: &mut dyn Write) -> io::Result<()> {
    let goroutines = format::counted(moment.goroutines, "goroutine", "goroutines");
    let at = moment.at.and_then(json::time);
    let at = at.as_deref().unwrap_or("at an unknown time");
    writeln!(out, "{name}  {at}  {}  {goroutines}", format::clean(&moment.exe))
}

fn write_group(changed: &Changed, out: &mut dyn Write) -> io::Result<()> {
    let Changed { change, before, after, group, .. } = changed;
    let sign = if after > before { '+' } else { '-' };
    writeln!(
        out,
        "\n{sign}{} {}   {} → {}   {}",
        format::count(before.abs_diff(*after)),
        change.name(),
        format::count(*before),
        format::count(*after),
        format::clean(&group.wait)
    )?;
    for (name, line) in [("at     ", &group.blocked_at), ("created", &group.created_by)] {
        if let Some(Line { function, file, line }) = line {
            let text = format!("{function}  {file}:{line}");
            writeln!(out, "    {name}  {}", format::clean(&text))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Window, assess};
    use crate::sample::leaking;

    fn moment(leaked: u64) -> Moment {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        Moment::of(&assess(&window).expect("observed"))
    }

    #[test]
    fn people_and_programs_read_the_same() {
        let (before, after) = (moment(5), moment(1234));
        let difference = Difference::of(&before, &after);
        let page = Page { before: &before, after: &after, difference: &difference };
        let mut text = Vec::new();
        page.write(Some(10), &mut text).expect("a vector takes everything");
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("+1,229 grown   5 → 1,234   "), "{text}");
        assert!(text.contains("at       main.leakGoroutines.func1  /src/app/leak.go:33"), "{text}");
        let mut json = Vec::new();
        page.write_json(&mut json).expect("a vector takes everything");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(json["groups"][0]["change"], "grown");
        assert_eq!(json["groups"][0]["blocked_at"]["line"], 33);
        assert_eq!(json["after"]["goroutines"], 1237);
    }
}
