//! A running process as a source: attach by pid, sample its goroutines through its memory.

pub mod allocated;
mod births;
mod budget;
mod clock;
mod cost;
mod governor;
mod heap;
mod keeper;
mod large;
mod live;
mod memory;
mod notes;
pub mod probes;
mod resources;
pub mod retained;
mod running;
pub mod sampling;
mod snapshot;
mod wait;
mod watch;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};

use super::{CollectError, Source};
use crate::golang::{self, Program, timens};
use crate::host::kernel::sys_is_mounted;
use crate::host::memory::resident_bytes;
use crate::model::{
    Build, Coverage, CoverageNote, Instance, Memory, Observation, Rates, Resources, Subjects,
    Target, TargetId, Timestamp,
};
pub use budget::{Budget, NoBudget};
use clock::Clock;
use cost::Cost;
use keeper::Wanted;
use large::LargeObjects;
use live::{Added, Live};
pub use memory::Shortage;
use memory::{Keep, Load, Room};
pub use notes::caveats;
use probes::CallSite;
use resources::Holdings;
use running::Meter;
use snapshot::{Snapshot, Snapshotter, Taken};

/// A lock that somebody has been waiting for this long is contended. A little less than a second,
/// so that two samples a second apart show it.
const CONTENDED: Duration = Duration::from_millis(900);
/// How long after the first snapshot of one observation the second one is taken.
const CONFIRMED_AFTER: Duration = Duration::from_millis(100);

/// How to attach.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Which probes.
    pub probes: Probing,
    /// What they may cost the target.
    pub budget: Budget,
    /// One observation is all that will be asked for: nothing is kept for another, which would know no
    /// more than the first. Where goroutines wait for locks it takes two snapshots, a tenth of a second
    /// apart: the first says which locks to search stacks for, the second who still waits.
    pub once: bool,
    /// The file that holds the Go runtime, by its name or path, where a process has several; `None` for
    /// the executable, or else the one library.
    pub object: Option<String>,
    /// What is read. Where that is not goroutines, no stack is, and there are no probes.
    pub subjects: Subjects,
    /// What the agent may take in all, in bytes, where it was told that; its control groups count too.
    pub max_memory: Option<u64>,
}

impl Options {
    /// Locates the Go runtime that is meant in a process.
    pub(super) fn program(&self, pid: u32) -> Result<Program, golang::Error> {
        match &self.object {
            None => Program::attach(pid),
            Some(object) => Program::attach_object(pid, object),
        }
    }
}

/// Which probes to put into the target's runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probing {
    /// None: snapshots alone.
    #[default]
    Off,
    /// All that the budget allows.
    Auto,
    /// Creations and exits, as the budget allows.
    Create,
    /// All of them, whatever they cost.
    All,
}

/// A running Go program that is being sampled.
pub struct Attach {
    // Before the program: probes go first.
    live: Live,
    program: Program,
    target: Arc<Target>,
    reasons: Arc<[String]>,
    snapshotter: Snapshotter,
    clock: Clock,
    meter: Meter,
    holdings: Holdings,
    large: LargeObjects,
    /// How much is kept, as long as there is room for it.
    keep: Keep,
    /// What the last sample had.
    load: Load,
    /// What the agent may take in all, as it was told.
    max_memory: Option<u64>,
    cost: Cost,
    /// Whether one observation is all that will be asked for.
    once: bool,
    /// What is read.
    subjects: Subjects,
    /// When the first observation was made, by the monotonic clock.
    first: Option<Duration>,
    /// What there is to say of every observation.
    notes: Vec<CoverageNote>,
    /// That less is kept than was asked for, if so.
    less_is_kept: Option<CoverageNote>,
    /// When the program started, in clock ticks since boot.
    started_ticks: u64,
    /// Since when the process is known to run another program, of which nothing was seen yet.
    replaced: Option<Duration>,
}

/// How a program is named, that of a process which has executed nothing since it was first seen.
fn target_of(program: &Program) -> Target {
    let (binary, process) = (program.binary(), program.process());
    Target {
        id: TargetId {
            instance: Instance::Process { pid: process.pid, library: process.library.clone() },
            started: wall_clock_of(process.forked_ticks()),
            generation: 0,
            recording: None,
        },
        exe: Some(process.exe.clone()),
        go_version: Some(binary.info.version.clone()),
        build: Some(Build { stripped: binary.stripped, pie: binary.pie, cgo: program.has_cgo() }),
        forked_ticks: Some(process.forked_ticks()),
    }
}

