//! A window of observations: what came before the last one, in bounded memory.
//!
//! The window spans everything that was ever observed. When its samples become too many, every
//! second one goes, so a long run keeps its whole span at a coarser grain.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::busy::Runners;
use super::caused::Causes;
use super::contention;
use super::forced;
use super::group;
use super::ids::Clock;
use super::life::{Life, Span};
use super::lockwait::{Locks, Standing, is_for_lock};
use super::memory;
use super::resources;
use super::running::Running;
use super::signature::{self, Signatures};
use super::summary;
use crate::model::{
    Assessment, Coverage, EarlierPrograms, Group, LockGraph, Members, NoStack, Observation,
    Overhead, RateBasis, Rates, Site, StackTable, Target, Timestamp, Totals, WaitClass, WindowSpan,
};

/// Group counts that are kept at most over all samples, the last two aside, for each of the samples that are.
const ENTRIES: usize = 1 << 12;

/// What was observed so far: the last observation in full, those before as counts.
#[derive(Debug, Default)]
pub struct Window {
    most: Most,
    signatures: Signatures,
    samples: Vec<Sample>,
    observations: u64,
    churn: Churn,
    /// What is summed up of each group.
    records: FxHashMap<u64, Record>,
    times: Times,
    runners: Runners,
    locks: Locks,
    running: Running,
    memory: memory::Series,
    resources: resources::Series,
    forced: forced::Counts,
    contention: contention::Series,
    first: Option<(Timestamp, Duration)>,
    latest: Option<Latest>,
}

/// Samples that are kept at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Most(usize);

impl Default for Most {
    fn default() -> Self {
        Self(Window::MAX_SAMPLES)
    }
}

/// The counts of one observation, by the hash of the group's signature.
#[derive(Debug)]
struct Sample {
    elapsed: Duration,
    counts: FxHashMap<u64, u64>,
    total: u64,
    /// Goroutines created since the sample before.
    created_per_second: Option<f64>,
    /// What the process has used since it started.
    cpu_seconds: Option<f64>,
}

/// What an assessment says of the last observation.
#[derive(Debug)]
struct Latest {
    at: Timestamp,
    elapsed: Duration,
    target: Arc<Target>,
    coverage: Coverage,
    overhead: Overhead,
    stacks: Arc<StackTable>,
    groups: Vec<Group>,
    /// The hash of each group's signature.
    hashes: Vec<u64>,
    /// The lives of each group's members.
    lives: Vec<Life>,
    clock: Clock,
    by_wait: BTreeMap<WaitClass, u64>,
    rates: Option<Rates>,
    rates_so_far: Option<Rates>,
    sites: Vec<Site>,
    lock_graph: LockGraph,
    /// How groups stand in it that wait for locks, by index.
    standings: FxHashMap<u32, Standing>,
    members: Arc<Members>,
}

/// Goroutines created and exited over the whole window, where the source does not sum them up.
#[derive(Debug, Default)]
struct Churn {
    created: f64,
    exited: f64,
    seconds: f64,
    /// How the least known part of it is known.
    basis: Option<RateBasis>,
}

impl Window {
    /// Samples that it is kept by unless it is told to keep fewer.
    pub const MAX_SAMPLES: usize = 256;

    /// Is kept by no more samples than this from now on, spread over all of it.
    pub fn keep(&mut self, samples: usize) {
        let samples = samples.clamp(4, Self::MAX_SAMPLES);
        let is_less = samples < self.most.0;
        self.most = Most(samples);
        if is_less {
            self.thin();
        }
    }

    /// Takes in the next observation of the same source.
    pub fn push(&mut self, observation: &Observation) {
        self.add(Cow::Borrowed(observation));
    }

    /// As [`Window::push`], of an observation that is needed no more: there is no copy of it.
    pub fn take(&mut self, observation: Observation) {
        self.add(Cow::Owned(observation));
    }

    /// The next observations are of the same program, and by another source: what was remembered by the ids of stacks that
    /// those before had means nothing in them.
    pub fn go_on_by_other_ids(&mut self) {
        self.signatures = Signatures::default();
        self.runners = Runners::default();
        self.locks = Locks::default();
        self.contention = contention::Series::default();
    }

