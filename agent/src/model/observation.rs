//! What was seen of one target at one moment, and how much of it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Mention};
use super::contention::Contention;
use super::files::FilesCoverage;
use super::forced::ForcedCollection;
use super::goroutine::{Goroutine, LabelsId};
use super::memory::Memory;
use super::note::CoverageNote;
use super::overhead::Overhead;
use super::probe::ProbeCoverage;
use super::profile::ProfileCoverage;
use super::proof::ProofCoverage;
use super::rates::{Rate, RateBasis, Rates};
use super::resources::Resources;
use super::running::Running;
use super::stack::{FrameId, StackId, StackTable};
use super::subjects::Subjects;
use super::target::Target;
use super::time::Timestamp;

/// What was seen of one target at one moment.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// How long after the source's first observation, by a clock that never steps.
    pub elapsed: Duration,
    /// How long the target had been running; `None` where the source does not know.
    pub uptime: Option<Duration>,
    /// Of whom.
    pub target: Arc<Target>,
    /// Every goroutine that is not dead.
    pub goroutines: Vec<Goroutine>,
    /// The stacks that the goroutines name. Ids stay the same for all observations of a source.
    pub stacks: Arc<StackTable>,
    /// The runtime's own wait reasons, by number.
    pub reasons: Arc<[String]>,
    /// Addresses of what goroutines wait on; goroutines name ranges of it.
    pub objects: Vec<u64>,
    /// Channels that goroutines wait on, sorted by address: some of each kind of goroutine, not all.
    pub channels: Vec<Channel>,
    /// Who has a contended lock's address on its stack, by lock and goroutine.
    pub mentions: Vec<Mention>,
    /// Sets of profiler labels, sorted by key; the first is the empty set.
    pub labels: Vec<Vec<(String, String)>>,
    /// Creations and exits since the previous observation; `None` in the first.
    pub rates: Option<Rates>,
    /// The same since the first observation; `None` where the source does not know.
    pub rates_so_far: Option<Rates>,
    /// Where goroutines were created while creations were watched; empty without probes.
    pub sites: Vec<Site>,
    /// What the program's own block and mutex profiles say; `None` where the source has none.
    pub contention: Option<Contention>,
    /// The process's memory, its Go heap included.
    pub memory: Memory,
    /// Descriptors, threads, mappings and children of the process.
    pub resources: Resources,
    /// How much was asked for, read and lost.
    pub coverage: Coverage,
    /// What the observation cost so far.
    pub overhead: Overhead,
}

impl Observation {
    /// What a goroutine waits on.
    #[must_use]
    pub fn objects_of(&self, goroutine: &Goroutine) -> &[u64] {
        let start = goroutine.objects.start as usize;
        self.objects.get(start..start + goroutine.objects.len as usize).unwrap_or(&[])
    }

    /// Leaves what is to be looked at, and says so.
    pub fn limit_to(&mut self, subjects: Subjects) {
        let coverage = &mut self.coverage;
        coverage.subjects = coverage.subjects.and(subjects);
        if !subjects.goroutines {
            self.goroutines.clear();
            self.objects.clear();
            self.channels.clear();
            self.mentions.clear();
            self.sites.clear();
            (self.rates, self.rates_so_far, self.contention) = (None, None, None);
            let Coverage { subjects, heap_retried, process, files, mut notes, .. } =
                std::mem::take(coverage);
            notes.retain(|note| !note.is_of_goroutines());
            *coverage =
                Coverage { subjects, heap_retried, process, files, notes, ..Coverage::default() };
        }
        if !subjects.memory {
            (self.memory, self.resources) = (Memory::default(), Resources::default());
            coverage.heap_retried = 0;
            coverage.notes.retain(|note| !note.is_of_memory());
        }
    }

    /// The runtime's wait reason of a goroutine.
    #[must_use]
    pub fn reason_of(&self, goroutine: &Goroutine) -> Option<&str> {
        self.reasons.get(usize::from(goroutine.reason?)).map(String::as_str)
    }

    /// A goroutine's profiler labels.
    #[must_use]
    pub fn labels_of(&self, LabelsId(id): LabelsId) -> &[(String, String)] {
        self.labels.get(id as usize).map_or(&[], Vec::as_slice)
    }
}

