//! The live table: what a snapshot saw and what the kernel saw, goroutine by goroutine.
//!
//! The snapshot decides who is there. The kernel adds what only an eye on every event knows: since
//! when exactly, how often, and who came and went unseen.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::Probing;
use super::births::{self, Births};
use super::clock::Mark;
use super::governor::{Governor, History, Layer, State};
use super::keeper::{Keeper, Seen, Wanted, attached_since};
use super::large::LargeBirths;
use super::probes::{Counters, Event, Site, Slot, calibration};
use super::resources::DescriptorBirths;
use super::snapshot::Snapshotter;
use super::watch::Watch;
use crate::error_chain::one_line;
use crate::golang::Program;
use crate::model::{
    BlockedBasis, BlockedFor, Coverage, CoverageNote, Goroutine, HitCost, Lifetimes, ProbeCoverage,
    ProbeEvent, ProbeReason, ProbeSpell, ProbeState, Rate, RateBasis, Rates, Site as SiteSeen,
};

/// Probes and what was known of them at the last sample.
pub(super) struct Live {
    wanted: Wanted,
    keeper: Keeping,
    last: Option<(Duration, Counters)>,
    /// What probes that had to make room for larger tables cost the target, and when they were there.
    spent: Duration,
    history: [History; Layer::ALL.len()],
    /// What they counted.
    watch: Watch,
    /// What they were held against: since they were first attached.
    births: Births,
    /// When the snapshot before was begun.
    last_start: Option<Duration>,
}

enum Keeping {
    /// The first snapshot says how large the tables must be.
    NotYet,
    Kept(Keeper),
    /// Never, or no more.
    Without(Option<ProbeReason>),
}

/// What the kernel adds to a sample.
#[derive(Default)]
pub(super) struct Added {
    /// Since the sample before, where creations and exits were watched at some time.
    pub(super) rates: Option<Rates>,
    /// Since the first.
    pub(super) rates_so_far: Option<Rates>,
    pub(super) sites: Vec<SiteSeen>,
    /// CPU time that probes took from the target.
    pub(super) spent: Duration,
    /// What each hit is taken to have cost; `None` without probes.
    pub(super) hit: Option<HitCost>,
}

impl Live {
    pub(super) fn new(wanted: Wanted) -> Self {
        let keeper = match wanted.probing {
            Probing::Off => Keeping::Without(None),
            Probing::Auto | Probing::Create | Probing::All => {
                calibration::begin();
                Keeping::NotYet
            }
        };
        let history = Default::default();
        let (last, spent, watch) = (None, Duration::ZERO, Watch::default());
        Self {
            wanted,
            keeper,
            last,
            spent,
            history,
            watch,
            births: Births::default(),
            last_start: None,
        }
    }

    /// For another program: nothing that was counted is of that one.
    pub(super) fn begin_anew(&mut self) {
        if let Keeping::Kept(keeper) = &self.keeper {
            self.spent += keeper.spent();
        }
        let spent = self.spent;
        // Probes go before others come.
        self.keeper = Keeping::Without(None);
        *self = Self { spent, ..Self::new(self.wanted) };
    }

    /// What the kernel knows of the descriptors with these numbers; `None` without probes.
    pub(super) fn births(&self, numbers: &[u64]) -> Option<DescriptorBirths> {
        match &self.keeper {
            Keeping::Kept(keeper) => Some(keeper.births(numbers)),
            Keeping::NotYet | Keeping::Without(_) => None,
        }
    }

    /// What the kernel knows of large objects; `None` where they are not watched.
    pub(super) fn large(&self) -> Option<LargeBirths> {
        match &self.keeper {
            Keeping::Kept(keeper) => keeper.large(),
            Keeping::NotYet | Keeping::Without(_) => None,
        }
    }

