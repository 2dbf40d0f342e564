//! What led to a verdict: the detectors, and what each states, as values that `report` words.

use std::time::Duration;

use strum::IntoStaticStr;

use super::allocated::AllocatedAt;
use super::amount::Amount;
use super::caused_at::CausedAt;
use super::forced::Freed;
use super::lock_wait::{Holder, Holders, Waiter};
use super::memory_account::{KeptAllocations, LimitUse, MemoryKind, Trend};
use super::pattern::Pattern;
use super::proof::{ProvenBy, RuntimeAlone};
use super::resource_account::{ResourceLimit, ResourceTrend};
use super::resources::ResourceKey;
use super::retained::{HeapHolder, HeapStep};
use super::source_rule::SourceNote;
use super::stack::FrameId;

/// What looks at goroutines in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum DetectorKind {
    /// The Go runtime's own leak detection.
    Runtime,
    /// What nothing can reach any more.
    Proof,
    /// Waits that can never end by their nature.
    ForEver,
    /// A finalizer or cleanup that blocks.
    Finalizer,
    /// Deadlock cycles.
    DeadlockCycle,
    /// Locks that have not changed hands.
    StuckLock,
    /// Growth by births and deaths.
    SteadyGrowth,
    /// Growth by counts alone.
    CountGrowth,
    /// Piled up over the process's whole life.
    Accumulated,
    /// Never stops running.
    Busy,
    /// Too many at one line for a pool.
    LargeGroup,
    /// Blocked for longer than was set.
    TooLong,
    /// The source.
    Source,
    /// At a function that the user called suspicious.
    SuspiciousPattern,
    /// At one place through most of the window.
    Stuck,
    /// Growth of memory.
    MemoryGrowth,
    /// Growth of descriptors, threads, mappings or children.
    ResourceGrowth,
    /// Connections that the other end has closed.
    CloseWait,
    /// Children that were never waited for.
    Unreaped,
    /// A limit of descriptors, threads or mappings.
    ResourceLimit,
    /// A walk of the heap: no detector, but evidence.
    Walk,
    /// The program's own memory profile: no detector either.
    MemoryProfile,
    /// The line of the program's own code that leads to the finding: no detector either.
    Cause,
    /// The program's own block profile: no detector either.
    BlockProfile,
    /// Collections that the agent made the program do: no detector either.
    ForcedCollection,
}

impl DetectorKind {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether it states that goroutines become more and more.
    #[must_use]
    pub const fn is_growth(self) -> bool {
        matches!(self, Self::SteadyGrowth | Self::CountGrowth | Self::Accumulated)
    }
}

