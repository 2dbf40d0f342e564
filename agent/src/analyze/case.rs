//! A case: the groups that block at one line, from one creation site, with all that is known of
//! them. What detectors look at.

use std::collections::HashMap;
use std::time::Duration;

use super::caused;
use super::hints::Hints;
use super::ids::Clock;
use super::life::Life;
use super::lockwait::Standing;
use super::trends::{Curve, growth};
use super::window::Window;
use crate::model::function::Origin;
use crate::model::{FrameId, Group, Growth, Resolved, StackTable, WaitClass};

/// The groups of one line and creation site.
pub(super) struct Case<'a> {
    /// The largest of the groups, which stands for all.
    pub(super) group: &'a Group,
    /// All of them, as indices into the assessment's groups, largest first.
    pub(super) groups: Vec<usize>,
    pub(super) stacks: &'a StackTable,
    /// Goroutines in all.
    pub(super) count: u64,
    pub(super) life: Life,
    /// How long the process has been there, and how many goroutines it created.
    pub(super) clock: Clock,
    /// How many there were at the first sample.
    pub(super) at_first: u64,
    /// How many came in over the window.
    pub(super) arrived: u64,
    /// Their number over seconds.
    pub(super) points: Vec<(f64, f64)>,
    pub(super) growth: Option<Growth>,
    /// The signatures of all its groups.
    pub(super) signatures: Vec<&'a str>,
    /// From the first sample to the last.
    pub(super) window: Duration,
    /// How many samples there were.
    pub(super) samples: u64,
    /// In how many of them goroutines could be seen to run.
    pub(super) running_samples: u64,
    /// For how long the longest has been blocked.
    pub(super) oldest: Option<Duration>,
    /// How many objects they wait on in all; `None` where that is not known.
    pub(super) objects: Option<u64>,
    /// How they stand in the lock-wait graph.
    pub(super) locks: Standing,
    /// What their source says.
    pub(super) hints: Hints,
}

/// What makes groups one case.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Line(WaitClass, FrameId, Option<FrameId>),
    /// Whoever runs is caught at any line of its loop.
    Busy(FrameId),
    Alone(usize),
}

