//! The memory: its curves, and all that the report says of it; and what the process holds of the kernel's.

use std::time::Duration;

use ratatui::text::Line;

use super::curve;
use super::paint::Paint;
use crate::model::{Assessment, MemoryAccount, MemoryPoint};
use crate::report::format;
use crate::report::style::Role;
use crate::report::terminal::parts;

/// Columns before a curve, and behind it.
const INDENT: usize = 11;
const BEHIND: usize = 12;

/// A figure at a moment.
type Figure = fn(&MemoryPoint) -> Option<u64>;

/// The tab's lines.
pub(super) fn lines(assessment: &Assessment, width: usize, paint: Paint) -> Vec<Line<'static>> {
    let mut lines = match &assessment.memory {
        Some(account) => curves(account, width, paint),
        None => {
            let text = match assessment.subjects().memory {
                true => "nothing is known of the memory: the source does not tell",
                false => "memory and resources are not looked at (--goroutines-only)",
            };
            paint.lines(parts::sentence(Role::Dim, text, width))
        }
    };
    for part in [parts::memory_in_full(assessment, width), parts::resources(assessment, width)] {
        if !part.is_empty() {
            lines.push(Line::default());
            lines.extend(paint.lines(part));
        }
    }
    lines
}

/// A line for each figure that is known at two moments: its name, its curve from zero on, its last value.
fn curves(account: &MemoryAccount, width: usize, paint: Paint) -> Vec<Line<'static>> {
    let figures: [(&str, Figure); 3] = [
        ("live heap", |point| point.live_bytes),
        ("objects", |point| point.objects_bytes),
        ("resident", |point| point.rss_bytes),
    ];
    let room = width.saturating_sub(INDENT + BEHIND);
    let line = |&(name, figure): &(&str, Figure)| {
        let seconds = |at: Duration| at.as_secs_f64();
        let points = account.history.iter();
        let known = points.filter_map(|point| Some((seconds(point.elapsed), figure(point)?)));
        let history: Vec<_> = known.collect();
        let &[_, .., (_, last)] = &*history else { return None };
        Some(Line::from(vec![
            paint.span(Role::Title, format!("{name:INDENT$}")),
            paint.span(Role::Number, curve::text(&history, room)),
            paint.span(Role::Plain, format!("  {}", format::bytes(last))),
        ]))
    };
    figures.iter().filter_map(line).collect()
}
