//! Holds the probes of a target and does what the governor says, some tens of times a second: a
//! probe that is hit too often must not stay until the next sample.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::governor::{Action, Governor, Layer, Reading, State};
use super::large::LargeBirths;
use super::probes::{Counters, Event, ProbeError, Probes, Site, Sizes, Slot, Spec, calibration};
use super::resources::DescriptorBirths;
use super::watch::Watch;
use super::{Budget, Probing, monotonic};
use crate::error_chain::one_line;
use crate::golang::Program;
use crate::model::ProbeReason;

/// Which probes are wanted, and what they may cost.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) probing: Probing,
    pub(super) budget: Budget,
    /// Whether somebody asks who opened a descriptor, or allocated an object.
    pub(super) memory: bool,
}

/// Probes that are being kept within a budget. They are gone when this is dropped.
pub(super) struct Keeper {
    kept: Arc<Mutex<Kept>>,
    /// Dropping it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Kept {
    probes: Probes,
    governor: Governor,
    pid: u32,
    sizes: Sizes,
    /// For how long snapshots have read the target's memory.
    sampled: Duration,
    /// Creations and exits, while they were watched.
    watch: Watch,
}

/// What the kernel knew at one moment.
pub(super) struct Seen {
    pub(super) at: Duration,
    pub(super) slots: Vec<Slot>,
    pub(super) sites: Vec<Site>,
    pub(super) counters: Counters,
    pub(super) governor: Governor,
    /// Creations and exits, until now.
    pub(super) watch: Watch,
    /// Whether the goroutine table has no room left.
    pub(super) is_full: bool,
    pub(super) sizes: Sizes,
}

