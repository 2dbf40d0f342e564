//! Block, mutex and heap profiles beside profiles of goroutines: which goes with which.

use super::item::Item;
use crate::model::TimeBasis;
use crate::profile::proto::Kind;

/// Puts other profiles, in the order of their names, before the items that they are read for: those
/// nearest in time, or where nothing tells, the n-th for the n-th, counted from the end. The items are in the
/// order of this basis of times.
pub(super) fn merge(items: Vec<Item>, beside: Vec<Item>, basis: TimeBasis) -> Vec<Item> {
    let mut before: Vec<Vec<Item>> = items.iter().map(|_| Vec::new()).collect();
    let mut kinds: [Vec<Item>; 3] = Default::default();
    for item in beside {
        let kind = match item.beside {
            Some(Kind::Block) => 0,
            Some(Kind::Mutex) => 1,
            _ => 2,
        };
        kinds[kind].push(item);
    }
    for mut kind in kinds {
        let is_known = |item: &Item| basis != TimeBasis::Order && item.times.of(basis).is_some();
        if kind.iter().all(is_known) {
            kind.sort_by_key(|item| item.times.of(basis));
        }
        let count = kind.len();
        for (at, mut item) in kind.into_iter().enumerate() {
            item.is_seen = false;
            let place = if is_known(&item) {
                nearest(&items, &item, basis)
            } else {
                by_number(at, count, items.len())
            };
            if let Some(before) = before.get_mut(place) {
                before.push(item);
            }
        }
    }
    let merged = items.into_iter().zip(before);
    merged
        .flat_map(|(item, mut before)| {
            before.push(item);
            before
        })
        .collect()
}

fn nearest(items: &[Item], item: &Item, basis: TimeBasis) -> usize {
    let at = |item: &Item| item.times.of(basis).map_or(0, |at| at.unix_ns());
    let wanted = at(item);
    let distance = |&(_, item): &(usize, &Item)| at(item).abs_diff(wanted);
    items.iter().enumerate().min_by_key(distance).map_or(0, |(at, _)| at)
}

/// The place among `items` of the one of `count` that is the `at`-th.
fn by_number(at: usize, count: usize, items: usize) -> usize {
    if count <= items { items - count + at } else { at * items / count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_tells_the_last_is_of_the_last() {
        let all = |count: usize, items: usize| -> Vec<usize> {
            (0..count).map(|at| by_number(at, count, items)).collect()
        };
        assert_eq!(all(1, 3), [2]);
        assert_eq!(all(3, 3), [0, 1, 2]);
        assert_eq!(all(4, 2), [0, 0, 1, 1]);
        assert_eq!(all(3, 1), [0, 0, 0]);
    }
}
