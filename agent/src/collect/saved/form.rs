//! The form of a saved observation: a gzip file that holds one JSON document.
//!
//! `docs/saved.md` describes it for other programs. A goroutine is a row, not an object: there may
//! be a million of them.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::model::{
    BlockedBasis, BlockedFor, Channel, Contention, Coverage, FrameId, Goroutine, Instance,
    LabelsId, Memory, Mention, ObjectRange, Observation, Opened, Overhead, Rates, Resources, Site,
    StackTable, StackView, Status, Target, Timestamp, WaitClass,
};

/// The name and version of the form. Another version is another name.
pub(super) const SCHEMA: &str = "leak-agent/observation/v1";

/// What no count of a real process reaches, so that sums of a few of them cannot overflow.
const MAX_COUNT: u64 = 1 << 48;

/// Nor any size at one moment.
const MAX_BYTES: u64 = 1 << 58;

/// A goroutine: goid or null, parent, first object and how many, stack, creator, first function, labels,
/// reason, class, status, whether locked to its thread, blocked for (ns, and how that is known), age
/// (ns), seen for (ns), parks, bytes of stack or null, whether it came, how many goroutines it stands for, whether it is proven to leak.
#[derive(Serialize, Deserialize)]
struct Row(
    Option<NonZeroU64>,
    Option<NonZeroU64>,
    (u32, u32),
    StackView,
    Option<FrameId>,
    Option<FrameId>,
    LabelsId,
    Option<u8>,
    WaitClass,
    Status,
    bool,
    Option<(u64, BlockedBasis)>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
    Option<u32>,
    #[serde(default)] Option<bool>,
    #[serde(default = "one")] u32,
    #[serde(default)] bool,
);

/// Files of before weights were added know each goroutine by itself.
const fn one() -> u32 {
    1
}

/// The head alone, to tell what a file is that cannot be read as an observation.
#[derive(Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    pub(super) schema: String,
}

/// An observation as it is written. Goroutines become rows one by one.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    schema: &'static str,
    at: Timestamp,
    elapsed_ns: u64,
    uptime_ns: Option<u64>,
    target: &'a Target,
    reasons: &'a [String],
    labels: &'a [Vec<(String, String)>],
    objects: &'a [u64],
    channels: &'a [Channel],
    mentions: &'a [Mention],
    rates: Option<Rates>,
    rates_so_far: Option<Rates>,
    sites: &'a [Site],
    contention: Option<&'a Contention>,
    memory: &'a Memory,
    resources: &'a Resources,
    coverage: &'a Coverage,
    overhead: &'a Overhead,
    stacks: &'a StackTable,
    goroutines: Rows<'a>,
}

impl<'a> Written<'a> {
    pub(super) fn of(observation: &'a Observation) -> Self {
        Self {
            schema: SCHEMA,
            at: observation.at,
            elapsed_ns: ns(observation.elapsed),
            uptime_ns: observation.uptime.map(ns),
            target: &observation.target,
            reasons: &observation.reasons,
            labels: &observation.labels,
            objects: &observation.objects,
            channels: &observation.channels,
            mentions: &observation.mentions,
            rates: observation.rates,
            rates_so_far: observation.rates_so_far,
            sites: &observation.sites,
            contention: observation.contention.as_ref(),
            memory: &observation.memory,
            resources: &observation.resources,
            coverage: &observation.coverage,
            overhead: &observation.overhead,
            stacks: &observation.stacks,
            goroutines: Rows(&observation.goroutines),
        }
    }
}

struct Rows<'a>(&'a [Goroutine]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Row::of))
    }
}

