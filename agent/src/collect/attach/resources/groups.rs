//! Things of one kind and name, counted; and who of them came and went since they were counted before.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::pattern;
use crate::model::{ResourceGroup, ResourceKey, ResourceName, TcpState};

/// Groups that are told apart, the largest; files of others by their directories, of which there are as many at
/// most.
const MAX_GROUPS: usize = 512;

/// Groups of one reading after the other.
#[derive(Default)]
pub(super) struct Groups {
    keys: Vec<ResourceKey>,
    by_key: FxHashMap<ResourceKey, u32>,
    counted: FxHashMap<u32, Counted>,
    /// Who is in which group, now and at the reading before.
    members: FxHashMap<Member, u32>,
    before: FxHashMap<Member, u32>,
    /// Connections that the other end has closed.
    closed_by_peer: FxHashSet<Member>,
    /// Whether nothing was read before, so that nobody came and nobody went.
    is_first: bool,
    /// One of so many is looked at.
    one_in: u64,
    /// The names under which groups were told, by their numbers.
    told: FxHashMap<u32, ResourceKey>,
}

/// What is counted of a group.
#[derive(Default)]
struct Counted {
    count: u64,
    states: BTreeMap<TcpState, u64>,
    came: u64,
    gone: u64,
    /// Whether its things are known apart.
    apart: bool,
}

/// One thing, by a hash of what makes it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Member(u64);

