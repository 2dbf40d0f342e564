//! What a proof found.

use thiserror::Error;

use crate::golang;
use crate::units::bytes;

/// What a proof found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The goroutines that nothing can wake, by id.
    pub proven: Vec<Proven>,
    /// Goroutines that wait on a channel or a lock and are not proven, by id.
    pub unproven: Vec<Unproven>,
    /// Whether the main goroutine waits for good. It is no leak, for the program lives by that.
    pub main_waits: bool,
    /// Whether the program ran on meanwhile: then what is proven here is only suspected.
    pub is_filter: bool,
    /// What could not be read or understood, and what became of it.
    pub gaps: Vec<Gap>,
    /// What the proven keep; `None` where nobody asked, or not all of it could be read.
    pub kept: Option<Kept>,
    /// How much was read and marked.
    pub figures: Figures,
}

/// Heap that only goroutines lead to that are proven to leak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// By group: the bytes that its goroutines lead to, and those of no other group do.
    pub alone: Vec<(u32, u64)>,
    /// Bytes that several groups lead to.
    pub shared: u64,
}

/// A goroutine that nothing can wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Its id.
    pub goid: u64,
    /// What it waits on.
    pub kind: WaitKind,
}

/// A goroutine that waits on a channel or a lock, and may be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// Its id.
    pub goid: u64,
    /// What it waits on.
    pub kind: WaitKind,
}

/// What a goroutine waits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitKind {
    /// A channel, or several (select).
    Channel,
    /// A semaphore: a mutex, a wait group.
    Semaphore,
    /// A `sync.Cond`.
    Cond,
    /// Nothing that could come: a nil channel, a select without cases.
    Nothing,
}

/// What could not be read or understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing is proven, for this is missing.
    Nothing {
        /// What is.
        why: NoProof,
    },
    /// So many stacks were not understood: all their words were taken for pointers.
    Stacks(u64),
    /// So many goroutines of which it is not known what they wait on: they are taken to be able to run.
    Waits(u64),
}

/// Why nothing can be proven of a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoProof {
    /// A Go version that is not known well enough.
    #[error("{version} is newer than leak-agent knows: what its collector marks may have changed")]
    Version {
        /// It.
        version: String,
    },
    /// An experiment that may change what the collector goes by.
    #[error(
        "it was built with the experiment {name}, which may change what the collector of {version} marks"
    )]
    Experiment {
        /// Its name, as in `GOEXPERIMENT`.
        name: String,
        /// The Go version.
        version: String,
    },
    /// The heap cannot be read.
    #[error("the heap cannot be read: {why}")]
    Heap {
        /// Why.
        why: String,
    },
    /// A root could not be found or read.
    #[error("{what} could not be read, and may lead to what goroutines wait on")]
    Root {
        /// Which.
        what: &'static str,
    },
    /// The agent has too little memory for it.
    #[error(
        "a proof may take {} of memory, and {limit} leaves leak-agent {} of {}",
        bytes(*needed_bytes), bytes(*left_bytes), bytes(*limit_bytes)
    )]
    Memory {
        /// What it may take.
        needed_bytes: u64,
        /// What limits the agent.
        limit: &'static str,
        /// To how much.
        limit_bytes: u64,
        /// What is left of that.
        left_bytes: u64,
    },
    /// A plugin whose code cannot be read.
    #[error("a plugin cannot be read")]
    Plugin,
}

/// How much was read and marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Goroutines, dead ones not counted.
    pub goroutines: u64,
    /// Those that wait on a channel or a lock.
    pub candidates: u64,
    /// Objects that were marked.
    pub marked_objects: u64,
    /// Bytes of them.
    pub marked_bytes: u64,
    /// Bytes of objects and stacks that were searched for pointers.
    pub read_bytes: u64,
    /// How often goroutines that turned out to be able to run were added.
    pub rounds: u64,
    /// Frames of stacks that were searched by their maps.
    pub precise_frames: u64,
    /// Frames all of whose words were taken for pointers.
    pub whole_frames: u64,
}

/// Why a proof ended without an outcome.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The program cannot be read any more.
    #[error(transparent)]
    Program(#[from] golang::Error),
}
