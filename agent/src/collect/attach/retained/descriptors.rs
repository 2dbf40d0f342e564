//! Who holds open descriptors: the objects of Go's library that stand for them, and how a walk reached these.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::paths::{Names, path};
use super::{Read, resources};
use crate::golang::Program;
use crate::golang::heap::paths::NodeId;
use crate::golang::heap::roots::Special;
use crate::golang::heap::{Owner, Walk};
use crate::model::{HeapHolder, HeapStep, HeldDescriptors, HeldPath, ResourceKey};

/// Open descriptors with their objects.
pub(super) struct Open {
    owners: Vec<(Owner, ResourceKey)>,
    /// Each stands for so many.
    one_in: u64,
}

/// Finds them, and has the walk note how it reaches the objects. That descriptors cannot be listed is said by the
/// sample.
pub(super) fn find(program: &Program, walk: &mut Walk<'_>, records: &[Special]) -> Read<Open> {
    let owners = walk.descriptors(records)?;
    let (keys, one_in) = resources::descriptors(program.process()).unwrap_or_default();
    let owners = owners.into_iter();
    let owners: Vec<(Owner, ResourceKey)> =
        owners.filter_map(|owner| Some((owner, keys.get(&owner.number)?.clone()))).collect();
    owners.iter().for_each(|(owner, _)| walk.note(owner.object));
    Ok(Open { owners, one_in })
}

impl Open {
    /// Who holds them, once all has been followed that could be. `roots` are the places of holders by where their paths
    /// begin. Of what a walk that was not completed has not reached nothing is said.
    pub(super) fn held(
        self,
        program: &Program,
        walk: &Walk<'_>,
        (roots, holders): (&HashMap<NodeId, usize>, &[HeapHolder]),
        is_whole: bool,
    ) -> Read<Vec<HeldDescriptors>> {
        let mut names = Names::new(program, walk);
        type By = (usize, Vec<HeapStep>);
        let mut counts: HashMap<(ResourceKey, Option<By>), u64> = HashMap::new();
        for (owner, key) in self.owners {
            let by = match walk.noted(owner.object) {
                Some(node) => {
                    let (root, mut steps) = path(&mut names, walk, node)?;
                    let Some(place) = roots.get(&root) else { continue };
                    if let Some(last) = steps.last_mut() {
                        // A stack does not tell.
                        last.type_name = Some(owner.type_name.to_owned());
                    }
                    Some((*place, steps))
                }
                None if is_whole => None,
                None => continue,
            };
            *counts.entry((key, by)).or_default() += self.one_in;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by(|(one, count), (other, of_other)| {
            (Reverse(count), one).cmp(&(Reverse(of_other), other))
        });
        let held = counts.into_iter().map(|((key, by), count)| {
            let by = by.map(|(place, steps)| HeldPath { holder: holders[place].clone(), steps });
            HeldDescriptors { key, by, count }
        });
        Ok(held.collect())
    }
}