/// A program that was executed anew is ready to be read before this is over.
const START: Duration = Duration::from_secs(10);

/// What cannot be told on this host.
fn unknowns(clock: bool) -> Vec<CoverageNote> {
    let notes = [(clock, CoverageNote::NoTimeNamespace), (!sys_is_mounted(), CoverageNote::NoSys)];
    notes.into_iter().filter(|(is, _)| *is).map(|(_, note)| note).collect()
}

impl Attach {
    /// Attaches to the process with an id. Nothing stops it, now or later, and nothing in it changes
    /// but for the breakpoints of probes, which the first sample puts there if any are wanted.
    ///
    /// # Errors
    /// When there is no such process, it is no Go program that can be read, or access is refused.
    pub fn open(pid: u32, options: &Options) -> Result<Self, CollectError> {
        // First: it finds out what a hit costs while the program is located.
        let probes = if options.subjects.goroutines { options.probes } else { Probing::Off };
        let (budget, memory) = (options.budget, options.subjects.memory);
        let live = Live::new(Wanted { probing: probes, budget, memory });
        let program = options.program(pid)?;
        let mut attach = Self {
            live,
            subjects: options.subjects,
            max_memory: options.max_memory,
            ..Self::to(program)
        };
        if probes != Probing::Off {
            attach.keep = Keep::All;
        }
        if options.once {
            attach.once = true;
            attach.keep = Keep::Once;
            attach.clock.keep_nothing();
            attach.snapshotter.keep_nothing();
        }
        Ok(attach)
    }

    /// Samples a program that was located before. No probes.
    #[must_use]
    pub fn to(program: Program) -> Self {
        let ahead_ns = timens::offset_ns(&program.process().folder());
        Self {
            live: Live::new(Wanted::default()),
            target: Arc::new(target_of(&program)),
            reasons: program.reasons().into(),
            snapshotter: Snapshotter::new(program.reasons()),
            clock: Clock::new(ahead_ns),
            meter: Meter::new(program.process().pid),
            holdings: Holdings::default(),
            large: LargeObjects::default(),
            keep: Keep::NoProbes,
            load: Load::default(),
            max_memory: None,
            cost: Cost::start(),
            once: false,
            subjects: Subjects::ALL,
            first: None,
            notes: unknowns(ahead_ns.is_none()),
            less_is_kept: None,
            replaced: None,
            started_ticks: program.process().started_ticks(),
            program,
        }
    }

    /// The program.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }
}

