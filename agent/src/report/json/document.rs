//! The document of one target: whom, when, how much was seen, and the lists.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::finding::Findings;
use super::group::Groups;
use super::judgement::{History, LockGraphDoc, RiseDoc};
use super::paths::{HotPaths, LineageDoc};
use super::site::Sites;
use super::{SCHEMA, time};
use crate::model::{
    Assessment, Build, Coverage, Halt, Held, HitCost, Instance, Level, NotEnough, Overhead,
    RateBasis, Target, Timestamp, Totals, WindowSpan,
};
use crate::report::notes;

/// An assessment, and when the report of it is made.
pub(super) struct Document<'a>(pub(super) Timestamp, pub(super) &'a Assessment);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let &Self(generated_at, assessment) = self;
        let Assessment {
            target,
            window,
            held,
            coverage,
            totals,
            overhead,
            groups,
            judgement,
            sites,
            stacks,
            earlier: _,
            early_end: _,
        } = assessment;
        #[derive(Serialize)]
        struct Fields<'a> {
            schema: &'static str,
            generated_at: Option<String>,
            agent: Agent,
            target: TargetDoc<'a>,
            window: WindowDoc,
            /// For how much of the window the process could not run; null where it could.
            held: Option<HeldDoc>,
            /// Its notes are all that there are, of its beginning and its end too.
            coverage: Cow<'a, Coverage>,
            totals: TotalsDoc<'a>,
            overhead: OverheadDoc<'a>,
            /// Null, as all that only a judge can say, where nobody judged.
            health: Option<u8>,
            /// How many goroutines, by thresholds: normal, moderate, high, critical.
            level: Option<Level>,
            not_enough: Option<&'a [NotEnough]>,
            idle: Option<&'a BTreeMap<String, u64>>,
            /// With these, the idle ones and the findings' counts add up to `totals.goroutines`.
            not_analysed: Option<&'a BTreeMap<String, u64>>,
            history: Option<History<'a>>,
            /// What makes that number rise; null where it does not.
            rise: Option<RiseDoc<'a>>,
            /// Functions that most goroutines have on their stacks.
            hot_paths: Option<HotPaths<'a>>,
            /// Who created whom: the largest groups.
            lineage: Option<LineageDoc<'a>>,
            lock_graph: Option<LockGraphDoc<'a>>,
            findings: Findings<'a>,
            /// How many more there are than are listed: the worst thousand are.
            findings_unlisted: Option<u64>,
            groups: Groups<'a>,
            sites: Sites<'a>,
        }
        let judged = judgement.as_ref();
        let findings = judged.map_or(&[][..], |judged| &judged.findings);
        let of_group: HashMap<usize, &str> = findings
            .iter()
            .rev()
            .flat_map(|finding| {
                finding.goroutines().groups.iter().map(|&group| (group, &*finding.id))
            })
            .collect();
        Fields {
            schema: SCHEMA,
            generated_at: time(generated_at),
            agent: Agent { version: env!("CARGO_PKG_VERSION") },
            target: TargetDoc::new(target),
            window: WindowDoc::new(window),
            held: held.as_ref().map(HeldDoc::new),
            coverage: noted(assessment, coverage),
            totals: TotalsDoc::new(totals),
            overhead: OverheadDoc::new(overhead),
            health: assessment.health(),
            level: judged.map(|judged| judged.level),
            not_enough: judged.map(|judged| &*judged.not_enough),
            idle: judged.map(|judged| &judged.idle),
            not_analysed: judged.map(|judged| &judged.not_analysed),
            history: judged.map(|judged| History(&judged.history)),
            rise: judged
                .and_then(|judged| judged.rise.as_ref())
                .map(|rise| RiseDoc::new(rise, groups)),
            hot_paths: judged.map(|judged| HotPaths(&judged.hot_paths, stacks)),
            lineage: judged.map(|judged| LineageDoc(&judged.lineage, groups)),
            lock_graph: judged.map(|judged| LockGraphDoc::new(&judged.lock_graph)),
            findings: Findings { findings, groups, stacks },
            findings_unlisted: judged.map(|judged| judged.unlisted),
            groups: Groups { assessment, of_group: &of_group },
            sites: Sites(sites, stacks),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Agent {
    version: &'static str,
}

#[derive(Serialize)]
struct TargetDoc<'a> {
    #[serde(flatten)]
    instance: &'a Instance,
    /// When it started, in whole seconds; null where the source does not know.
    started: Option<String>,
    /// How often the process has executed a program anew since it was attached to.
    generation: u32,
    exe: &'a str,
    go_version: Option<&'a str>,
    build: Option<Build>,
}

