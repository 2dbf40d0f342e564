//! Finalizers, cleanups and the like as holders of the heap; objects among them that keep themselves.

use std::collections::HashMap;

use super::{Holding, NodeId, Read};
use crate::golang::heap::roots::Special;
use crate::golang::heap::shape::Shape;
use crate::model::{Amount, HolderKind};

/// So many records of objects that nothing else reaches are followed one by one, to see whether they lead back.
const MAX_FOLLOWED: u64 = 100_000;

/// Objects of one type that keep themselves.
pub(super) struct Cycle {
    /// Where their paths begin.
    pub(super) root: NodeId,
    pub(super) shape: Shape,
    /// Records that lead back to their objects.
    pub(super) count: u64,
    pub(super) holds: Amount,
}

/// Follows what records keep for objects. Each of an object that nothing has reached is followed alone, so that it
/// shows whether it leads back to the object; this comes after all other holders.
pub(super) fn follow(holding: &mut Holding<'_, '_>, records: &[Special]) -> Read<Vec<Cycle>> {
    let root = holding.walk.hold();
    let (alone, reached): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| holding.walk.is_unreached(record.object));
    for record in &reached {
        holding.walk.reach_from_record(record, Shape::Unknown)?;
    }
    let mut kept = holding.follow()?;
    let mut count = reached.len() as u64;
    let mut cycles: Vec<Cycle> = Vec::new();
    let mut places: HashMap<Shape, usize> = HashMap::new();
    for (number, record) in (0..).zip(alone) {
        let is_alone = holding.walk.is_unreached(record.object);
        if !is_alone || number >= MAX_FOLLOWED || !(holding.go_on)() {
            // Another record keeps the object, or nobody will know.
            holding.walk.hold_again(root);
            holding.walk.reach_from_record(&record, Shape::Unknown)?;
            holding.is_whole &= !is_alone;
            count += 1;
            continue;
        }
        let shape = holding.walk.finalized(&record)?;
        let place = *places.entry(shape).or_insert_with(|| {
            let (root, holds) = (holding.walk.hold(), Amount::default());
            cycles.push(Cycle { root, shape, count: 0, holds });
            cycles.len() - 1
        });
        let cycle = &mut cycles[place];
        holding.walk.hold_again(cycle.root);
        holding.walk.reach_from_record(&record, shape)?;
        let amount = holding.follow()?;
        if holding.walk.is_unreached(record.object) {
            // It is freed in time, and what it keeps with it.
            kept = kept.plus(amount);
            count += 1;
        } else {
            cycle.holds = cycle.holds.plus(amount);
            cycle.count += 1;
        }
    }
    kept = kept.plus(holding.follow()?);
    holding.add(root, HolderKind::Finalizers, (None, None), count, kept);
    cycles.retain(|cycle| cycle.count > 0);
    Ok(cycles)
}
