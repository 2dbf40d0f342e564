//! A sample of each group's goroutine ids, with how long their owners have waited: what tells when a
//! group came to be, from one snapshot.
//!
//! Ids are given in ascending order, by the batch: each P takes 16 at a time (`_GoidCacheBatch`,
//! `runtime/proc.go`), so that neighbours are only approximately in order.

use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{BlockedBasis, Goroutine, WaitClass};

/// The goroutine that runs `main.main` (`runtime/proc.go`: the first one created).
pub(super) const MAIN: u64 = 1;

/// Members that are sampled of a group. The sample is drawn by a hash of the ids: the same goroutines
/// give the same sample, and samples of two groups merge into a sample of both.
pub(super) const MAX_SAMPLED: usize = 256;
/// Sampled members of all groups for whom it is looked up whether somebody attends to them.
const MAX_RELATED: usize = 1 << 14;
/// A goroutine started together with another one has an id at most this far from it.
const NEIGHBOUR: u64 = 3;
/// A creator of more of a group than this is no partner of each of them.
const MAX_PARTNERS: f64 = 4.0;
/// Groups that are sampled, the largest first.
pub(super) const MAX_GROUPS: usize = 1024;
/// So many that started some of a group each did not do so at the beginning.
const MIN_CREATORS: usize = 8;
/// Smaller groups are not analysed.
pub(super) const MIN_MEMBERS: u64 = 4;

/// One sampled goroutine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Member {
    /// The place in the order that the sample is drawn by.
    order: u64,
    pub(super) goid: u64,
    parent: u64,
    /// For how long it has waited where it waits, as far as anybody can tell: a lower bound.
    pub(super) waited: Duration,
    /// Whether the runtime or a probe said so.
    pub(super) is_timed: bool,
    /// Whether its own creator, a goroutine started with it, or one that it started, is at work.
    is_attended: bool,
    /// Whether its creator is still there.
    has_creator: bool,
}

/// The sample of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    members: Vec<Member>,
    /// No later place than this comes into the sample any more.
    bound: Option<u64>,
    /// How many there were to draw from.
    count: u64,
    lowest: u64,
    highest: u64,
    /// Whether it was looked up who attends to them.
    is_related: bool,
}

impl Ids {
    pub(super) fn add(&mut self, goroutine: &Goroutine) {
        let Some(goid) = goroutine.id() else { return };
        self.lowest = if self.count == 0 { goid } else { self.lowest.min(goid) };
        self.highest = self.highest.max(goid);
        self.count += 1;
        let order = order(goid);
        if self.bound.is_some_and(|bound| order > bound) {
            return;
        }
        let blocked = goroutine.blocked;
        self.members.push(Member {
            order,
            goid,
            parent: goroutine.parent.map_or(0, std::num::NonZeroU64::get),
            waited: blocked.map_or(Duration::ZERO, |blocked| blocked.duration),
            is_timed: blocked.is_some_and(|blocked| blocked.basis != BlockedBasis::FirstSeen),
            is_attended: false,
            has_creator: false,
        });
        if self.members.len() >= 2 * MAX_SAMPLED {
            self.draw();
        }
    }

    /// Takes in the sample of another group.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.lowest = if self.count == 0 { other.lowest } else { self.lowest.min(other.lowest) };
        self.highest = self.highest.max(other.highest);
        self.is_related = other.is_related && (self.is_related || self.count == 0);
        self.count += other.count;
        self.members.extend_from_slice(&other.members);
        self.draw();
    }

    fn draw(&mut self) {
        if self.members.len() > MAX_SAMPLED {
            self.members.select_nth_unstable_by_key(MAX_SAMPLED - 1, |member| member.order);
            self.members.truncate(MAX_SAMPLED);
            self.bound = self.members.iter().map(|member| member.order).max();
        }
    }

    /// The sampled members, by id.
    pub(super) fn by_id(&self) -> Vec<Member> {
        let mut members = self.members.clone();
        members.sort_unstable_by_key(|member| member.goid);
        members
    }

    /// The part that the group has of all ids between its lowest and its highest.
    pub(super) fn density(&self) -> f64 {
        self.count as f64 / (self.highest - self.lowest + 1) as f64
    }

    /// Whether they were not all started by main, or by somebody who has gone: what starts up does that.
    pub(super) fn was_started_again_and_again(&self) -> bool {
        let total = self.members.len() as f64;
        let share = |of: fn(&Member) -> bool| {
            self.members.iter().filter(|&member| of(member)).count() as f64 / total
        };
        let parents: FxHashSet<u64> = self.members.iter().map(|member| member.parent).collect();
        self.is_related
            && share(|member| member.parent <= MAIN) < 0.5
            && (parents.len() >= MIN_CREATORS || share(|member| member.has_creator) > 0.9)
    }

    /// The share of members to whom somebody attends; `None` where that was not looked up.
    pub(super) fn attended(&self) -> Option<f64> {
        let attended = self.members.iter().filter(|member| member.is_attended).count();
        self.is_related.then(|| attended as f64 / self.members.len().max(1) as f64)
    }
}

