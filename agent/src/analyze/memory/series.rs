//! Memory figures over time, in bounded memory.

use std::sync::Arc;
use std::time::Duration;

use crate::analyze::thin::thin;
use crate::analyze::trends::{Curve, MIN_POINTS};
use crate::model::{HeapProfile, HeapProfileBasis, Memory, ProfiledSites};

/// Points that are kept at most. When they become too many, every second one goes.
const POINTS: usize = 512;
/// Figures that are older than this, with samples since that have none, are not those of now.
const STALE: Duration = Duration::from_secs(180);
/// From so many collections on, the moments after them stand for a window.
const MIN_COLLECTIONS: usize = 8;

/// The figures of a window: the last in full, those before as points.
#[derive(Clone, Debug, Default)]
pub(in crate::analyze) struct Series {
    points: Vec<Point>,
    /// The collections that were seen to have ended, the last one before the window among them.
    collections: Vec<Collected>,
    last: Option<Memory>,
    /// Who had allocated what was in use when the first heap profile was made.
    first_profiled: Option<Arc<ProfiledSites>>,
    /// And when the last was.
    last_profiled: Option<Arc<ProfiledSites>>,
    /// When the last figures came, since the first observation.
    last_at: Option<Duration>,
}

/// A collection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Collected {
    /// When it was first seen to have ended, in seconds since the first observation.
    at: f64,
    /// What it found reachable.
    pub(super) live: u64,
    /// What had been allocated by then since the program began.
    pub(super) allocated: Option<u64>,
}

/// What of one moment's figures is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) elapsed: Duration,
    pub(super) live: Option<u64>,
    pub(super) objects: Option<u64>,
    pub(super) rss: Option<u64>,
    pub(super) anonymous: Option<u64>,
    /// What the runtime has mapped and not given back.
    pub(super) ready: Option<u64>,
    pub(super) allocated_bytes: Option<u64>,
    pub(super) allocated_objects: Option<u64>,
    pub(super) collections: Option<u32>,
    pub(super) gc_cpu_ns: Option<u64>,
    pub(super) busy_cpu_ns: Option<u64>,
}

impl Point {
    fn of(elapsed: Duration, memory: &Memory) -> Self {
        let heap = memory.heap.as_ref();
        let process = memory.process.as_ref();
        let counted = memory.profile.filter(|it| it.basis == HeapProfileBasis::Counted);
        Self {
            elapsed,
            live: memory.live_bytes(),
            objects: heap.map(|heap| heap.objects_bytes).or_else(|| Some(counted?.in_use_bytes)),
            rss: process.map(|process| process.rss_bytes),
            anonymous: process.map(|process| process.anonymous_bytes),
            ready: heap.map(crate::model::Heap::ready_bytes),
            allocated_bytes: heap.map(|heap| heap.allocated_bytes),
            allocated_objects: heap.map(|heap| heap.allocated_objects),
            collections: heap.map(|heap| heap.collections),
            gc_cpu_ns: heap.filter(|heap| !heap.is_served).map(|heap| heap.gc_cpu_ns),
            busy_cpu_ns: heap.filter(|heap| !heap.is_served).map(|heap| heap.busy_cpu_ns),
        }
    }

    /// Anonymous memory that is not the runtime's, at least: some of what that has mapped may not be
    /// resident.
    pub(super) fn outside(&self) -> Option<u64> {
        Some(self.anonymous?.saturating_sub(self.ready?))
    }
}

/// What a heap profile estimates to be reachable, where the runtime's own figure is not known.
fn profiled(memory: &Memory) -> Option<HeapProfile> {
    let is_known = memory.heap.as_ref().is_some_and(|heap| heap.marked_bytes.is_some());
    memory.profile.filter(|it| it.basis == HeapProfileBasis::Sampled && !is_known)
}