/// A creation site: a `go` statement, and what was seen of the goroutines that it created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The `go` statement.
    pub created_by: Option<FrameId>,
    /// The whole stack of the first creator seen.
    pub creation_stack: Option<StackId>,
    /// The function that the first creator's own goroutine started in; `None` where its stack was cut.
    #[serde(default)]
    pub created_in: Option<FrameId>,
    /// The function that goroutines from here start in: what the `go` statement calls, or a wrapper of it
    /// that the compiler made.
    #[serde(default)]
    pub started_in: Option<FrameId>,
    /// Goroutines seen to be created here.
    pub created: u64,
    /// Goroutines from here that were seen to end.
    pub exited: u64,
    /// Creations by the second, over the time that they were watched.
    pub created_per_second: Option<f64>,
    /// How that is known.
    #[serde(default)]
    pub rate_basis: RateBasis,
    /// An estimate's 95 % interval.
    #[serde(default)]
    pub created_interval: Option<(f64, f64)>,
    /// How long those lived whose creation and end were both seen, shortest first.
    pub lifetimes: Vec<Lifetimes>,
}

/// How many goroutines lived for about so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Shorter than this, and at least as long as the entry before says; `None` for no end.
    pub below: Option<Duration>,
    /// How many.
    pub count: u64,
}

impl Site {
    /// How often goroutines are created here; `None` where creations were not watched.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        let rate = |per_second| Rate {
            per_second,
            basis: self.rate_basis,
            interval: self.created_interval,
        };
        self.created_per_second.map(rate)
    }

    /// The lifetime that half of them stayed below; `None` where nobody's is known.
    #[must_use]
    pub fn median_lifetime(&self) -> Option<Duration> {
        let half = self.lifetimes.iter().map(|lifetimes| lifetimes.count).sum::<u64>().div_ceil(2);
        let mut counted = 0;
        let middle = self.lifetimes.iter().find(|lifetimes| {
            counted += lifetimes.count;
            counted >= half
        });
        middle?.below
    }
}

/// How much of what was asked for was seen. Every drop, fallback and gap is counted here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// What was looked at at all.
    #[serde(default)]
    pub subjects: Subjects,
    /// Live goroutines that the runtime's list held.
    pub goroutines_seen: u64,
    /// Those whose state and stack were read whole (a running one has no readable stack and is
    /// not counted here).
    pub goroutines_read: u64,
    /// Those among them that had not run since the observation before, so that what was read of their
    /// stacks then was not read again.
    #[serde(default)]
    pub unmoved: u64,
    /// Those that were running, so that their stacks could not be read.
    pub running: u64,
    /// Those that kept changing while they were read.
    pub torn: u64,
    /// Reads that had to be repeated because the goroutine moved in between.
    pub retried: u64,
    /// Those whose stack could not be unwound.
    pub not_unwound: u64,
    /// Distinct frames that no symbol table could name.
    pub unresolved_frames: u64,
    /// Stacks that were not searched for contended locks; 0 where nothing is contended.
    #[serde(default)]
    pub stacks_unsearched: u64,
    /// Readings of the heap's figures that had to be repeated because they did not fit each other.
    #[serde(default)]
    pub heap_retried: u64,
    /// Whether the process could run at all; `None` where the source does not know.
    #[serde(default)]
    pub process: Option<Running>,
    /// What was read of a profile; `None` where the source reads none.
    #[serde(default)]
    pub profile: Option<ProfileCoverage>,
    /// What was read of a series of files; `None` where the source reads none.
    #[serde(default)]
    pub files: Option<FilesCoverage>,
    /// How far collections are that the agent makes the program do; `None` where it makes none.
    #[serde(default)]
    pub forced: Option<ForcedCollection>,
    /// How far proofs are; `None` where nothing is to be proven.
    #[serde(default)]
    pub proof: Option<ProofCoverage>,
    /// Events that probes had to drop.
    pub events_dropped: u64,
    /// The state of each probe.
    pub probes: Vec<ProbeCoverage>,
    /// Fallbacks taken, gaps left.
    pub notes: Vec<CoverageNote>,
}

impl Coverage {
    /// Whether goroutines were looked for, and the source was given none at all, so that there is nothing to
    /// judge.
    #[must_use]
    pub fn is_without_goroutines(&self) -> bool {
        self.subjects.goroutines && self.notes.contains(&CoverageNote::NoGoroutines)
    }

    /// Whether goroutines were looked for, and could be there.
    #[must_use]
    pub fn has_goroutines(&self) -> bool {
        self.subjects.goroutines && !self.is_without_goroutines()
    }

    /// Whether there are goroutines, and nothing is known of where any of them is.
    #[must_use]
    pub const fn has_read_none(&self) -> bool {
        self.goroutines_read == 0 && self.goroutines_seen > 0
    }
}
