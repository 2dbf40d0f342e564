//! Counting goroutines that are alike.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::of_runtime::is_of_runtime;
use crate::model::{Goroutine, Observation};

/// Which goroutines a profile is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Of {
    /// All of them.
    #[default]
    All,
    /// Those that leak-agent has proven to leak.
    Proven,
}

impl Of {
    /// What Go calls the profile (`runtime/pprof/pprof.go`; the second since 1.26).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::All => "goroutine",
            Self::Proven => "goroutineleak",
        }
    }

    const fn has(self, goroutine: &Goroutine) -> bool {
        match self {
            Self::All => true,
            Self::Proven => goroutine.proven,
        }
    }
}

/// How many of each kind there are, in the order in which the kinds were first seen. Those of the runtime
/// itself are left out; `kind` is told each goroutine's place in the observation too.
pub(super) fn tally<K: Copy + Eq + Hash>(
    observation: &Observation,
    of: Of,
    kind: impl Fn(usize, &Goroutine) -> K,
) -> Vec<(K, u64)> {
    let mut places: FxHashMap<K, usize> = FxHashMap::default();
    let mut counts: Vec<(K, u64)> = Vec::new();
    for (index, goroutine) in observation.goroutines.iter().enumerate() {
        if !of.has(goroutine) || is_of_runtime(observation, goroutine) {
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
