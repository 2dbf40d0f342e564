//! Who holds open descriptors: the objects of Go's library that stand for them, and how a walk reached these.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::super::resources::{self, OpenDescriptor};
use super::Read;
use super::paths::{Names, path};
use crate::golang::Program;
use crate::golang::heap::paths::NodeId;
use crate::golang::heap::roots::Special;
use crate::golang::heap::{Owner, Walk};
use crate::model::{HeapHolder, HeapStep, HeldDescriptors, HeldPath, ResourceKey};

/// Open descriptors with their objects.
pub(super) struct Open {
    owners: Vec<(Owner, OpenDescriptor)>,
    /// Each stands for so many.
    one_in: u64,
}

/// Finds them, and has the walk note how it reaches the objects. That descriptors cannot be listed is said by the
/// sample.
pub(super) fn find(program: &Program, walk: &mut Walk<'_>, records: &[Special]) -> Read<Open> {
    let owners = walk.descriptors(records)?;
    let (mut opened, one_in) = resources::descriptors(program.process()).unwrap_or_default();
    // An object whose number was closed behind its back may name what another has opened since: each has one owner.
    let own = |owner: Owner| {
        let is_fit = |it: &OpenDescriptor| !owner.is_socket() || it.key.kind.is_socket();
        opened.get(&owner.number).filter(|it| is_fit(it))?;
        Some((owner, opened.remove(&owner.number)?))
    };
    let owners: Vec<(Owner, OpenDescriptor)> = owners.into_iter().filter_map(own).collect();
    owners.iter().for_each(|(owner, _)| walk.note(owner.object));
    Ok(Open { owners, one_in })
}

impl Open {
    /// Who holds them, once all has been followed that could be. `roots` are the places of holders by where their paths
    /// begin. Of what a walk that has not seen everything did not reach nothing is said.
    pub(super) fn held(
        self,
        program: &Program,
        walk: &Walk<'_>,
        (roots, holders): (&HashMap<NodeId, usize>, &[HeapHolder]),
        saw_all: bool,
    ) -> Read<Vec<HeldDescriptors>> {
        let mut names = Names::new(program, walk);
        type By = (usize, Vec<HeapStep>);
        let mut counts: HashMap<(ResourceKey, Option<By>), (u64, u64)> = HashMap::new();
        for (owner, opened) in self.owners {
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
                None if saw_all => None,
                None => continue,
            };
            let (count, closed_by_peer) = counts.entry((opened.key, by)).or_default();
            *count += self.one_in;
            *closed_by_peer += if opened.is_closed_by_peer { self.one_in } else { 0 };
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by(|(one, count), (other, of_other)| {
            (Reverse(count), one).cmp(&(Reverse(of_other), other))
        });
        let held = counts.into_iter().map(|((key, by), (count, closed_by_peer))| {
            let by = by.map(|(place, steps)| HeldPath { holder: holders[place].clone(), steps });
            HeldDescriptors { key, by, count, closed_by_peer }
        });
        Ok(held.collect())
    }
}
