//! Whom a report is of, and how much of it was seen.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::{FilesDoc, ProfileDoc};
use crate::model::{Halt, ProbeEvent, ProbeState, ProofMethod};

/// Whom the report is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetDoc<'a> {
    /// The kind of source that it was seen through.
    pub kind: TargetKind,
    /// The process id, as the agent's pid namespace counts.
    ///
    /// Unit: process id. Null: the source knows none.
    pub pid: Option<u32>,
    /// The file name of the shared library that holds the Go runtime.
    ///
    /// Null: the executable holds it.
    pub library: Option<Cow<'a, str>>,
    /// When the target started, in whole seconds, as RFC 3339 in UTC.
    ///
    /// Null: the source does not know.
    pub started: Option<Cow<'a, str>>,
    /// How often the process has executed itself, or another program, since the agent attached. The
    /// report is of the latest.
    ///
    /// Unit: times.
    #[serde(default)]
    pub generation: u32,
    /// The executable's file name; for Go in a shared library, the program's and the library's.
    ///
    /// Null: the source does not know.
    pub exe: Option<Cow<'a, str>>,
    /// Where its profiles come from: the address of its `/debug/pprof/` without credentials, the path of
    /// the files, or the address of the store and the labels there.
    ///
    /// Null: the agent attached to it.
    #[serde(default)]
    pub source: Option<Cow<'a, str>>,
    /// Go's version with its experiments, as in `go1.26.6-X:nogreenteagc`.
    ///
    /// Null: it could not be told.
    pub go_version: Option<Cow<'a, str>>,
    /// How the executable was built.
    ///
    /// Null: the source does not know.
    pub build: Option<BuildDoc>,
}

/// The kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A running process that the agent attached to, or a recording of one.
    Pid,
    /// A program that serves its profiles by `net/http/pprof`.
    Url,
    /// Profiles or dumps in files.
    Files,
    /// Profiles that Parca keeps.
    Parca,
    /// Profiles that Pyroscope keeps.
    Pyroscope,
    /// A kind that this version of the agent does not know.
    #[serde(other)]
    Unknown,
}

/// How an executable was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuildDoc {
    /// It has neither a symbol table nor DWARF.
    pub stripped: bool,
    /// It is position independent.
    pub pie: bool,
    /// It was built with cgo.
    pub cgo: bool,
}

/// A process that could not run for some of the window. Waits count only the time in which it could.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeldDoc<'a> {
    /// What keeps it from running as of the last observation.
    ///
    /// Null: nothing any more, or it runs and gets no CPU.
    pub halt: Option<Halt>,
    /// For how long it could not run.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// Whether it could not run at any time of the window, so that nothing can be judged by waits.
    pub always: bool,
    /// The same as a sentence.
    pub reason: Cow<'a, str>,
}

/// How much of the last observation was asked for, read and lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageDoc<'a> {
    /// Live goroutines in the runtime's list.
    ///
    /// Unit: goroutines.
    pub goroutines_seen: u64,
    /// Those whose state and stack were read whole. A running one has no readable stack and is not
    /// counted here.
    ///
    /// Unit: goroutines.
    pub goroutines_read: u64,
    /// Those among them that had not run since the observation before, so that their stacks were kept
    /// and not read again.
    ///
    /// Unit: goroutines.
    #[serde(default)]
    pub unmoved: u64,
    /// Those that were running, so that their stacks could not be read.
    ///
    /// Unit: goroutines.
    pub running: u64,
    /// Those that kept changing while they were read.
    ///
    /// Unit: goroutines.
    pub torn: u64,
    /// Reads that were repeated because the goroutine moved meanwhile.
    ///
    /// Unit: reads.
    #[serde(default)]
    pub retried: u64,
    /// Those whose stack could not be unwound.
    ///
    /// Unit: goroutines.
    #[serde(default)]
    pub not_unwound: u64,
    /// Distinct frames that no symbol table could name.
    ///
    /// Unit: frames.
    pub unresolved_frames: u64,
    /// Stacks that were not searched for contended locks; 0 where no lock is contended.
    ///
    /// Unit: stacks.
    #[serde(default)]
    pub stacks_unsearched: u64,
    /// Readings of the heap's figures that were repeated because they did not fit each other.
    ///
    /// Unit: reads.
    #[serde(default)]
    pub heap_retried: u64,
    /// Whether the process itself could run.
    ///
    /// Null: the source does not know.
    pub process: Option<ProcessDoc>,
    /// What was read of a profile or dump.
    ///
    /// Null: the source reads none.
    #[serde(default)]
    pub profile: Option<ProfileDoc<'a>>,
    /// What was read of a series of files.
    ///
    /// Null: the source reads none.
    #[serde(default)]
    pub files: Option<FilesDoc<'a>>,
    /// How far proofs are that goroutines leak.
    ///
    /// Null: nothing was to be proven.
    #[serde(default)]
    pub proof: Option<ProofDoc<'a>>,
    /// Events that probes had to drop.
    ///
    /// Unit: events.
    pub events_dropped: u64,
    /// The probes, one an event; empty without any.
    pub probes: Vec<ProbeDoc<'a>>,
    /// Fallbacks taken and gaps left, a sentence each.
    pub notes: Vec<Cow<'a, str>>,
}

