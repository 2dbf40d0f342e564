//! Who holds descriptors that pile up: what a walk of the heap found becomes part of the findings.

use std::cmp::Reverse;

use super::series::is_part_of;
use crate::model::{Assessment, Finding, HeldDescriptors, ResourceKey};

/// Whether there is a finding about descriptors: who holds them is worth a walk.
#[must_use]
pub fn pile_up(assessment: &Assessment) -> bool {
    let findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
    findings.flat_map(Finding::resources).any(|held| held.key.kind.is_descriptor())
}

/// Adds who holds the descriptors that findings are about.
pub fn hold_descriptors(assessment: &mut Assessment, held: &[HeldDescriptors]) {
    let findings = assessment.judgement.iter_mut().flat_map(|judgement| &mut judgement.findings);
    for growth in findings.flat_map(Finding::resources_mut) {
        // A finding about connections that the other end has closed counts those alone.
        let is_closed = growth.closed_by_peer > 0 && growth.closed_by_peer == growth.to;
        growth.held_by =
            growth.key.kind.is_descriptor().then(|| of_key(held, &growth.key, is_closed));
    }
}

/// Those of a name, each path once, most first.
fn of_key(held: &[HeldDescriptors], key: &ResourceKey, is_closed: bool) -> Vec<HeldDescriptors> {
    let mut sums: Vec<HeldDescriptors> = Vec::new();
    for it in held.iter().filter(|it| is_part_of(&it.key, key)) {
        let count = if is_closed { it.closed_by_peer } else { it.count };
        if count == 0 {
            continue;
        }
        match sums.iter_mut().find(|sum| sum.by == it.by) {
            Some(sum) => {
                sum.count += count;
                sum.closed_by_peer += it.closed_by_peer;
            }
            None => sums.push(HeldDescriptors { key: key.clone(), count, ..it.clone() }),
        }
    }
    sums.sort_by_key(|sum| Reverse(sum.count));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, HeapHolder, HeldPath, HolderKind, ResourceKind};

    fn held(name: &str, count: u64, closed_by_peer: u64) -> HeldDescriptors {
        let holder = HeapHolder {
            kind: HolderKind::Variable,
            name: Some(name.to_owned()),
            address: None,
            function: None,
            entries_of: None,
            count: 1,
            holds: Amount::default(),
        };
        let by = Some(HeldPath { holder, steps: Vec::new() });
        let key = ResourceKey { kind: ResourceKind::TcpSocket, name: None };
        HeldDescriptors { key, by, count, closed_by_peer }
    }

    #[test]
    fn of_connections_that_the_other_end_has_closed_their_own_holders_are_told() {
        let all = [held("main.pool", 490, 0), held("main.leaked", 12, 10)];
        let key = &all[0].key;
        assert_eq!(of_key(&all, key, false), all);
        let closed = of_key(&all, key, true);
        assert_eq!(closed, [HeldDescriptors { count: 10, ..all[1].clone() }]);
    }
}
