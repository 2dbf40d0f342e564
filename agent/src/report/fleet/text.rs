//! A fleet as text: what there is, then a paragraph for each group.

use std::io::{self, Write};

use crate::model::{Fleet, FleetGroup, FleetInstance, OnlyWhere};
use crate::report::format::{clean, count, counted};
use crate::report::phrases;

/// Instances that a group names.
const WORST: usize = 3;
/// Failures that are told one by one.
const FAILED: usize = 5;

/// Writes a fleet for people: at most `top` groups, all without it.
///
/// # Errors
/// What the writer says.
pub fn write_text(fleet: &Fleet, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let goroutines: u64 = fleet.instances.iter().map(|it| it.goroutines).sum();
    writeln!(
        out,
        "fleet    {}, {}",
        counted(fleet.instances.len() as u64, "instance", "instances"),
        counted(goroutines, "goroutine", "goroutines")
    )?;
    write_failed(fleet, out)?;
    let threshold = counted(fleet.threshold, "goroutine", "goroutines");
    let below = counted(fleet.below, "group stays", "groups stay");
    writeln!(out, "limit    {threshold} in one instance: {below} below it in all of them")?;
    for (why, groups, goroutines) in &fleet.ignored {
        let groups = counted(*groups, "group", "groups");
        let goroutines = counted(*goroutines, "goroutine", "goroutines");
        writeln!(out, "ignored  {groups} ({goroutines}): {}", clean(phrases::idle(why)))?;
    }
    if fleet.dropped > 0 {
        let dropped = counted(fleet.dropped, "small group was", "small groups were");
        writeln!(out, "dropped  {dropped} left out: there were too many to keep")?;
    }
    if fleet.groups.is_empty() {
        return writeln!(out, "\nno group reaches {threshold} in one instance");
    }
    let shown = top.unwrap_or(usize::MAX).min(fleet.groups.len());
    for (at, group) in fleet.groups[..shown].iter().enumerate() {
        write_group(at + 1, group, &fleet.instances, out)?;
    }
    let hidden = fleet.groups.len() - shown;
    if hidden > 0 {
        let more = counted(hidden as u64, "more group", "more groups");
        writeln!(out, "\n… and {more}: --all shows them")?;
    }
    Ok(())
}

fn write_failed(fleet: &Fleet, out: &mut dyn Write) -> io::Result<()> {
    if fleet.failed.is_empty() {
        return Ok(());
    }
    let failed = counted(fleet.failed.len() as u64, "instance", "instances");
    writeln!(out, "failed   {failed} could not be seen")?;
    for it in fleet.failed.iter().take(FAILED) {
        writeln!(out, "         {}: {}", clean(&it.name), clean(&it.why))?;
    }
    match fleet.failed.len().saturating_sub(FAILED) {
        0 => Ok(()),
        more => writeln!(out, "         … and {}", count(more as u64)),
    }
}

fn write_group(
    place: usize,
    group: &FleetGroup,
    instances: &[FleetInstance],
    out: &mut dyn Write,
) -> io::Result<()> {
    let verdict = group.verdict.map(|it| format!("   {}", it.name())).unwrap_or_default();
    writeln!(
        out,
        "\n{place}  {} {}   {} of {} at the limit{verdict}   root mean square {}",
        count(group.total),
        group.wait.name(),
        count(group.affected),
        counted(instances.len() as u64, "instance", "instances"),
        count(group.root_mean_square.round() as u64)
    )?;
    for (name, line) in [("at     ", &group.blocked_at), ("created", &group.created_by)] {
        if let Some(line) = line {
            let text = format!("{}  {}:{}", line.function, line.file, line.line);
            writeln!(out, "   {name}  {}", clean(&text))?;
        }
    }
    let worst: Vec<String> = (group.worst.iter().take(WORST))
        .filter_map(|&(at, many)| {
            Some(format!("{} {}", clean(&instances.get(at)?.name), count(many)))
        })
        .collect();
    writeln!(out, "   most     {}", worst.join(", "))?;
    for OnlyWhere { label, values, having, affected } in &group.only_where {
        let text = format!("{label} {}", values.join(", "));
        let all = counted(*having, "instance", "instances");
        writeln!(out, "   where    {}: {} of its {all}", clean(&text), count(*affected))?;
    }
    Ok(())
}
