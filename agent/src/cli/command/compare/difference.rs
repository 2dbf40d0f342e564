//! The difference of two moments, group by group, for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::known::{Known, KnownGroup, Line};
use crate::report::words;

/// The schema of the JSON form. Keys are only ever added within v1.
const SCHEMA: &str = "leak-agent/compare/v1";

/// What became of the groups.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    schema: &'static str,
    before: Moment,
    after: Moment,
    /// Groups whose count is another, largest change first.
    groups: Vec<Changed>,
    /// How many groups are as large as before.
    unchanged: u64,
}

#[derive(Debug, Serialize)]
struct Moment {
    at: Option<String>,
    exe: String,
    goroutines: u64,
}

/// A group that is not as it was.
#[derive(Debug, Serialize)]
struct Changed {
    change: Change,
    signature: String,
    before: u64,
    after: u64,
    wait_class: String,
    blocked_at: Option<Line>,
    created_by: Option<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    New,
    Grown,
    Shrunk,
    Gone,
}

impl Change {
    const fn of(before: u64, after: u64) -> Option<Self> {
        match (before, after) {
            _ if before == after => None,
            (0, _) => Some(Self::New),
            (_, 0) => Some(Self::Gone),
            _ if after > before => Some(Self::Grown),
            _ => Some(Self::Shrunk),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Shrunk => "shrunk",
            Self::Gone => "gone",
        }
    }
}

impl Difference {
    pub(super) fn of(before: &Known, after: &Known) -> Self {
        let mut groups = Vec::new();
        let mut unchanged = 0;
        let gone = before.groups.iter().filter(|(key, _)| !after.groups.contains_key(*key));
        for (signature, group) in after.groups.iter().chain(gone) {
            let count = |known: &Known| known.groups.get(signature).map_or(0, |known| known.count);
            match Changed::of(signature, group, count(before), count(after)) {
                Some(changed) => groups.push(changed),
                None => unchanged += 1,
            }
        }
        // The sort keeps the order of signatures among equals.
        groups.sort_by_key(|group| std::cmp::Reverse(group.before.abs_diff(group.after)));
        Self {
            schema: SCHEMA,
            before: Moment::of(before),
            after: Moment::of(after),
            groups,
            unchanged,
        }
    }

    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// For people: at most `top` groups, all without it.
    pub(super) fn write(&self, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
        self.before.write("before", out)?;
        self.after.write("after ", out)?;
        if self.groups.is_empty() {
            return writeln!(out, "\nno group is larger or smaller");
        }
        let shown = top.unwrap_or(usize::MAX).min(self.groups.len());
        for group in &self.groups[..shown] {
            group.write(out)?;
        }
        writeln!(out)?;
        let hidden = self.groups.len() - shown;
        if hidden > 0 {
            let more = words::counted(hidden as u64, "more group");
            writeln!(out, "… and {more}: --all shows them")?;
        }
        let unchanged = words::counted(self.unchanged, "group");
        writeln!(out, "as large as before: {unchanged}")
    }
}

impl Moment {
    fn of(known: &Known) -> Self {
        Self { at: known.at.clone(), exe: known.exe.clone(), goroutines: known.goroutines }
    }

    fn write(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let goroutines = words::counted(self.goroutines, "goroutine");
        let at = words::clean(self.at.as_deref().unwrap_or("at an unknown time"));
        writeln!(out, "{name}  {at}  {}  {goroutines}", words::clean(&self.exe))
    }
}

impl Changed {
    fn of(signature: &str, group: &KnownGroup, before: u64, after: u64) -> Option<Self> {
        Some(Self {
            change: Change::of(before, after)?,
            signature: signature.to_owned(),
            before,
            after,
            wait_class: group.wait.clone(),
            blocked_at: group.blocked_at.clone(),
            created_by: group.created_by.clone(),
        })
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let sign = if self.after > self.before { '+' } else { '-' };
        writeln!(
            out,
            "\n{sign}{} {}   {} → {}   {}",
            words::count(self.before.abs_diff(self.after)),
            self.change.name(),
            words::count(self.before),
            words::count(self.after),
            words::clean(&self.wait_class)
        )?;
        if let Some(line) = &self.blocked_at {
            writeln!(out, "    at       {}", line.text())?;
        }
        if let Some(line) = &self.created_by {
            writeln!(out, "    created  {}", line.text())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Window, assess};
    use crate::sample::leaking;

    fn known(leaked: u64) -> Known {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        Known::of(&assess(&window).expect("observed"))
    }

    fn only_change(before: u64, after: u64) -> (Change, u64) {
        let difference = Difference::of(&known(before), &known(after));
        let [group] = &*difference.groups else { panic!("{difference:?}") };
        (group.change, difference.unchanged)
    }

    #[test]
    fn groups_come_grow_shrink_and_go() {
        assert_eq!(only_change(0, 5), (Change::New, 3));
        assert_eq!(only_change(5, 9), (Change::Grown, 3));
        assert_eq!(only_change(9, 5), (Change::Shrunk, 3));
        assert_eq!(only_change(5, 0), (Change::Gone, 3));
        assert!(Difference::of(&known(5), &known(5)).groups.is_empty());
    }

    #[test]
    fn people_and_programs_read_the_same() {
        let difference = Difference::of(&known(5), &known(1234));
        let mut page = Vec::new();
        difference.write(Some(10), &mut page).expect("a vector takes everything");
        let page = String::from_utf8(page).expect("text");
        assert!(page.contains("+1,229 grown   5 → 1,234   chan send"), "{page}");
        assert!(page.contains("at       main.leakGoroutines.func1  /src/app/leak.go:33"), "{page}");
        let mut json = Vec::new();
        difference.write_json(&mut json).expect("a vector takes everything");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(json["groups"][0]["change"], "grown");
        assert_eq!(json["groups"][0]["blocked_at"]["line"], 33);
        assert_eq!(json["after"]["goroutines"], 1237);
    }
}
