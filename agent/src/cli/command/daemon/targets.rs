//! The Go programs that are meant: which are watched, which wait, are off, or cannot be read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strum::IntoEnumIterator as _;

use crate::analyze::Settings;
use crate::cli::daemon::Daemon;
use crate::cli::off::Off;
use crate::cli::output;
use crate::cli::proving::{self, Proofs};
use crate::cli::remembering::Remembering;
use crate::cli::request::Request;
use crate::cli::shelving::Windows;
use crate::collect::CollectError;
use crate::collect::attach::Options;
use crate::discover::{Found, Scan};
use crate::error_chain::one_line;
use crate::golang::Error;
use crate::model::Verdict;
use crate::pipeline::{self, Departure, Event, Observe, Observer, Open, Pool, Progress};
use crate::report::format;
use crate::report::schema::{DaemonTargetDoc, TargetState};

/// Programs that were sampled so often without a finding make room for others.
const MIN_SAMPLES: u64 = 16;
/// Why a program waits.
const NO_MEMORY: &str = "the agent takes as much memory as it may (--max-memory)";

/// A target's process, and which of its Go runtimes.
type Place = (u32, Option<String>);

/// How targets are attached to and judged.
#[derive(Clone, Debug)]
pub(super) struct Sampling {
    attach: Options,
    settings: Settings,
    roots: Vec<PathBuf>,
    state: Option<PathBuf>,
    proofs: Option<Proofs>,
    /// What the agent may take, in processors.
    pub(super) host: f64,
}

impl Sampling {
    pub(super) fn of(request: &Request, daemon: &Daemon) -> Self {
        Self {
            attach: Options { max_memory: Some(daemon.max_memory), ..request.attach.clone() },
            settings: request.settings.clone(),
            roots: request.source_roots.clone(),
            state: daemon.state.clone(),
            proofs: request.proofs.clone(),
            host: daemon.host,
        }
    }

    /// The same with what cannot change while the agent runs: where what outlives it is, and what holds targets still.
    pub(super) fn going_on(self, before: &Self) -> Self {
        Self { state: before.state.clone(), proofs: before.proofs.clone(), ..self }
    }

    fn open(&self, found: &Found) -> Open {
        let (pid, mut options) = (found.pid, self.attach.clone());
        options.object.clone_from(&found.object);
        let prove = proving::proving(self.proofs.as_ref(), (pid, found.object.clone()), None);
        Box::new(move || pipeline::attach(pid, &options).map(prove))
    }

    fn observe(&self, found: &Found) -> Observe {
        let (settings, roots) = (self.settings.clone(), self.roots.clone());
        let kept = self.state.as_deref().map(|state| {
            let habits = Remembering::new(state.to_owned(), found.pid);
            (habits, Windows::new(state).of(found))
        });
        Box::new(move |source| {
            let observer = Observer::new(source, settings, roots);
            match kept {
                Some((habits, window)) => observer.remembering(Box::new(habits)).going_on(window),
                None => observer,
            }
        })
    }
}

/// A Go program that is meant.
struct Target {
    found: Found,
    state: TargetState,
    why: Option<String>,
    /// When it went, or was not taken, since the agent's memory was full.
    no_memory: Option<Instant>,
    /// Its key in the pool, while it is there.
    key: Option<u64>,
}

/// All of them.
pub(super) struct Targets {
    all: BTreeMap<Place, Target>,
    sampling: Sampling,
    most: usize,
    refusals: BTreeMap<&'static str, u64>,
    /// How often programs went since the agent's memory was full.
    let_go: u64,
    /// When one that was sampled went for one that waits.
    exchanged: Option<Instant>,
    /// People were told that there are too many, or too many for the memory.
    is_full: bool,
    is_out_of_memory: bool,
}