    fn add(&mut self, observation: Cow<'_, Observation>) {
        self.running.add(&observation);
        let elapsed = observation.elapsed;
        // Waits and locks are judged by the time in which the target could run.
        let observation = self.running.by_its_own_time(observation);
        let since = |then: Duration| elapsed.saturating_sub(then);
        let span = Span {
            window: self.first.map_or(Duration::ZERO, |(_, first)| since(first)),
            step: self.samples.last().map_or(Duration::ZERO, |before| since(before.elapsed)),
            ran: self.running.ran(),
        };
        if !self.running.held_back() {
            self.runners.observe(&observation.goroutines);
        }
        let (mut groups, lives, group_of) =
            group::groups(&observation, (span, &self.runners), &mut self.signatures);
        show_runners(&mut groups, &lives, &observation.stacks);
        for (group, life) in groups.iter_mut().zip(&lives) {
            group.stuck = life.stuck;
        }
        let hashes: Vec<u64> =
            groups.iter().map(|group| signature::hash(&group.signature)).collect();

        if let Some(before) = self.samples.last() {
            for (group, hash) in groups.iter_mut().zip(&hashes) {
                group.previous = Some(before.counts.get(hash).copied().unwrap_or(0));
            }
            self.churn.add(observation.rates, elapsed.saturating_sub(before.elapsed));
        }
        let start = self.first.map_or(elapsed, |(_, first)| first);
        let at = elapsed.saturating_sub(start).as_secs_f64();
        self.times.add(at);
        for ((group, life), hash) in groups.iter_mut().zip(&lives).zip(&hashes) {
            let record = self.records.entry(*hash).or_default();
            record.add(at, group.count, life.arrived);
            group.growth_per_second = record.slope(&self.times);
        }
        if self.records.len() > self.entries() {
            // Groups that are gone are forgotten.
            let present: FxHashSet<u64> = hashes.iter().copied().collect();
            self.records.retain(|hash, _| present.contains(hash));
        }
        let counts = hashes.iter().copied().zip(groups.iter().map(|group| group.count)).collect();
        self.forced.add(&observation.coverage, &counts);
        let total = groups.iter().map(|group| group.count).sum();
        self.samples.push(Sample {
            elapsed,
            counts,
            total,
            created_per_second: observation.rates.map(|rates| rates.created_per_second),
            cpu_seconds: observation.coverage.process.and_then(|process| process.cpu_seconds),
        });
        let mut by_wait = BTreeMap::new();
        for group in &groups {
            *by_wait.entry(group.wait).or_default() += group.count;
        }
        let (lock_graph, standings) = if by_wait.keys().copied().any(is_for_lock) {
            self.locks.observe(&observation, &group_of, span.ran * 2 / 3)
        } else {
            self.locks.look_at_none(observation.elapsed);
            Default::default()
        };
        let members = Arc::new(group::members(&observation, &group_of, groups.len()));
        self.contention.add(observation.contention.as_ref());
        self.memory.add(elapsed.saturating_sub(start), &observation.memory);
        self.resources.add(elapsed.saturating_sub(start), &observation.resources);
        self.thin();
        self.observations += 1;
        self.first.get_or_insert((observation.at, elapsed));
        self.latest = Some(Latest {
            at: observation.at,
            elapsed,
            target: Arc::clone(&observation.target),
            coverage: observation.coverage.clone(),
            overhead: observation.overhead.clone(),
            stacks: Arc::clone(&observation.stacks),
            groups,
            hashes,
            lives,
            clock: Clock::of(&observation.goroutines, observation.uptime),
            by_wait,
            rates: observation.rates,
            rates_so_far: observation.rates_so_far,
            sites: in_order(&observation.sites),
            lock_graph,
            standings,
            members,
        });
    }

    /// Creations and exits between the last two observations; [`assess`] has them over the whole
    /// window.
    #[must_use]
    pub fn rates_now(&self) -> Option<Rates> {
        self.latest.as_ref()?.rates
    }