    /// Adds to a snapshot that was begun at `start`, took `took`, and had its first one begun at
    /// `first`, what the kernel knows. Never fails: without probes it is still what it is.
    pub(super) fn add(
        &mut self,
        program: &Program,
        (first, start, took): (Duration, Duration, Duration),
        (goroutines, marks): (&mut [Goroutine], &[Mark]),
        snapshotter: &mut Snapshotter,
        coverage: &mut Coverage,
    ) -> Added {
        if program.has_plugins() && !matches!(self.keeper, Keeping::Without(_)) {
            // What probes count would be too little, and a wait that began unseen would seem to be
            // the one before it.
            self.keeper = Keeping::Without(Some(ProbeReason::Plugins));
        }
        if let Keeping::NotYet = self.keeper {
            let watch = std::mem::take(&mut self.watch);
            self.keeper = match Keeper::start(program, goroutines.len(), self.wanted, watch) {
                Ok(keeper) => Keeping::Kept(keeper),
                Err(error) => Keeping::Without(Some(ProbeReason::Failed(one_line(&error)))),
            };
        }
        let seen = match &self.keeper {
            Keeping::Kept(keeper) => match keeper.read(took) {
                Ok(seen) => seen,
                Err(error) => {
                    self.keeper = Keeping::Without(Some(ProbeReason::Failed(one_line(&error))));
                    return self.without(coverage);
                }
            },
            Keeping::NotYet | Keeping::Without(_) => return self.without(coverage),
        };
        let history = Layer::ALL.map(|layer| {
            let earlier = self.history[layer as usize].clone();
            seen.governor.history(layer).clone().after(earlier)
        });
        cover(coverage, &seen, &history, first);
        if seen.governor.snapshots_take_all() {
            coverage.notes.push(CoverageNote::NoBudgetLeft);
        }
        times(start, &seen, goroutines);
        let missed = self.compare(start, &seen, goroutines, marks);
        coverage.notes.extend(self.births.note());
        let since = self.last.map_or(seen.at, |(at, _)| at);
        let mut rates = self.rates(&seen, first);
        let mut rates_so_far = seen.watch.rates(first, seen.at);
        let sites =
            seen.sites.iter().map(|site| site_seen(site, (&seen, first), program, snapshotter));
        let mut sites: Vec<SiteSeen> = sites.collect();
        if self.births.disagree() {
            let seconds = |since: Duration| seen.at.saturating_sub(since).as_secs_f64();
            // What was counted, and nothing for the time in which nobody counted.
            rates = rates
                .filter(|rates| rates.basis == RateBasis::Exact)
                .map(|rates| births::bound(rates, missed, seconds(since)));
            let counted = seen.watch.counted(first, seen.at);
            rates_so_far =
                counted.map(|rates| births::bound(rates, self.births.missed, seconds(first)));
            for site in &mut sites {
                site.created_per_second =
                    site.created_per_second.map(|_| site.created as f64 / seconds(first));
                (site.rate_basis, site.created_interval) = (RateBasis::LowerBound, None);
            }
        }
        let spent = self.spent + seen.governor.spent();
        if seen.is_full && Self::can_grow(&seen, goroutines.len()) {
            coverage.notes.push(CoverageNote::ProbeTableFull);
            (self.keeper, self.last, self.spent) = (Keeping::NotYet, None, spent);
            self.watch = seen.watch;
            self.history = history.map(|history| history.ended(seen.at));
        }
        Added { rates, rates_so_far, sites, spent, hit: Some(calibration::hit_cost().clone()) }
    }

    /// Whether a table for this many goroutines would be larger than the one that there is.
    fn can_grow(seen: &Seen, goroutines: usize) -> bool {
        super::probes::Sizes::for_goroutines(goroutines).slots > seen.sizes.slots
    }

    fn without(&self, coverage: &mut Coverage) -> Added {
        let why = match &self.keeper {
            Keeping::Without(Some(why)) => why.clone(),
            _ => return Added { spent: self.spent, ..Added::default() },
        };
        for event in Event::ALL {
            let history = &self.history[Layer::of(event) as usize];
            let state = (ProbeState::Unavailable, Some(why.clone()));
            coverage.probes.push(probe(event, state, history, (Duration::ZERO, Duration::ZERO)));
        }
        coverage.notes.push(CoverageNote::SnapshotsAlone);
        Added { spent: self.spent, ..Added::default() }
    }

    /// Holds what probes saw against what snapshots did. How many creations they missed since the
    /// snapshot before, as far as that can be told: if all of the time was watched, and nothing of it
    /// was dropped.
    fn compare(
        &mut self,
        start: Duration,
        seen: &Seen,
        goroutines: &[Goroutine],
        marks: &[Mark],
    ) -> u64 {
        let before = self.last_start.replace(start);
        let since = attached_since(seen.governor.state(Layer::Lives));
        let is_watched = before.zip(since).is_some_and(|(before, since)| since <= before);
        let Counters { slots_full, bad_reads, .. } = seen.counters;
        if !is_watched || seen.is_full || slots_full > 0 || bad_reads > 0 {
            return 0;
        }
        let births = Births::between(start, goroutines, marks, &seen.slots);
        self.births.add(births);
        births.missed
    }

    /// Since the sample before. Once creations and exits were not watched for a time, rates are
    /// estimates from then on: of the latest piece of time in which they were.
    fn rates(&mut self, seen: &Seen, first: Duration) -> Option<Rates> {
        let before = self.last.replace((seen.at, seen.counters));
        if seen.watch.basis(first, seen.at)? == RateBasis::Estimate {
            return seen.watch.lately();
        }
        let (at, before) = before?;
        let since = attached_since(seen.governor.state(Layer::Lives))?;
        let seconds = seen.at.saturating_sub(since.max(at)).as_secs_f64();
        let rate = |now: u64, before: u64| Rate {
            per_second: now.saturating_sub(before) as f64 / seconds,
            basis: RateBasis::Exact,
            interval: None,
        };
        (seconds > 0.0).then(|| {
            Rates::of(
                rate(seen.counters.creates, before.creates),
                rate(seen.counters.exits, before.exits),
            )
        })
    }
}

