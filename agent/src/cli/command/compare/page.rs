//! A difference for people and for programs.

use std::io::{self, Write};

use crate::analyze::compare::{Changed, Difference, Line, MemoryAt, Moment, ResourceChange};
use crate::cli::difference;
use crate::report::{format, json, phrases};

/// Two moments, and how they differ.
pub(super) struct Page<'a> {
    pub(super) before: &'a Moment,
    pub(super) after: &'a Moment,
    pub(super) difference: &'a Difference,
}

impl Page<'_> {
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = difference::document(self.before, self.after, self.difference);
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }

    /// For people: at most `top` groups, all without it.
    pub(super) fn write(&self, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
        write_head("before", self.before, out)?;
        write_head("after ", self.after, out)?;
        write_memory(self.before.memory, self.after.memory, out)?;
        write_resources(&self.difference.resources, top, out)?;
        if self.before.goroutines.and(self.after.goroutines).is_none() {
            return writeln!(
                out,
                "\ngoroutines are not compared: they were not looked at both times"
            );
        }
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

fn write_head(name: &str, moment: &Moment, out: &mut dyn Write) -> io::Result<()> {
    let goroutines =
        moment.goroutines.map(|count| format::counted(count, "goroutine", "goroutines"));
    let goroutines = goroutines.unwrap_or_else(|| "goroutines not looked at".to_owned());
    let at = moment.at.and_then(json::time);
    let at = at.as_deref().unwrap_or("at an unknown time");
    writeln!(out, "{name}  {at}  {}  {goroutines}", format::clean(&moment.exe))
}

/// What is known of the memory at both moments, a line each.
fn write_memory(
    before: Option<MemoryAt>,
    after: Option<MemoryAt>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let rows = [
        ("live heap", before.live_bytes, after.live_bytes),
        ("objects", before.objects_bytes, after.objects_bytes),
        ("stacks", before.stacks_bytes, after.stacks_bytes),
        ("outside Go", before.outside_bytes, after.outside_bytes),
        ("resident", before.rss_bytes, after.rss_bytes),
    ];
    for (name, before, after) in rows {
        let (Some(before), Some(after)) = (before, after) else { continue };
        let sign = if after < before { '-' } else { '+' };
        let change = format::bytes(before.abs_diff(after));
        let (before, after) = (format::bytes(before), format::bytes(after));
        writeln!(out, "{name:<10}  {before} → {after}  ({sign}{change})")?;
    }
    Ok(())
}

/// What is held of the kernel's of which there is more or less, a line each.
fn write_resources(
    changes: &[ResourceChange],
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = top.unwrap_or(usize::MAX).min(changes.len());
    for ResourceChange { key, before, after } in &changes[..shown] {
        let sign = if after < before { '-' } else { '+' };
        writeln!(
            out,
            "{:<10}  {} → {}  ({sign}{})",
            format::clean(&phrases::resource(key)),
            format::count(*before),
            format::count(*after),
            format::count(before.abs_diff(*after))
        )?;
    }
    match changes.len() - shown {
        0 => Ok(()),
        hidden => {
            let more = format::counted(hidden as u64, "more resource", "more resources");
            writeln!(out, "… and {more}: --all shows them")
        }
    }
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
        group.wait.name()
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
    use crate::analyze::compare::{Named, ResourcesAt};
    use crate::analyze::{Window, assess};
    use crate::model::{ResourceKey, ResourceKind, ResourceName};
    use crate::sample::leaking;

    fn moment(leaked: u64) -> Moment {
        let mut window = Window::default();
        window.push(&leaking(leaked).observe(0));
        Moment::of(&assess(&window).expect("observed"))
    }

    #[test]
    fn people_and_programs_read_the_same() {
        let (before, mut after) = (moment(5), moment(1234));
        let memory =
            |live, rss| MemoryAt { live_bytes: Some(live), rss_bytes: rss, ..MemoryAt::default() };
        let before = Moment { memory: Some(memory(3 << 20, Some(1))), ..before };
        after.memory = Some(memory(5 << 20, None));
        let files = ResourceKey {
            kind: ResourceKind::File,
            name: Some(ResourceName::Path("/tmp/upload-#".to_owned())),
        };
        let resources = |count| {
            let totals = [(ResourceKind::Descriptor, count + 5)].into();
            Some(ResourcesAt { totals, named: Some(Named::new([(files.clone(), count)], 1)) })
        };
        let before = Moment { resources: resources(3), ..before };
        after.resources = resources(1003);
        let difference = Difference::of(&before, &after);
        let page = Page { before: &before, after: &after, difference: &difference };
        let mut text = Vec::new();
        page.write(Some(10), &mut text).expect("a vector takes everything");
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("+1,229 grown   5 → 1,234   "), "{text}");
        assert!(text.contains("at       main.leakGoroutines.func1  /src/app/leak.go:33"), "{text}");
        assert!(text.contains("live heap   3.0 MiB → 5.0 MiB  (+2.0 MiB)\n"), "{text}");
        assert!(!text.contains("resident"), "{text}");
        assert!(text.contains("descriptors  8 → 1,008  (+1,000)\n"), "{text}");
        assert!(text.contains("open files /tmp/upload-#  3 → 1,003  (+1,000)\n"), "{text}");
        let mut json = Vec::new();
        page.write_json(&mut json).expect("a vector takes everything");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(json["schema"], "leak-agent/compare/v1");
        assert_eq!(json["groups"][0]["change"], "grown");
        assert_eq!(json["groups"][0]["blocked_at"]["line"], 33);
        assert_eq!(json["after"]["goroutines"], 1237);
        let files = &json["resources"][1];
        assert_eq!((&files["kind"], &files["leads_to"]), (&"file".into(), &"path".into()));
        assert_eq!((&files["before"], &files["after"]), (&3.into(), &1003.into()));
        assert_eq!(json["before"]["memory"]["rss_bytes"], 1);
        assert_eq!(json["after"]["memory"]["rss_bytes"], serde_json::Value::Null);
    }
}
