//! How two walks of the heap of one program differ: by holder and by type.

use std::collections::HashMap;
use std::hash::Hash;

use crate::model::{Amount, HeapHolder, HeldChange, HeldSince, HolderKind, Retained};

/// What is not as it was before.
#[must_use]
pub fn since(before: &Retained, now: &Retained) -> HeldSince {
    let holders = |of: &Retained| {
        let all = of.holders.iter().map(|holder| (key(holder), holder.clone(), holder.holds));
        all.collect::<Vec<_>>()
    };
    let types = |of: &Retained| {
        let all = of.types.iter().map(|it| (it.name.clone(), it.name.clone(), it.holds));
        all.collect::<Vec<_>>()
    };
    HeldSince {
        before: before.reached,
        are_whole: before.walk.is_whole && now.walk.is_whole,
        holders: changes(holders(before), holders(now)),
        types: changes(types(before), types(now)),
    }
}

/// What makes holders of two walks the same.
type Key = (HolderKind, Option<String>, Option<String>, Option<u64>);

/// It: the name with the cleanup's function or whose entries they are, or else the address.
pub(super) fn key(holder: &HeapHolder) -> Key {
    let address = holder.address.filter(|_| holder.name.is_none());
    let beside = holder.function.clone().or_else(|| holder.entries_of.clone());
    (holder.kind, holder.name.clone(), beside, address)
}

/// Those of another amount, what has become most first, and last what has become least.
fn changes<K: Eq + Hash, T>(
    before: Vec<(K, T, Amount)>,
    now: Vec<(K, T, Amount)>,
) -> Vec<HeldChange<T>> {
    let nothing = Amount::default();
    let mut changes: Vec<HeldChange<T>> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    // Several of one key are one.
    for (key, of, amount) in now {
        let place = *places.entry(key).or_insert_with(|| {
            changes.push(HeldChange { of, before: nothing, now: nothing });
            changes.len() - 1
        });
        changes[place].now = changes[place].now.plus(amount);
    }
    for (key, of, amount) in before {
        let place = *places.entry(key).or_insert_with(|| {
            changes.push(HeldChange { of, before: nothing, now: nothing });
            changes.len() - 1
        });
        changes[place].before = changes[place].before.plus(amount);
    }
    changes.retain(|change| change.before != change.now);
    let more =
        |change: &HeldChange<T>| i128::from(change.now.bytes) - i128::from(change.before.bytes);
    // The sort keeps the order of those that are alike.
    changes.sort_by_key(|change| std::cmp::Reverse(more(change)));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HeapType, WalkCoverage};

    fn walked(holders: &[(&str, u64)], types: &[(&str, u64)]) -> Retained {
        let amount = |bytes| Amount { bytes, objects: 1 };
        Retained {
            holders: holders
                .iter()
                .map(|(name, bytes)| HeapHolder {
                    function: None,
                    entries_of: None,
                    kind: HolderKind::Variable,
                    name: Some((*name).to_owned()),
                    // Another at each start of a position-independent executable.
                    address: Some(*bytes),
                    count: 1,
                    holds: amount(*bytes),
                })
                .collect(),
            types: types
                .iter()
                .map(|(name, bytes)| HeapType {
                    name: Some((*name).to_owned()),
                    holds: amount(*bytes),
                })
                .collect(),
            reached: amount(holders.iter().map(|(_, bytes)| bytes).sum()),
            walk: WalkCoverage { is_whole: true, ..WalkCoverage::default() },
            ..Retained::default()
        }
    }

    #[test]
    fn what_grew_comes_first_and_what_is_gone_last() {
        let before = walked(&[("a", 10), ("b", 90), ("gone", 5)], &[("[]byte", 100), ("same", 5)]);
        let now = walked(&[("a", 70), ("b", 90), ("new", 20)], &[("[]byte", 175), ("same", 5)]);
        let since = since(&before, &now);
        let change = |it: &HeldChange<HeapHolder>| {
            (it.of.name.clone().expect("a name"), it.before.bytes, it.now.bytes)
        };
        let changes: Vec<_> = since.holders.iter().map(change).collect();
        let wanted = [("a", 10, 70), ("new", 0, 20), ("gone", 5, 0)];
        assert_eq!(changes, wanted.map(|(name, before, now)| (name.to_owned(), before, now)));
        assert_eq!(since.types.len(), 1);
        assert_eq!((since.before.bytes, since.are_whole), (105, true));
        assert_eq!(super::since(&now, &now).holders, []);
    }
}
