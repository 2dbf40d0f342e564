//! Counting goroutines that are alike.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::of_runtime::is_of_runtime;
use crate::model::{Goroutine, Observation};

/// How many of each kind there are, in the order in which the kinds were first seen. Those of the runtime
/// itself are left out; `kind` is told each goroutine's place in the observation too.
pub(super) fn tally<K: Copy + Eq + Hash>(
    observation: &Observation,
    kind: impl Fn(usize, &Goroutine) -> K,
) -> Vec<(K, u64)> {
    let mut places: FxHashMap<K, usize> = FxHashMap::default();
    let mut counts: Vec<(K, u64)> = Vec::new();
    for (index, goroutine) in observation.goroutines.iter().enumerate() {
        if is_of_runtime(observation, goroutine) {
            continue;
        }
        let kind = kind(index, goroutine);
        let place = *places.entry(kind).or_insert_with(|| {
            counts.push((kind, 0));
            counts.len() - 1
        });
        counts[place].1 += u64::from(goroutine.weight);
    }
    counts
}
