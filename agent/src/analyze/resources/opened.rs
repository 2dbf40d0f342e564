//! The lines that opened what is open.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::series::is_part_of;
use crate::analyze::caused::Causes;
use crate::model::function::Origin;
use crate::model::{FrameId, Opened, OpenedAt, ResourceAccount, ResourceKey, StackId, StackTable};

/// By name, and most first within each.
pub(super) fn opened(
    seen: &[Opened],
    causes: &Causes<'_>,
    stacks: &StackTable,
) -> Vec<(ResourceKey, OpenedAt)> {
    let lines = seen.iter().filter_map(|it| {
        let caused = causes.of_opening(it.stack, it.created_by);
        let frame = caused.map(|caused| caused.frame).or_else(|| outermost(stacks, it.stack))?;
        let basis = caused.map(|caused| caused.basis);
        Some((&it.key, OpenedAt { frame, basis, stack: it.stack, count: it.count }))
    });
    let mut by_key: BTreeMap<&ResourceKey, Vec<OpenedAt>> = BTreeMap::new();
    for (key, line) in lines {
        by_key.entry(key).or_default().push(line);
    }
    let each = by_key
        .into_iter()
        .flat_map(|(key, lines)| summed(lines, stacks).into_iter().map(|line| (key.clone(), line)));
    each.collect()
}

/// The lines that opened things of a name: of all in a directory, or of a kind, where it is the name of those.
pub(super) fn of_key(
    account: &ResourceAccount,
    key: &ResourceKey,
    stacks: &StackTable,
) -> Vec<OpenedAt> {
    let lines = account.opened.iter().filter(|(of, _)| is_part_of(of, key)).map(|(_, line)| *line);
    summed(lines.collect(), stacks)
}

/// Each line once, most first. The same line may have several frames: inlined, and not.
fn summed(mut lines: Vec<OpenedAt>, stacks: &StackTable) -> Vec<OpenedAt> {
    // The stack of those that are more stays.
    lines.sort_by_key(|line| (Reverse(line.count), line.frame));
    let mut sums: Vec<OpenedAt> = Vec::new();
    for line in lines {
        let is_same = |sum: &&mut OpenedAt| {
            let lookup = |line: &OpenedAt| {
                stacks.lookup(line.frame).map(|it| (it.function, it.file, it.line))
            };
            sum.basis == line.basis && lookup(sum) == lookup(&line)
        };
        match sums.iter_mut().find(is_same) {
            Some(sum) => sum.count += line.count,
            None => sums.push(line),
        }
    }
    sums.sort_by_key(|line| (Reverse(line.count), line.frame));
    sums
}

/// The outermost frame outside the runtime.
fn outermost(stacks: &StackTable, stack: StackId) -> Option<FrameId> {
    let is_outside = |origin: Option<Origin>| origin.is_some_and(|it| it != Origin::Runtime);
    let mut frames = stacks.frames_of(stack).iter().rev().copied();
    frames.find(|&frame| is_outside(stacks.origin(frame)))
}
