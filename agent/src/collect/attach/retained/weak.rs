//! Objects that nothing but entries of weak pointers to them keeps, as a cache has them whose values lead to their keys.

use std::collections::HashMap;

use super::paths::{self, Names};
use super::{Holding, NodeId, Read};
use crate::golang::Program;
use crate::golang::heap::Entry;
use crate::golang::heap::shape::Shape;
use crate::model::{Amount, HeapHolder, HeapStep, HolderKind};

/// So many entries are followed one by one, to see whether they lead to their objects.
const MAX_FOLLOWED: usize = 100_000;
/// Entries whose object others have reached lead to more such objects. So often those are looked for.
const MAX_ROUNDS: usize = 256;

/// Objects of one type that entries of one kind keep.
pub(super) struct Kept {
    /// Where paths from the entries begin.
    root: NodeId,
    /// What the entries are a part of.
    entries: NodeId,
    shape: Shape,
    count: u64,
    holds: Amount,
}

/// Follows entries that wait, once nothing else does. What they lead to belongs to the holder of the entries, but where
/// that is their own object, which nothing else has reached.
pub(super) fn follow(holding: &mut Holding<'_, '_>) -> Read<Vec<Kept>> {
    for _ in 0..MAX_ROUNDS {
        let taken = holding.walk.take_entries(false);
        if taken.is_empty() {
            break;
        }
        follow_plainly(holding, &taken)?;
    }
    let mut found: Vec<Kept> = Vec::new();
    let mut roots: HashMap<NodeId, NodeId> = HashMap::new();
    let mut places: HashMap<(NodeId, Shape), usize> = HashMap::new();
    // What is in an entry may be in another: these wait as well then.
    let mut followed = 0;
    loop {
        let entries = holding.walk.take_entries(true);
        if entries.is_empty() {
            return Ok(found);
        }
        for entry in &entries {
            followed += 1;
            let unreached = entry.objects.iter().filter(|it| holding.walk.is_unreached(**it));
            let unreached: Vec<u64> = unreached.copied().collect();
            let Some(first) = unreached.first().filter(|_| followed <= MAX_FOLLOWED) else {
                if !unreached.is_empty() {
                    holding.walk.skip_entry();
                }
                follow_plainly(holding, std::slice::from_ref(entry))?;
                continue;
            };
            if !(holding.go_on)() {
                holding.is_whole = false;
                return Ok(found);
            }
            let from = *roots.entry(entry.node).or_insert_with(|| holding.walk.hold());
            holding.walk.hold_again(from);
            holding.walk.watch(*first);
            holding.walk.reach_from_entry(entry, from);
            let amount = holding.follow()?;
            let Some(shape) = holding.walk.watched()? else {
                add_to(holding, entry.node, amount);
                continue;
            };
            let place = *places.entry((from, shape)).or_insert_with(|| {
                let (entries, holds) = (entry.node, Amount::default());
                found.push(Kept { root: from, entries, shape, count: 0, holds });
                found.len() - 1
            });
            let still = unreached.iter().filter(|it| holding.walk.is_unreached(**it)).count();
            found[place].holds = found[place].holds.plus(amount);
            found[place].count += (unreached.len() - still) as u64;
        }
    }
}

/// Follows entries for who holds them; they are in the order of what they are a part of.
fn follow_plainly(holding: &mut Holding<'_, '_>, entries: &[Entry]) -> Read<()> {
    for of_node in entries.chunk_by(|one, other| one.node == other.node) {
        let Some(node) = of_node.first().map(|entry| entry.node) else { continue };
        let root = holding.walk.paths().root_of(node);
        holding.walk.hold_again(root);
        of_node.iter().for_each(|entry| holding.walk.reach_from_entry(entry, node));
        let amount = holding.follow()?;
        add_to(holding, node, amount);
    }
    Ok(())
}

/// Adds to what the holder has with whom the path of a node begins.
fn add_to(holding: &mut Holding<'_, '_>, node: NodeId, amount: Amount) {
    let root = holding.walk.paths().root_of(node);
    // It has the entry at least.
    if let Some((_, place)) = holding.roots.iter().find(|(it, _)| *it == root) {
        let holds = &mut holding.holders[*place].holds;
        *holds = holds.plus(amount);
    }
}

/// Adds those objects as holders; gives by which fields entries lead to each.
pub(super) fn cycles(
    holding: &mut Holding<'_, '_>,
    program: &Program,
    kept: &[Kept],
) -> Read<Vec<(NodeId, Vec<HeapStep>)>> {
    let mut found = Vec::new();
    for &Kept { root, entries, shape, count, holds } in kept {
        let mut names = Names::new(program, &holding.walk);
        let name = names.of(shape.named(true))?;
        found.push((root, paths::from_entries(&mut names, &holding.walk, (root, shape), entries)?));
        let above = holding.walk.paths().root_of(entries);
        let holder = holding.roots.iter().find(|(it, _)| *it == above);
        let of = holder.and_then(|(_, place)| holding.holders[*place].name.clone());
        holding.roots.push((root, holding.holders.len()));
        let holder = HeapHolder::of(HolderKind::WeakCycle, name, count, holds);
        holding.holders.push(HeapHolder { entries_of: of, ..holder });
    }
    Ok(found)
}
