//! What is made of a window of observations: groups, totals, and later findings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::account::{IdleReason, Ignored, NoLeak, NotAnalysed};
use super::contention::ContendedLines;
use super::earlier::{EarlierPrograms, EarlyEnd};
use super::evidence::{Lack, NotEnough};
use super::finding::Finding;
use super::forced::CollectionVerdict;
use super::habits::Usual;
use super::level::Level;
use super::lock_wait::{Holder, Waiter};
use super::members::Members;
use super::memory_account::MemoryAccount;
use super::observation::{Coverage, Site};
use super::overhead::Overhead;
use super::rates::{Rate, Rates};
use super::resource_account::ResourceAccount;
use super::running::Held;
use super::stack::{FrameId, StackId, StackTable};
use super::subjects::Subjects;
use super::target::Target;
use super::time::Timestamp;
use super::trend::{QuantityTrend, Relation};
use super::wait::WaitClass;

/// What analysis says of a window of observations. Its only output.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Of whom.
    pub target: Arc<Target>,
    /// Over which span of time.
    pub window: WindowSpan,
    /// For how much of it the process could not run; `None` where it could, or nobody knows.
    pub held: Option<Held>,
    /// Of the last observation.
    pub coverage: Coverage,
    /// Over all goroutines of the last observation.
    pub totals: Totals,
    /// Of the process's memory; `None` where the source knows nothing of it.
    pub memory: Option<MemoryAccount>,
    /// Of what the process holds of the kernel's; `None` where the source knows nothing of it.
    pub resources: Option<ResourceAccount>,
    /// What the agent cost so far.
    pub overhead: Overhead,
    /// Every goroutine of the last observation in exactly one group, largest group first.
    pub groups: Vec<Group>,
    /// Who is in each of them; empty where nothing knows goroutines apart, and where some groups were left out.
    pub members: Arc<Members>,
    /// What leaks, worst first; `None` where nobody judged.
    pub judgement: Option<Judgement>,
    /// Where goroutines were created while creations were watched, most first; empty without probes.
    pub sites: Vec<Site>,
    /// Lines at which goroutines waited for each other, by the program's own profiles; empty without any.
    pub contention: ContendedLines,
    /// The stacks and frames that groups name.
    pub stacks: Arc<StackTable>,
    /// What the target ran before it executed the program that this is of.
    pub earlier: EarlierPrograms,
    /// Why nothing was sampled any more after this; `None` where that was planned, or is not over.
    pub early_end: Option<EarlyEnd>,
}

impl Assessment {
    /// How often the `go` statement that created a group creates goroutines, those that do not stay
    /// included; `None` where no probe saw it.
    #[must_use]
    pub fn births(&self, group: &Group) -> Option<Rate> {
        let site = group.created_by?;
        let here = self.sites.iter().filter(|seen| seen.created_by == Some(site));
        here.filter_map(Site::rate).reduce(Rate::plus)
    }

    /// What was looked at.
    #[must_use]
    pub const fn subjects(&self) -> Subjects {
        self.coverage.subjects
    }

    /// The same, as far as the source tells of it: profiles of goroutines tell nothing of memory.
    #[must_use]
    pub const fn known(&self) -> Subjects {
        let Subjects { goroutines, memory } = self.subjects();
        let tells = self.memory.is_some() || self.resources.is_some();
        Subjects { goroutines, memory: memory && tells }
    }

    /// How many goroutines there are; `None` where they were not looked at.
    #[must_use]
    pub fn goroutines(&self) -> Option<u64> {
        self.subjects().goroutines.then_some(self.totals.goroutines)
    }

    /// Whether those are many; `None` where nobody judged, or they were not looked at.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        let judgement = self.judgement.as_ref().filter(|_| self.subjects().goroutines)?;
        Some(judgement.level)
    }

    /// How well the process is, 0 to 100, by what was looked at; `None` where nobody judged, or there was too
    /// little to judge by: see [`Assessment::is_blind`].
    #[must_use]
    pub fn health(&self) -> Option<u8> {
        let judgement = self.judgement.as_ref()?;
        (!self.is_blind()).then_some(judgement.health)
    }

    /// Whether that nothing was found means nothing: it could not run for most of the window, no stack could be read, or
    /// it was watched for less than was asked for.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.held.is_some_and(|held| held.is_mostly())
            || self.coverage.has_read_none()
            || (self.cut_short().is_some() && self.has_found_nothing())
    }

    /// For how long it was to be watched, where somebody ended that before, or samples were taken of a part of it.
    #[must_use]
    pub fn cut_short(&self) -> Option<Duration> {
        let planned = match self.early_end.as_ref()? {
            EarlyEnd::Stopped { planned } | EarlyEnd::Starved { planned } => *planned,
            EarlyEnd::Interrupted { planned } => (*planned)?,
            EarlyEnd::Exited | EarlyEnd::Found { .. } | EarlyEnd::Failed(_) => return None,
        };
        (self.window.duration < planned).then_some(planned)
    }

    /// Whether there is no finding.
    #[must_use]
    pub fn has_found_nothing(&self) -> bool {
        self.judgement.as_ref().is_none_or(|judged| judged.findings.is_empty())
    }
}