/// A fixed shuffle of the ids (the finaliser of `SplitMix64`).
const fn order(goid: u64) -> u64 {
    let mixed = (goid ^ (goid >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The process's own clocks in one sample.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The highest id of a goroutine that is there: about as many were ever created.
    pub(super) last: u64,
    /// How long the process has been running, or at least for how long one of its goroutines has waited.
    pub(super) life: Duration,
}

impl Clock {
    pub(super) fn of(goroutines: &[Goroutine], uptime: Option<Duration>) -> Self {
        let waited = |goroutine: &Goroutine| goroutine.blocked.map(|blocked| blocked.duration);
        let oldest = goroutines.iter().filter_map(waited).max().unwrap_or_default();
        Self {
            last: goroutines.iter().filter_map(Goroutine::id).max().unwrap_or(0),
            life: uptime.unwrap_or_default().max(oldest),
        }
    }
}

/// Whether a goroutine waits for what another one of the process would have to do.
pub(super) const fn waits_for_another(wait: WaitClass) -> bool {
    matches!(
        wait,
        WaitClass::ChanSend
            | WaitClass::ChanReceive
            | WaitClass::Select
            | WaitClass::Mutex
            | WaitClass::RwMutex
            | WaitClass::Cond
            | WaitClass::WaitGroup
            | WaitClass::Semaphore
    )
}

/// Looks up for sampled members whether somebody attends to them: their own creator, or a goroutine
/// that was started together with them or by them, which is at work (a session's reader, mostly; what a
/// handler has to notice that its client goes). `samples` are
/// those of the largest groups first.
pub(super) fn relate<'a>(goroutines: &[Goroutine], samples: impl Iterator<Item = &'a mut Ids>) {
    let mut asked: Vec<&mut Ids> = Vec::new();
    let mut room = MAX_RELATED;
    for ids in samples {
        ids.draw();
        if ids.count < MIN_MEMBERS {
            continue;
        }
        let Some(left) = room.checked_sub(ids.members.len()) else { break };
        room = left;
        asked.push(ids);
    }
    let mut members: Vec<(u64, u64)> = asked
        .iter()
        .flat_map(|ids| ids.members.iter().map(|member| (member.goid, member.parent)))
        .collect();
    members.sort_unstable();
    let parents: FxHashSet<u64> = members.iter().map(|&(_, parent)| parent).collect();
    let mut alive: FxHashMap<u64, bool> = FxHashMap::default();
    let mut accompanied: FxHashSet<u64> = FxHashSet::default();
    for goroutine in goroutines {
        let Some(goid) = goroutine.id() else { continue };
        let works = is_at_work(goroutine.wait);
        if parents.contains(&goid) {
            alive.insert(goid, works);
        }
        if !works {
            continue;
        }
        let Some(parent) = goroutine.parent.map(std::num::NonZeroU64::get) else { continue };
        if members.binary_search_by_key(&parent, |&(member, _)| member).is_ok() {
            accompanied.insert(parent);
        }
        if parents.contains(&parent) {
            let from = members.partition_point(|&(member, _)| member + NEIGHBOUR < goid);
            let near =
                members[from..].iter().take_while(|&&(member, _)| member <= goid + NEIGHBOUR);
            accompanied.extend(near.filter(|&&(_, of)| of == parent).map(|&(member, _)| member));
        }
    }
    for ids in asked {
        let scale = ids.count as f64 / ids.members.len().max(1) as f64;
        let mut children: FxHashMap<u64, f64> = FxHashMap::default();
        for member in &ids.members {
            *children.entry(member.parent).or_default() += scale;
        }
        for member in &mut ids.members {
            let creator = alive.get(&member.parent);
            member.has_creator = creator.is_some();
            let has_partner = creator == Some(&true)
                && children.get(&member.parent).is_some_and(|&of| of <= MAX_PARTNERS.max(scale));
            member.is_attended = has_partner || accompanied.contains(&member.goid);
        }
        ids.is_related = true;
    }
}

const fn is_at_work(wait: WaitClass) -> bool {
    matches!(
        wait,
        WaitClass::IoWait
            | WaitClass::Sleep
            | WaitClass::Running
            | WaitClass::Runnable
            | WaitClass::Syscall
            | WaitClass::Cgo
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Observation, StackView};
    use crate::sample::Sample;

    fn ids(goids: impl Iterator<Item = u64>, observation: &Observation) -> Ids {
        let wanted: FxHashSet<u64> = goids.collect();
        let mut ids = Ids::default();
        for goroutine in observation
            .goroutines
            .iter()
            .filter(|it| it.id().is_some_and(|goid| wanted.contains(&goid)))
        {
            ids.add(goroutine);
        }
        ids
    }

    /// Goroutines 1 to `last`, each with a parent and a class.
    fn process(last: u64, of: impl Fn(u64) -> (u64, WaitClass)) -> Observation {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.work", "/a.go", 3)]);
        for goid in 1..=last {
            let (parent, wait) = of(goid);
            sample.add(goid, wait, StackView::Read(stack)).parent =
                std::num::NonZeroU64::new(parent);
        }
        sample.observe(0)
    }

    #[test]
    fn a_sample_is_bounded_spread_evenly_and_the_same_however_it_is_put_together() {
        let observation = process(10_000, |_| (0, WaitClass::ChanSend));
        let mut whole = ids(1..10_001, &observation);
        whole.draw();
        let mut halves = ids(1..4_001, &observation);
        halves.merge(&ids(4_001..10_001, &observation));
        assert_eq!(whole.by_id(), halves.by_id());
        assert_eq!(whole.by_id().len(), MAX_SAMPLED);
        let mean = whole.by_id().iter().map(|it| it.goid).sum::<u64>() / MAX_SAMPLED as u64;
        assert!((4_400..5_600).contains(&mean), "{mean}");
        assert!((whole.density() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_session_is_attended_by_its_reader_or_by_its_own_creator() {
        // Handlers (even ids) at the network, each with a writer that it started.
        let own = process(200, |goid| match goid % 2 {
            0 => (1, WaitClass::IoWait),
            _ => (goid - 1, WaitClass::Select),
        });
        let mut writers = ids((3..201).step_by(2), &own);
        relate(&own.goroutines, std::iter::once(&mut writers));
        assert_eq!(writers.attended(), Some(1.0));
        // One loop accepts, and starts a reader and a writer each time.
        let pairs = process(200, |goid| match goid % 2 {
            0 => (1, WaitClass::IoWait),
            _ => (1, WaitClass::Select),
        });
        let mut writers = ids((3..201).step_by(2), &pairs);
        relate(&pairs.goroutines, std::iter::once(&mut writers));
        assert_eq!(writers.attended(), Some(1.0));
    }

    #[test]
    fn a_handler_is_attended_by_what_reads_from_its_client() {
        let handlers = process(200, |goid| match goid {
            1 => (0, WaitClass::IoWait),
            2..=100 => (1, WaitClass::Select),
            _ => (goid - 100, WaitClass::IoWait),
        });
        let mut waiting = ids(2..101, &handlers);
        relate(&handlers.goroutines, std::iter::once(&mut waiting));
        assert_eq!(waiting.attended(), Some(1.0));
    }

    #[test]
    fn a_loop_that_started_all_of_them_attends_to_none() {
        let pile = process(200, |goid| match goid {
            1 => (0, WaitClass::Sleep),
            _ => (1, WaitClass::ChanReceive),
        });
        let mut receivers = ids(2..201, &pile);
        assert_eq!(receivers.attended(), None, "nobody looked");
        relate(&pile.goroutines, std::iter::once(&mut receivers));
        assert_eq!(receivers.attended(), Some(0.0));
    }
}