impl Source for Attach {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        match self.observe_what_runs() {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if has_exited(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Attach {
    /// Observes the program that the process runs, which may be another than before.
    fn observe_what_runs(&mut self) -> Result<Observation, CollectError> {
        if self.replaced.is_none() {
            let seen = self.observe_program();
            // Whatever was seen or not: it may be of both programs.
            if !self.program.is_replaced() {
                return seen;
            }
        }
        let since = *self.replaced.get_or_insert_with(monotonic);
        let seen = self.begin_anew().and_then(|()| self.observe_program());
        match seen {
            Ok(seen) if !self.program.is_replaced() => {
                self.replaced = None;
                Ok(seen)
            }
            Err(error) if has_exited(&error) || error.is_denied() => Err(error),
            Err(CollectError::Program(source)) if monotonic().saturating_sub(since) >= START => {
                let pid = self.program.process().pid;
                Err(golang::Error::ReplacedBy { pid, source: Box::new(source) }.into())
            }
            _ => Err(golang::Error::Starting { pid: self.program.process().pid }.into()),
        }
    }

    /// Attaches to what the process has executed since.
    fn begin_anew(&mut self) -> Result<(), CollectError> {
        let process = self.program.process();
        let program = Program::attach(process.pid).map_err(|error| match error {
            _ if process.is_alive() => error,
            _ => golang::Error::Exited { pid: process.pid },
        })?;
        let mut anew = Self::to(program);
        let target = Arc::make_mut(&mut anew.target);
        // Once for each that was seen.
        let generation = self.target.id.generation + u32::from(self.first.is_some());
        // By the clock of when it was attached to, however that was set since.
        target.id = TargetId { generation, ..self.target.id.clone() };
        (anew.once, anew.replaced) = (self.once, self.replaced);
        anew.subjects = self.subjects;
        anew.max_memory = self.max_memory;
        anew.keep = self.keep;
        anew.less_is_kept.clone_from(&self.less_is_kept);
        match self.keep {
            Keep::Least | Keep::Once => anew.snapshotter.keep_nothing(),
            Keep::All | Keep::NoProbes => {}
        }
        // What the new program's functions and structures are, the old one's probes do not know.
        self.live.begin_anew();
        std::mem::swap(&mut anew.live, &mut self.live);
        std::mem::swap(&mut anew.cost, &mut self.cost);
        *self = anew;
        Ok(())
    }

    fn observe_program(&mut self) -> Result<Observation, CollectError> {
        // What is asked of /proc costs the target nothing, and is none of a snapshot's time.
        let process = self.meter.read(monotonic());
        let mut start = monotonic();
        let taken = if self.subjects.goroutines {
            self.goroutines(&mut start)?
        } else {
            Snapshot::default()
        };
        let mut now = monotonic();
        let Snapshot {
            mut goroutines,
            marks,
            objects,
            channels,
            mentions,
            labels,
            mut coverage,
            helped,
            ..
        } = taken;
        let (memory, resources) = self.memory(now, &mut coverage);
        if !self.subjects.goroutines {
            let process = self.program.process();
            // Reading goroutines would have told.
            if !process.is_alive() {
                return Err(golang::Error::Exited { pid: process.pid }.into());
            }
            now = monotonic();
        }
        let churn = self.clock.tick(start, &marks, &mut goroutines);
        // A tenth of a second says nothing of rates.
        let (churn, churn_so_far) =
            if self.once { (None, None) } else { (churn, self.clock.rates_so_far()) };
        self.explain(&mut coverage);
        coverage.process = Some(process);
        let first = *self.first.get_or_insert(start);
        let Added { rates, rates_so_far, sites, spent, hit } = self.live.add(
            &self.program,
            (first, start, now.saturating_sub(start) + helped),
            (&mut goroutines, &marks),
            &mut self.snapshotter,
            &mut coverage,
        );
        if !self.once {
            self.snapshotter.watch(&goroutines, &objects, CONTENDED);
        }
        let mut seen = Observation {
            at: wall_clock(),
            elapsed: start.saturating_sub(first),
            uptime: uptime(self.started_ticks),
            target: Arc::clone(&self.target),
            goroutines,
            stacks: self.snapshotter.stacks(),
            reasons: Arc::clone(&self.reasons),
            objects,
            channels,
            mentions,
            labels,
            rates: best(rates, churn),
            rates_so_far: best(rates_so_far, churn_so_far),
            sites,
            contention: None,
            memory,
            resources,
            coverage,
            overhead: self.cost.so_far(now.saturating_sub(start), spent, hit),
        };
        if self.subjects != Subjects::ALL {
            seen.limit_to(self.subjects);
        }
        Ok(seen)
    }

    /// All goroutines as they stood at `start`, which is later where locks had to be looked at once more.
    fn goroutines(&mut self, start: &mut Duration) -> Result<Snapshot, CollectError> {
        let room = self.room();
        let mut taken = self.take(room)?;
        if self.once && taken.has_lock_waits {
            // Stacks are searched for locks that are known beforehand.
            self.clock.keep();
            self.clock.tick(*start, &taken.marks, &mut taken.goroutines);
            self.snapshotter.watch(&taken.goroutines, &taken.objects, Duration::ZERO);
            drop(taken);
            thread::sleep(CONFIRMED_AFTER.saturating_sub(monotonic().saturating_sub(*start)));
            *start = monotonic();
            taken = self.take(room)?;
        }
        Ok(taken)
    }

    /// What the process has, and holds of the kernel's.
    fn memory(&mut self, now: Duration, coverage: &mut Coverage) -> (Memory, Resources) {
        if !self.subjects.memory {
            return (Memory::default(), Resources::default());
        }
        let mut memory = heap::read(&self.program, coverage);
        let live = &self.live;
        let name = |site: &CallSite| self.snapshotter.call_stack(&self.program, site);
        memory.large = self.large.read(&self.program, || live.large(), self.first, name);
        let births = |numbers: &[u64]| live.births(numbers);
        let mut resources = self.holdings.read(self.program.process(), now, births, coverage);
        resources.opened = self.holdings.opened(|site| {
            let stack = self.snapshotter.call_stack(&self.program, site)?;
            Some((stack, self.snapshotter.creation_site(&self.program, site.gopc)))
        });
        (memory, resources)
    }

    /// What the next sample may take.
    fn room(&self) -> Room {
        let room = Room::read();
        let own = self.max_memory.zip(resident_bytes());
        own.map_or(room, |(most, taken)| room.within(most, taken, self.keep, self.load))
    }

    fn take(&mut self, room: Room) -> Result<Snapshot, CollectError> {
        // Whatever failed, failed because the process is gone, if it is gone.
        self.sample(room).map_err(|error| {
            let process = self.program.process();
            if process.is_alive() {
                error
            } else {
                golang::Error::Exited { pid: process.pid }.into()
            }
        })
    }

    /// All goroutines, if they fit in the agent's memory.
    fn sample(&mut self, room: Room) -> Result<Snapshot, CollectError> {
        if self.program.refresh_plugins()? {
            self.snapshotter.forget_addresses();
        }
        self.snapshotter.keep_small(room.is_small());
        // With the least that can be kept.
        let least = self.keep.max(Keep::Least);
        let slots = self.program.all_gs()?.1 as u64;
        let load = |goroutines: usize, stacks: usize| Load {
            goroutines: goroutines as u64,
            stacks: stacks as u64,
            slots,
        };
        let fits = |goroutines, stacks| room.fits(least, load(goroutines, stacks));
        match self.snapshotter.take(&self.program, &fits)? {
            Taken::Whole(snapshot) => {
                self.load = load(snapshot.goroutines.len(), snapshot.distinct_stacks);
                self.keep_to(room, self.load);
                Ok(*snapshot)
            }
            Taken::TooLarge { goroutines, stacks } => {
                let pid = self.program.process().pid;
                Err(room.shortage(pid, least, load(goroutines, stacks)).into())
            }
        }
    }

    /// Keeps less from now on where so much leaves no room for more.
    fn keep_to(&mut self, room: Room, load: Load) {
        let keep = room.keep(self.keep, load);
        if keep == self.keep {
            return;
        }
        if self.keep == Keep::All {
            self.live = Live::new(Wanted::default());
        }
        if keep == Keep::Least {
            self.snapshotter.keep_nothing();
        }
        self.less_is_kept = Some(room.note(keep));
        self.keep = keep;
    }

    fn explain(&self, coverage: &mut Coverage) {
        let notes = caveats(&self.program).into_iter().chain(self.notes.iter().cloned());
        let notes = notes.chain(self.less_is_kept.clone());
        coverage.notes.splice(0..0, notes.chain(notes::plugin_gaps(&self.program)));
        if coverage.not_unwound > 0 && self.program.has_new_plugins() {
            coverage.notes.push(CoverageNote::PluginLoading);
        }
    }
}

const fn has_exited(error: &CollectError) -> bool {
    matches!(error, CollectError::Program(golang::Error::Exited { .. }))
}

/// What probes counted, and no less than what snapshots saw come and go.
fn best(counted: Option<Rates>, seen: Option<Rates>) -> Option<Rates> {
    match (counted, seen) {
        (Some(counted), Some(seen)) => Some(counted.no_less_than(&seen)),
        (counted, seen) => counted.or(seen),
    }
}

/// The host's clock that never steps: the one that eBPF programs read, and, moved by the offset of the
/// target's time namespace, the Go runtime's `nanotime`.
fn monotonic() -> Duration {
    /// That of the agent's own namespace.
    static AHEAD_NS: LazyLock<i64> =
        LazyLock::new(|| timens::offset_ns(Path::new("/proc/self")).unwrap_or(0));
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    let ahead = Duration::from_nanos(AHEAD_NS.unsigned_abs());
    if *AHEAD_NS < 0 { now + ahead } else { now.saturating_sub(ahead) }
}

/// When something happened, from clock ticks since boot, in whole seconds: the clocks are read one after
/// the other, so that a finer time would be another at each reading.
fn wall_clock_of(ticks: u64) -> Option<Timestamp> {
    let ago = i64::try_from(uptime(ticks)?.as_nanos()).ok()?;
    let at = wall_clock().unix_ns().checked_sub(ago)?;
    Some(Timestamp::from_unix_ns(at - at.rem_euclid(1_000_000_000)))
}

/// When a process started, as [`TargetId::started`] says it; `None` where there is none, or that is not known.
#[must_use]
pub fn started(pid: u32) -> Option<Timestamp> {
    wall_clock_of(golang::process::Process::find(pid).ok()?.forked_ticks())
}

/// How long ago a process started, from its start in clock ticks since boot; `None` where the host does
/// not say how long a tick is.
fn uptime(started_ticks: u64) -> Option<Duration> {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?);
    let per_second = u64::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    let started = Duration::from_secs_f64(started_ticks as f64 / per_second.max(1) as f64);
    now.checked_sub(started)
}

fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