/// An observation as it is read. What is added to the model within v1 needs a default there, so
/// that older files can still be read.
#[derive(Deserialize)]
pub(super) struct Form {
    pub(super) schema: String,
    at: Timestamp,
    elapsed_ns: u64,
    #[serde(default)]
    uptime_ns: Option<u64>,
    target: Target,
    reasons: Vec<String>,
    labels: Vec<Vec<(String, String)>>,
    objects: Vec<u64>,
    channels: Vec<Channel>,
    mentions: Vec<Mention>,
    rates: Option<Rates>,
    #[serde(default)]
    rates_so_far: Option<Rates>,
    sites: Vec<Site>,
    #[serde(default)]
    contention: Option<Contention>,
    #[serde(default)]
    memory: Memory,
    #[serde(default)]
    resources: Resources,
    coverage: Coverage,
    overhead: Overhead,
    stacks: StackTable,
    goroutines: Vec<Row>,
}

impl Form {
    /// The observation, or what is wrong with it.
    pub(super) fn observation(self) -> Result<Observation, &'static str> {
        let mut target = self.target;
        name_library(&mut target);
        let goroutines: Vec<_> = self.goroutines.into_iter().map(Row::goroutine).collect();
        let contended = self.contention.iter().flat_map(Contention::stacks);
        let opened = &self.resources.opened;
        let mut profiled = self.memory.profiled.iter().flat_map(|it| &it.sites);
        if !names_what_is_there(&goroutines, &self.sites, opened, &self.stacks)
            || !contended.into_iter().all(|stack| self.stacks.has_stack(stack))
            || !self
                .memory
                .large
                .iter()
                .flat_map(|it| &it.sites)
                .all(|it| self.stacks.has_stack(it.stack))
            || !profiled.all(|it| self.stacks.has_stack(it.stack))
        {
            return Err("it names a stack or a frame that it does not hold");
        }
        if goroutines.iter().any(|goroutine| goroutine.weight == 0) {
            return Err("a goroutine stands for none");
        }
        if !is_possible(&self.sites, &self.coverage)
            || !is_possible_memory(&self.memory)
            || !are_possible(&self.resources)
        {
            return Err("it holds a count that no process reaches");
        }
        Ok(Observation {
            at: self.at,
            elapsed: Duration::from_nanos(self.elapsed_ns),
            uptime: self.uptime_ns.map(Duration::from_nanos),
            target: Arc::new(target),
            goroutines,
            stacks: Arc::new(self.stacks),
            reasons: self.reasons.into(),
            objects: self.objects,
            channels: self.channels,
            mentions: self.mentions,
            labels: self.labels,
            rates: self.rates,
            rates_so_far: self.rates_so_far,
            sites: self.sites,
            contention: self.contention,
            memory: self.memory,
            resources: self.resources,
            coverage: self.coverage,
            overhead: self.overhead,
        })
    }
}

impl Row {
    fn of(goroutine: &Goroutine) -> Self {
        let blocked = goroutine.blocked.map(|blocked| (ns(blocked.duration), blocked.basis));
        Self(
            goroutine.goid,
            goroutine.parent,
            (goroutine.objects.start, goroutine.objects.len),
            goroutine.stack,
            goroutine.created_by,
            goroutine.started_in,
            goroutine.labels,
            goroutine.reason,
            goroutine.wait,
            goroutine.status,
            goroutine.locked_to_thread,
            blocked,
            goroutine.age.map(ns),
            goroutine.seen_for.map(ns),
            goroutine.parks.map(u64::from),
            goroutine.stack_bytes,
            goroutine.came,
            goroutine.weight,
            goroutine.proven,
        )
    }

    fn goroutine(self) -> Goroutine {
        let blocked = |(ns, basis)| BlockedFor { duration: Duration::from_nanos(ns), basis };
        Goroutine {
            goid: self.0,
            parent: self.1,
            objects: ObjectRange { start: self.2.0, len: self.2.1 },
            stack: self.3,
            created_by: self.4,
            started_in: self.5,
            labels: self.6,
            reason: self.7,
            wait: self.8,
            status: self.9,
            locked_to_thread: self.10,
            blocked: self.11.map(blocked),
            age: self.12.map(Duration::from_nanos),
            seen_for: self.13.map(Duration::from_nanos),
            parks: self.14.map(|parks| u32::try_from(parks).unwrap_or(u32::MAX)),
            stack_bytes: self.15,
            came: self.16,
            weight: self.17,
            proven: self.18,
        }
    }
}

