//! What a process holds of the kernel's at two moments.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ResourceAccount, ResourceKey, ResourceKind};

/// Names that are kept of a moment: those of which there are most.
const MAX_NAMES: usize = 256;

/// What there was at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcesAt {
    /// How many descriptors, threads, mappings and children, as far as they could be counted.
    pub totals: BTreeMap<ResourceKind, u64>,
    /// How many of each name; `None` where that was not looked at.
    pub named: Option<Named>,
}

/// How many there were of each name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    counts: BTreeMap<ResourceKey, u64>,
    /// Of names that are not there, there may have been so many.
    most_missing: u64,
    /// One of so many was looked at: the counts stand for all.
    one_in: u64,
}

/// Things of which there are more or fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceChange {
    /// Which.
    pub key: ResourceKey,
    /// How many there were.
    pub before: u64,
    /// How many there are.
    pub after: u64,
}

impl ResourcesAt {
    /// The last of a window.
    #[must_use]
    pub fn of(account: &ResourceAccount) -> Self {
        let now = &account.now;
        let totals = [
            (ResourceKind::Descriptor, now.descriptors),
            (ResourceKind::Thread, now.threads),
            (ResourceKind::Mapping, now.mappings),
            (ResourceKind::Child, now.children),
        ];
        let totals = totals.into_iter().filter_map(|(kind, usage)| Some((kind, usage?.count)));
        let named = now.details.as_ref().map(|details| {
            let groups = details.groups.iter().map(|group| (group.key.clone(), group.count));
            Named::new(groups, details.one_in)
        });
        Self { totals: totals.collect(), named }
    }

    /// Both as one: what is known of each.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let totals = self.totals.iter().filter_map(|(kind, count)| {
            Some((*kind, count.saturating_add(*other.totals.get(kind)?)))
        });
        let named = self.named.as_ref().zip(other.named.as_ref()).map(|(one, other)| Named {
            most_missing: one.most_missing.saturating_add(other.most_missing),
            ..Named::new(
                one.counts.iter().chain(&other.counts).map(|(key, count)| (key.clone(), *count)),
                one.one_in.max(other.one_in),
            )
        });
        Self { totals: totals.collect(), named }
    }

    /// What is not as it was, the totals first and then what has changed most.
    pub(super) fn changes(&self, after: &Self) -> Vec<ResourceChange> {
        let totals = self.totals.iter().filter_map(|(kind, before)| {
            let key = ResourceKey { kind: *kind, name: None };
            let after = *after.totals.get(kind)?;
            (after != *before).then_some(ResourceChange { key, before: *before, after })
        });
        let mut changes: Vec<_> = totals.collect();
        if let (Some(before), Some(after)) = (&self.named, &after.named) {
            let mut named = before.changes(after);
            named.sort_by_key(|it| Reverse(it.before.abs_diff(it.after)));
            changes.extend(named);
        }
        changes
    }
}

impl Named {
    /// Of these, of which one in so many was looked at.
    #[must_use]
    pub fn new(counts: impl IntoIterator<Item = (ResourceKey, u64)>, one_in: u64) -> Self {
        let mut sums: BTreeMap<ResourceKey, u64> = BTreeMap::new();
        for (key, count) in counts {
            let sum = sums.entry(key).or_default();
            *sum = sum.saturating_add(count);
        }
        let mut counts: Vec<_> = sums.into_iter().collect();
        counts.sort_by_key(|(_, count)| Reverse(*count));
        let most_missing = counts.get(MAX_NAMES).map_or(0, |(_, count)| *count);
        counts.truncate(MAX_NAMES);
        Self { counts: counts.into_iter().collect(), most_missing, one_in: one_in.max(1) }
    }

