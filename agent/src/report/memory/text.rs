//! A program's memory as text: what there is, then who holds the heap.

use std::io::{self, Write};

use super::{MemoryReport, sum};
use crate::model::{
    Allocated, AllocatedAt, Amount, HeldDescriptors, HeldSince, Retained, WouldFree,
};
use crate::report::format::{self, clean, count, counted};
use crate::report::phrases;

/// Size classes that are named.
const CLASSES: usize = 5;

/// Writes the memory of a program for people: at most `top` holders, all without it.
///
/// # Errors
/// What the writer says.
pub fn write_text(
    report: &MemoryReport<'_>,
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let target = &report.assessment.target;
    let names = [target.exe.as_deref(), target.go_version.as_deref()];
    let names: Vec<String> = names.into_iter().flatten().map(|it| clean(it).into_owned()).collect();
    let id = target.id.instance.to_string();
    writeln!(out, "program    {}  {}", names.join("  "), clean(&id))?;
    match &report.assessment.memory {
        Some(account) => {
            let mut line = |name: &str, texts: Vec<String>| match texts.is_empty() {
                true => Ok(()),
                false => writeln!(out, "{name:<9}  {}", clean(&texts.join("  "))),
            };
            line("memory", phrases::memory(account))?;
            line("collector", phrases::collector(account))?;
            line("resident", account.parts.iter().map(phrases::rss_parts).collect())?;
            let heap = account.now.heap.iter();
            line("objects", heap.flat_map(|it| phrases::size_classes(it, CLASSES)).collect())?;
            for limit in &account.limits {
                line("limit", vec![phrases::limit(limit)])?;
            }
        }
        None => writeln!(out, "memory     nothing is known of it")?,
    }
    for note in report.notes() {
        writeln!(out, "note       {}", clean(&note))?;
    }
    if let Some((allocated, lines)) = report.profile() {
        write_allocated(allocated, lines, top, out)?;
    }
    if let Some(retained) = report.retained {
        write_retained(retained, report.would_free, top, out)?;
        if let Some(since) = report.since {
            write_since(retained, since, top, out)?;
        }
    }
    Ok(())
}

fn write_allocated(
    allocated: &Allocated,
    lines: &[AllocatedAt],
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let all = sum(lines, |it| it.in_use);
    let basis = phrases::allocated_basis(allocated);
    let in_use = counted(all.objects, "object", "objects");
    writeln!(out, "\nallocated  {} in {in_use} in use, {basis}", format::bytes(all.bytes))?;
    let rows = lines.iter().filter(|it| it.in_use.bytes > 0);
    let rows = rows.map(|it| (it.in_use, phrases::allocation_line(it)));
    write_some(rows.collect(), all, top, ("more line", "more lines"), out)?;
    for note in phrases::allocated_notes(allocated) {
        writeln!(out, "note       {note}")?;
    }
    Ok(())
}

fn write_retained(
    retained: &Retained,
    would_free: Option<&WouldFree>,
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "\nheld by    {}", phrases::walk(retained))?;
    let all = retained.reached;
    let holders = retained.holders.iter().map(|it| (it.holds, phrases::heap_holder(it)));
    write_some(holders.collect(), all, top, ("more holder", "more holders"), out)?;
    writeln!(out, "not held   {}", phrases::unreached(retained))?;
    for text in would_free.iter().flat_map(|it| phrases::would_free(it)) {
        writeln!(out, "garbage    {text}")?;
    }
    if !retained.paths.is_empty() {
        writeln!(out, "\nby path    each with what is at its end, without what that holds")?;
        let paths = retained.paths.iter();
        let paths = paths.map(|it| (it.holds, phrases::heap_path(retained, it)));
        write_some(paths.collect(), all, top, ("more path", "more paths"), out)?;
    }
    let told = retained.cycles.iter().filter(|cycle| cycle.is_known());
    for cycle in told {
        writeln!(out, "cycle      {}", clean(&phrases::heap_cycle(cycle)))?;
    }
    if !retained.types.is_empty() {
        writeln!(out, "\nby type")?;
        let types = retained.types.iter();
        let types = types.map(|it| (it.holds, phrases::type_name(it.name.as_deref()).to_owned()));
        write_some(types.collect(), all, top, ("more type", "more types"), out)?;
    }
    write_descriptors(&retained.descriptors, top, out)?;
    let notes = phrases::walk_notes(retained);
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for note in notes {
        writeln!(out, "note       {note}")?;
    }
    Ok(())
}

