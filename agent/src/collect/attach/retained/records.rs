//! Finalizers, cleanups and the like as holders of the heap; objects among them that keep themselves.

use std::collections::HashMap;

use super::{Holding, NodeId, Read};
use crate::golang::heap::roots::{RecordKind, Special};
use crate::golang::heap::shape::Shape;
use crate::model::{Amount, HolderKind};

/// So many records of objects that nothing else reaches are followed one by one, to see whether they lead back.
const MAX_FOLLOWED: u64 = 100_000;

/// What records keep.
#[derive(Default)]
pub(super) struct Kept {
    /// Objects that keep themselves, by type.
    pub(super) cycles: Vec<Cycle>,
    /// What a collection does not free and later ones do: objects whose finalizer is yet to run, and what records
    /// of unreachable objects keep.
    pub(super) later: Amount,
    /// Objects among them that nothing else reaches: they wait for their finalizer.
    pub(super) unreached: Amount,
}

/// Objects of one type that keep themselves.
pub(super) struct Cycle {
    /// Where their paths begin.
    pub(super) root: NodeId,
    pub(super) kind: RecordKind,
    pub(super) shape: Shape,
    /// The cleanup's function; `None` for finalizers, and where it is not known.
    pub(super) function: Option<u64>,
    /// Records that lead back to their objects.
    pub(super) count: u64,
    pub(super) holds: Amount,
}

/// Records of one kind, by what is known of them before they are followed.
type Group = (RecordKind, Shape, Option<u64>);

/// Follows what records keep for objects, and what those need that are queued to run. Each of an object that nothing
/// has reached is followed alone, so that it shows whether it leads back to the object; this comes after all other
/// holders.
pub(super) fn follow(
    holding: &mut Holding<'_, '_>,
    records: &[Special],
    queued: &[u64],
) -> Read<Kept> {
    let root = holding.walk.hold();
    queued.iter().for_each(|word| holding.walk.reach(*word));
    let (alone, reached): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| holding.walk.is_unreached(record.object));
    for record in &reached {
        holding.walk.reach_from_record(record, Shape::Unknown)?;
    }
    let mut kept = holding.follow()?;
    let mut count = reached.len() as u64;
    let mut found = Kept::default();
    let mut roots: HashMap<Group, NodeId> = HashMap::new();
    let mut places: HashMap<(NodeId, Shape), usize> = HashMap::new();
    for (number, record) in (0..).zip(&alone) {
        let is_alone = holding.walk.is_unreached(record.object);
        if !is_alone || number >= MAX_FOLLOWED || !(holding.go_on)() {
            // Another record keeps the object, or nobody will know.
            holding.walk.hold_again(root);
            holding.walk.reach_from_record(record, Shape::Unknown)?;
            holding.is_whole &= !is_alone;
            count += 1;
            continue;
        }
        let shape = holding.walk.finalized(record)?;
        let function = holding.walk.cleanup_function(record)?;
        let group = (record.kind, shape, function);
        let from = *roots.entry(group).or_insert_with(|| holding.walk.hold());
        holding.walk.hold_again(from);
        holding.walk.watch(record.object);
        holding.walk.reach_from_record(record, shape)?;
        let amount = holding.follow()?;
        let Some(met) = holding.walk.watched()? else {
            // It is freed in time, and what it keeps with it.
            kept = kept.plus(amount);
            found.later = found.later.plus(amount);
            count += 1;
            continue;
        };
        let shape = if shape == Shape::Unknown { met } else { shape };
        let cycles = &mut found.cycles;
        let place = *places.entry((from, shape)).or_insert_with(|| {
            let (kind, holds) = (record.kind, Amount::default());
            cycles.push(Cycle { root: from, kind, shape, function, count: 0, holds });
            cycles.len() - 1
        });
        let cycle = &mut cycles[place];
        cycle.holds = cycle.holds.plus(amount);
        cycle.count += 1;
    }
    kept = kept.plus(holding.follow()?);
    for record in alone.iter().filter(|record| record.kind == RecordKind::Finalizer) {
        if let Some(bytes) = holding.walk.unreached_bytes(record.object) {
            found.unreached = found.unreached.plus(Amount { bytes, objects: 1 });
        }
    }
    found.later = found.later.plus(found.unreached);
    holding.add(root, HolderKind::Finalizers, (None, None), count, kept);
    Ok(found)
}