/// Proofs that goroutines are blocked for good: nothing that can still run can reach what they wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProofDoc<'a> {
    /// What became of the latest attempt.
    pub state: ProofStateDoc,
    /// The same as a sentence, with why nothing was proven where that is so.
    pub summary: Cow<'a, str>,
    /// Goroutines that were proven to leak, by this attempt or one before, and are still there.
    ///
    /// Unit: goroutines.
    pub proven: u64,
    /// Goroutines that were proven to leak and ran again. Anything but 0 is a fault of the agent.
    ///
    /// Unit: goroutines.
    pub contradicted: u64,
    /// How often the target was held still.
    ///
    /// Unit: times.
    pub held: u64,
    /// How it was held still.
    ///
    /// Null: the latest attempt came to no result, or needed none.
    pub method: Option<ProofMethod>,
    /// For how long it stood.
    ///
    /// Unit: s. Null: it did not.
    pub pause_seconds: Option<f64>,
    /// How long the attempt took.
    ///
    /// Unit: s. Null: there was none, or it came to no result.
    pub seconds: Option<f64>,
    /// Goroutines that were blocked on what can be proven to be out of reach.
    ///
    /// Unit: goroutines. Null: they were not counted.
    pub candidates: Option<u64>,
    /// Those among them that something can still reach.
    ///
    /// Unit: goroutines. Null: it was not decided.
    pub reachable: Option<u64>,
    /// What was found to be in use of the heap.
    ///
    /// Unit: bytes. Null: it was not marked.
    pub marked_bytes: Option<u64>,
    /// What of the heap only goroutines lead to that are proven to leak, as of the latest proof that told.
    ///
    /// Unit: bytes. Null: none told.
    #[serde(default)]
    pub kept_bytes: Option<u64>,
    /// Of these, what goroutines of several kinds lead to, each object once: it is in no finding's
    /// `memory_bytes.reachable`.
    ///
    /// Unit: bytes. Null: none told.
    #[serde(default)]
    pub shared_bytes: Option<u64>,
    /// What could not be told precisely, so that a leak may have been missed.
    pub gaps: Vec<Cow<'a, str>>,
}

/// What became of an attempt to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProofStateDoc {
    /// No goroutine had been blocked for long enough, or all that had are proven.
    NoCandidate,
    /// All that are blocked can be reached, as was seen without holding the target still.
    AllReachable,
    /// It was decided of each whether it can be reached.
    Done,
    /// The target was not held still, and nothing new was proven.
    Refused,
    /// It came to no result.
    Failed,
    /// A state that this version of the agent does not know.
    #[serde(other)]
    Unknown,
}

/// What the kernel says of how the process runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessDoc {
    /// What keeps all of its threads from running.
    ///
    /// Null: nothing does.
    pub halt: Option<Halt>,
    /// Of the time since the observation before: for how long it could not run, because it was halted,
    /// or had work to do and got no CPU.
    ///
    /// Unit: s. Null: in the first observation.
    pub held_seconds: Option<f64>,
    /// The CPU time that it has used since it started.
    ///
    /// Unit: s. Null: the kernel does not say.
    pub cpu_seconds: Option<f64>,
}

/// A probe, and for how much of the time it was attached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeDoc<'a> {
    /// What it watches.
    pub event: ProbeEvent,
    /// Whether it is attached.
    pub state: ProbeState,
    /// Why it is not, or was not always.
    ///
    /// Null: it is, and always was.
    pub reason: Option<Cow<'a, str>>,
    /// For how long it was attached in all. Its counts are of that time alone.
    ///
    /// Unit: s.
    #[serde(default)]
    pub covered_seconds: f64,
    /// When it was attached and when not, the latest last.
    #[serde(default)]
    pub history: Vec<SpellDoc>,
    /// How many entries there were before those.
    ///
    /// Unit: entries.
    #[serde(default)]
    pub history_left_out: u64,
}

/// A time in which a probe's state stayed the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpellDoc {
    /// The state.
    pub state: ProbeState,
    /// Since when, after the first observation.
    ///
    /// Unit: s.
    pub from_seconds: f64,
    /// Until when, after the first observation.
    ///
    /// Unit: s. Null: it goes on.
    pub until_seconds: Option<f64>,
}