    /// Counts of groups over time, summed, by seconds since the first sample.
    pub(super) fn history(&self, hashes: &[u64]) -> Vec<(f64, f64)> {
        let start = self.first.map_or(Duration::ZERO, |(_, first)| first);
        let count = |sample: &Sample| {
            hashes.iter().filter_map(|hash| sample.counts.get(hash)).sum::<u64>() as f64
        };
        self.samples.iter().map(|s| ((s.elapsed - start).as_secs_f64(), count(s))).collect()
    }

    /// In how many samples goroutines could be seen to run.
    pub(super) const fn running_samples(&self) -> u64 {
        self.runners.samples()
    }

    /// The process's memory over the window.
    pub(super) const fn memory(&self) -> &memory::Series {
        &self.memory
    }

    /// What the process held over the window.
    pub(super) const fn resources(&self) -> &resources::Series {
        &self.resources
    }

    /// How many samples there were.
    pub(super) const fn observations(&self) -> u64 {
        self.observations
    }

    /// How many of a group there were at the first sample.
    pub(super) fn at_first(&self, hash: u64) -> u64 {
        self.samples.first().and_then(|first| first.counts.get(&hash)).copied().unwrap_or(0)
    }

    /// What forced collections ended.
    pub(super) const fn forced(&self) -> &forced::Counts {
        &self.forced
    }

    /// How many goroutines came into a group over the window.
    pub(super) fn arrived(&self, hash: u64) -> u64 {
        self.records.get(&hash).map_or(0, |record| record.arrived)
    }

    /// How many goroutines there were, by seconds since the first sample.
    pub(super) fn totals(&self) -> Vec<(f64, u64)> {
        let start = self.first.map_or(Duration::ZERO, |(_, first)| first);
        self.samples.iter().map(|s| ((s.elapsed - start).as_secs_f64(), s.total)).collect()
    }

    /// How many goroutines were created by the second since the sample before each.
    pub(super) fn created(&self) -> Vec<(f64, f64)> {
        let start = self.first.map_or(Duration::ZERO, |(_, first)| first);
        let of = |s: &Sample| Some(((s.elapsed - start).as_secs_f64(), s.created_per_second?));
        self.samples.iter().filter_map(of).collect()
    }

    /// How many processors were kept busy since the sample before each.
    pub(super) fn cpu(&self) -> Vec<(f64, f64)> {
        let start = self.first.map_or(Duration::ZERO, |(_, first)| first);
        let of = |pair: &[Sample]| {
            let used = pair[1].cpu_seconds? - pair[0].cpu_seconds?;
            let passed = pair[1].elapsed.saturating_sub(pair[0].elapsed).as_secs_f64();
            Some(((pair[1].elapsed - start).as_secs_f64(), used / passed))
        };
        self.samples.windows(2).filter_map(of).collect()
    }

    /// The hash of each present group's signature, in the groups' order.
    pub(super) fn hashes(&self) -> &[u64] {
        self.latest.as_ref().map_or(&[], |latest| &latest.hashes)
    }

    /// The lives of each present group's members, in the groups' order.
    pub(super) fn lives(&self) -> &[Life] {
        self.latest.as_ref().map_or(&[], |latest| &latest.lives)
    }

    /// The process's own clocks, as of the last observation.
    pub(super) fn clock(&self) -> Clock {
        self.latest.as_ref().map_or_else(Clock::default, |latest| latest.clock)
    }

    /// Who waits for whose lock, as of the last observation; `None` before the first.
    #[must_use]
    pub fn lock_graph(&self) -> Option<&LockGraph> {
        Some(&self.latest.as_ref()?.lock_graph)
    }

    /// Whether the target could run.
    pub(super) const fn running(&self) -> &Running {
        &self.running
    }

    /// How a present group stands in the lock-wait graph, by its index; `None` where its members wait for no
    /// contended lock.
    pub(super) fn standing(&self, group: usize) -> Option<&Standing> {
        self.latest.as_ref()?.standings.get(&u32::try_from(group).ok()?)
    }

    /// Group counts that are kept at most.
    const fn entries(&self) -> usize {
        ENTRIES * self.most.0
    }

