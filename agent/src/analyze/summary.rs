//! What a group says of its members: times, objects, labels, a sample of ids, the line to look at.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::kind::Kind;
use super::weighted::Weighted;
use crate::model::function::Origin;
use crate::model::{
    Ages, BlockedBasis, BlockedFor, FrameId, Goroutine, Group, NoStack, Observation, StackId,
    StackTable, StackView,
};

/// How many goroutine ids a group names.
const SAMPLE: usize = 5;

/// The members of one group, as far as the group tells of them.
pub(super) struct Members {
    count: u64,
    blocked: Weighted<Duration>,
    exact: bool,
    ages: Weighted<Duration>,
    /// Each member's objects, once a member; sorted by [`object_waiters`].
    objects: Weighted<u64>,
    goids: Smallest,
    labels: Shared,
    locked_to_thread: u64,
}

impl Members {
    pub(super) fn with_capacity(records: usize) -> Self {
        Self {
            count: 0,
            blocked: Weighted::with_capacity(records),
            exact: true,
            ages: Weighted::with_capacity(0),
            objects: Weighted::with_capacity(records),
            goids: Smallest::default(),
            labels: Shared::default(),
            locked_to_thread: 0,
        }
    }

    pub(super) fn add(&mut self, observation: &Observation, goroutine: &Goroutine) {
        let weight = goroutine.weight;
        self.count += u64::from(weight);
        if let Some(blocked) = goroutine.blocked {
            self.blocked.add(blocked.duration, weight);
        }
        let exact = |blocked: BlockedFor| blocked.basis == BlockedBasis::Probe;
        self.exact &= goroutine.blocked.is_none_or(exact);
        if let Some(age) = goroutine.age {
            self.ages.add(age, weight);
        }
        add_distinct(&mut self.objects, observation.objects_of(goroutine), weight);
        if let Some(goid) = goroutine.id() {
            self.goids.add(goid);
        }
        self.labels.add(goroutine.labels.0, observation.labels_of(goroutine.labels));
        if goroutine.locked_to_thread {
            self.locked_to_thread += u64::from(weight);
        }
    }

    /// How many distinct objects there are, and the one that comes most often (the lowest of
    /// equals) with how often it does.
    fn most_common(&self) -> (u64, Option<(u64, u64)>) {
        let mut distinct = 0;
        let mut common: Option<(u64, u64)> = None;
        for (object, count) in self.objects.runs() {
            distinct += 1;
            if common.is_none_or(|(_, most)| count > most) {
                common = Some((object, count));
            }
        }
        (distinct, common)
    }

    /// The group that they are.
    pub(super) fn group(
        mut self,
        observation: &Observation,
        signature: &str,
        kind: Kind,
        (waiters, creators): (&FxHashMap<u64, u64>, &FxHashMap<FrameId, StackId>),
    ) -> Group {
        let (objects, object) = self.most_common();
        let reason = kind.reason.and_then(|reason| observation.reasons.get(usize::from(reason)));
        Group {
            signature: signature.to_owned(),
            count: self.count,
            previous: None,
            growth_per_second: None,
            wait: kind.wait,
            reason: reason.cloned(),
            oldest: self.blocked.max(),
            exact: self.exact && self.blocked.count() > 0,
            median: self.blocked.median(),
            ages: ages(&mut self.ages),
            blocked_at: kind.stack.id().and_then(|id| blocked_at(&observation.stacks, id)),
            created_by: kind.created_by,
            creation_stack: kind.created_by.and_then(|site| creators.get(&site).copied()),
            stack: kind.stack.id(),
            no_stack: why_no_stack(kind.stack),
            labels: self.labels.0.map(|(_, shared)| shared).unwrap_or_default(),
            goids_sample: self.goids.0,
            // Lives are joined with groups by the window.
            stuck: 0,
            locked_to_thread: self.locked_to_thread,
            objects,
            object,
            object_waiters: object
                .and_then(|(object, _)| waiters.get(&object).copied())
                .unwrap_or_default(),
        }
    }
}

