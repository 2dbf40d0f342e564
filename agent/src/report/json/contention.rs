//! Contention by line.

use super::frame::frame;
use super::seconds;
use crate::model::{ContendedLine, ContendedLines, LinesOf, StackTable};
use crate::report::schema::{ContendedLineDoc, ContentionDoc};

/// The lines; `None` where there are none.
pub(super) fn contention<'a>(
    lines: &ContendedLines,
    stacks: &'a StackTable,
) -> Option<ContentionDoc<'a>> {
    let ContendedLines { waits, releases } = lines;
    if waits.is_none() && releases.is_none() {
        return None;
    }
    let all = |lines: &[ContendedLine]| lines.iter().map(|it| line(it, stacks)).collect();
    let over = |of: &Option<LinesOf>| of.as_ref().and_then(|it| seconds(it.over));
    let within = |of: &Option<LinesOf>| of.as_ref().and_then(|it| seconds(it.within));
    Some(ContentionDoc {
        waits: all(lines.waits()),
        waits_over_seconds: over(waits),
        waits_within_seconds: within(waits),
        releases: all(lines.releases()),
        releases_over_seconds: over(releases),
        releases_within_seconds: within(releases),
    })
}

fn line<'a>(line: &ContendedLine, stacks: &'a StackTable) -> ContendedLineDoc<'a> {
    ContendedLineDoc {
        at: frame(stacks, line.at),
        count: line.count,
        delay_seconds: line.delay.as_secs_f64(),
        count_within: line.within.map(|(count, _)| count),
        delay_within_seconds: seconds(line.within.map(|(_, delay)| delay)),
        waiting: line.waiting,
    }
}
