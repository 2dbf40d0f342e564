//! What became of every goroutine: each is in a finding, ignored as idle, or not analysed; and what makes their
//! number rise.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::trends::{Curve, growth};
use crate::model::{
    Finding, GrowthPattern, IdleReason, Ignored, NoLeak, NotAnalysed, Rise, RiseVerdict, Rising,
};

/// Groups that a rise names.
const MAX_RISING: usize = 12;
/// A total has risen when it has by so many, and by this share of what there was.
const MIN_RISE: u64 = 10;
const MIN_SHARE: f64 = 0.02;

/// What became of the goroutines of one line and creation site.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// They are in a finding: how many of them.
    Found(u64),
    /// They are idle on purpose, and why.
    Ignored(Ignored),
    /// They were not analysed, and why.
    NotAnalysed(NotAnalysed),
}

/// The goroutines of one line and creation site, and what became of them.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Their groups, the largest first.
    pub(super) groups: Vec<usize>,
    pub(super) count: u64,
    /// How many more there are than at the first sample.
    pub(super) more: u64,
    pub(super) fate: Fate,
    /// Why their growth is none of a leak's.
    pub(super) no_leak: NoLeak,
}

/// What became of all goroutines.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    entries: Vec<Entry>,
}

impl Entry {
    fn largest(&self) -> usize {
        self.groups.first().copied().unwrap_or_default()
    }
}

impl Accounts {
    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Goroutines that were ignored, by why, and those that were not analysed, by why.
    pub(super) fn sums(&self) -> (BTreeMap<Ignored, u64>, BTreeMap<NotAnalysed, u64>) {
        let (mut ignored, mut not_analysed) = (BTreeMap::new(), BTreeMap::new());
        for Entry { count, fate, .. } in &self.entries {
            match fate {
                Fate::Found(found) if found < count => {
                    *not_analysed.entry(NotAnalysed::BesideFinding).or_default() += count - found;
                }
                Fate::Found(_) => {}
                Fate::Ignored(why) => *ignored.entry(why.clone()).or_default() += count,
                Fate::NotAnalysed(why) => {
                    *not_analysed.entry(*why).or_default() += count;
                }
            }
        }
        (ignored, not_analysed)
    }

    /// The groups that were ignored, and why.
    pub(super) fn idle_groups(&self) -> BTreeMap<usize, IdleReason> {
        let mut idle = BTreeMap::new();
        for Entry { groups, fate, .. } in &self.entries {
            if let Fate::Ignored(ignored) = fate {
                idle.extend(groups.iter().map(|&group| (group, ignored.why.clone())));
            }
        }
        idle
    }

    /// What makes the total rise over the window, if it does.
    pub(super) fn rise(&self, totals: &[(f64, u64)], findings: &[Finding]) -> Option<Rise> {
        let (from, to) = (totals.first()?.1, totals.last()?.1);
        let growth = growth(&Curve::counted(totals))?;
        let rises = !matches!(
            growth.pattern,
            GrowthPattern::Flat | GrowthPattern::Shrinking | GrowthPattern::Oscillating
        );
        let more = to.saturating_sub(from);
        if !rises || more < MIN_RISE || (more as f64) < MIN_SHARE * from as f64 {
            return None;
        }
        let found: HashMap<usize, &str> = findings
            .iter()
            .flat_map(|finding| finding.groups().iter().map(|&group| (group, finding.id.as_str())))
            .collect();
        let mut groups: Vec<Rising> = self
            .entries
            .iter()
            .filter(|entry| entry.more > 0)
            .map(|entry| (entry, entry.largest()))
            .map(|(entry, group)| Rising {
                group,
                more: entry.more,
                verdict: match (found.get(&group), &entry.fate) {
                    (Some(id), _) => RiseVerdict::Finding((*id).to_owned()),
                    (None, Fate::Ignored(why)) => RiseVerdict::Ignored(why.clone(), entry.no_leak),
                    (None, Fate::NotAnalysed(why)) if *why != NotAnalysed::Unremarkable => {
                        RiseVerdict::NotAnalysed(*why)
                    }
                    (None, _) => RiseVerdict::NoLeak(entry.no_leak),
                },
            })
            .collect();
        groups.sort_by_key(|rising| (Reverse(rising.more), rising.group));
        let is_none = |it: &&Rising| !matches!(it.verdict, RiseVerdict::Finding(_));
        let unexplained = groups.iter().filter(is_none).map(|it| it.more).sum();
        let all: u64 = groups.iter().map(|it| it.more).sum();
        groups.truncate(MAX_RISING);
        let explained = all - unexplained;
        Some(Rise { from, to, per_second: growth.per_second, explained, unexplained, groups })
    }
}