/// What one detector states.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// The Go runtime itself found some of them leaked.
    RuntimeFound {
        /// How many.
        goroutines: u64,
    },
    /// Nothing that can still run can reach what some of them wait for.
    Unreachable {
        /// How many.
        goroutines: u64,
    },
    /// The runtime and leak-agent do not say the same of all of them.
    VerdictsDiffer {
        /// Of how many who says so.
        by: ProvenBy,
        /// Why those are not proven that the runtime alone reports.
        runtime_alone: RuntimeAlone,
    },
    /// They wait on a nil channel.
    NilChannel,
    /// They stand in `select {}`.
    EmptySelect,
    /// The goroutine that runs finalizers and cleanups is blocked.
    BlockedFinalizer {
        /// Where.
        at: FrameId,
        /// For how long.
        blocked: Duration,
    },
    /// Goroutines wait for each other's locks.
    Cycle {
        /// One cycle, in the order in which each waits for the next.
        example: Vec<Waiter>,
        /// How many cycles there are.
        cycles: u64,
    },
    /// A lock has not changed hands for long.
    StuckLock {
        /// How many wait for it, or for several.
        goroutines: u64,
        /// For how long the longest has.
        longest: Duration,
        /// How many locks.
        locks: u64,
        /// Who holds them.
        held_by: HeldBy,
    },
    /// Goroutines are born again and again and stay.
    SteadyGrowth {
        /// How many were born within the window and are still there.
        survivors: u64,
        /// The window.
        window: Duration,
        /// How many there were before it.
        before: u64,
        /// How many of those have gone.
        gone: u64,
    },
    /// A count rises and rises.
    CountGrowth {
        /// How many there were at first.
        from: u64,
        /// How many there are.
        to: u64,
        /// The window.
        window: Duration,
        /// Change by the second.
        per_second: f64,
        /// With 95 % confidence it is at least this.
        low: f64,
        /// With 95 % confidence it is at most this.
        high: f64,
    },
    /// They piled up over the process's life.
    Accumulated(Accumulation),
    /// They were running, or ready to run, at each sample.
    Busy {
        /// How many samples.
        samples: u64,
        /// The window.
        window: Duration,
    },
    /// Too many stand still at one line for a pool.
    Large {
        /// Who stands still.
        still: Stillness,
        /// From how many on they are too many.
        limit: u64,
    },
    /// Too many were at one line in the only sample, each on an object of its own.
    LargeAtOnce {
        /// How many.
        goroutines: u64,
        /// From how many on they are too many.
        limit: u64,
    },
    /// The longest has been blocked for longer than was set.
    TooLong {
        /// For how long.
        blocked: Duration,
        /// What was set.
        limit: Duration,
    },
    /// They stand still, and the source shows why.
    ShownBySource {
        /// Who stands still.
        still: Stillness,
        /// The mistake.
        pattern: Pattern,
    },
    /// They stand still at a function that the user called suspicious.
    Suspicious {
        /// The function.
        function: String,
        /// The user's own reason.
        reason: Option<String>,
    },
    /// They stand still.
    Stuck(Stillness),
    /// The program's own block profile says that goroutines waited at their line.
    Contended {
        /// How often.
        count: u64,
        /// How long in all.
        delay: Duration,
        /// Over how long that was counted; `None` since the program started.
        over: Option<Duration>,
    },
    /// How many of those that piled up within the window were gone after forced collections.
    Collected(Freed),
    /// How many bytes of the heap that piled up within the window were gone after forced collections.
    HeapCollected(Freed),
    /// Memory becomes more and more.
    MemoryGrowth {
        /// Whose.
        kind: MemoryKind,
        /// The window.
        window: Duration,
        /// Collections that ended within it; `None` where they say nothing of it.
        collections: Option<u64>,
        /// How it went.
        trend: Trend,
    },
    /// Collections keep most of what is allocated, and the heap rises.
    Kept {
        /// The window.
        window: Duration,
        /// What they keep.
        kept: KeptAllocations,
    },
    /// A limit comes near as memory grows.
    LimitNears(LimitUse),
    /// Descriptors, threads, mappings or children become more and more.
    ResourceGrowth(Box<ResourceTrend>),
    /// The other end has closed connections, and the program has not (`CLOSE_WAIT`).
    CloseWait {
        /// How many.
        sockets: u64,
        /// Of how many of that name.
        of: u64,
    },
    /// Children have ended and were never waited for.
    Unreaped {
        /// How many.
        children: u64,
    },
    /// What is used of a limit of descriptors, threads or mappings.
    ResourceLimit(ResourceLimit),
    /// What most of those that a limit counts are.
    MostlyOf {
        /// The name that most of them have.
        key: ResourceKey,
        /// How many have it.
        count: u64,
        /// Of how many.
        of: u64,
    },
    /// Who holds the heap.
    HeapHeld(Box<HeapHeld>),
    /// At which lines what is in use of the heap grew, those that grew most first.
    AllocatedAt(Vec<AllocatedAt>),
    /// What the source shows.
    Source(SourceNote),
    /// The line of the program's own that leads to them.
    CausedAt(CausedAt),
    /// No line of the program's own is known to lead to them.
    CauseUnknown,
}

impl Evidence {
    /// Who states it.
    #[must_use]
    pub const fn detector(&self) -> DetectorKind {
        match self {
            Self::RuntimeFound { .. } => DetectorKind::Runtime,
            Self::Unreachable { .. } | Self::VerdictsDiffer { .. } => DetectorKind::Proof,
            Self::NilChannel | Self::EmptySelect => DetectorKind::ForEver,
            Self::BlockedFinalizer { .. } => DetectorKind::Finalizer,
            Self::Cycle { .. } => DetectorKind::DeadlockCycle,
            Self::StuckLock { .. } => DetectorKind::StuckLock,
            Self::SteadyGrowth { .. } => DetectorKind::SteadyGrowth,
            Self::CountGrowth { .. } => DetectorKind::CountGrowth,
            Self::Accumulated(_) => DetectorKind::Accumulated,
            Self::Busy { .. } => DetectorKind::Busy,
            Self::Large { .. } | Self::LargeAtOnce { .. } => DetectorKind::LargeGroup,
            Self::TooLong { .. } => DetectorKind::TooLong,
            Self::ShownBySource { .. } | Self::Source(_) => DetectorKind::Source,
            Self::Suspicious { .. } => DetectorKind::SuspiciousPattern,
            Self::Stuck(_) => DetectorKind::Stuck,
            Self::Contended { .. } => DetectorKind::BlockProfile,
            Self::Collected(_) | Self::HeapCollected(_) => DetectorKind::ForcedCollection,
            Self::MemoryGrowth { .. } | Self::Kept { .. } | Self::LimitNears(_) => {
                DetectorKind::MemoryGrowth
            }
            Self::ResourceGrowth(_) => DetectorKind::ResourceGrowth,
            Self::CloseWait { .. } => DetectorKind::CloseWait,
            Self::Unreaped { .. } => DetectorKind::Unreaped,
            Self::ResourceLimit(_) | Self::MostlyOf { .. } => DetectorKind::ResourceLimit,
            Self::HeapHeld(_) => DetectorKind::Walk,
            Self::AllocatedAt(_) => DetectorKind::MemoryProfile,
            Self::CausedAt(_) | Self::CauseUnknown => DetectorKind::Cause,
        }
    }
}

