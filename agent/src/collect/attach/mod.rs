//! A running process as a source: attach by pid, look at its goroutines through its memory.

mod budget;
mod clock;
mod cost;
pub mod governor;
pub mod probes;
mod snapshot;
mod wait;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use super::{CollectError, Source};
use crate::golang::Program;
use crate::model::{Build, Coverage, Observation, Target, TargetKind, Timestamp};
pub use budget::{Budget, NoBudget};
use clock::Clock;
use cost::Cost;
use snapshot::{Snapshot, Snapshotter};

/// How to attach. Nothing to choose yet: probes will be.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {}

/// A running Go program that is being looked at.
pub struct Attach {
    program: Program,
    target: Arc<Target>,
    reasons: Arc<[String]>,
    snapshotter: Snapshotter,
    clock: Clock,
    cost: Cost,
    /// When the first observation was made, by the monotonic clock.
    first: Option<Duration>,
}

impl Attach {
    /// Attaches to the process with an id. Nothing in it changes or stops, now or later.
    ///
    /// # Errors
    /// When there is no such process, it is no Go program that can be read, or access is refused.
    pub fn open(pid: u32, _options: &Options) -> Result<Self, CollectError> {
        Ok(Self::to(Program::attach(pid)?))
    }

    /// Looks at a program that was located before.
    #[must_use]
    pub fn to(program: Program) -> Self {
        let binary = program.binary();
        let target = Target {
            kind: TargetKind::Pid,
            pid: Some(program.process().pid),
            exe: program.process().exe.clone(),
            go_version: Some(binary.info.version.clone()),
            build: Some(Build {
                stripped: binary.stripped,
                pie: binary.pie,
                cgo: program.has_cgo(),
            }),
        };
        Self {
            target: Arc::new(target),
            reasons: program.reasons().into(),
            snapshotter: Snapshotter::new(program.reasons()),
            clock: Clock::default(),
            cost: Cost::start(),
            first: None,
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
    fn next(&mut self) -> Result<Observation, CollectError> {
        let start = monotonic();
        let taken = self.snapshotter.take(&self.program);
        let now = monotonic();
        // Whatever failed, failed because the process is gone, if it is gone.
        let Snapshot { mut goroutines, marks, objects, labels, mut coverage } =
            taken.map_err(|error| {
                let process = self.program.process();
                if process.is_alive() {
                    error
                } else {
                    crate::golang::Error::Exited { pid: process.pid }
                }
            })?;
        let rates = self.clock.tick(start, &marks, &mut goroutines);
        self.explain(&mut coverage);
        let first = *self.first.get_or_insert(start);
        Ok(Observation {
            at: wall_clock(),
            elapsed: start.saturating_sub(first),
            target: Arc::clone(&self.target),
            goroutines,
            stacks: self.snapshotter.stacks(),
            reasons: Arc::clone(&self.reasons),
            objects,
            labels,
            rates,
            coverage,
            overhead: self.cost.so_far(now.saturating_sub(start)),
        })
    }
}

impl Attach {
    fn explain(&self, coverage: &mut Coverage) {
        coverage.notes.splice(0..0, self.program.notes().iter().cloned());
    }
}

/// The clock that the Go runtime's `nanotime` reads, and that never steps.
fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