impl Member {
    pub(super) fn of(what: &impl Hash) -> Self {
        let mut hasher = FxHasher::default();
        what.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Groups {
    /// Begins another reading.
    pub(super) fn begin(&mut self) {
        self.is_first = self.one_in == 0;
        self.before = std::mem::take(&mut self.members);
        self.counted.clear();
        self.closed_by_peer.clear();
        if self.keys.len() > 8 * MAX_GROUPS {
            // Names that come and go for ever: numbers are given anew.
            (self.keys, self.by_key) = Default::default();
            self.before.clear();
            self.is_first = true;
        }
    }

    /// The name that a thing was given at the reading before, which holds as long as it is there.
    pub(super) fn known(&self, member: Member) -> Option<&ResourceKey> {
        self.keys.get(*self.before.get(&member)? as usize)
    }

    /// Under which name a thing was told by the last [`Groups::end`].
    pub(super) fn key(&self, member: Member) -> Option<&ResourceKey> {
        self.told.get(self.members.get(&member)?)
    }

    /// Whether a thing is a connection that the other end has closed.
    pub(super) fn is_closed_by_peer(&self, member: Member) -> bool {
        self.closed_by_peer.contains(&member)
    }

    /// One more thing of a kind and name.
    pub(super) fn add(&mut self, key: &ResourceKey, member: Member, state: Option<TcpState>) {
        let group = self.group(key);
        self.members.insert(member, group);
        let counted = self.counted.entry(group).or_default();
        counted.count += 1;
        counted.apart = true;
        if let Some(state) = state {
            *counted.states.entry(state).or_default() += 1;
            if state == TcpState::CloseWait {
                self.closed_by_peer.insert(member);
            }
        }
    }

    /// So many more things that nobody knows apart.
    pub(super) fn count(&mut self, key: ResourceKey, count: u64) {
        let group = self.group(&key);
        self.counted.entry(group).or_default().count += count;
    }

    fn group(&mut self, key: &ResourceKey) -> u32 {
        if let Some(group) = self.by_key.get(key) {
            return *group;
        }
        let group = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key.clone());
        self.by_key.insert(key.clone(), group);
        group
    }

    /// What this reading says, most first. `one_in` of what can be known apart was looked at.
    pub(super) fn end(&mut self, one_in: u64) -> Vec<ResourceGroup> {
        let is_comparable = !self.is_first && self.one_in == one_in;
        self.one_in = one_in;
        for (member, group) in &self.members {
            if self.before.get(member) != Some(group) {
                self.counted.entry(*group).or_default().came += 1;
            }
        }
        for (member, group) in &self.before {
            if self.members.get(member) != Some(group) {
                let counted = self.counted.entry(*group).or_default();
                counted.gone += 1;
                counted.apart = true;
            }
        }
        self.before.clear();
        self.told.clear();
        let mut merged: BTreeMap<ResourceKey, ResourceGroup> = BTreeMap::new();
        let mut counted: Vec<_> = std::mem::take(&mut self.counted).into_iter().collect();
        counted.sort_by_key(|(group, counted)| (Reverse(counted.count), *group));
        for (number, (group, counted)) in counted.into_iter().enumerate() {
            let Some(key) = self.keys.get(group as usize) else { continue };
            // Children and mappings are not sampled.
            let each = if key.kind.is_descriptor() { one_in } else { 1 };
            let mut key = if number < MAX_GROUPS { key.clone() } else { coarser(key) };
            if merged.len() >= 2 * MAX_GROUPS && !merged.contains_key(&key) {
                key.name = None;
            }
            let churn = (is_comparable && counted.apart)
                .then_some((counted.came * each, counted.gone * each));
            let states = counted.states.into_iter().map(|(state, count)| (state, count * each));
            let of = ResourceGroup {
                key: key.clone(),
                count: counted.count * each,
                states: states.collect(),
                churn,
            };
            self.told.insert(group, key.clone());
            merged.entry(key).and_modify(|sum| sum_up(sum, &of)).or_insert(of);
        }
        let mut groups: Vec<_> = merged.into_values().collect();
        groups.sort_by_key(|group| Reverse(group.count));
        groups
    }
}

fn sum_up(sum: &mut ResourceGroup, of: &ResourceGroup) {
    sum.count += of.count;
    for (state, count) in &of.states {
        *sum.states.entry(*state).or_default() += count;
    }
    let add = |a: (u64, u64), b: (u64, u64)| (a.0 + b.0, a.1 + b.1);
    sum.churn = sum.churn.zip(of.churn).map(|(a, b)| add(a, b));
}

/// The directory in place of the file; no name in place of any other.
fn coarser(key: &ResourceKey) -> ResourceKey {
    let name = match &key.name {
        Some(ResourceName::Path(path)) => pattern::directory(path).map(ResourceName::Path),
        _ => None,
    };
    ResourceKey { kind: key.kind, name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResourceKind;

    fn file(path: &str) -> ResourceKey {
        ResourceKey { kind: ResourceKind::File, name: Some(ResourceName::Path(path.to_owned())) }
    }

    fn read(groups: &mut Groups, paths: impl Iterator<Item = String>) -> Vec<ResourceGroup> {
        groups.begin();
        for (number, path) in paths.enumerate() {
            groups.add(&file(&path), Member::of(&(number, &path)), None);
        }
        groups.end(1)
    }

    #[test]
    fn who_came_and_who_went() {
        let mut groups = Groups::default();
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let first = read(&mut groups, names(&["/a", "/a", "/b"]).into_iter());
        assert_eq!((first[0].count, first[0].churn), (2, None));
        let second = read(&mut groups, names(&["/a", "/b", "/b"]).into_iter());
        let of = |path: &str| second.iter().find(|group| group.key == file(path)).expect("there");
        assert_eq!((of("/a").count, of("/a").churn), (1, Some((0, 1))));
        assert_eq!((of("/b").count, of("/b").churn), (2, Some((1, 0))));
        let third = read(&mut groups, names(&["/a"]).into_iter());
        let gone = third.iter().find(|group| group.key == file("/b")).expect("it is told");
        assert_eq!((gone.count, gone.churn), (0, Some((0, 2))));
    }

    #[test]
    fn very_many_names_are_told_by_directory_and_kind() {
        let mut groups = Groups::default();
        let seen = read(&mut groups, (0..20_000).map(|at| format!("/d{at}/f")));
        assert!(seen.len() <= 2 * MAX_GROUPS + 1, "{}", seen.len());
        assert_eq!(seen.iter().map(|group| group.count).sum::<u64>(), 20_000);
        // Names that are new at each reading are forgotten.
        for round in 0..20 {
            let _ = read(&mut groups, (0..1000).map(|at| format!("/r{round}/f{at}")));
        }
        assert!(groups.keys.len() <= 8 * MAX_GROUPS + 1000, "{}", groups.keys.len());
    }
}
