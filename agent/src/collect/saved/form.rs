//! The form of a saved observation: a gzip file that holds one JSON document.
//!
//! `docs/saved.md` describes it for other programs. A goroutine is a row, not an object: there may
//! be a million of them.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{
    BlockedBasis, BlockedFor, Channel, Coverage, FrameId, Goroutine, LabelsId, Mention,
    ObjectRange, Observation, Overhead, Rates, Site, StackTable, StackView, Status, Target,
    Timestamp, WaitClass,
};

/// The name and version of the form. Another version is another name.
pub(super) const SCHEMA: &str = "leak-agent/observation/v1";

/// What no count of a real process reaches, so that sums of a few of them cannot overflow.
const MOST: u64 = 1 << 48;

/// A goroutine: goid, parent, first object and how many, stack, creator, first function, labels,
/// reason, class, status, whether locked to its thread, blocked for (ns, and how that is known), age
/// (ns), seen for (ns), parks, bytes of stack.
#[derive(Serialize, Deserialize)]
struct Row(
    u64,
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
    u32,
);

/// The head alone, to tell what a file is before the rest is read into values.
#[derive(Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    pub(super) schema: String,
}

/// An observation as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Form<'a> {
    schema: Cow<'a, str>,
    at: Timestamp,
    elapsed_ns: u64,
    target: Cow<'a, Target>,
    reasons: Cow<'a, [String]>,
    labels: Cow<'a, [Vec<(String, String)>]>,
    objects: Cow<'a, [u64]>,
    channels: Cow<'a, [Channel]>,
    mentions: Cow<'a, [Mention]>,
    rates: Option<Rates>,
    sites: Cow<'a, [Site]>,
    coverage: Cow<'a, Coverage>,
    overhead: Cow<'a, Overhead>,
    stacks: Cow<'a, StackTable>,
    goroutines: Vec<Row>,
}

impl<'a> Form<'a> {
    pub(super) fn of(observation: &'a Observation) -> Self {
        Self {
            schema: SCHEMA.into(),
            at: observation.at,
            elapsed_ns: ns(observation.elapsed),
            target: Cow::Borrowed(&observation.target),
            reasons: Cow::Borrowed(&observation.reasons),
            labels: Cow::Borrowed(&observation.labels),
            objects: Cow::Borrowed(&observation.objects),
            channels: Cow::Borrowed(&observation.channels),
            mentions: Cow::Borrowed(&observation.mentions),
            rates: observation.rates,
            sites: Cow::Borrowed(&observation.sites),
            coverage: Cow::Borrowed(&observation.coverage),
            overhead: Cow::Borrowed(&observation.overhead),
            stacks: Cow::Borrowed(&observation.stacks),
            goroutines: observation.goroutines.iter().map(Row::of).collect(),
        }
    }
}

impl Form<'static> {
    /// The observation, or what is wrong with it.
    pub(super) fn observation(self) -> Result<Observation, &'static str> {
        let goroutines: Vec<_> = self.goroutines.into_iter().map(Row::goroutine).collect();
        let sites = self.sites.into_owned();
        let coverage = self.coverage.into_owned();
        let stacks = self.stacks.into_owned();
        if !names_what_is_there(&goroutines, &sites, &stacks) {
            return Err("it names a stack or a frame that it does not hold");
        }
        if !is_possible(&sites, &coverage) {
            return Err("it holds a count that no process reaches");
        }
        Ok(Observation {
            at: self.at,
            elapsed: Duration::from_nanos(self.elapsed_ns),
            target: Arc::new(self.target.into_owned()),
            goroutines,
            stacks: Arc::new(stacks),
            reasons: self.reasons.into_owned().into(),
            objects: self.objects.into_owned(),
            channels: self.channels.into_owned(),
            mentions: self.mentions.into_owned(),
            labels: self.labels.into_owned(),
            rates: self.rates,
            sites,
            coverage,
            overhead: self.overhead.into_owned(),
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
            goroutine.parks,
            goroutine.stack_bytes,
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
            parks: self.14,
            stack_bytes: self.15,
        }
    }
}

fn names_what_is_there(goroutines: &[Goroutine], sites: &[Site], stacks: &StackTable) -> bool {
    let frame = |frame: Option<FrameId>| frame.is_none_or(|frame| stacks.has_frame(frame));
    goroutines.iter().all(|goroutine| {
        goroutine.stack.id().is_none_or(|stack| stacks.has_stack(stack))
            && frame(goroutine.created_by)
            && frame(goroutine.started_in)
    }) && sites.iter().all(|site| {
        site.creation_stack.is_none_or(|stack| stacks.has_stack(stack)) && frame(site.created_by)
    })
}

fn is_possible(sites: &[Site], coverage: &Coverage) -> bool {
    let of_sites = sites.iter().flat_map(|site| {
        let lifetimes = site.lifetimes.iter().map(|lifetimes| lifetimes.count);
        lifetimes.chain([site.created, site.exited])
    });
    let of_coverage = [
        coverage.goroutines_seen,
        coverage.goroutines_read,
        coverage.running,
        coverage.torn,
        coverage.retried,
        coverage.not_unwound,
        coverage.unresolved_frames,
        coverage.events_dropped,
    ];
    of_sites.chain(of_coverage).all(|count| count < MOST)
}

/// Nanoseconds; 584 years at most.
fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