    /// Drops every second sample, never the first or the last two, until the rest is few enough.
    fn thin(&mut self) {
        let Most(most) = self.most;
        let max_entries = self.entries();
        self.memory.keep(most);
        self.resources.keep(most);
        let entries = |samples: &[Sample]| samples.iter().map(|s| s.counts.len()).sum::<usize>();
        while self.samples.len() > 3
            && (self.samples.len() > most || entries(&self.samples) > max_entries)
        {
            let last = self.samples.len() - 1;
            let mut at = 0;
            self.samples.retain(|_| {
                let keep = at == 0 || at + 1 >= last || at % 2 == 0;
                at += 1;
                keep
            });
            if self.samples.len() == last + 1 {
                break;
            }
        }
    }
}

/// A running goroutine has no stack that could be read; where it stood at an earlier sample, still
/// running, says more than nothing.
fn show_runners(groups: &mut [Group], lives: &[Life], stacks: &StackTable) {
    for (group, life) in groups.iter_mut().zip(lives) {
        if let (None, Some(last)) = (group.stack, life.busy.last) {
            group.stack = Some(last);
            group.blocked_at = summary::blocked_at(stacks, last);
            group.no_stack = Some(NoStack::OfEarlierSample);
        }
    }
}

/// Where most goroutines were created comes first.
fn in_order(sites: &[Site]) -> Vec<Site> {
    let mut sites = sites.to_vec();
    sites.sort_by_key(|site| (Reverse(site.created), Reverse(site.exited), site.created_by));
    sites
}

/// What analysis says of a window; `None` while nothing was observed.
#[must_use]
pub fn assess(window: &Window) -> Option<Assessment> {
    let latest = window.latest.as_ref()?;
    let (first, first_elapsed) = window.first?;
    let causes = Causes::new(&latest.stacks, &latest.groups, &latest.lives, &latest.sites);
    Some(Assessment {
        target: Arc::clone(&latest.target),
        window: WindowSpan {
            observations: window.observations,
            first,
            last: latest.at,
            duration: latest.elapsed.saturating_sub(first_elapsed),
        },
        held: window.running.held(),
        coverage: latest.coverage.clone(),
        totals: Totals {
            goroutines: latest.groups.iter().map(|group| group.count).sum(),
            by_wait: latest.by_wait.clone(),
            rates: latest.rates_so_far.or_else(|| window.churn.rates()),
        },
        memory: memory::account(&window.memory, &latest.stacks),
        resources: resources::account(&window.resources, &causes, &latest.stacks),
        overhead: latest.overhead.clone(),
        groups: latest.groups.clone(),
        members: Arc::clone(&latest.members),
        judgement: None,
        sites: latest.sites.clone(),
        contention: window.contention.lines(&latest.groups, &latest.stacks),
        stacks: Arc::clone(&latest.stacks),
        earlier: EarlierPrograms::default(),
        early_end: None,
    })
}

impl Churn {
    fn add(&mut self, rates: Option<Rates>, over: Duration) {
        if let Some(rates) = rates {
            let seconds = over.as_secs_f64();
            self.created += rates.created_per_second * seconds;
            self.exited += rates.exited_per_second * seconds;
            self.seconds += seconds;
            self.basis = Some(self.basis.map_or(rates.basis, |basis| basis.lesser(rates.basis)));
        }
    }

    fn rates(&self) -> Option<Rates> {
        let rates = Rates::at_least(self.created / self.seconds, self.exited / self.seconds);
        (self.seconds > 0.0).then_some(Rates { basis: self.basis?, ..rates })
    }
}

/// Sums over the moments of all samples, in seconds since the first.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    samples: f64,
    sum: f64,
    squares: f64,
}

impl Times {
    fn add(&mut self, at: f64) {
        self.samples += 1.0;
        self.sum += at;
        self.squares += at * at;
    }
}

/// Sums over the samples of one group. A sample without it counts it as 0, which adds nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// Goroutines that came in from sample to sample.
    arrived: u64,
    counts: f64,
    /// Counts by the seconds of their samples.
    weighted: f64,
}

impl Record {
    fn add(&mut self, at: f64, count: u64, arrived: u64) {
        self.arrived += arrived;
        self.counts += count as f64;
        self.weighted += at * count as f64;
    }