impl Finding {
    /// The largest of its groups among those of its assessment.
    #[must_use]
    pub fn group_in<'a>(&self, groups: &'a [Group]) -> Option<&'a Group> {
        groups.get(self.goroutines()?.group)
    }
}

/// What was found, and what could not be judged.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// What leaks: surest first, then by score.
    pub findings: Vec<Finding>,
    /// How many findings there are beyond the worst thousand, which are those above.
    pub unlisted: u64,
    /// How well the process is by what was looked at, 0 to 100.
    pub health: u8,
    /// Whether there are many goroutines, by the thresholds that were set.
    pub level: Level,
    /// Detectors that lacked something to judge by.
    pub not_enough: Vec<NotEnough>,
    /// Goroutines that are ignored as idle, by why.
    pub idle: BTreeMap<Ignored, u64>,
    /// The groups that these are, as indices into [`Assessment::groups`].
    pub idle_groups: BTreeMap<usize, IdleReason>,
    /// Goroutines that are in no finding and not idle, by why. These, the idle ones and those of all
    /// findings add up to all that there are.
    pub not_analysed: BTreeMap<NotAnalysed, u64>,
    /// Who waits for whom, over the whole process.
    pub lock_graph: LockGraph,
    /// Functions that most goroutines pass, most first.
    pub hot_paths: Vec<HotPath>,
    /// Who created whom: the largest groups.
    pub lineage: Vec<Lineage>,
    /// How the number of goroutines went: seconds since the first sample, and how many.
    pub history: Vec<(f64, u64)>,
    /// What makes that number rise; `None` where it does not.
    pub rise: Option<Rise>,
    /// How quantities go that there were enough samples of.
    pub trends: Vec<QuantityTrend>,
    /// Which of them go together, the most alike first.
    pub relations: Vec<Relation>,
    /// What is usual of quantities, and what there is; empty where nothing is remembered, or too little.
    pub usual: Vec<Usual>,
    /// From how many goroutines on their number is moderate, high, critical, where what is usual has raised that.
    pub raised: Option<[u64; 3]>,
    /// What collections say that the agent made the program do; `None` where none were measured.
    pub collections: Option<CollectionVerdict>,
}

impl Judgement {
    /// Whether too few collections of garbage were seen to tell whether the heap leaks.
    #[must_use]
    pub fn lacks_collections(&self) -> bool {
        self.not_enough.iter().any(|it| matches!(it.lack, Lack::Collections { .. }))
    }
}

/// A number of goroutines that rises over the window, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Rise {
    /// How many there were at first.
    pub from: u64,
    /// How many there are.
    pub to: u64,
    /// Change by the second.
    pub per_second: f64,
    /// By how many goroutines groups rise that findings are made of.
    pub explained: u64,
    /// By how many all other groups rise.
    pub unexplained: u64,
    /// The groups that rise, most first: some.
    pub groups: Vec<Rising>,
}

/// Groups that rise together: those of one line and creation site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rising {
    /// The largest of them, as an index into [`Assessment::groups`].
    pub group: usize,
    /// How many more there are than at first.
    pub more: u64,
    /// What was made of that.
    pub verdict: RiseVerdict,
}

/// What was made of groups that rise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RiseVerdict {
    /// A finding, by its id.
    Finding(String),
    /// They are ignored, and why, and in what they do not rise as leaks do.
    Ignored(Ignored, NoLeak),
    /// They were not analysed, and why.
    NotAnalysed(NotAnalysed),
    /// They do not rise as leaks do, and in what.
    NoLeak(NoLeak),
}

/// A function that many goroutines have on their stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotPath {
    /// One of its frames.
    pub frame: FrameId,
    /// How many goroutines pass it.
    pub goroutines: u64,
}

/// A group, and the group that created it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The group, as an index into [`Assessment::groups`].
    pub group: usize,
    /// The group that one of its creators is in now; `None` where all of them that are known have
    /// ended.
    pub parent: Option<usize>,
}

/// Who waits for whose lock: goroutines, the locks they wait for, likely holders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockGraph {
    /// One for each contended lock, most waiters first.
    pub locks: Vec<LockNode>,
    /// Deadlock cycles, shortest first: one of each kind. Those of a kind are made of goroutines of the same
    /// groups.
    pub cycles: Vec<Vec<Waiter>>,
    /// How many cycles there are of each kind.
    pub alike: Vec<u64>,
    /// Contended locks beyond those shown.
    pub more: u64,
    /// Cycles of kinds beyond those shown.
    pub more_cycles: u64,
}

