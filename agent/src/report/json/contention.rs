//! Contention by line.

use super::frame::frame;
use crate::model::{ContendedLine, ContendedLines, StackTable};
use crate::report::schema::{ContendedLineDoc, ContentionDoc};

/// The lines; `None` where there are none.
pub(super) fn contention<'a>(
    lines: &ContendedLines,
    stacks: &'a StackTable,
) -> Option<ContentionDoc<'a>> {
    let all = |lines: &[ContendedLine]| lines.iter().map(|it| line(it, stacks)).collect();
    let doc = || ContentionDoc { waits: all(&lines.waits), releases: all(&lines.releases) };
    (!lines.is_empty()).then(doc)
}

fn line<'a>(line: &ContendedLine, stacks: &'a StackTable) -> ContendedLineDoc<'a> {
    ContendedLineDoc {
        at: frame(stacks, line.at),
        count: line.count,
        delay_seconds: line.delay.as_secs_f64(),
        waiting: line.waiting,
    }
}