    /// What has changed for certain.
    fn changes(&self, after: &Self) -> Vec<ResourceChange> {
        let keys: BTreeSet<_> = self.counts.keys().chain(after.counts.keys()).collect();
        let change = |key: &ResourceKey| {
            // Of what is missing there may be some still.
            let (before, now) = match (self.counts.get(key), after.counts.get(key)) {
                (Some(before), Some(now)) => (*before, *now),
                (Some(before), None) => (*before, after.most_missing.min(*before)),
                (None, now) => {
                    let now = now.copied().unwrap_or(0);
                    (self.most_missing.min(now), now)
                }
            };
            let one_in = self.one_in.max(after.one_in) as f64;
            // So much may differ by which ones were looked at.
            let chance =
                if one_in > 1.0 { 3.0 * (before.max(now) as f64 * one_in).sqrt() } else { 0.0 };
            let is_sure = before.abs_diff(now) as f64 > chance;
            is_sure.then(|| ResourceChange { key: key.clone(), before, after: now })
        };
        keys.into_iter().filter_map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceName;

    fn files(path: &str) -> ResourceKey {
        let name = Some(ResourceName::Path(path.to_owned()));
        ResourceKey { kind: ResourceKind::File, name }
    }

    fn at(descriptors: u64, named: &[(&str, u64)]) -> ResourcesAt {
        let named = named.iter().map(|(path, count)| (files(path), *count));
        let named = Some(Named::new(named, 1));
        ResourcesAt { totals: [(ResourceKind::Descriptor, descriptors)].into(), named }
    }

    #[test]
    fn what_changed_most_comes_first_behind_the_totals() {
        let before = at(10, &[("/a", 2), ("/b", 5), ("/same", 3)]);
        let after = at(40, &[("/a", 4), ("/new", 33), ("/same", 3)]);
        let changes = before.changes(&after);
        let said: Vec<_> = changes.iter().map(|it| (it.key.clone(), it.before, it.after)).collect();
        let total = ResourceKey { kind: ResourceKind::Descriptor, name: None };
        let named = [(files("/new"), 0, 33), (files("/b"), 5, 0), (files("/a"), 2, 4)];
        assert_eq!(said, [&[(total, 10, 40)], &named[..]].concat());
        // Names that were not looked at did not come or go.
        let counted = ResourcesAt { named: None, ..after };
        assert_eq!(before.changes(&counted).len(), 1);
    }

    #[test]
    fn names_that_found_no_room_are_not_taken_for_gone() {
        let many = |counts: &dyn Fn(usize) -> u64| {
            let of = |number| (files(&format!("/{number}")), counts(number));
            ResourcesAt { named: Some(Named::new((0..400).map(of), 1)), ..at(0, &[]) }
        };
        let before = many(&|number| if number < 300 { 3 } else { 4 });
        let after = many(&|number| if number < 300 { 3 } else { 5 });
        let changes = before.changes(&after);
        assert!(changes.iter().all(|it| (it.before, it.after) == (4, 5)), "{changes:?}");
        assert_eq!(changes.len(), 100);
        // What is new is shown with no more than there was for certain.
        let grown = many(&|number| if number == 399 { 90 } else { 3 });
        let changes = many(&|_| 3).changes(&grown);
        assert_eq!(changes.iter().map(|it| (it.before, it.after)).collect::<Vec<_>>(), [(3, 90)]);
    }

    #[test]
    fn what_chance_picks_is_no_change() {
        let of = |count| {
            let named = Named::new([(files("/a"), count)], 2);
            ResourcesAt { named: Some(named), ..at(0, &[]) }
        };
        assert_eq!(of(4).changes(&of(10)), []);
        assert_eq!(of(100).changes(&of(9000)).len(), 1);
    }

    #[test]
    fn of_several_all_is_counted_that_is_known_of_each() {
        let both = at(10, &[("/a", 2)]).and(&at(1, &[("/a", 1), ("/b", 7)]));
        assert_eq!(both, at(11, &[("/a", 3), ("/b", 7)]));
        assert_eq!(both.and(&ResourcesAt::default()), ResourcesAt::default());
    }
}