/// Since when each goroutine exists and is blocked, as far as that was seen.
fn times(start: Duration, seen: &Seen, goroutines: &mut [Goroutine]) {
    let slots: FxHashMap<u64, &Slot> =
        seen.slots.iter().filter(|slot| slot.goid != 0).map(|slot| (slot.goid, slot)).collect();
    let parks_since = attached_since(seen.governor.state(Layer::Parks));
    for goroutine in goroutines {
        let slot = goroutine.id().and_then(|goid| slots.get(&goid));
        let Some(slot) = slot else { continue };
        let since = |ns: u64| start.checked_sub(Duration::from_nanos(ns)).filter(|_| ns != 0);
        goroutine.age = since(slot.created_ns);
        let watched = parks_since.is_some_and(|at| Duration::from_nanos(slot.parked_ns) >= at);
        goroutine.parks = parks_since.map(|_| u32::try_from(slot.parks).unwrap_or(u32::MAX));
        // A goroutine that only asked to be parked, or that waits in a way that passes no probe,
        // gives itself away by another reason.
        let same = goroutine.reason.map(u32::from) == Some(slot.reason);
        if watched
            && same
            && goroutine.wait.is_blocked()
            && let Some(duration) = since(slot.parked_ns)
        {
            goroutine.blocked = Some(BlockedFor { duration, basis: BlockedBasis::Probe });
        }
    }
}

fn site_seen(
    site: &Site,
    (seen, first): (&Seen, Duration),
    program: &Program,
    snapshotter: &mut Snapshotter,
) -> SiteSeen {
    let rate = seen.watch.site(site.gopc, first, seen.at);
    let lifetimes = site.lifetimes.iter().enumerate().filter(|(_, count)| **count > 0);
    SiteSeen {
        created_by: snapshotter.creation_site(program, site.gopc),
        creation_stack: snapshotter.creation_stack(program, site.creator()),
        created_in: snapshotter.first_function(program, site.creator()),
        started_in: snapshotter.function_start(program, site.startpc),
        created: site.created,
        exited: site.exited,
        created_per_second: rate.map(|rate| rate.per_second),
        rate_basis: rate.map_or(RateBasis::default(), |rate| rate.basis),
        created_interval: rate.and_then(|rate| rate.interval),
        lifetimes: lifetimes
            .map(|(bucket, &count)| Lifetimes {
                below: Site::bucket_end_ns(bucket).map(Duration::from_nanos),
                count,
            })
            .collect(),
    }
}

/// The state of every probe, and what was lost.
fn cover(
    coverage: &mut Coverage,
    seen: &Seen,
    history: &[History; Layer::ALL.len()],
    first: Duration,
) {
    let Counters { slots_full, sites_full, bad_reads, lost_stacks, .. } = seen.counters;
    let Counters { opens_lost, allocations_lost, .. } = seen.counters;
    coverage.events_dropped += slots_full + sites_full + bad_reads;
    coverage.events_dropped += opens_lost + allocations_lost;
    if lost_stacks > 0 {
        coverage.notes.push(CoverageNote::CreationStacksLost { stacks: lost_stacks });
    }
    for event in Event::ALL {
        let layer = Layer::of(event);
        let state = explain(&seen.governor, layer);
        coverage.probes.push(probe(event, state, &history[layer as usize], (first, seen.at)));
    }
}

/// A probe's coverage, at `now`, as time since `first`.
fn probe(
    event: Event,
    (state, reason): (ProbeState, Option<ProbeReason>),
    history: &History,
    (first, now): (Duration, Duration),
) -> ProbeCoverage {
    let seconds = |at: Duration| at.saturating_sub(first).as_secs_f64();
    let spells = history.spells().map(|spell| ProbeSpell {
        state: spell.state,
        from_seconds: seconds(spell.from),
        until_seconds: spell.until.map(seconds),
    });
    ProbeCoverage {
        event: shown(event),
        state,
        reason,
        covered_seconds: history.covered(now).as_secs_f64(),
        history: spells.collect(),
        history_left_out: history.left_out(),
    }
}

/// An event under the model's name.
const fn shown(event: Event) -> ProbeEvent {
    match event {
        Event::Create => ProbeEvent::Create,
        Event::Park => ProbeEvent::Park,
        Event::Exit => ProbeEvent::Exit,
        Event::Open => ProbeEvent::Open,
        Event::Allocate => ProbeEvent::Allocate,
    }
}

/// A layer's state, and why.
fn explain(governor: &Governor, layer: Layer) -> (ProbeState, Option<ProbeReason>) {
    let (sheds, bursts) = governor.gaps(layer);
    match governor.state(layer) {
        State::Attached { .. } => {
            (ProbeState::Attached, (sheds > 0).then_some(ProbeReason::ShedBefore { times: sheds }))
        }
        State::Burst { .. } => (ProbeState::Burst, Some(ProbeReason::Burst)),
        State::Shed { .. } => {
            let reason = governor.rate(layer).map_or(ProbeReason::NotMeasured, |rate| {
                ProbeReason::OverBudget {
                    hits_per_second: rate,
                    cost: governor.cost_of(layer),
                    allowed: governor.allowance(),
                    bursts,
                }
            });
            (ProbeState::Shed, Some(reason))
        }
        State::Unavailable { reason } => (ProbeState::Unavailable, Some(reason.clone())),
    }
}
