//! What a process holds of the kernel's: descriptors, threads, mappings, child processes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::{FrameDoc, StackFrameDoc};
use super::heap_holder::HeapHolderDoc;
use crate::model::{CauseBasis, Level, ResourceKind, TcpState};

/// What a process holds as of the last observation, and how its counts went over the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceAccountDoc<'a> {
    /// How near the tightest limit is: from 80, 90 and 95 % of it moderate, high, critical.
    pub level: Level,
    /// Open descriptors, against the soft limit (`RLIMIT_NOFILE`).
    ///
    /// Null: they could not be counted.
    pub descriptors: Option<UsageDoc>,
    /// Threads, against the limit of the control group that leaves the fewest (`pids.max`).
    ///
    /// Null: they could not be counted.
    pub threads: Option<UsageDoc>,
    /// Mappings of memory, against `vm.max_map_count`.
    ///
    /// Null: they could not be counted.
    pub mappings: Option<UsageDoc>,
    /// Child processes, those included that have ended and were never waited for.
    ///
    /// Null: they could not be counted.
    pub children: Option<UsageDoc>,
    /// What these are, most first, as of the last observation at which details were read.
    pub held: Vec<ResourceGroupDoc<'a>>,
    /// When that was, after the first observation.
    ///
    /// Unit: s. Null: never.
    pub held_at_seconds: Option<f64>,
    /// One of so many descriptors was looked at, and the counts of `held` stand for all of them; 1 where
    /// all were.
    ///
    /// Unit: descriptors. Null: `held_at_seconds` is null.
    pub one_in: Option<u64>,
    /// The limits, tightest first.
    pub limits: Vec<ResourceLimitDoc>,
    /// The counts over the window, some of them.
    pub history: Vec<ResourcePointDoc>,
}

/// How many there are, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageDoc {
    /// How many the process has.
    ///
    /// Unit: as the key that holds it.
    pub count: u64,
    /// How many there may be.
    ///
    /// Unit: as the key that holds it. Null: there is no limit that is known.
    pub limit: Option<u64>,
    /// How many count towards the limit: of a control group's, those of other processes too.
    ///
    /// Unit: as the key that holds it. Null: `limit` is null.
    pub used: Option<u64>,
}

/// Things of one kind that lead to the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceGroupDoc<'a> {
    /// Their kind. More kinds may come within v1.
    pub kind: ResourceKind,
    /// What they lead to: a path in which numbers stand as `#`, an address and port, a program's name.
    ///
    /// Null: it has no name.
    pub name: Option<Cow<'a, str>>,
    /// What the name is of.
    ///
    /// Null: there is no name.
    pub leads_to: Option<LeadsTo>,
    /// How many there are.
    ///
    /// Unit: things of that kind.
    pub count: u64,
    /// How many TCP sockets are in which state; empty for other kinds.
    ///
    /// Unit: sockets.
    pub states: BTreeMap<TcpState, u64>,
    /// The lines that opened them, most first: of those alone that were seen to be opened. Empty for what is no
    /// descriptor, and where the open probe was not attached (`coverage.probes`).
    #[serde(default)]
    pub opened_at: Vec<OpenedAtDoc<'a>>,
}

/// A line that opened descriptors which are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenedAtDoc<'a> {
    /// The program's own line that leads to it; where none is known, the outermost on the stack outside the
    /// runtime.
    #[serde(flatten)]
    pub frame: FrameDoc<'a>,
    /// How the line is known.
    ///
    /// Null: it is not the program's own.
    pub basis: Option<CauseBasis>,
    /// How many descriptors.
    ///
    /// Unit: descriptors.
    pub count: u64,
    /// The stack that opened them, innermost frame first: of several the one that opened most.
    pub stack: Vec<StackFrameDoc<'a>>,
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LeadsTo {
    /// A file's path, in which numbers stand as `#`; or a directory and `/*`, for all files in it.
    Path,
    /// The other end, to which the process connected.
    Peer,
    /// The local port on which the process accepted them.
    AcceptedOn,
    /// The local port on which it listens or receives.
    ListensOn,
    /// The kernel's name of an inode without a path.
    Inode,
    /// A child's program.
    Program,
    /// Something that this version of the agent does not know.
    #[serde(other)]
    Unknown,
}