impl Targets {
    pub(super) const fn new(sampling: Sampling, most: usize) -> Self {
        Self {
            all: BTreeMap::new(),
            sampling,
            most,
            refusals: BTreeMap::new(),
            let_go: 0,
            exchanged: None,
            is_full: false,
            is_out_of_memory: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &Found> {
        self.all.values().map(|target| &target.found)
    }

    pub(super) const fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Those that could not be read, or no longer, by why.
    pub(super) const fn refusals(&self) -> &BTreeMap<&'static str, u64> {
        &self.refusals
    }

    /// How often programs went since the agent's memory was full.
    pub(super) const fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Targets that are attached to from now on are so by this.
    pub(super) fn go_on(&mut self, sampling: Sampling, most: usize) {
        (self.sampling, self.most) = (sampling, most);
    }

    /// Takes in what a pass over all processes has found.
    pub(super) fn take(&mut self, scan: &Scan, off: &Off, pool: &Pool) {
        for pid in &scan.gone {
            self.leave(*pid, Departure::Exited, pool);
        }
        for found in &scan.renamed {
            let place = (found.pid, found.object.clone());
            match self.all.get_mut(&place) {
                // Its source has seen that by itself. The window is kept where it was.
                Some(target) if target.key.is_some() => {
                    target.found.names = Arc::clone(&found.names);
                }
                _ => self.add(found.clone()),
            }
        }
        for found in &scan.found {
            self.add(found.clone());
        }
        self.admit(off, pool);
    }

    fn add(&mut self, found: Found) {
        let place = (found.pid, found.object.clone());
        let state = TargetState::Waiting;
        let target = Target { found, state, why: None, no_memory: None, key: None };
        self.all.insert(place, target);
    }

    /// Processes are not meant any more.
    pub(super) fn release(&mut self, pids: &[u32], pool: &Pool) {
        for pid in pids {
            self.leave(*pid, Departure::Released, pool);
        }
    }

    fn leave(&mut self, pid: u32, departure: Departure, pool: &Pool) {
        let places: Vec<Place> =
            self.all.keys().filter(|(other, _)| *other == pid).cloned().collect();
        for target in places.iter().filter_map(|place| self.all.remove(place)) {
            if let Some(key) = target.key {
                pool.remove(key, departure);
            }
            if departure == Departure::Exited
                && let Some(state) = &self.sampling.state
            {
                Windows::new(state).forget(&target.found);
            }
        }
    }

    /// Lets go of what is off, and takes again what is not.
    pub(super) fn switch(&mut self, off: &Off, pool: &Pool) {
        for target in self.all.values_mut() {
            let is_off = off.has(target.found.pid, &target.found.names.exe);
            match target.state {
                TargetState::Attaching | TargetState::Watched | TargetState::Waiting if is_off => {
                    if let Some(key) = target.key.take() {
                        pool.remove(key, Departure::Released);
                    }
                    target.state = TargetState::Off;
                }
                TargetState::Off if !is_off => target.state = TargetState::Waiting,
                _ => {}
            }
        }
        self.admit(off, pool);
    }

    /// Attaches to those that wait, as far as there is room: first to those that never were, then to those that went first.
    fn admit(&mut self, off: &Off, pool: &Pool) {
        let mut room =
            self.most.saturating_sub(self.all.values().filter(|it| it.key.is_some()).count());
        let mut again = pool.room();
        let (mut left, mut for_memory) = (0_u64, 0_u64);
        let is_waiting = |it: &&mut Target| it.state == TargetState::Waiting;
        let mut waiting: Vec<&mut Target> = self.all.values_mut().filter(is_waiting).collect();
        waiting.sort_by_key(|it| it.no_memory);
        for target in waiting {
            if off.has(target.found.pid, &target.found.names.exe) {
                target.state = TargetState::Off;
                continue;
            }
            if target.no_memory.is_some() {
                let Some(less) = again.checked_sub(1) else {
                    for_memory += 1;
                    continue;
                };
                again = less;
            }
            if let Some(less) = room.checked_sub(1) {
                room = less;
                let (open, observe) =
                    (self.sampling.open(&target.found), self.sampling.observe(&target.found));
                target.key = Some(pool.add(open, observe));
                (target.state, target.why) = (TargetState::Attaching, None);
            } else {
                left += 1;
            }
        }
        if left > 0 && !self.is_full {
            let left = format::counted(left, "Go program waits", "Go programs wait");
            output::say(format_args!("{left}: {} are watched (--max-targets)", self.most));
        }
        self.is_full = left > 0;
        if for_memory > 0 && !self.is_out_of_memory {
            let left = format::counted(for_memory, "Go program waits", "Go programs wait");
            output::say(format_args!(
                "{left}: the agent takes as much memory as it may (--max-memory)"
            ));
        }
        self.is_out_of_memory = for_memory > 0;
    }

    /// Has one that waits for memory watched in place of another in which nothing was found, each `turn`.
    pub(super) fn take_turns(&mut self, turn: Duration, pool: &Pool) {
        if !self.is_out_of_memory {
            self.exchanged = None;
            return;
        }
        if self.exchanged.get_or_insert_with(Instant::now).elapsed() >= turn {
            self.exchanged = Some(Instant::now());
            pool.exchange(MIN_SAMPLES);
        }
    }

    /// Takes in what became of those that are watched.
    pub(super) fn follow(&mut self, off: &Off, pool: &Pool) {
        let events = pool.events();
        for event in &events {
            let (Event::Attached(key)
            | Event::Exited(key)
            | Event::Failed(key, _)
            | Event::NoMemory(key)
            | Event::Panicked(key)) = event;
            let Some(target) = self.all.values_mut().find(|it| it.key == Some(*key)) else {
                continue;
            };
            let refused = match event {
                Event::Attached(_) => {
                    target.state = TargetState::Watched;
                    continue;
                }
                Event::NoMemory(_) => {
                    let was_watched = target.state == TargetState::Watched;
                    target.key = None;
                    target.state = TargetState::Waiting;
                    target.why = Some(NO_MEMORY.to_owned());
                    target.no_memory = Some(Instant::now());
                    if was_watched {
                        self.let_go += 1;
                        let name = format::clean(&target.found.names.exe);
                        let pid = target.found.pid;
                        output::say(format_args!("{name} (pid {pid}) waits: {NO_MEMORY}"));
                    }
                    continue;
                }
                Event::Failed(_, error) if has_gone(error) => None,
                Event::Exited(_) => None,
                Event::Failed(_, error) => Some((reason(error), one_line(error))),
                Event::Panicked(_) => Some(("defect", "internal error: it panicked".to_owned())),
            };
            target.key = None;
            // Of one that is gone the next pass says so.
            let Some((reason, why)) = refused else { continue };
            target.state = TargetState::Refused;
            *self.refusals.entry(reason).or_default() += 1;
            let name = format::clean(&target.found.names.exe);
            output::say(format_args!("{name} (pid {}) is not watched: {why}", target.found.pid));
            target.why = Some(why);
        }
        if !events.is_empty() || self.is_out_of_memory {
            self.admit(off, pool);
        }
    }

    /// How many there are in each state.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts: BTreeMap<&'static str, u64> =
            TargetState::iter().map(|state| (state.name(), 0)).collect();
        for target in self.all.values() {
            *counts.entry(target.state.name()).or_default() += 1;
        }
        counts
    }

