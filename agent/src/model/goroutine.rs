//! One goroutine, as it was seen.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stack::{FrameId, StackId};
use super::wait::{StackHints, WaitClass};

/// Scheduler status (`runtime/runtime2.go`, the `_G` constants; the scan bit is dropped).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Status {
    /// On a run queue.
    Runnable,
    /// Executing user code on a processor.
    Running,
    /// In a system call or in C.
    Syscall,
    /// Blocked in the runtime.
    Waiting,
    /// Stopped by suspendG, waiting for whoever preempted it.
    Preempted,
    /// Its stack was being moved when it was read.
    CopyStack,
    /// The runtime itself found it leaked (Go 1.26+).
    Leaked,
}

impl Status {
    /// The class of what a goroutine of this status does, whose wait reason is of that class.
    #[must_use]
    pub fn wait_class(self, reason: Option<WaitClass>, hints: StackHints) -> WaitClass {
        match self {
            Self::Running => WaitClass::Running,
            Self::Runnable | Self::Preempted => WaitClass::Runnable,
            Self::Syscall if hints.cgo => WaitClass::Cgo,
            Self::Syscall => WaitClass::Syscall,
            Self::Waiting | Self::Leaked => {
                reason.map_or(WaitClass::Unknown, |class| hints.refine(class))
            }
            Self::CopyStack => WaitClass::Unknown,
        }
    }
}

/// Why there is or is not a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackView {
    /// The stack, whole or with its elided frames counted.
    Read(StackId),
    /// It was running: its stack cannot be read without stopping it.
    Running,
    /// It kept changing while it was read, in every retry.
    Torn,
    /// What was read could not be unwound.
    NotUnwound,
}

impl StackView {
    /// The stack, if it was read.
    #[must_use]
    pub const fn id(self) -> Option<StackId> {
        match self {
            Self::Read(id) => Some(id),
            Self::Running | Self::Torn | Self::NotUnwound => None,
        }
    }
}

/// How the time blocked is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockedBasis {
    /// Since the agent first saw it blocked there: a lower bound.
    FirstSeen,
    /// `g.waitsince`, which the first garbage collection after blocking sets: a lower bound.
    Runtime,
    /// From a probe: exact.
    Probe,
}

/// For how long a goroutine has been blocked at the moment of the observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockedFor {
    /// The time blocked; at least this, unless the basis is [`BlockedBasis::Probe`].
    pub duration: Duration,
    /// Where that comes from.
    pub basis: BlockedBasis,
}

/// A range of [`super::Observation::objects`]: what a goroutine waits on. Empty when that is
/// nothing with an address (a sleep) or could not be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectRange {
    /// Index of the first object.
    pub start: u32,
    /// How many there are: several for a select.
    pub len: u32,
}

/// A set of profiler labels in [`super::Observation::labels`]; 0 is the empty set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LabelsId(pub u32);

/// One goroutine at one moment, or several that the source does not tell apart.
#[derive(Clone, Copy, Debug)]
pub struct Goroutine {
    /// Its id (`g.goid`); `None` where the source does not know it, as a count of equal stacks does not.
    pub goid: Option<NonZeroU64>,
    /// The goroutine that created it, where the runtime knows (Go 1.21+ and not the first).
    pub parent: Option<NonZeroU64>,
    /// What it waits on: channels, or the semaphore's or lock's address.
    pub objects: ObjectRange,
    /// Its stack, or why there is none.
    pub stack: StackView,
    /// The `go` statement that created it.
    pub created_by: Option<FrameId>,
    /// The function that it started in.
    pub started_in: Option<FrameId>,
    /// Its profiler labels.
    pub labels: LabelsId,
    /// The runtime's wait reason: an index into [`super::Observation::reasons`]. `None` when it
    /// does not wait.
    pub reason: Option<u8>,
    /// The class of its wait.
    pub wait: WaitClass,
    /// Its scheduler status.
    pub status: Status,
    /// Whether it is locked to its thread.
    pub locked_to_thread: bool,
    /// For how long it has been blocked; `None` when it is not, or nobody knows.
    pub blocked: Option<BlockedFor>,
    /// For how long it has existed; known only if a probe saw its creation.
    pub age: Option<Duration>,
    /// For how long the source has seen it: a lower bound of its age. `None` where the source does
    /// not know goroutines apart from one sample to the next.
    pub seen_for: Option<Duration>,
    /// Whether it was not there, or stood elsewhere, at the sample before; `None` where there was none, or
    /// the source does not know goroutines apart.
    pub came: Option<bool>,
    /// How often a probe saw it park, up to the type's bound; `None` where none watched.
    pub parks: Option<u32>,
    /// The size of its stack; `None` where the source does not know.
    pub stack_bytes: Option<u32>,
    /// How many goroutines this record stands for; 1 where the source knows them one by one. All that is
    /// said here is true of each of them.
    pub weight: u32,
    /// Whether it is proven to leak: nothing that can still run can reach what it waits for.
    pub proven: bool,
}

impl Goroutine {
    /// Its id, as a plain number.
    #[must_use]
    pub fn id(&self) -> Option<u64> {
        self.goid.map(NonZeroU64::get)
    }

    /// Whether it has this id.
    #[must_use]
    pub fn is(&self, goid: u64) -> bool {
        self.id() == Some(goid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be a million of them in memory.
    #[test]
    fn it_takes_no_more_than_two_cache_lines() {
        assert_eq!(size_of::<Goroutine>(), 128);
    }
}