/// A limit, and what is used of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceLimitDoc {
    /// Of what: `descriptor`, `thread` or `mapping`.
    pub kind: ResourceKind,
    /// How many there may be.
    ///
    /// Unit: things of that kind.
    pub limit: u64,
    /// How many count towards it.
    ///
    /// Unit: things of that kind.
    pub used: u64,
    /// How near that is.
    pub level: Level,
    /// When it is reached if the growth goes on, at the earliest.
    ///
    /// Unit: s. Null: what counts towards it does not grow for sure, or that is far away.
    pub reached_in_seconds: Option<f64>,
    /// When most likely.
    ///
    /// Unit: s. Null: as above, or that is more than a month away.
    #[serde(default)]
    pub reached_in_seconds_likely: Option<f64>,
    /// When it is reached, at the latest.
    ///
    /// Unit: s. Null: that is not known, or far away.
    pub reached_in_seconds_at_most: Option<f64>,
}

/// Counts of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourcePointDoc {
    /// When, after the first observation.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// Open descriptors.
    ///
    /// Unit: descriptors. Null: they were not counted then.
    pub descriptors: Option<u64>,
    /// Threads.
    ///
    /// Unit: threads. Null: they were not counted then.
    pub threads: Option<u64>,
    /// Mappings of memory.
    ///
    /// Unit: mappings. Null: they were not counted then.
    pub mappings: Option<u64>,
    /// Child processes.
    ///
    /// Unit: processes. Null: they were not counted then.
    pub children: Option<u64>,
}

/// What piles up in a finding about resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceGrowthDoc<'a> {
    /// The kind of thing. More kinds may come within v1.
    pub kind: ResourceKind,
    /// What they lead to: a path in which numbers stand as `#`, an address and port, a program's name.
    ///
    /// Null: they are all of that kind, or have no name.
    pub name: Option<Cow<'a, str>>,
    /// What the name is of.
    ///
    /// Null: there is no name.
    pub leads_to: Option<LeadsTo>,
    /// How many there were at the window's beginning; as many as at its end in a finding of one sample.
    ///
    /// Unit: things of that kind.
    pub from: u64,
    /// How many there are.
    ///
    /// Unit: things of that kind.
    pub to: u64,
    /// How many of those are connections that the other end has closed, and the program has not
    /// (`CLOSE_WAIT`).
    ///
    /// Unit: sockets.
    pub closed_by_peer: u64,
    /// The limit that they count towards.
    ///
    /// Null: none is known.
    pub limit: Option<ResourceLimitDoc>,
    /// How many there were over the window, some of it; empty in a finding of one sample.
    pub history: Vec<ResourceSampleDoc>,
    /// The lines that opened them, most first: of those alone that were seen to be opened. Empty for what is no
    /// descriptor, and where the open probe was not attached (`coverage.probes`).
    #[serde(default)]
    pub opened_at: Vec<OpenedAtDoc<'a>>,
    /// Who holds them, those of which one holds most first: of those alone for which Go's os or net has an object.
    ///
    /// Null: they are no descriptors, or the heap was not walked (`--walk`).
    #[serde(default)]
    pub held_by: Option<Vec<HeldDescriptorsDoc<'a>>>,
}

/// Descriptors that are held in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldDescriptorsDoc<'a> {
    /// Their kind. More kinds may come within v1.
    pub kind: ResourceKind,
    /// What they lead to.
    ///
    /// Null: they are all of that kind, or have no name.
    pub name: Option<Cow<'a, str>>,
    /// Who holds the objects that stand for them.
    ///
    /// Null: nothing does; they are garbage, and collections of it close them.
    pub holder: Option<HeapHolderDoc<'a>>,
    /// By which path: `main.clients -> map[string]*main.client -> main.client.conn -> net.TCPConn.fd -> net.netFD`.
    pub path: Cow<'a, str>,
    /// How many.
    ///
    /// Unit: descriptors.
    pub count: u64,
}

/// How many there were at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceSampleDoc {
    /// When, after the first observation.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// How many.
    ///
    /// Unit: things of the finding's kind.
    pub count: u64,
}
