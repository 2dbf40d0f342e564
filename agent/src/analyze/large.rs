//! At which lines large objects were allocated that are in use, as far as a probe saw it.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::allocated::{lead, named};
use crate::model::{
    AllocatedAt, AllocationBasis, Amount, FrameId, LargeAllocations, LargeLines, SourceLine,
    StackTable,
};

/// Lines that a finding names.
const MAX_NAMED: usize = 3;
/// Of what the heap grew by, a line has at least this part, or it is not named.
const MIN_PART: f64 = 0.1;

/// By line, those with most bytes in use first. All of it came since the probe was attached.
pub(super) fn by_line(stacks: &StackTable, large: &LargeAllocations) -> LargeLines {
    let mut sums: HashMap<Option<(&str, &str, u32)>, Sum> = HashMap::new();
    for site in &large.sites {
        let (line, via) = lead(stacks, site.stack);
        let sum = sums.entry(named(stacks, line)).or_default();
        sum.in_use = sum.in_use.plus(site.in_use);
        sum.allocated = sum.allocated.plus(site.allocated);
        if let Some(via) = via {
            let most = sum.via.get_or_insert((site.in_use.bytes, via));
            *most = (*most).max((site.in_use.bytes, via));
        }
    }
    if large.unnamed != Amount::default() {
        let sum = sums.entry(None).or_default();
        sum.in_use = sum.in_use.plus(large.unnamed);
        sum.allocated = sum.allocated.plus(large.unnamed);
    }
    let line = |(line, sum): (Option<(&str, &str, u32)>, Sum)| AllocatedAt {
        line: line.map(|(function, file, line)| SourceLine {
            function: function.to_owned(),
            file: file.to_owned(),
            line,
        }),
        via: sum.via.and_then(|(_, via)| Some(stacks.lookup(via).ok()?.function.to_owned())),
        in_use: sum.in_use,
        allocated: sum.allocated,
        grown_bytes: Some(sum.in_use.bytes),
        basis: AllocationBasis::Large,
    };
    let mut lines: Vec<AllocatedAt> = sums.into_iter().map(line).collect();
    lines.sort_by(|one, other| {
        let name = |it: &AllocatedAt| it.line.as_ref().map(|it| (it.function.clone(), it.line));
        let key = |it: &AllocatedAt| Reverse((it.in_use, it.allocated));
        key(one).cmp(&key(other)).then_with(|| name(one).cmp(&name(other)))
    });
    LargeLines { since: large.since, lines, lost: large.lost }
}

/// Those lines that allocated much of what a heap grew by, in bytes.
pub(super) fn of_growth(large: &LargeLines, grown_bytes: u64) -> Vec<AllocatedAt> {
    let mut lines = large.lines.clone();
    lines.retain(|it| it.line.is_some() && it.in_use.bytes as f64 >= grown_bytes as f64 * MIN_PART);
    lines.truncate(MAX_NAMED);
    lines
}

/// What is known of one line.
#[derive(Default)]
struct Sum {
    in_use: Amount,
    allocated: Amount,
    /// Who allocated most of it for the line, and how much.
    via: Option<(u64, FrameId)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LargeSite, Resolved};

    /// A stack of functions, innermost first.
    fn stack(stacks: &mut StackTable, functions: &[(&str, u32)]) -> crate::model::StackId {
        let frames: Vec<FrameId> = functions
            .iter()
            .map(|&(function, line)| {
                let file = match function.split('.').next() {
                    Some("runtime") => "/go/src/runtime/malloc.go",
                    Some("bytes") => "/go/src/bytes/buffer.go",
                    _ => "/src/app/main.go",
                };
                stacks.resolved(Resolved { function, file, line, inlined: false })
            })
            .collect();
        stacks.stack(&frames, 0)
    }

    fn site(stack: crate::model::StackId, bytes: u64) -> LargeSite {
        let amount = |bytes| Amount { bytes, objects: bytes >> 16 };
        LargeSite { stack, in_use: amount(bytes), allocated: amount(2 * bytes) }
    }

    #[test]
    fn lines_are_the_programs_own_and_those_of_one_line_are_one() {
        let mut stacks = StackTable::default();
        let make = ("runtime.mallocgcLarge", 9);
        let one = stack(&mut stacks, &[make, ("runtime.makeslice", 3), ("main.keep", 7)]);
        let other =
            stack(&mut stacks, &[make, ("bytes.growSlice", 4), ("main.keep", 7), ("main.main", 1)]);
        let small = stack(&mut stacks, &[make, ("main.other", 5)]);
        let large = LargeAllocations {
            sites: vec![site(small, 1 << 20), site(one, 4 << 20), site(other, 8 << 20)],
            unnamed: Amount { bytes: 1 << 16, objects: 1 },
            ..LargeAllocations::default()
        };
        let large = by_line(&stacks, &large);
        let lines = &large.lines;
        let said: Vec<_> = lines
            .iter()
            .map(|it| (it.line.as_ref().map(|it| (&*it.function, it.line)), it.in_use.bytes >> 16))
            .collect();
        let expected =
            [(Some(("main.keep", 7)), 12 << 4), (Some(("main.other", 5)), 1 << 4), (None, 1)];
        assert_eq!(said, expected);
        assert_eq!(lines[0].via.as_deref(), Some("bytes.growSlice"));
        assert_eq!(lines[0].allocated.bytes, 24 << 20);
        assert!(lines.iter().all(|it| it.basis == AllocationBasis::Large));
        // Of a growth of 40 MiB one line has little, and what has no line none.
        let named = of_growth(&large, 40 << 20);
        assert_eq!(named, lines[..1]);
        assert_eq!(of_growth(&large, 1 << 30), []);
    }
}