    /// The slope of the counts (least squares); `None` while time has not moved.
    fn slope(&self, times: &Times) -> Option<f64> {
        let spread = times.squares - times.sum * times.sum / times.samples;
        (spread > 0.0).then(|| (self.weighted - times.sum / times.samples * self.counts) / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::leaking;

    fn window(leaked: impl IntoIterator<Item = (u32, u64)>) -> Window {
        let mut window = Window::default();
        for (seconds, leaked) in leaked {
            window.push(&leaking(leaked).observe(seconds));
        }
        window
    }

    fn leak(window: &Window) -> Group {
        let groups = assess(window).expect("there are observations").groups;
        groups.into_iter().find(|g| g.wait == WaitClass::ChanSend).expect("the leak is there")
    }

    #[test]
    fn nothing_observed_is_no_assessment() {
        assert!(assess(&Window::default()).is_none());
    }

    #[test]
    fn one_observation_knows_no_growth() {
        let window = window([(0, 10)]);
        let (leak, assessment) = (leak(&window), assess(&window).expect("observed"));
        assert_eq!((leak.previous, leak.growth_per_second), (None, None));
        assert_eq!(assessment.totals.rates, None);
        assert_eq!(assessment.window.duration, Duration::ZERO);
        assert_eq!(assessment.totals.goroutines, 13);
        assert_eq!(assessment.totals.by_wait.values().sum::<u64>(), 13);
    }

    #[test]
    fn growth_is_the_slope_of_a_line_through_all_samples() {
        let steady = leak(&window([(0, 10), (1, 60), (2, 110), (4, 210)]));
        assert!((steady.growth_per_second.expect("four samples") - 50.0).abs() < 1e-9);
        assert_eq!(steady.previous, Some(110));
        // 10, 30, 20: the line through them rises by 5 a second.
        let noisy = leak(&window([(0, 10), (1, 30), (2, 20)]));
        assert!((noisy.growth_per_second.expect("three samples") - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_new_group_was_none_before() {
        let mut window = Window::default();
        window.push(&leaking(0).observe(0));
        window.push(&leaking(8).observe(2));
        let leak = leak(&window);
        assert_eq!(leak.previous, Some(0));
        assert!((leak.growth_per_second.expect("two samples") - 4.0).abs() < 1e-9);
    }

    #[test]
    fn two_observations_at_once_have_no_slope() {
        assert_eq!(leak(&window([(3, 10), (3, 20)])).growth_per_second, None);
    }

    #[test]
    fn rates_are_the_mean_over_the_window() {
        let assessment = assess(&window([(0, 1), (1, 2), (5, 3)])).expect("observed");
        let rates = assessment.totals.rates.expect("three observations");
        assert!((rates.created_per_second - 50.5).abs() < 1e-9);
        assert_eq!(assessment.window.observations, 3);
        assert_eq!(assessment.window.duration, Duration::from_secs(5));
    }

    #[test]
    fn a_long_run_keeps_its_span_in_bounded_memory() {
        let window = window((0..2000).map(|second| (second, u64::from(second / 10))));
        assert!(window.samples.len() <= Window::MAX_SAMPLES, "{}", window.samples.len());
        assert_eq!(window.samples[0].elapsed, Duration::ZERO);
        let assessment = assess(&window).expect("observed");
        assert_eq!(assessment.window.observations, 2000);
        assert_eq!(assessment.window.duration, Duration::from_secs(1999));
        let growth = leak(&window).growth_per_second.expect("many samples");
        assert!((growth - 0.1).abs() < 0.01, "{growth}");
        assert_eq!(leak(&window).previous, Some(199));
    }

    #[test]
    fn a_window_that_is_to_keep_less_keeps_its_span() {
        let mut window = window((0..200).map(|second| (second, u64::from(second))));
        window.keep(32);
        assert!((17..=32).contains(&window.samples.len()), "{}", window.samples.len());
        for second in 200..400 {
            window.push(&leaking(u64::from(second)).observe(second));
        }
        assert!((17..=32).contains(&window.samples.len()), "{}", window.samples.len());
        let assessment = assess(&window).expect("observed");
        assert_eq!(assessment.window.duration, Duration::from_secs(399));
        let growth = leak(&window).growth_per_second.expect("many samples");
        assert!((growth - 1.0).abs() < 0.01, "{growth}");
        assert_eq!(leak(&window).previous, Some(398));
    }
}
