//! Who allocated what is in use: what the memory profile says that the program's own runtime keeps.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::amount::Amount;
use super::source_line::SourceLine;
use super::stack::{StackId, StackTable};
use super::target::Target;
use super::time::Timestamp;

/// What the memory profile of a program says. All amounts are estimates, scaled up from what was sampled as
/// `runtime/pprof` does it.
#[derive(Clone, Debug, Default)]
pub struct Allocated {
    /// Of so many bytes that are allocated one is sampled, on average (`runtime.MemProfileRate`).
    pub rate_bytes: u64,
    /// The stacks of the sites.
    pub stacks: StackTable,
    /// One for each stack and size of object, those with most bytes in use first.
    pub sites: Vec<AllocationSite>,
    /// How much of it was read.
    pub coverage: AllocatedCoverage,
}

/// Objects of one size that were allocated at one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationSite {
    /// The stack, innermost frame first, with the runtime's own.
    pub stack: StackId,
    /// How many of its frames, from the innermost on, `runtime/pprof` leaves out: the runtime's own, unless there are
    /// no others.
    pub of_runtime: usize,
    /// The size of an object.
    pub object_bytes: u64,
    /// Those in use, as of the last collection that was complete.
    pub in_use: Amount,
    /// All since the program began, as of then.
    pub allocated: Amount,
    /// Of those in use, those that were sampled themselves.
    pub sampled_in_use: Amount,
    /// Of all, those that were.
    pub sampled: Amount,
}

/// A memory profile, of which program, and when.
#[derive(Clone, Debug)]
pub struct AllocatedSample {
    /// Of which program.
    pub target: Arc<Target>,
    /// When it was read.
    pub at: Timestamp,
    /// What it says.
    pub allocated: Allocated,
}

/// How much of a memory profile was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocatedCoverage {
    /// Sites of which the counts made no sense, or could not be read.
    pub torn: u64,
    /// Whether all sites were found.
    pub is_whole: bool,
    /// Whether nothing was added to the profile while it was read.
    pub is_steady: bool,
    /// Whether no collection was complete, so that it has all that was allocated, and nothing as freed.
    pub is_before_collection: bool,
    /// Addresses that no function is known of.
    pub unresolved: u64,
    /// How long reading it took.
    pub took: Duration,
    /// What of the target's time that is taken to have cost: it runs slower while its memory is read.
    pub cost: Duration,
}

impl Default for AllocatedCoverage {
    fn default() -> Self {
        Self {
            torn: 0,
            is_whole: true,
            is_steady: true,
            is_before_collection: false,
            unresolved: 0,
            took: Duration::ZERO,
            cost: Duration::ZERO,
        }
    }
}

/// Why nothing is known of who allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAllocated {
    /// The program samples nothing: `runtime.MemProfileRate` is 0. The linker sets it so where nothing in the
    /// program can ask for the profile.
    Off,
    /// The process has ended, or runs another program than the one that was seen.
    Gone,
    /// The profile was not found, or could not be read.
    Unread {
        /// What went wrong.
        why: String,
    },
}

/// Why the sampling of allocations was not switched on in a program (`--sample-allocations`). Nothing was written then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum NotSampled {
    /// The program samples by itself.
    AlreadyOn {
        /// One of so many bytes.
        rate_bytes: u64,
    },
    /// Its rate is negative, which only the program itself can have set.
    OffByProgram,
    /// Of its Go version it is not known to be safe.
    Version {
        /// Which.
        version: String,
    },
    /// It has ended, or runs another program.
    Gone,
    /// The rate was not found.
    Unlocated {
        /// Why.
        why: String,
    },
    /// The kernel refuses to write.
    Refused {
        /// What it says.
        why: String,
    },
    /// The process that sets rates could not be started, or was ended by somebody else.
    KeeperGone,
    /// There are too many targets.
    TooMany {
        /// So many are served.
        targets: u64,
    },
}

/// What became of a rate that was set, at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "restored", rename_all = "kebab-case")]
pub enum Restored {
    /// It is 0 again.
    Yes,
    /// The program had ended, or executed another.
    Ended,
    /// Somebody else had set another meanwhile, which was left.
    Changed {
        /// Which.
        rate: i64,
    },
    /// It could not be written.
    Failed {
        /// What the kernel says.
        why: String,
    },
    /// The process that sets it back was ended by somebody else: it is still set.
    KeeperGone,
}

/// What was allocated at one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocatedAt {
    /// The program's own innermost line, or else the innermost outside of the runtime; `None` where no address of
    /// the stacks is known.
    pub line: Option<SourceLine>,
    /// The function that allocated for it, where that is another: the one with most bytes.
    pub via: Option<String>,
    /// In use.
    pub in_use: Amount,
    /// Since the program began; of [`AllocationBasis::Large`] all that was seen.
    pub allocated: Amount,
    /// How many more bytes are in use than at a sample before; `None` without one.
    pub grown_bytes: Option<u64>,
    /// How it is known.
    pub basis: AllocationBasis,
}

/// How it is known which line allocated.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum AllocationBasis {
    /// The memory profile that the program's own runtime keeps: all sizes, estimated.
    #[default]
    Profile,
    /// A probe: objects of more than 32 KiB alone, and those that were allocated while it was attached.
    Large,
}
