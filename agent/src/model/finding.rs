//! A finding: what leaks, how sure that is, what it costs, why, and what to do.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::allocated::AllocatedAt;
use super::cause::Cause;
use super::caused_at::CausedAt;
use super::class::CauseClass;
use super::evidence::{Evidence, HeapHeld};
use super::growth::Growth;
use super::held_waits::HeldWaits;
use super::lock_wait::LockWait;
use super::memory_account::MemoryKind;
use super::pattern::Pattern;
use super::proof::ProvenBy;
use super::resource_account::{OpenedAt, ResourceGrowth};
use super::stack::FrameId;
use super::suggestion::Suggestion;

/// How sure a finding is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    /// Stuck for as long as anybody looked, and nothing says that it is idle on purpose.
    Suspect,
    /// It grows as leaks grow, or gives itself away by what it waits for.
    Likely,
    /// Nothing that can still run can reach what it waits for.
    Proven,
}

impl Verdict {
    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How much a finding matters, from its score.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Severity {
    /// Below 25 points.
    Low,
    /// From 25 points.
    Medium,
    /// From 50 points.
    High,
    /// From 75 points.
    Critical,
}

impl Severity {
    /// Of a total score.
    #[must_use]
    pub const fn of(total: u8) -> Self {
        match total {
            75.. => Self::Critical,
            50.. => Self::High,
            25.. => Self::Medium,
            _ => Self::Low,
        }
    }

    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The impact score, 0 to 100, as the sum of its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Memory that the goroutines hold, 0 to 25.
    pub memory: u8,
    /// How many there are, 0 to 20.
    pub count: u8,
    /// How fast they become more, 0 to 25.
    pub growth: u8,
    /// How much they hold others up, 0 to 20.
    pub blocking: u8,
    /// What they cost the scheduler, 0 to 10.
    pub scheduler: u8,
}

impl Score {
    /// The sum of the parts.
    #[must_use]
    pub const fn total(self) -> u8 {
        self.memory + self.count + self.growth + self.blocking + self.scheduler
    }
}

/// Births, deaths and ages of a group's goroutines over the window, where the source knows
/// goroutines apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turnover {
    /// Goroutines that came into the group from one sample to the next.
    pub arrived: u64,
    /// Goroutines that left it.
    pub left: u64,
    /// Goroutines that were born within the window and are still there.
    pub survivors: u64,
    /// Those that stood at the same place through the whole window.
    pub stuck: u64,
}

/// Lines of source around the one that matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// The file that was read.
    pub file: String,
    /// The line that matters, from 1.
    pub line: u32,
    /// The number of the first line shown.
    pub first: u32,
    /// The lines shown.
    pub lines: Vec<String>,
    /// Whether the file is newer than the program, so that lines may not fit.
    pub stale: bool,
}

/// Goroutines of one kind among those that one cause piles up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The largest group of the kind, as an index into [`super::Assessment::groups`].
    pub group: usize,
    /// How many goroutines of the kind.
    pub count: u64,
    /// The function that they run, the outermost on their stacks; `None` where no stack was read.
    pub entry: Option<FrameId>,
}

