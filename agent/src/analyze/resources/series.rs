//! Counts of what a process holds over time, in bounded memory.

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::analyze::thin::thin;
use crate::analyze::trends::Curve;
use crate::model::{
    ResourceGroup, ResourceKey, ResourceKind, ResourceName, ResourcePoint, Resources, TcpState,
};

/// Points, and details, that are kept at most. When they become too many, every second one goes.
const POINTS: usize = 256;
/// Names that are kept. When there are more, those that are gone are forgotten.
const KEYS: usize = 4096;

/// What is counted of a window.
#[derive(Clone, Debug, Default)]
pub(in crate::analyze) struct Series {
    points: Vec<ResourcePoint>,
    details: Vec<Detail>,
    ids: FxHashMap<ResourceKey, u32>,
    next_id: u32,
    /// Things that came and went within the window; `None` of those that are not known apart.
    churn: FxHashMap<u32, Option<(u64, u64)>>,
    now: Option<Resources>,
    readings: u64,
    details_at: Option<Duration>,
}

/// The counts of one reading, by the number of the name.
#[derive(Clone, Debug)]
struct Detail {
    seconds: f64,
    counts: FxHashMap<u32, Count>,
}

/// How many there are of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u64,
    closed_by_peer: u64,
}

impl Series {
    pub(in crate::analyze) fn add(&mut self, elapsed: Duration, seen: &Resources) {
        if *seen == Resources::default() {
            return;
        }
        let count = |usage: Option<crate::model::Usage>| usage.map(|usage| usage.count);
        self.points.push(ResourcePoint {
            elapsed,
            descriptors: count(seen.descriptors),
            threads: count(seen.threads),
            mappings: count(seen.mappings),
            children: count(seen.children),
        });
        thin(&mut self.points, POINTS);
        let mut now = seen.clone();
        if let Some(before) = self.now.take() {
            // What is not counted at every observation is as it was.
            now.mappings = now.mappings.or(before.mappings);
            now.children = now.children.or(before.children);
            now.descriptors = now.descriptors.or(before.descriptors);
            now.details = now.details.or(before.details);
        }
        self.now = Some(now);
        let Some(details) = &seen.details else { return };
        let is_first = self.details.is_empty();
        self.forget();
        self.details_at = Some(elapsed);
        self.readings += 1;
        let mut counts: FxHashMap<u32, Count> = FxHashMap::default();
        for group in &details.groups {
            for key in levels(&group.key) {
                let id = self.id(key);
                let count = counts.entry(id).or_default();
                count.all += group.count;
                count.closed_by_peer += closed_by_peer(group);
                if !is_first {
                    let churn = self.churn.entry(id).or_insert(Some((0, 0)));
                    *churn = churn.zip(group.churn).map(|(a, b)| (a.0 + b.0, a.1 + b.1));
                }
            }
        }
        self.details.push(Detail { seconds: elapsed.as_secs_f64(), counts });
        thin(&mut self.details, POINTS);
    }

    /// Keeps no more than so many points.
    pub(in crate::analyze) fn keep(&mut self, most: usize) {
        thin(&mut self.points, most);
        thin(&mut self.details, most);
    }

    /// Forgets names of which there was nothing at the last reading, when there are many.
    fn forget(&mut self) {
        if self.ids.len() > KEYS
            && let Some(last) = self.details.last()
        {
            self.ids.retain(|_, id| last.counts.contains_key(id));
            self.churn.retain(|id, _| last.counts.contains_key(id));
        }
    }

    /// The number of a name.
    fn id(&mut self, key: ResourceKey) -> u32 {
        *self.ids.entry(key).or_insert_with(|| {
            self.next_id = self.next_id.wrapping_add(1);
            self.next_id
        })
    }

    pub(super) fn points(&self) -> &[ResourcePoint] {
        &self.points
    }

    /// The last counts, with the last details.
    pub(super) const fn now(&self) -> Option<&Resources> {
        self.now.as_ref()
    }

    pub(super) const fn details_at(&self) -> Option<Duration> {
        self.details_at
    }

    pub(super) const fn readings(&self) -> u64 {
        self.readings
    }

    /// One count over time, in seconds.
    pub(super) fn of(&self, count: impl Fn(&ResourcePoint) -> Option<u64>) -> Vec<(f64, u64)> {
        let at = |point: &ResourcePoint| Some((point.elapsed.as_secs_f64(), count(point)?));
        self.points.iter().filter_map(at).collect()
    }

    /// How many descriptors there were.
    pub(in crate::analyze) fn descriptors(&self) -> Curve {
        Curve::counted(&self.of(|point| point.descriptors))
    }

    /// Every name that was seen, in order.
    pub(super) fn keys(&self) -> Vec<&ResourceKey> {
        let mut keys: Vec<_> = self.ids.keys().collect();
        keys.sort();
        keys
    }

    /// How many there were of a name at each reading.
    pub(super) fn history(&self, key: &ResourceKey) -> Vec<(f64, u64)> {
        self.counts(key, |count| count.all)
    }

    /// How many of those were connections that the other end had closed.
    pub(super) fn closed_by_peer(&self, key: &ResourceKey) -> Vec<(f64, u64)> {
        self.counts(key, |count| count.closed_by_peer)
    }

    fn counts(&self, key: &ResourceKey, of: impl Fn(Count) -> u64) -> Vec<(f64, u64)> {
        let Some(id) = self.ids.get(key) else { return Vec::new() };
        let count = |it: &Detail| of(it.counts.get(id).copied().unwrap_or_default());
        self.details.iter().map(|it| (it.seconds, count(it))).collect()
    }

    /// How many of a name came, and how many went; `None` where they are not known apart.
    pub(super) fn churn(&self, key: &ResourceKey) -> Option<(u64, u64)> {
        *self.churn.get(self.ids.get(key)?)?
    }

    /// The same of descriptors of any kind.
    pub(super) fn churn_of_descriptors(&self) -> Option<(u64, u64)> {
        let kinds =
            self.ids.iter().filter(|(key, _)| key.name.is_none() && key.kind.is_descriptor());
        let mut churn = kinds.filter_map(|(_, id)| self.churn.get(id));
        churn.try_fold((0, 0), |sum: (u64, u64), of| {
            let (came, gone) = (*of)?;
            Some((sum.0 + came, sum.1 + gone))
        })
    }
}

/// What a group counts towards: its name, the directory of that, its kind.
pub(super) fn levels(key: &ResourceKey) -> impl Iterator<Item = ResourceKey> {
    let kind = ResourceKey { kind: key.kind, name: None };
    let named = |name| ResourceKey { kind: key.kind, name: Some(name) };
    let directory = directory(key).map(named);
    let own = key.name.clone().map(named);
    [own, directory, Some(kind)].into_iter().flatten()
}

/// Whether things of a name are among those of another: of all in a directory, of a kind, or of all descriptors.
pub(super) fn is_part_of(of: &ResourceKey, key: &ResourceKey) -> bool {
    let is_any = key.kind == ResourceKind::Descriptor && of.kind.is_descriptor();
    is_any || levels(of).any(|level| level == *key)
}

/// The directory of a file, as a name: `/tmp/*`.
pub(super) fn directory(key: &ResourceKey) -> Option<ResourceName> {
    let Some(ResourceName::Path(path)) = &key.name else { return None };
    let (directory, name) = path.rsplit_once('/')?;
    (name != "*").then(|| ResourceName::Path(format!("{directory}/*")))
}

pub(super) fn closed_by_peer(group: &ResourceGroup) -> u64 {
    group.states.get(&TcpState::CloseWait).copied().unwrap_or(0)
}