impl<'a> Case<'a> {
    /// The cases of a window: all groups, each in one, in the order of their largest group.
    pub(super) fn all(
        window: &'a Window,
        groups: &'a [Group],
        stacks: &'a StackTable,
        span: Duration,
    ) -> Vec<Self> {
        let mut places: HashMap<Key, usize> = HashMap::new();
        let mut clusters: Vec<Vec<usize>> = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let runs = matches!(group.wait, WaitClass::Running | WaitClass::Runnable);
            let key = match (group.blocked_at, group.created_by) {
                (_, Some(site)) if runs => Key::Busy(site),
                (Some(line), site) => Key::Line(group.wait, line, site),
                (None, _) => Key::Alone(index),
            };
            let place = *places.entry(key).or_insert_with(|| {
                clusters.push(Vec::new());
                clusters.len() - 1
            });
            clusters[place].push(index);
        }
        clusters
            .into_iter()
            .filter_map(|members| Self::of(window, groups, stacks, span, members))
            .collect()
    }

    fn of(
        window: &'a Window,
        groups: &'a [Group],
        stacks: &'a StackTable,
        span: Duration,
        members: Vec<usize>,
    ) -> Option<Self> {
        let group = groups.get(*members.first()?)?;
        let hashes: Vec<u64> =
            members.iter().filter_map(|&at| window.hashes().get(at)).copied().collect();
        let mut life = Life::default();
        for &member in &members {
            life.merge(window.lives().get(member)?);
        }
        let mut locks = Standing::default();
        for standing in members.iter().filter_map(|&member| window.standing(member)) {
            locks.merge(standing);
        }
        let mut case = Self {
            group,
            stacks,
            count: members.iter().map(|&at| groups[at].count).sum(),
            at_first: hashes.iter().map(|&hash| window.at_first(hash)).sum(),
            arrived: hashes.iter().map(|&hash| window.arrived(hash)).sum(),
            // The curve is for those that somebody will look at: see `with_history`.
            points: Vec::new(),
            growth: None,
            signatures: members.iter().map(|&at| groups[at].signature.as_str()).collect(),
            window: span,
            samples: window.observations(),
            running_samples: window.running_samples(),
            oldest: members.iter().filter_map(|&at| groups[at].oldest).max(),
            objects: objects(members.iter().map(|&at| &groups[at])),
            hints: Hints::default(),
            locks,
            groups: members,
            life,
            clock: window.clock(),
        };
        // Counts know no ids; but nothing else begins there.
        case.life.has_main |= case.frames().last().is_some_and(|it| it.function == "runtime.main");
        Some(case)
    }

    /// Measures its growth anew, once all others were taken in.
    pub(super) fn measure(&mut self) {
        self.growth = growth(&Curve::through(self.points.iter().copied()));
    }

    /// Takes in another case, which the same cause piles up; see [`Self::measure`].
    pub(super) fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.at_first += other.at_first;
        self.arrived += other.arrived;
        self.oldest = self.oldest.max(other.oldest);
        self.life.merge(&other.life);
        // The two may share some.
        self.objects = None;
        self.locks.merge(&other.locks);
        self.groups.extend(other.groups);
        // Both curves have a point for each sample.
        for (point, (_, more)) in self.points.iter_mut().zip(&other.points) {
            point.1 += more;
        }
    }

    /// Adds the curve of its number, which takes reading every sample.
    pub(super) fn with_history(mut self, window: &Window) -> Self {
        let hashes: Vec<u64> =
            self.groups.iter().filter_map(|&at| window.hashes().get(at)).copied().collect();
        self.points = window.history(&hashes);
        self.growth = growth(&Curve::through(self.points.iter().copied()));
        self
    }

    /// The frames of its stack that have names, innermost first.
    pub(super) fn frames(&self) -> impl Iterator<Item = Resolved<'a>> + Clone + use<'a> {
        let stacks = self.stacks;
        let frames = self.group.stack.map_or(&[][..], |stack| stacks.frames_of(stack));
        frames.iter().filter_map(move |&frame| stacks.lookup(frame).ok())
    }

    /// The functions of its stack and creation site.
    pub(super) fn functions(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let created_by = self.created_by().map(|frame| frame.function);
        self.frames().map(|frame| frame.function).chain(created_by)
    }

    /// The line where they block.
    pub(super) fn blocked_at(&self) -> Option<Resolved<'a>> {
        self.stacks.lookup(self.group.blocked_at?).ok()
    }

    /// The `go` statement.
    pub(super) fn created_by(&self) -> Option<Resolved<'a>> {
        self.stacks.lookup(self.group.created_by?).ok()
    }

    /// Whether a function of this name is on the stack.
    pub(super) fn calls(&self, name: &str) -> bool {
        self.frames().any(|frame| frame.function == name)
    }

    /// The function that they run: the outermost on their stacks, wrappers that the compiler made for a `go`
    /// statement aside. `None` where no stack was read.
    pub(super) fn entry(&self) -> Option<FrameId> {
        let stack = self.stacks.frames_of(self.group.stack?);
        let site = self.created_by();
        let is_entry = |&&frame: &&FrameId| {
            let Some(origin) = self.stacks.origin(frame) else { return true };
            if origin == Origin::Runtime || self.stacks.is_wrapper(frame) {
                return false;
            }
            let Ok(frame) = self.stacks.lookup(frame) else { return true };
            // Up to Go 1.21 a wrapper is called like a closure; it has the line of the `go` statement.
            let wraps = site.is_some_and(|site| {
                (site.file, site.line) == (frame.file, frame.line)
                    && frame.function.strip_prefix(site.function).is_some_and(|rest| {
                        rest.starts_with(".func") || rest.starts_with(".gowrap")
                    })
            });
            !wraps
        };
        stack.iter().rev().find(is_entry).copied()
    }

    /// Whether the function that they run, and all that it called, is a library's.
    pub(super) fn is_librarys(&self) -> bool {
        let is_outside = |&frame: &FrameId| self.stacks.origin(frame) != Some(Origin::User);
        self.group.stack.is_some_and(|stack| self.stacks.frames_of(stack).iter().all(is_outside))
    }

    /// The name of that function.
    pub(super) fn entry_function(&self) -> Option<&'a str> {
        self.stacks.lookup(self.entry()?).ok().map(|frame| frame.function)
    }

    /// Whether they wait for the next request on a connection that a client keeps open.
    pub(super) fn keep_connections_alive(&self) -> bool {
        self.wait() == WaitClass::IoWait
            && self.calls("net/http.(*conn).serve")
            && !self.calls("net/http.serverHandler.ServeHTTP")
    }

    /// Whether they wait for the next connection of a listener.
    pub(super) fn accepts_connections(&self) -> bool {
        self.wait() == WaitClass::IoWait && self.calls("internal/poll.(*FD).Accept")
    }

    /// Whether they are coroutines.
    pub(super) fn are_coroutines(&self) -> bool {
        caused::is_coroutine(self.group)
    }

    /// Whether any of the user's own code is on the stack or created them.
    pub(super) fn is_users(&self) -> bool {
        let user = |frame: FrameId| self.stacks.origin(frame).is_some_and(Origin::is_outside_go);
        let frames = self.group.stack.map_or(&[][..], |stack| self.stacks.frames_of(stack));
        frames.iter().copied().chain(self.group.created_by).any(user)
    }

    /// The seconds from the first sample to the last.
    pub(super) fn seconds(&self) -> f64 {
        self.window.as_secs_f64()
    }

    /// How many left over the window; `None` where goroutines are not known apart.
    pub(super) fn left(&self) -> Option<u64> {
        self.life.known.then(|| (self.at_first + self.arrived).saturating_sub(self.count))
    }

    /// The wait of all of them.
    pub(super) fn wait(&self) -> WaitClass {
        self.group.wait
    }
}

/// How many objects groups wait on, where that can be told.
fn objects<'g>(groups: impl ExactSizeIterator<Item = &'g Group> + Clone) -> Option<u64> {
    let known = groups.clone().all(|group| group.objects > 0);
    if !known {
        return None;
    }
    if groups.len() == 1 {
        return groups.clone().next().map(|group| group.objects);
    }
    if groups.clone().all(|group| group.objects == 1) {
        let mut distinct: Vec<_> = groups.filter_map(|group| group.object).map(|it| it.0).collect();
        distinct.sort_unstable();
        distinct.dedup();
        return Some(distinct.len() as u64);
    }
    // Each on an object of its own, with nobody else.
    let alone = |group: &Group| group.objects == group.count && group.object_waiters == 1;
    groups.clone().all(alone).then(|| groups.map(|group| group.objects).sum())
}