    /// What is told of each.
    pub(super) fn documents(&self, progress: &BTreeMap<u64, Progress>) -> Vec<DaemonTargetDoc<'_>> {
        self.all.values().map(|target| document(target, progress)).collect()
    }
}

fn document<'a>(target: &'a Target, progress: &BTreeMap<u64, Progress>) -> DaemonTargetDoc<'a> {
    let Target { found, state, why, key, .. } = target;
    let names = &found.names;
    let progress = key.and_then(|key| progress.get(&key));
    let last = progress.and_then(|it| it.last.as_deref());
    let judgement = last.and_then(|last| last.judgement.as_ref());
    let likely = judgement.map(|judgement| {
        judgement.findings.iter().filter(|it| it.verdict >= Verdict::Likely).count() as u64
    });
    DaemonTargetDoc {
        pid: found.pid,
        name: names.exe.as_str().into(),
        object: found.object.as_deref().map(Into::into),
        go_version: found.go_version.as_str().into(),
        state: *state,
        why: why.as_deref().map(Into::into),
        unit: names.unit.as_deref().map(Into::into),
        container_id: names.container.id.as_deref().map(Into::into),
        namespace: names.pod.as_ref().map(|pod| pod.namespace.as_str().into()),
        pod: names.pod.as_ref().map(|pod| pod.pod.as_str().into()),
        samples: progress.map_or(0, |it| it.samples),
        interval_seconds: progress.and_then(|it| it.interval).map(|it| it.as_secs_f64()),
        sample_cpu_seconds: progress.map(|it| it.cpu.as_secs_f64()).filter(|_| last.is_some()),
        goroutines: last.and_then(|last| last.goroutines()),
        findings: likely,
    }
}

/// Whether a target ended while it was attached to.
const fn has_gone(error: &CollectError) -> bool {
    matches!(
        error,
        CollectError::Ended
            | CollectError::Program(
                Error::NoSuchProcess { .. } | Error::Exited { .. } | Error::Zombie { .. }
            )
    )
}

/// Why a target is not watched, for a metric: one of a few.
const fn reason(error: &CollectError) -> &'static str {
    match error {
        CollectError::Memory(_) => "memory",
        CollectError::Program(error) => match error {
            Error::Permission { .. } => "permission",
            Error::TooOld { .. } | Error::Version { .. } | Error::NoVersion { .. } => "version",
            Error::Machine { .. } | Error::Packed { .. } | Error::BadElf { .. } => "executable",
            Error::NotGo { .. } | Error::ReplacedBy { .. } => "not-go",
            _ => "unreadable",
        },
        _ => "unreadable",
    }
}