/// Who holds a heap that grew, by a walk of it near the window's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapHeld {
    /// The holder: one that holds more than at the walk before, or the one that holds most, without a walk before.
    pub holder: HeapHolder,
    /// Of the paths of that holder the one that became more by most bytes since, or the one with most.
    pub steps: Vec<HeapStep>,
    /// How many more bytes it holds than at a walk before; `None` where there was none, or it does not hold more.
    pub grown_bytes: Option<u64>,
    /// All that is reachable.
    pub reached: Amount,
    /// Whether the walk followed all pointers in the time that it had.
    pub is_whole: bool,
}

/// Goroutines that have not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stillness {
    /// By the runtime's own clock, in a single sample.
    AtOnce {
        /// How many wait.
        goroutines: u64,
        /// Half of them have waited for this long, or longer.
        median: Duration,
        /// The longest has waited for this long.
        longest: Duration,
    },
    /// Through the last two thirds of a window.
    Through {
        /// How many.
        goroutines: u64,
        /// Of how many.
        of: u64,
        /// The window.
        window: Duration,
        /// The longest has not moved for this long.
        longest: Duration,
    },
}

/// Who holds locks that goroutines wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// Probably one goroutine.
    One(Holder),
    /// Probably one goroutine each, which do the same.
    Each(Holders),
    /// Goroutines in or behind deadlock cycles.
    Cycles,
    /// No goroutine, as it seems.
    Nobody,
    /// It is not known.
    Unknown,
}

/// Goroutines that piled up over the process's life. All times are estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accumulation {
    /// How many.
    pub goroutines: u64,
    /// How long the process has lived.
    pub life: Duration,
    /// How old the oldest is.
    pub oldest: Duration,
    /// Half of them are this old, or older.
    pub median: Duration,
    /// How old the latest is.
    pub latest: Duration,
    /// How many come a minute, by the runtime's clock of waits; `None` where ids alone tell their ages.
    pub per_minute: Option<f64>,
    /// Whether whoever started them, or was started with them, is at work, so that they may be sessions.
    pub may_be_sessions: bool,
}

/// A detector that could not judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEnough {
    /// The detector.
    pub detector: DetectorKind,
    /// What it lacked.
    pub lack: Lack,
}

/// What a detector lacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// Growth by births and deaths needs more samples, or a longer window.
    Growth {
        /// Samples that it needs.
        samples: u64,
        /// The window that it needs.
        window: Duration,
    },
    /// Growth of a count needs more samples.
    Count {
        /// Samples that it needs.
        samples: u64,
    },
    /// What runs for ever needs more samples.
    Running {
        /// Samples that it needs.
        samples: u64,
    },
    /// What runs for ever is told by goroutine ids, which are not known.
    IdsOfRunning,
    /// What piled up over the process's life is told by goroutine ids, which are not known.
    IdsOfPile,
    /// No garbage collection has timed the waits of large groups.
    WaitTimes,
    /// Growth of memory needs more collections, or a longer window.
    Collections {
        /// Collections that it needs.
        collections: u64,
        /// Those that were seen.
        seen: u64,
    },
    /// What collections leave rises, by too little to be told from what comes and goes.
    SmallRise {
        /// By how much it has risen.
        bytes: u64,
    },
    /// There was too much source to read all of it.
    Unread {
        /// Lines whose source was not read.
        lines: u64,
        /// The goroutines at those lines.
        goroutines: u64,
    },
}