/// How many goroutines of the whole process wait on each object that is the most common one of a
/// group.
pub(super) fn object_waiters(groups: &mut [Members]) -> FxHashMap<u64, u64> {
    let mut waiters = FxHashMap::default();
    for members in &mut *groups {
        members.objects.sort();
        waiters.extend(members.most_common().1.map(|(object, _)| (object, 0)));
    }
    for (object, count) in groups.iter().flat_map(|members| members.objects.runs()) {
        if let Some(all) = waiters.get_mut(&object) {
            *all += count;
        }
    }
    waiters
}

/// Adds each of a goroutine's objects once: a select may name a channel in several cases.
fn add_distinct(all: &mut Weighted<u64>, own: &[u64], weight: u32) {
    match all {
        Weighted::Each(all) if weight == 1 => extend_distinct(all, own),
        _ => {
            let mut distinct = Vec::new();
            extend_distinct(&mut distinct, own);
            for object in distinct {
                all.add(object, weight);
            }
        }
    }
}

fn extend_distinct(all: &mut Vec<u64>, own: &[u64]) {
    let start = all.len();
    all.extend_from_slice(own);
    if own.len() > 1 {
        all[start..].sort_unstable();
        let mut kept = start;
        for at in start..all.len() {
            if at == start || all[at] != all[kept - 1] {
                all[kept] = all[at];
                kept += 1;
            }
        }
        all.truncate(kept);
    }
}

fn ages(ages: &mut Weighted<Duration>) -> Option<Ages> {
    Some(Ages { known: ages.count(), oldest: ages.max()?, median: ages.median()? })
}

/// The stack of a creator at each creation site where a probe saw one: the first of several.
pub(super) fn creation_stacks(observation: &Observation) -> FxHashMap<FrameId, StackId> {
    let mut stacks = FxHashMap::default();
    for site in &observation.sites {
        if let Some((created_by, stack)) = site.created_by.zip(site.creation_stack) {
            stacks.entry(created_by).or_insert(stack);
        }
    }
    stacks
}

/// The innermost frame of the user's own code, or else the innermost outside the runtime.
pub(super) fn blocked_at(stacks: &StackTable, stack: StackId) -> Option<FrameId> {
    let mut outside_runtime = None;
    for &frame in stacks.frames_of(stack) {
        match stacks.origin(frame) {
            Some(Origin::User | Origin::Dependency) if !stacks.is_wrapper(frame) => {
                return Some(frame);
            }
            Some(Origin::User | Origin::Dependency | Origin::Std) => {
                outside_runtime.get_or_insert(frame);
            }
            Some(Origin::Runtime) | None => {}
        }
    }
    outside_runtime
}

const fn why_no_stack(stack: StackView) -> Option<NoStack> {
    match stack {
        StackView::Read(_) => None,
        StackView::Running => Some(NoStack::Running),
        StackView::Torn => Some(NoStack::Torn),
        StackView::NotUnwound => Some(NoStack::NotUnwound),
    }
}

/// The smallest few numbers, sorted.
#[derive(Default)]
struct Smallest(Vec<u64>);

impl Smallest {
    fn add(&mut self, number: u64) {
        if self.0.len() < SAMPLE || self.0.last().is_some_and(|&last| number < last) {
            let at = self.0.partition_point(|&other| other < number);
            self.0.insert(at, number);
            self.0.truncate(SAMPLE);
        }
    }
}

/// The labels that all members share so far, beside the id of the set that was seen last.
#[derive(Default)]
struct Shared(Option<(u32, Vec<(String, String)>)>);