/// Files that older agents wrote name a library only behind the executable's name and a slash.
fn name_library(target: &mut Target) {
    if let Instance::Process { library: library @ None, .. } = &mut target.id.instance {
        let name = target.exe.as_deref().and_then(|exe| exe.split_once('/'));
        *library = name.map(|(_, library)| library.to_owned());
    }
}

fn names_what_is_there(
    goroutines: &[Goroutine],
    sites: &[Site],
    opened: &[Opened],
    stacks: &StackTable,
) -> bool {
    let frame = |frame: Option<FrameId>| frame.is_none_or(|frame| stacks.has_frame(frame));
    goroutines.iter().all(|goroutine| {
        goroutine.stack.id().is_none_or(|stack| stacks.has_stack(stack))
            && frame(goroutine.created_by)
            && frame(goroutine.started_in)
    }) && sites.iter().all(|site| {
        site.creation_stack.is_none_or(|stack| stacks.has_stack(stack)) && frame(site.created_by)
    }) && opened.iter().all(|opened| stacks.has_stack(opened.stack) && frame(opened.created_by))
}

fn is_possible(sites: &[Site], coverage: &Coverage) -> bool {
    let of_sites = sites.iter().flat_map(|site| {
        let lifetimes = site.lifetimes.iter().map(|lifetimes| lifetimes.count);
        lifetimes.chain([site.created, site.exited])
    });
    let of_coverage = [
        coverage.goroutines_seen,
        coverage.goroutines_read,
        coverage.unmoved,
        coverage.running,
        coverage.torn,
        coverage.retried,
        coverage.not_unwound,
        coverage.unresolved_frames,
        coverage.events_dropped,
        coverage.stacks_unsearched,
        coverage.heap_retried,
    ];
    let of_probes = coverage.probes.iter().map(|probe| probe.history_left_out);
    of_sites.chain(of_coverage).chain(of_probes).all(|count| count < MAX_COUNT)
}

/// Sizes that a process can have at one time; what is counted since its start has no bound.
fn is_possible_memory(memory: &Memory) -> bool {
    let of_heap = memory.heap.iter().flat_map(|heap| {
        let classes = heap.classes.iter().map(|class| class.in_use_bytes);
        classes.chain([heap.objects_bytes, heap.mapped_bytes()]).chain(heap.marked_bytes)
    });
    let of_profile = memory.profile.iter().map(|it| it.in_use_bytes);
    let of_process = memory.process.iter().flat_map(|it| [it.rss_bytes, it.threads]);
    let of_large = memory.large.iter().flat_map(|large| {
        let sites = large.sites.iter().flat_map(|site| [site.in_use, site.allocated]);
        sites.chain([large.unnamed]).flat_map(|it| [it.bytes, it.objects]).chain([large.lost])
    });
    let of_sites = memory.profiled.iter().flat_map(|it| &it.sites);
    let of_sites = of_sites.flat_map(|it| [it.in_use.bytes, it.in_use.objects]);
    let of_profile = of_profile.chain(of_sites);
    of_heap.chain(of_process).chain(of_profile).chain(of_large).all(|size| size < MAX_BYTES)
}

/// Counts that are added up, so that they must not overflow.
fn are_possible(resources: &Resources) -> bool {
    let Resources { descriptors, threads, mappings, children, details, opened } = resources;
    let usages = [descriptors, threads, mappings, children].into_iter().flatten();
    let of_usages = usages
        .flat_map(|usage| [usage.count].into_iter().chain(usage.limit.map(|limit| limit.used)));
    let groups = details.iter().flat_map(|details| &details.groups);
    let of_groups = groups.flat_map(|group| {
        let (came, gone) = group.churn.unwrap_or_default();
        group.states.values().copied().chain([group.count, came, gone])
    });
    let of_opened = opened.iter().map(|opened| opened.count);
    of_usages.chain(of_groups).chain(of_opened).all(|count| count < MAX_COUNT)
}

/// Nanoseconds; 584 years at most.
fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
