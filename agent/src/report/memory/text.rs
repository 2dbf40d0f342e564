//! A program's memory as text: what there is, then who holds the heap.

use std::io::{self, Write};

use super::MemoryReport;
use crate::model::{Amount, Retained};
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
    for note in phrases::notes(report.assessment) {
        writeln!(out, "note       {}", clean(&note))?;
    }
    report.retained.map_or(Ok(()), |retained| write_retained(retained, top, out))
}

fn write_retained(retained: &Retained, top: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nheld by    {}", phrases::walk(retained))?;
    let all = retained.reached;
    let holders = retained.holders.iter().map(|it| (it.holds, phrases::heap_holder(it)));
    write_some(holders.collect(), all, top, ("more holder", "more holders"), out)?;
    writeln!(out, "not held   {}", phrases::unreached(retained))?;
    if !retained.paths.is_empty() {
        writeln!(out, "\nby path    each with what is at its end, without what that holds")?;
        let paths = retained.paths.iter();
        let paths = paths.map(|it| (it.holds, phrases::heap_path(retained, it)));
        write_some(paths.collect(), all, top, ("more path", "more paths"), out)?;
    }
    if !retained.types.is_empty() {
        writeln!(out, "\nby type")?;
        let types = retained.types.iter();
        let types = types.map(|it| (it.holds, phrases::type_name(it.name.as_deref()).to_owned()));
        write_some(types.collect(), all, top, ("more type", "more types"), out)?;
    }
    let notes = phrases::walk_notes(retained);
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for note in notes {
        writeln!(out, "note       {note}")?;
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
