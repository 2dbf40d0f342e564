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
        growth.held_by = growth.key.kind.is_descriptor().then(|| of_key(held, &growth.key));
    }
}

/// Those of a name, each path once, most first.
fn of_key(held: &[HeldDescriptors], key: &ResourceKey) -> Vec<HeldDescriptors> {
    let mut sums: Vec<HeldDescriptors> = Vec::new();
    for it in held.iter().filter(|it| is_part_of(&it.key, key)) {
        match sums.iter_mut().find(|sum| sum.by == it.by) {
            Some(sum) => sum.count += it.count,
            None => sums.push(HeldDescriptors { key: key.clone(), ..it.clone() }),
        }
    }
    sums.sort_by_key(|sum| Reverse(sum.count));
    sums
}