impl Series {
    pub(in crate::analyze) fn add(&mut self, elapsed: Duration, memory: &Memory) {
        if *memory == Memory::default() {
            // What is asked for now and then is not told as of now for ever.
            if self.last_at.is_some_and(|at| elapsed.saturating_sub(at) > STALE) {
                (self.last, self.last_profiled) = (None, None);
            }
            return;
        }
        self.last_at = Some(elapsed);
        let before = self.points.iter().rev().find_map(|point| point.collections);
        let point = Point::of(elapsed, memory);
        self.points.push(point);
        // A profile does not say whether there was another collection since the one before.
        if let Some(live) = point.live
            && (point.collections.is_none() || point.collections != before)
        {
            let allocated = match profiled(memory) {
                // Both are as of one collection.
                Some(profile) => profile.allocated_bytes,
                // What is there beyond what it kept came after it, or was not freed yet.
                None if before.is_none() => point
                    .allocated_bytes
                    .zip(point.objects)
                    .map(|(bytes, objects)| bytes.saturating_sub(objects.saturating_sub(live))),
                None => point.allocated_bytes,
            };
            self.collections.push(Collected { at: elapsed.as_secs_f64(), live, allocated });
        }
        let Memory { heap, process, group, profile, large, profiled } = memory;
        self.last_profiled = profiled.clone().map(Arc::new);
        if self.first_profiled.is_none() {
            self.first_profiled.clone_from(&self.last_profiled);
        }
        // Nobody needs the sites of it.
        self.last = Some(Memory {
            heap: heap.clone(),
            process: *process,
            group: *group,
            profile: *profile,
            large: large.clone(),
            profiled: None,
        });
        thin(&mut self.points, POINTS);
        thin(&mut self.collections, POINTS);
    }

    /// Keeps no more than so many points.
    pub(in crate::analyze) fn keep(&mut self, most: usize) {
        thin(&mut self.points, most);
        thin(&mut self.collections, most);
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Who had allocated what was in use at first, and who has now.
    pub(super) fn profiled(&self) -> Option<(&ProfiledSites, &Arc<ProfiledSites>)> {
        self.first_profiled.as_deref().zip(self.last_profiled.as_ref())
    }

    /// The last figures in full.
    pub(super) const fn now(&self) -> Option<&Memory> {
        self.last.as_ref()
    }

    /// One figure over time, in seconds and bytes.
    pub(super) fn of(&self, figure: impl Fn(&Point) -> Option<u64>) -> Vec<(f64, u64)> {
        let at = |point: &Point| Some((point.elapsed.as_secs_f64(), figure(point)?));
        self.points.iter().filter_map(at).collect()
    }

    /// The same, only when a collection was first seen to have ended, where there are enough of them: what
    /// fills up until it is collected is at its lowest then.
    pub(super) fn after_collections(
        &self,
        figure: impl Fn(&Point) -> Option<u64>,
    ) -> Vec<(f64, u64)> {
        let pairs = self.points.windows(2);
        let after = pairs.filter(|pair| pair[1].collections != pair[0].collections);
        let after: Vec<_> = after
            .filter_map(|pair| Some((pair[1].elapsed.as_secs_f64(), figure(&pair[1])?)))
            .collect();
        if after.len() < MIN_COLLECTIONS { self.of(figure) } else { after }
    }

    /// What collections found reachable, by when they were seen to have ended. That of the last one before the window is
    /// left out where the others are enough: nobody knows how long before.
    pub(super) fn collections(&self) -> Vec<(f64, u64)> {
        let is_counted = self.points.first().is_some_and(|point| point.collections.is_some());
        let before = usize::from(is_counted && self.collections.len() > MIN_POINTS);
        self.collections.iter().skip(before).map(|it| (it.at, it.live)).collect()
    }

    /// What collections found reachable.
    pub(in crate::analyze) fn live(&self) -> Curve {
        Curve::counted(&self.collections())
    }

    /// The resident memory.
    pub(in crate::analyze) fn resident(&self) -> Curve {
        Curve::counted(&self.after_collections(|point| point.rss))
    }

    /// The collections, the last one before the window first.
    pub(super) fn collected(&self) -> impl Iterator<Item = Collected> {
        self.collections.iter().copied()
    }
}
