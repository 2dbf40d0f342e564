//! The moments of one process that can be compared still, in bounded memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::{GroupAt, MemoryAt, Moment, ResourcesAt};
use crate::model::{Assessment, Timestamp};

/// Moments that are kept. Where there are more, every second one goes, and of those to come only every second one stays.
const MOMENTS: usize = 120;
/// Counts of groups that are kept of all of them.
const COUNTS: usize = 50_000;

/// Moments of one process, oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    exe: String,
    past: Vec<Past>,
    /// How many there were.
    added: u64,
    /// Of two to the power of this many one is kept, and the newest.
    halvings: u32,
    /// Whether the newest goes when the next comes.
    newest_goes: bool,
    /// Every group of any of them, its count aside.
    groups: Vec<(String, GroupAt)>,
    numbers: HashMap<String, u32>,
}

/// A moment by the numbers of its groups.
#[derive(Clone, Debug)]
struct Past {
    at: Timestamp,
    goroutines: Option<u64>,
    memory: Option<MemoryAt>,
    resources: Option<Arc<ResourcesAt>>,
    /// Moments that are alike share it.
    counts: Arc<[(u32, u64)]>,
}

impl History {
    /// Adds the last moment of an assessment's window.
    pub fn add(&mut self, assessment: &Assessment) {
        let Moment { exe, goroutines, groups, memory, resources, .. } = Moment::of(assessment);
        let before = self.past.last().and_then(|past| past.resources.clone());
        let resources = resources.map(|now| match before {
            Some(before) if *before == now => before,
            _ => Arc::new(now),
        });
        self.exe = exe;
        let counts: Vec<(u32, u64)> = groups
            .into_iter()
            .map(|(signature, group)| {
                let count = group.count;
                (self.number(signature, group), count)
            })
            .collect();
        let before = self.past.last().map(|past| Arc::clone(&past.counts));
        let counts = before.filter(|before| **before == *counts).unwrap_or_else(|| counts.into());
        if self.newest_goes {
            self.past.pop();
        }
        let at = assessment.window.last;
        self.past.push(Past { at, goroutines, memory, resources, counts });
        self.newest_goes = !self.added.is_multiple_of(1 << self.halvings);
        self.added += 1;
        while self.past.len() > MOMENTS || (self.past.len() > 3 && self.size() > COUNTS) {
            self.halve();
        }
        if self.groups.len() > COUNTS {
            self.forget();
        }
    }

    /// Drops every second one, and never the first or the last.
    fn halve(&mut self) {
        let last = self.past.len().saturating_sub(1);
        let mut at = 0;
        self.past.retain(|_| {
            let is_kept = at % 2 == 0 || at == last;
            at += 1;
            is_kept
        });
        self.halvings += 1;
        self.newest_goes |= last % 2 == 1;
    }

    /// When they were, and with how many goroutines.
    pub fn moments(&self) -> impl Iterator<Item = (Timestamp, Option<u64>)> {
        self.past.iter().map(|past| (past.at, past.goroutines))
    }

    /// The moment that is nearest to a time; `None` where there is none at all.
    #[must_use]
    pub fn nearest(&self, at: Timestamp) -> Option<Moment> {
        let apart = |past: &&Past| past.at.unix_ns().abs_diff(at.unix_ns());
        self.past.iter().min_by_key(apart).map(|past| self.moment(past))
    }

    fn moment(&self, past: &Past) -> Moment {
        let group = |&(number, count): &(u32, u64)| {
            let (signature, group) = self.groups.get(number as usize)?;
            Some((signature.clone(), GroupAt { count, ..group.clone() }))
        };
        Moment {
            at: Some(past.at),
            exe: self.exe.clone(),
            goroutines: past.goroutines,
            groups: past.counts.iter().filter_map(group).collect(),
            memory: past.memory,
            resources: past.resources.as_deref().cloned(),
            findings: Vec::new(),
        }
    }

    fn number(&mut self, signature: String, group: GroupAt) -> u32 {
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(signature).or_insert_with_key(|signature| {
            self.groups.push((signature.clone(), group));
            next
        })
    }

    /// Counts that are kept, those that are shared once.
    fn size(&self) -> usize {
        let is_shared = |pair: &&[Past]| Arc::ptr_eq(&pair[0].counts, &pair[1].counts);
        let shared: usize =
            self.past.windows(2).filter(is_shared).map(|pair| pair[0].counts.len()).sum();
        self.past.iter().map(|past| past.counts.len()).sum::<usize>() - shared
    }

    /// Drops groups that no moment has any more.
    fn forget(&mut self) {
        let moments: Vec<Moment> = self.past.iter().map(|past| self.moment(past)).collect();
        (self.groups, self.numbers) = (Vec::new(), HashMap::new());
        for (index, Moment { groups, .. }) in moments.into_iter().enumerate() {
            let mut counts = Vec::new();
            for (signature, group) in groups {
                let count = group.count;
                counts.push((self.number(signature, group), count));
            }
            self.past[index].counts = counts.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::compare::{Change, Difference};
    use crate::analyze::{Window, assess};
    use crate::sample::leaking;

    fn history(seconds: u32) -> (History, Vec<Timestamp>) {
        let (mut history, mut window, mut times) = (History::default(), Window::default(), vec![]);
        for second in 0..seconds {
            window.push(&leaking(u64::from(second / 2)).observe(second));
            let assessment = assess(&window).expect("observed");
            history.add(&assessment);
            times.push(assessment.window.last);
        }
        (history, times)
    }

    #[test]
    fn two_moments_are_compared_as_they_were() {
        let (history, times) = history(20);
        let at = |place: usize| history.nearest(times[place]).expect("a moment");
        let difference = Difference::of(&at(4), &at(18));
        let [group] = &*difference.groups else { panic!("{difference:?}") };
        assert_eq!((group.change, group.before, group.after), (Change::Grown, 2, 9));
        assert_eq!(Difference::of(&at(0), &at(2)).groups[0].change, Change::New);
        assert_eq!(Difference::of(&at(2), &at(0)).groups[0].change, Change::Gone);
        assert!(Difference::of(&at(4), &at(5)).groups.is_empty());
        assert!(Arc::ptr_eq(&history.past[4].counts, &history.past[5].counts));
    }

    #[test]
    fn a_long_history_keeps_its_ends_and_finds_what_is_near() {
        let (history, times) = history(1_000);
        assert!(history.past.len() <= MOMENTS, "{}", history.past.len());
        let kept: Vec<Timestamp> = history.moments().map(|(at, _)| at).collect();
        assert_eq!((kept.first(), kept.last()), (times.first(), times.last()));
        let near = history.nearest(times[500]).and_then(|it| it.at).expect("a moment");
        let apart = near.unix_ns().abs_diff(times[500].unix_ns());
        assert!(apart <= 16_000_000_000, "{apart}");
        assert_eq!(History::default().nearest(times[0]), None);
    }

    #[test]
    fn groups_that_no_moment_has_are_forgotten() {
        let (mut history, times) = history(20);
        let before = history.nearest(times[19]);
        history.past.drain(..19);
        history.groups.push((
            "another".to_owned(),
            before.iter().flat_map(|it| it.groups.values()).next().expect("one").clone(),
        ));
        history.forget();
        assert_eq!(history.nearest(times[19]), before);
        assert!(history.groups.iter().all(|(signature, _)| signature != "another"));
    }
}