/// Who holds open descriptors: at most `top`, most first.
fn write_descriptors(
    held: &[HeldDescriptors],
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    writeln!(out, "\ndescriptors, of which Go's os and net have objects")?;
    let shown = top.unwrap_or(usize::MAX).min(held.len());
    for it in &held[..shown] {
        let what = phrases::resources_named(it.count, &it.key);
        writeln!(out, "{}: {}", clean(&what), clean(&phrases::held_descriptors(it)))?;
    }
    if shown < held.len() {
        let more = counted((held.len() - shown) as u64, "more", "more");
        writeln!(out, "… and {more}: --all shows them")?;
    }
    Ok(())
}

/// What became more or less since a walk before.
fn write_since(
    retained: &Retained,
    since: &HeldSince,
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "\nsince      {}", phrases::held_since(retained, since))?;
    let holders = since.holders.iter().map(|it| (it.before, it.now, phrases::heap_holder(&it.of)));
    write_changes(("holder", holders.collect()), top, out)?;
    let name = |of: &Option<String>| phrases::type_name(of.as_deref()).to_owned();
    let types = since.types.iter().map(|it| (it.before, it.now, name(&it.of)));
    write_changes(("type", types.collect()), top, out)
}

/// What has become most first: at most `top`.
fn write_changes(
    (what, rows): (&str, Vec<(Amount, Amount, String)>),
    top: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "no {what} holds more or less than before");
    }
    writeln!(out, "\nmore or less, by {what}")?;
    let shown = top.unwrap_or(usize::MAX).min(rows.len());
    for (before, now, text) in &rows[..shown] {
        let sign = if now.bytes < before.bytes { '-' } else { '+' };
        let more = format!("{sign}{}", format::bytes(now.bytes.abs_diff(before.bytes)));
        let objects_sign = if now.objects < before.objects { '-' } else { '+' };
        let objects = format!("{objects_sign}{}", count(now.objects.abs_diff(before.objects)));
        let bytes = format::bytes(now.bytes);
        writeln!(out, "{more:>11}  {objects:>12}  to {bytes:>10}  {}", clean(text))?;
    }
    if shown < rows.len() {
        let more = (rows.len() - shown) as u64;
        let more = counted(more, &format!("more {what}"), &format!("more {what}s"));
        writeln!(out, "… and {more}: --all shows them")?;
    }
    Ok(())
}

/// Rows of a table: at most `top`, and how much the others have.
fn write_some(
    rows: Vec<(Amount, String)>,
    all: Amount,
    top: Option<usize>,
    (one, many): (&str, &str),
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = top.unwrap_or(usize::MAX).min(rows.len());
    for (holds, text) in &rows[..shown] {
        let share = holds.bytes as f64 * 100.0 / all.bytes.max(1) as f64;
        writeln!(
            out,
            "{:>10}  {share:>5.1} %  {:>12}  {}",
            format::bytes(holds.bytes),
            count(holds.objects),
            clean(text)
        )?;
    }
    let rest = &rows[shown..];
    if !rest.is_empty() {
        let more = counted(rest.len() as u64, one, many);
        let bytes: u64 = rest.iter().map(|(holds, _)| holds.bytes).sum();
        writeln!(out, "… and {more} of {}: --all shows them", format::bytes(bytes))?;
    }
    Ok(())
}