impl Keeper {
    /// Loads the programs, and begins with a burst of each probe that is wanted. What was counted by
    /// others before is in `watch`.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub(super) fn start(
        program: &Program,
        goroutines: usize,
        wanted: Wanted,
        watch: Watch,
    ) -> Result<Self, ProbeError> {
        let spec = Spec::of(program, goroutines);
        let sizes = spec.sizes;
        let probes = Probes::load(&spec)?;
        let refused = Layer::ALL.map(|layer| refusal((program, &probes), layer, wanted));
        let is_unlimited = wanted.probing == Probing::All;
        let budget = if is_unlimited { Budget::UNLIMITED } else { wanted.budget };
        let kept = Kept {
            probes,
            governor: Governor::new(budget, refused, calibration::hit_cost().taken),
            pid: program.process().pid,
            sizes,
            sampled: Duration::ZERO,
            watch,
        };
        let kept = Arc::new(Mutex::new(kept));
        let (stop, stopped) = channel();
        let shared = Arc::clone(&kept);
        let thread = thread::spawn(move || {
            loop {
                let pace = {
                    let mut kept = lock(&shared);
                    kept.step();
                    kept.governor.pace()
                };
                if stopped.recv_timeout(pace) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Ok(Self { kept, stop: Some(stop), thread: Some(thread) })
    }

    /// What hits have cost the target so far.
    pub(super) fn spent(&self) -> Duration {
        lock(&self.kept).governor.spent()
    }

    /// What the kernel knows now of the descriptors with these numbers.
    pub(super) fn births(&self, numbers: &[u64]) -> DescriptorBirths {
        let kept = lock(&self.kept);
        DescriptorBirths {
            since: attached_since(kept.governor.state(Layer::Opens)),
            // Before the sites: each site that a birth names is there by then.
            births: numbers.iter().map(|number| kept.probes.birth(*number)).collect(),
            sites: kept.probes.call_sites(),
        }
    }

    /// What the kernel knows now of large objects; `None` where they are not watched now.
    pub(super) fn large(&self) -> Option<LargeBirths> {
        let kept = lock(&self.kept);
        let since = attached_since(kept.governor.state(Layer::Allocations))?;
        // Before the sites: each site that a birth names is there by then.
        let objects = kept.probes.large();
        let lost = kept.probes.counters().map_or(0, |counters| counters.allocations_lost);
        Some(LargeBirths { since, objects, sites: kept.probes.call_sites(), lost })
    }

    /// What the kernel knows now, after a snapshot that took `snapshot`.
    ///
    /// # Errors
    /// When it refuses to say.
    pub(super) fn read(&self, snapshot: Duration) -> Result<Seen, ProbeError> {
        let mut kept = lock(&self.kept);
        kept.sampled += snapshot;
        // What is said to be attached is so now.
        kept.give_up_lost();
        let at = monotonic();
        let counters = kept.probes.counters()?;
        let (mut slots, mut sites) = (Vec::new(), Vec::new());
        let is_full = kept.probes.goroutines(&mut slots).is_full;
        kept.probes.sites(&mut sites);
        let watch = kept.watch.so_far(at, &counters, &sites);
        Ok(Seen {
            at,
            slots,
            sites,
            counters,
            governor: kept.governor.clone(),
            watch,
            is_full,
            sizes: kept.sizes,
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop = None;
        // A thread that panicked has said so; its probes go with the rest.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Kept {
    fn step(&mut self) {
        self.probes.pass_on_log();
        self.give_up_lost();
        let counters = match self.probes.counters() {
            Ok(counters) => counters,
            Err(error) => return self.give_up(&error),
        };
        let reading = Reading {
            now: monotonic(),
            hits: Layer::ALL
                .map(|layer| layer.events().iter().map(|event| counters.hits(*event)).sum()),
            cpu: cpu_of(self.pid),
            sampled: self.sampled,
        };
        let probes = &self.probes;
        self.watch.go_on(reading.now, &counters, || sites(probes));
        for action in self.governor.step(reading) {
            match action {
                Action::Attach(layer) => self.attach(layer),
                Action::Detach(layer) => self.detach(layer),
            }
        }
    }

    fn attach(&mut self, layer: Layer) {
        for &event in layer.events() {
            if let Err(error) = self.probes.attach(event) {
                self.detach(layer);
                return self.governor.refuse(layer, ProbeReason::Failed(one_line(&error)));
            }
        }
        let now = monotonic();
        self.governor.attached(layer, now);
        if layer == Layer::Lives {
            // The kernel has just been asked, and answered; else nobody counts from now on.
            match self.probes.counters() {
                Ok(counters) => self.watch.begin(now, &counters, &sites(&self.probes)),
                Err(error) => self.give_up(&error),
            }
        }
    }

    fn detach(&mut self, layer: Layer) {
        if layer == Layer::Lives
            && let Ok(counters) = self.probes.counters()
        {
            self.watch.end(monotonic(), &counters, &sites(&self.probes));
        }
        if let Err(error) = self.probes.detach_all(layer.events()) {
            self.governor.refuse(layer, ProbeReason::Failed(one_line(&error)));
        }
    }

    /// Who ended a probe's holder did not want the probe: it does not come back.
    fn give_up_lost(&mut self) {
        let lost: Vec<Event> = self.probes.lost().collect();
        for event in lost {
            let layer = Layer::of(event);
            self.detach(layer);
            self.governor.refuse(layer, ProbeReason::Failed(one_line(&ProbeError::Lost { event })));
        }
    }

    /// Without counts there is no budget, and without a budget there are no probes.
    fn give_up(&mut self, error: &ProbeError) {
        for layer in Layer::ALL {
            self.detach(layer);
            self.governor.refuse(layer, ProbeReason::Failed(one_line(error)));
        }
    }
}

fn sites(probes: &Probes) -> Vec<Site> {
    let mut sites = Vec::new();
    probes.sites(&mut sites);
    sites
}

/// Why a layer's probes are not to be had in this program, or not wanted.
fn refusal(
    (program, probes): (&Program, &Probes),
    layer: Layer,
    wanted: Wanted,
) -> Option<ProbeReason> {
    if matches!(layer, Layer::Opens | Layer::Allocations) && !wanted.memory {
        return Some(ProbeReason::NotLookedAt);
    }
    if layer != Layer::Lives && wanted.probing == Probing::Create {
        return Some(ProbeReason::OnlyCreations);
    }
    if layer == Layer::Allocations {
        let is_on = program.buckets().ok().and_then(|it| it.is_on(program.memory()).ok());
        match (is_on, program.heap()) {
            (Some(true), _) => return Some(ProbeReason::KeepsProfile),
            (_, Err(why)) => return Some(ProbeReason::Failed(one_line(why))),
            (_, Ok(heap)) if heap.span_start().is_none() => {
                return Some(ProbeReason::Failed(SPANS.to_owned()));
            }
            (_, Ok(_)) => {}
        }
    }
    let missing = layer.events().iter().find_map(|event| probes.place(*event).err())?;
    Some(ProbeReason::Failed(one_line(&missing)))
}

/// Why large objects cannot be told.
const SPANS: &str = "the runtime's mspan is not laid out as in the Go releases that are known";

/// The CPU time of all threads of a process so far. 0 for one that is gone.
fn cpu_of(pid: u32) -> Duration {
    let pid = i32::try_from(pid).map(Pid::from_raw);
    let time = pid.ok().and_then(|pid| clock_gettime(clock_getcpuclockid(pid).ok()?).ok());
    time.map_or(Duration::ZERO, Duration::from)
}

/// A thread that panicked left books that are whole: each step changes them at its end.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Since when a layer's probes have been attached without a gap.
pub(super) const fn attached_since(state: &State) -> Option<Duration> {
    match state {
        State::Attached { since } | State::Burst { since } => Some(*since),
        State::Shed { .. } | State::Unavailable { .. } => None,
    }
}
