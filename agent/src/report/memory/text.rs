//! A program's memory as text: what there is, then who holds the heap.

use std::io::{self, Write};

use super::MemoryReport;
use crate::model::{Amount, HeapHolder, Retained};
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
    let shown = top.unwrap_or(usize::MAX).min(retained.holders.len());
    for holder in &retained.holders[..shown] {
        write_holder(holder, retained.reached, out)?;
    }
    let rest = &retained.holders[shown..];
    if !rest.is_empty() {
        let more = counted(rest.len() as u64, "more holder", "more holders");
        let bytes: u64 = rest.iter().map(|holder| holder.holds.bytes).sum();
        writeln!(out, "… and {more} of {}: --all shows them", format::bytes(bytes))?;
    }
    writeln!(out, "not held   {}", phrases::unreached(retained))?;
    for note in phrases::walk_notes(retained) {
        writeln!(out, "note       {note}")?;
    }
    Ok(())
}

fn write_holder(holder: &HeapHolder, all: Amount, out: &mut dyn Write) -> io::Result<()> {
    let share = holder.holds.bytes as f64 * 100.0 / all.bytes.max(1) as f64;
    writeln!(
        out,
        "{:>10}  {share:>5.1} %  {:>12}  {}",
        format::bytes(holder.holds.bytes),
        count(holder.holds.objects),
        clean(&phrases::heap_holder(holder))
    )
}
