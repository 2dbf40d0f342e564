//! At which stack each open descriptor was opened, as far as that was watched.
//!
//! The kernel keeps the last opening of each number. It is a descriptor's own if it came after the
//! descriptor was not there: a number that was closed and opened again where no probe saw it has an older one.

use std::collections::BTreeMap;
use std::time::Duration;

use leak_agent_common::limits::{MAX_CALL_SITES, MAX_DESCRIPTORS};
use rustc_hash::FxHashMap;

use super::super::probes::{Birth, CallSite};
use super::groups::{Groups, Member};
use crate::model::{CoverageNote, ResourceKey, ResourceKind};

/// With at least this many missed, it is no accident of reading: one that is read while it is being opened
/// has no birth yet.
const ENOUGH: u64 = 3;

/// What the kernel knows of some descriptors.
pub(in crate::collect::attach) struct DescriptorBirths {
    /// Since when openings have been watched without a gap; `None` if they are not watched now.
    pub(in crate::collect::attach) since: Option<Duration>,
    /// The last opening of each number that was asked for, in order.
    pub(in crate::collect::attach) births: Vec<Option<Birth>>,
    /// The stacks that they name.
    pub(in crate::collect::attach) sites: Vec<CallSite>,
}

/// Follows the descriptors of one process from reading to reading.
#[derive(Default)]
pub(super) struct Openings {
    lives: FxHashMap<Member, Life>,
    /// Stacks that opened any, each once.
    sites: Vec<CallSite>,
    by_key: FxHashMap<u64, usize>,
    /// When the reading before was begun.
    before: Option<Duration>,
    /// How many were opened at which stack, by name, as of the last reading.
    counts: Vec<(ResourceKey, usize, u64)>,
    watched: Watched,
}

/// What is known of one descriptor.
#[derive(Clone, Copy, Default)]
struct Life {
    /// When it was not there yet; `None` for one that was there at the first reading.
    after: Option<Duration>,
    /// The place of the stack that opened it.
    site: Option<usize>,
}

/// Descriptors that came while openings were watched.
#[derive(Clone, Copy, Default)]
struct Watched {
    /// Whose opening was seen.
    seen: u64,
    /// Whose opening was not.
    missed: u64,
}

impl Openings {
    /// Takes in a reading that was begun at `start` and found these descriptors, with what the kernel said
    /// of them after that; `None` where nobody asked it. One of `one_in` was looked at.
    pub(super) fn read(
        &mut self,
        start: Duration,
        found: &[(u64, Member)],
        births: Option<&DescriptorBirths>,
        (groups, one_in): (&Groups, u64),
    ) {
        let before = self.before.replace(start);
        let mut lives = FxHashMap::default();
        self.watched = Watched::default();
        let mut counts: BTreeMap<(&ResourceKey, usize), u64> = BTreeMap::new();
        for (at, &(number, member)) in found.iter().enumerate() {
            let mut life =
                self.lives.get(&member).copied().unwrap_or(Life { after: before, site: None });
            if let Some(births) = births {
                let birth = births.births.get(at).copied().flatten();
                // What was closed and opened again while nobody watched has the birth of another.
                let own = birth.filter(|birth| {
                    let at = Duration::from_nanos(birth.at_ns());
                    is_own(*birth, life.after) && births.since.is_some_and(|since| since <= at)
                });
                life.site = own.and_then(|own| self.site(births, own)).or(life.site);
                // Of one that the kernel's table has no place for nobody could know.
                if number < MAX_DESCRIPTORS.into() {
                    self.watched.add(life, births.since);
                }
            }
            let key = groups.key(member).filter(|key| is_of_the_poller(key.kind));
            if let (Some(site), Some(key)) = (life.site, key) {
                *counts.entry((key, site)).or_default() += one_in;
            }
            lives.insert(member, life);
        }
        self.counts =
            counts.into_iter().map(|((key, site), count)| (key.clone(), site, count)).collect();
        self.lives = lives;
    }

    /// The place of a birth's stack among those that are kept.
    fn site(&mut self, births: &DescriptorBirths, birth: Birth) -> Option<usize> {
        // One that is being written has no length yet: the next reading will find it.
        let site = births.sites.get(birth.site()).filter(|site| !site.stack().is_empty())?;
        if let Some(&place) = self.by_key.get(&site.key) {
            return Some(place);
        }
        if self.sites.len() >= MAX_CALL_SITES as usize {
            return None;
        }
        let place = self.sites.len();
        self.sites.push(*site);
        self.by_key.insert(site.key, place);
        Some(place)
    }