impl LockGraph {
    /// How many deadlock cycles there are, those that are not shown included.
    #[must_use]
    pub fn all_cycles(&self) -> u64 {
        self.alike.iter().sum::<u64>() + self.more_cycles
    }

    /// A contended lock, by its address.
    #[must_use]
    pub fn lock(&self, object: u64) -> Option<&LockNode> {
        self.locks.iter().find(|lock| lock.object == object)
    }
}

/// A contended lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockNode {
    /// Its address.
    pub object: u64,
    /// What its waiters call it: `mutex`, `rwmutex`, ...
    pub kind: WaitClass,
    /// Who waits for it: some, smallest goid first.
    pub waiters: Vec<u64>,
    /// How many wait for it.
    pub waiting: u64,
    /// For how long the longest has.
    pub oldest: Option<Duration>,
    /// Who probably holds it.
    pub holder: Option<Holder>,
    /// Whether it was seen to pass from hand to hand while they waited: contention, and no deadlock.
    pub passes: bool,
}

/// The span of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowSpan {
    /// How many observations it held.
    pub observations: u64,
    /// When the first was made.
    pub first: Timestamp,
    /// When the last was made.
    pub last: Timestamp,
    /// The time between them, by a clock that never steps.
    pub duration: Duration,
}

impl WindowSpan {
    /// The moment so many seconds after the first observation.
    #[must_use]
    pub fn moment(&self, seconds: f64) -> Timestamp {
        Timestamp::from_unix_ns(self.first.unix_ns().saturating_add((seconds * 1e9) as i64))
    }
}

/// Sums over all goroutines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// How many there are.
    pub goroutines: u64,
    /// How many of each wait class.
    pub by_wait: BTreeMap<WaitClass, u64>,
    /// Creations and exits; `None` before the second observation.
    pub rates: Option<Rates>,
}

/// For how long the members of a group have existed, as far as probes saw their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// Of how many it is known.
    pub known: u64,
    /// The longest.
    pub oldest: Duration,
    /// The median.
    pub median: Duration,
}

/// Why a group has no stack, or none of the last sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStack {
    /// They run: a stack cannot be read without stopping them.
    Running,
    /// They run, and the stack is that of an earlier sample.
    OfEarlierSample,
    /// They kept changing while they were read.
    Torn,
    /// What was read could not be unwound.
    NotUnwound,
}

/// Goroutines with the same signature.
#[derive(Clone, Debug)]
pub struct Group {
    /// Normalised user frames of the stack, wait class and creation site, as one line of text.
    /// The same for the same group in every observation, process and build path.
    pub signature: String,
    /// How many goroutines.
    pub count: u64,
    /// How many there were in the observation before; `None` in the first.
    pub previous: Option<u64>,
    /// Change by the second over the window (least squares over its observations); `None` before
    /// the second.
    pub growth_per_second: Option<f64>,
    /// The class of their wait.
    pub wait: WaitClass,
    /// The runtime's wait reason; `None` when they do not wait.
    pub reason: Option<String>,
    /// The longest time blocked among them.
    pub oldest: Option<Duration>,
    /// The median of the times blocked.
    pub median: Option<Duration>,
    /// Whether probes saw all of them block, so that the times are exact and no lower bounds.
    pub exact: bool,
    /// For how long they have existed; `None` if nobody's creation was seen.
    pub ages: Option<Ages>,
    /// The innermost frame of the user's own code, or else the innermost outside the runtime.
    pub blocked_at: Option<FrameId>,
    /// The `go` statement that created them.
    pub created_by: Option<FrameId>,
    /// The whole stack of one of their creators, where a probe saw one.
    pub creation_stack: Option<StackId>,
    /// The stack of one of them; `None` when it could not be read.
    pub stack: Option<StackId>,
    /// Why there is no stack, or none of the last sample.
    pub no_stack: Option<NoStack>,
    /// The profiler labels that all of them share.
    pub labels: Vec<(String, String)>,
    /// The ids of some, smallest first.
    pub goids_sample: Vec<u64>,
    /// How many, as far as is known, have not moved through the last two thirds of the window.
    pub stuck: u64,
    /// How many are locked to their thread.
    pub locked_to_thread: u64,
    /// How many distinct objects they wait on; 0 when none could be found.
    pub objects: u64,
    /// The object that most of them wait on, and how many of them do.
    pub object: Option<(u64, u64)>,
    /// How many goroutines of the whole process wait on that object.
    pub object_waiters: u64,
}