impl<'a> TargetDoc<'a> {
    fn new(target: &'a Target) -> Self {
        Self {
            instance: &target.id.instance,
            started: target.id.started.and_then(time),
            generation: target.id.generation,
            exe: &target.exe,
            go_version: target.go_version.as_deref(),
            build: target.build,
        }
    }
}

/// A process that could not run.
#[derive(Serialize)]
struct HeldDoc {
    /// What keeps it from running as of the last observation: stopped, traced, frozen.
    halt: Option<Halt>,
    seconds: f64,
    /// Whether it could not run at any time of the window.
    always: bool,
    reason: String,
}

impl HeldDoc {
    fn new(held: &Held) -> Self {
        Self {
            halt: held.halt,
            seconds: held.held.as_secs_f64(),
            always: held.always,
            reason: held.says(),
        }
    }
}

#[derive(Serialize)]
struct WindowDoc {
    observations: u64,
    first: Option<String>,
    last: Option<String>,
    seconds: f64,
}

impl WindowDoc {
    fn new(window: &WindowSpan) -> Self {
        Self {
            observations: window.observations,
            first: time(window.first),
            last: time(window.last),
            seconds: window.duration.as_secs_f64(),
        }
    }
}

#[derive(Serialize)]
struct TotalsDoc<'a> {
    goroutines: u64,
    by_wait: ByWait<'a>,
    created_per_second: Option<f64>,
    exited_per_second: Option<f64>,
    /// Whether probes saw every creation and exit.
    rates_exact: Option<bool>,
    /// `exact`, `estimate`, or `lower-bound`.
    rates_basis: Option<&'static str>,
    /// An estimate's 95 % interval; null for what is none.
    created_per_second_interval: Option<(f64, f64)>,
    exited_per_second_interval: Option<(f64, f64)>,
}

impl<'a> TotalsDoc<'a> {
    fn new(totals: &'a Totals) -> Self {
        Self {
            goroutines: totals.goroutines,
            by_wait: ByWait(totals),
            created_per_second: totals.rates.map(|rates| rates.created_per_second),
            exited_per_second: totals.rates.map(|rates| rates.exited_per_second),
            rates_exact: totals.rates.map(|rates| rates.basis == RateBasis::Exact),
            rates_basis: totals.rates.map(|rates| rates.basis.name()),
            created_per_second_interval: totals.rates.and_then(|rates| rates.created_interval),
            exited_per_second_interval: totals.rates.and_then(|rates| rates.exited_interval),
        }
    }
}

struct ByWait<'a>(&'a Totals);

impl Serialize for ByWait<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.by_wait.len()))?;
        for (wait, count) in &self.0.by_wait {
            map.serialize_entry(wait.name(), count)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct OverheadDoc<'a> {
    agent_cpu_percent: Option<f64>,
    target_cpu_percent_estimate: Option<f64>,
    agent_rss_bytes: Option<u64>,
    pauses_ms: &'a [f64],
    snapshot_seconds: Option<f64>,
    hit_cost: Option<HitCostDoc<'a>>,
}

/// What one hit of a probe is taken to cost the target.
#[derive(Serialize)]
struct HitCostDoc<'a> {
    seconds: f64,
    /// What it costs in an empty loop on this host; null if that was not measured.
    loop_seconds: Option<f64>,
    /// By how much more it costs in a real server.
    factor: f64,
    /// Why `seconds` is not the product of the two.
    note: Option<&'a str>,
}

impl<'a> HitCostDoc<'a> {
    fn new(hit: &'a HitCost) -> Self {
        Self {
            seconds: hit.taken.as_secs_f64(),
            loop_seconds: hit.in_a_loop.as_ref().map(Duration::as_secs_f64),
            factor: hit.factor,
            note: hit.note.as_deref(),
        }
    }
}

impl<'a> OverheadDoc<'a> {
    fn new(overhead: &'a Overhead) -> Self {
        Self {
            agent_cpu_percent: overhead.agent_cpu_percent,
            target_cpu_percent_estimate: overhead.target_cpu_percent_estimate,
            agent_rss_bytes: overhead.agent_rss_bytes,
            pauses_ms: &overhead.pauses_ms,
            snapshot_seconds: overhead.snapshot.as_ref().map(Duration::as_secs_f64),
            hit_cost: overhead.hit.as_ref().map(HitCostDoc::new),
        }
    }
}

/// The coverage, with all that there is to note.
fn noted<'a>(assessment: &Assessment, coverage: &'a Coverage) -> Cow<'a, Coverage> {
    let notes = notes::all(assessment);
    if notes == coverage.notes {
        Cow::Borrowed(coverage)
    } else {
        Cow::Owned(Coverage { notes, ..coverage.clone() })
    }
}