    /// How many were opened at which stack, by name.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&ResourceKey, &CallSite, u64)> {
        self.counts.iter().map(|(key, site, count)| (key, &self.sites[*site], *count))
    }

    /// What there is to say of what was missed.
    pub(super) fn note(&self) -> Option<CoverageNote> {
        let Watched { seen, missed } = self.watched;
        (missed >= ENOUGH).then_some(CoverageNote::OpeningsMissed { seen, missed })
    }
}

/// Whether what Go opens of a kind may have passed its poller, where the probe is. Of what has not, an older birth of
/// the number is another's.
const fn is_of_the_poller(kind: ResourceKind) -> bool {
    !matches!(kind, ResourceKind::Epoll | ResourceKind::Eventfd | ResourceKind::Pidfd)
}

/// Whether a birth is that of a descriptor which was not there at a time.
fn is_own(birth: Birth, after: Option<Duration>) -> bool {
    after.is_none_or(|after| Duration::from_nanos(birth.at_ns()) >= after)
}

impl Watched {
    fn add(&mut self, life: Life, since: Option<Duration>) {
        let is_watched = life.after.zip(since).is_some_and(|(after, since)| since <= after);
        match life.site {
            _ if !is_watched => {}
            Some(_) => self.seen += 1,
            None => self.missed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: ResourceKey = ResourceKey { kind: ResourceKind::File, name: None };

    fn site(key: u64) -> CallSite {
        let mut words = [0; CallSite::WORDS];
        (words[0], words[4], words[5]) = (key, 1, 100 + key);
        CallSite::from_words(&words)
    }

    /// The openings of a process, read at whole seconds.
    #[derive(Default)]
    struct Read {
        openings: Openings,
        groups: Groups,
    }

    impl Read {
        /// Descriptors by number and name, and when and where the last one of each number was opened.
        fn at(
            &mut self,
            second: u64,
            found: &[(u64, &str)],
            births: &[Option<(u64, u32)>],
            since: Option<u64>,
        ) -> Vec<(u64, u64)> {
            self.groups.begin();
            let member = |(number, name): &(u64, &str)| (*number, Member::of(&(number, name)));
            let members: Vec<_> = found.iter().map(member).collect();
            for (_, member) in &members {
                self.groups.add(&FILES, *member, None);
            }
            let _ = self.groups.end(1);
            let birth = |it: &Option<(u64, u32)>| {
                it.map(|(second, site)| Birth::new(second * 1_000_000_000, site))
            };
            let births = DescriptorBirths {
                since: since.map(Duration::from_secs),
                births: births.iter().map(birth).collect(),
                sites: vec![site(1), site(2)],
            };
            let start = Duration::from_secs(second);
            self.openings.read(start, &members, Some(&births), (&self.groups, 1));
            self.openings.counts().map(|(_, site, count)| (site.key, count)).collect()
        }
    }

    #[test]
    fn each_is_told_by_the_stack_that_opened_it() {
        let mut read = Read::default();
        assert_eq!(read.at(10, &[(3, "a")], &[None], None), []);
        let births = [None, Some((12, 0)), Some((13, 1)), Some((14, 1))];
        let found = [(3, "a"), (4, "b"), (5, "c"), (6, "d")];
        assert_eq!(read.at(20, &found, &births, Some(10)), [(1, 1), (2, 2)]);
        // What is known stays known, with no more to ask.
        assert_eq!(read.at(30, &found[..2], &[None, None], None), [(1, 1)]);
    }

    #[test]
    fn a_number_that_was_used_again_unseen_is_another_descriptor() {
        let mut read = Read::default();
        read.at(10, &[(3, "a")], &[None], Some(5));
        assert_eq!(read.at(20, &[(4, "b")], &[Some((12, 0))], Some(5)), [(1, 1)]);
        assert_eq!(read.at(30, &[(4, "c")], &[Some((12, 0))], Some(5)), []);
        // And seen, though it leads to the same.
        assert_eq!(read.at(40, &[(4, "c")], &[Some((35, 1))], Some(5)), [(2, 1)]);
    }

    #[test]
    fn what_comes_unseen_while_openings_are_watched_is_missed() {
        let mut read = Read::default();
        read.at(10, &[(3, "a")], &[None], Some(5));
        let found = [(3, "a"), (4, "b"), (5, "c"), (6, "d"), (7, "e")];
        let births = [None, None, None, None, Some((15, 0))];
        read.at(20, &found, &births, Some(15));
        assert_eq!(read.openings.note(), None, "they may have come before");
        read.at(20, &found, &births, Some(10));
        let missed = CoverageNote::OpeningsMissed { seen: 1, missed: 3 };
        assert_eq!(read.openings.note(), Some(missed));
    }
}