/// Something that leaks: how sure that is, what it costs, why, and what to do. What all kinds of findings have
/// is here; what it is about is the [`Subject`].
#[derive(Clone, Debug)]
pub struct Finding {
    /// `f-` and a hash of what stays the same in every window, process and build path.
    pub id: String,
    /// What it is about.
    pub subject: Subject,
    /// What kind of leak.
    pub class: CauseClass,
    /// How sure.
    pub verdict: Verdict,
    /// What it costs.
    pub score: Score,
    /// The line of the program's own code that leads to it; `None` where it is not known.
    pub caused_at: Option<CausedAt>,
    /// How the subject grows; `None` before there are samples enough.
    pub growth: Option<Growth>,
    /// How much there was of the subject at each sample: seconds since the first, and how much. Empty where
    /// nobody kept it.
    pub history: Vec<(f64, u64)>,
    /// The known mistake that it looks like.
    pub pattern: Option<Pattern>,
    /// What they do, and what does not happen.
    pub cause: Cause,
    /// The source at the line that matters.
    pub source: Option<Snippet>,
    /// What to do, most helpful first.
    pub suggestions: Vec<Suggestion>,
    /// Everything that led to the verdict.
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// How much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        Severity::of(self.score.total())
    }

    /// The goroutines that it is about; `None` where it is about something else.
    #[must_use]
    pub fn goroutines(&self) -> Option<&GoroutineLeak> {
        match &self.subject {
            Subject::Goroutines(leak) => Some(leak),
            Subject::Memory(_) | Subject::Resource(_) => None,
        }
    }

    /// The goroutines that it is about, to change them.
    pub fn goroutines_mut(&mut self) -> Option<&mut GoroutineLeak> {
        match &mut self.subject {
            Subject::Goroutines(leak) => Some(leak),
            Subject::Memory(_) | Subject::Resource(_) => None,
        }
    }

    /// How many goroutines it is about.
    #[must_use]
    pub fn goroutine_count(&self) -> u64 {
        match self.goroutines() {
            Some(leak) => leak.count,
            None => 0,
        }
    }

    /// The groups that it is about, as indices into [`super::Assessment::groups`].
    #[must_use]
    pub fn groups(&self) -> &[usize] {
        self.goroutines().map_or(&[], |leak| &leak.groups)
    }

    /// Who holds the heap that grew, where it was walked.
    #[must_use]
    pub fn heap_held(&self) -> Option<&HeapHeld> {
        self.evidence.iter().find_map(|evidence| match evidence {
            Evidence::HeapHeld(held) => Some(&**held),
            _ => None,
        })
    }

    /// At which lines what is in use of the heap grew, those that grew most first; empty where that is not known.
    #[must_use]
    pub fn allocated_at(&self) -> &[AllocatedAt] {
        let lines = self.evidence.iter().find_map(|evidence| match evidence {
            Evidence::AllocatedAt(lines) => Some(&lines[..]),
            _ => None,
        });
        lines.unwrap_or_default()
    }

    /// The lines that opened what piles up, most first, each with how many there are of that in all; as far as
    /// that was seen.
    pub fn opened_at(&self) -> impl Iterator<Item = (&OpenedAt, u64)> {
        self.resources().flat_map(|held| held.opened_at.iter().map(|opened| (opened, held.to)))
    }

    /// What piles up: what it is about, or what does with its goroutines.
    pub fn resources(&self) -> impl Iterator<Item = &ResourceGrowth> {
        let (own, with) = match &self.subject {
            Subject::Resource(held) => (Some(&**held), &[][..]),
            Subject::Goroutines(leak) => (None, &leak.piled_up[..]),
            Subject::Memory(_) => (None, &[][..]),
        };
        own.into_iter().chain(with.iter().map(|it| &it.held))
    }

    /// The same, to add to it.
    pub fn resources_mut(&mut self) -> impl Iterator<Item = &mut ResourceGrowth> {
        let (own, with) = match &mut self.subject {
            Subject::Resource(held) => (Some(&mut **held), &mut [][..]),
            Subject::Goroutines(leak) => (None, &mut leak.piled_up[..]),
            Subject::Memory(_) => (None, &mut [][..]),
        };
        own.into_iter().chain(with.iter_mut().map(|it| &mut it.held))
    }

    /// For how long the longest of its goroutines has been blocked.
    #[must_use]
    pub fn oldest(&self) -> Option<Duration> {
        self.goroutines()?.oldest
    }
}

/// What a finding is about. Reference cycles are a kind to come: a `match` names each kind, so that
/// a new one is missed nowhere.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Goroutines that leak.
    Goroutines(Box<GoroutineLeak>),
    /// Memory that grows; the finding's growth and history are in bytes.
    Memory(MemoryGrowth),
    /// Descriptors, threads, mappings or children that pile up; the finding's growth and history count them.
    Resource(Box<ResourceGrowth>),
}

/// Memory that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryGrowth {
    /// Whose memory.
    pub kind: MemoryKind,
    /// At the window's beginning.
    pub from_bytes: u64,
    /// At its end.
    pub to_bytes: u64,
}

/// Goroutines that leak at one line, or that one cause piles up.
#[derive(Clone, Debug)]
pub struct GoroutineLeak {
    /// The largest of its groups, as an index into [`super::Assessment::groups`].
    pub group: usize,
    /// All of its groups: those that block at one line and come from one `go` statement, and all others
    /// that the same cause piles up.
    pub groups: Vec<usize>,
    /// The kinds of goroutines that the one cause piles up, most first; empty where there is one kind.
    pub parts: Vec<Part>,
    /// How many goroutines of the groups leak; the groups may hold others that do not.
    pub count: u64,
    /// How many of them are proven; `None` where nothing tried to prove it.
    pub proven_count: Option<u64>,
    /// Whose verdict that is.
    pub proven_by: ProvenBy,
    /// Their births and deaths; `None` where the source does not know goroutines apart.
    pub turnover: Option<Turnover>,
    /// For how long the longest has been blocked.
    pub oldest: Option<Duration>,
    /// The stacks of the goroutines; `None` where the source does not know.
    pub stack_bytes: Option<u64>,
    /// What of the heap those that are proven lead to, and nothing else does; `None` where no proof told.
    pub kept_bytes: Option<u64>,
    /// Who waits for whom.
    pub lock_wait: LockWait,
    /// Who holds what they wait on; `None` where the heap was not walked for that.
    pub held: Option<HeldWaits>,
    /// What piles up with them: as many, at the same times.
    pub piled_up: Vec<PiledUp>,
}

/// Descriptors, threads or children that pile up with goroutines.
#[derive(Clone, Debug, PartialEq)]
pub struct PiledUp {
    /// Which, and how many.
    pub held: ResourceGrowth,
    /// How many there were: seconds since the first sample, and how many.
    pub history: Vec<(f64, u64)>,
}