impl Shared {
    fn add(&mut self, id: u32, labels: &[(String, String)]) {
        match &mut self.0 {
            None => self.0 = Some((id, labels.to_vec())),
            Some((last, shared)) => {
                if *last != id && !shared.is_empty() {
                    shared.retain(|label| labels.contains(label));
                }
                *last = id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::busy::Runners;
    use crate::analyze::life::Span;
    use crate::analyze::{group, signature::Signatures};
    use crate::model::{BlockedBasis, BlockedFor, WaitClass};
    use crate::sample::{Sample, leaking};

    fn groups(sample: &Sample) -> Vec<Group> {
        group::groups(
            &sample.observe(0),
            (Span::default(), &Runners::default()),
            &mut Signatures::default(),
        )
        .0
    }

    #[test]
    fn times_objects_and_ids_of_a_leak() {
        let sample = leaking(40);
        let leak = &groups(&sample)[0];
        assert_eq!(leak.oldest, Some(Duration::from_secs(20)));
        assert_eq!(leak.median, Some(Duration::from_secs(10)));
        assert_eq!(leak.goids_sample, [100, 101, 102, 103, 104]);
        assert_eq!((leak.objects, leak.object), (1, Some((0x00c0_0001_2345, 40))));
        assert_eq!(leak.object_waiters, 40);
    }

    #[test]
    fn the_object_counts_goroutines_of_all_groups_and_each_once() {
        let mut sample = Sample::new();
        let a = sample.stack(&[("main.a", "/a.go", 1)]);
        let b = sample.stack(&[("main.b", "/a.go", 2)]);
        let twice = sample.objects(&[0x20, 0x10, 0x20]);
        let once = sample.objects(&[0x20]);
        sample.add(1, WaitClass::Select, StackView::Read(a)).objects = twice;
        sample.add(2, WaitClass::Select, StackView::Read(a)).objects = once;
        sample.add(3, WaitClass::ChanSend, StackView::Read(b)).objects = once;
        let groups = groups(&sample);
        assert_eq!((groups[0].objects, groups[0].object), (2, Some((0x20, 2))));
        assert_eq!(groups[0].object_waiters, 3);
    }

    #[test]
    fn unknown_times_and_objects_stay_unknown() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[]);
        sample.add(1, WaitClass::Runtime, StackView::Read(stack));
        let group = &groups(&sample)[0];
        assert_eq!((group.oldest, group.median, group.object), (None, None, None));
        assert_eq!(group.blocked_at, None, "nothing but the runtime");
    }

    #[test]
    fn one_known_time_among_unknown_ones_is_the_median() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.a", "/a.go", 1)]);
        sample.add(1, WaitClass::Sleep, StackView::Read(stack));
        sample.add(2, WaitClass::Sleep, StackView::Read(stack)).blocked =
            Some(BlockedFor { duration: Duration::from_secs(3), basis: BlockedBasis::Runtime });
        assert_eq!(groups(&sample)[0].median, Some(Duration::from_secs(3)));
    }

    #[test]
    fn blocked_at_is_the_users_line_or_else_the_standard_librarys() {
        let mut sample = Sample::new();
        let accept = ("internal/poll.(*FD).Accept", "/usr/local/go/src/internal/poll/fd.go", 9);
        let both = sample.stack(&[accept, ("main.serve", "/a.go", 4)]);
        let std = sample.stack(&[accept]);
        let unnamed = sample.unresolved_stack(0x40_1000);
        let line = |stack| {
            let frame = blocked_at(&sample.stacks, stack)?;
            sample.stacks.lookup(frame).ok().map(|f| f.line)
        };
        assert_eq!(line(both), Some(4));
        assert_eq!(line(std), Some(9));
        assert_eq!(line(unnamed), None);
    }

    #[test]
    fn labels_are_those_that_all_share() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.a", "/a.go", 1)]);
        let one = sample.labels(&[("job", "import"), ("tenant", "a")]);
        let two = sample.labels(&[("job", "import"), ("tenant", "b")]);
        sample.add(1, WaitClass::ChanSend, StackView::Read(stack)).labels = one;
        sample.add(2, WaitClass::ChanSend, StackView::Read(stack)).labels = two;
        assert_eq!(groups(&sample)[0].labels, [("job".to_owned(), "import".to_owned())]);
        sample.add(3, WaitClass::ChanSend, StackView::Read(stack));
        assert!(groups(&sample)[0].labels.is_empty());
    }

    #[test]
    fn a_running_goroutine_says_why_it_has_no_stack() {
        let groups = groups(&leaking(1));
        let running = groups.iter().find(|g| g.wait == WaitClass::Running).expect("one runs");
        assert_eq!(running.stack, None);
        assert!(running.no_stack == Some(NoStack::Running));
    }
}
