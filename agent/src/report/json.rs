//! The report for programs: schema `leak-agent/report/v1`.
//!
//! One document for one target, an array of documents when several were asked for. What is not
//! known is null, never 0. Nothing is gathered: each value is written as it is reached.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use super::{Render, Report};
use crate::model::{
    Ages, Assessment, Coverage, FrameId, Group, HitCost, Overhead, Site, StackTable, Target,
    Timestamp, Totals, WindowSpan,
};

/// The name of the schema. Keys are only ever added within a version.
pub const SCHEMA: &str = "leak-agent/report/v1";

/// Renders JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Render for Json {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let at = report.generated_at;
        if report.several {
            let documents = report.assessments.iter().map(|assessment| Document(at, assessment));
            let mut json = serde_json::Serializer::pretty(&mut *out);
            json.collect_seq(documents)?;
        } else if let Some(assessment) = report.assessments.first() {
            serde_json::to_writer_pretty(&mut *out, &Document(at, assessment))?;
        }
        writeln!(out)
    }
}

/// RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn time(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).ok()?;
    Some(format!("{at:.3}"))
}

struct Document<'a>(Timestamp, &'a Assessment);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let &Self(generated_at, assessment) = self;
        let Assessment { target, window, coverage, totals, overhead, groups, sites, stacks } =
            assessment;
        #[derive(Serialize)]
        struct Fields<'a> {
            schema: &'static str,
            generated_at: Option<String>,
            agent: Agent,
            target: &'a Target,
            window: WindowDoc,
            coverage: &'a Coverage,
            totals: TotalsDoc<'a>,
            overhead: OverheadDoc<'a>,
            /// Null: nothing judges yet.
            health: Option<u8>,
            groups: Groups<'a>,
            sites: Sites<'a>,
            findings: [(); 0],
        }
        Fields {
            schema: SCHEMA,
            generated_at: time(generated_at),
            agent: Agent { version: env!("CARGO_PKG_VERSION") },
            target,
            window: WindowDoc::new(window),
            coverage,
            totals: TotalsDoc::new(totals),
            overhead: OverheadDoc::new(overhead),
            health: None,
            groups: Groups(groups, stacks),
            sites: Sites(sites, stacks),
            findings: [],
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct Agent {
    version: &'static str,
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
    /// Whether probes saw every creation and exit; else the rates are lower bounds.
    rates_exact: Option<bool>,
}

impl<'a> TotalsDoc<'a> {
    fn new(totals: &'a Totals) -> Self {
        Self {
            goroutines: totals.goroutines,
            by_wait: ByWait(totals),
            created_per_second: totals.rates.map(|rates| rates.created_per_second),
            exited_per_second: totals.rates.map(|rates| rates.exited_per_second),
            rates_exact: totals.rates.map(|rates| rates.exact),
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

struct Groups<'a>(&'a [Group], &'a StackTable);

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|group| GroupDoc::new(group, self.1)))
    }
}

struct Sites<'a>(&'a [Site], &'a StackTable);

impl Serialize for Sites<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|site| SiteDoc::new(site, self.1)))
    }
}

/// A creation site, as far as probes watched it.
#[derive(Serialize)]
struct SiteDoc<'a> {
    created_by: Option<FrameDoc<'a>>,
    creation_stack: Option<StackDoc<'a>>,
    created: u64,
    exited: u64,
    created_per_second: Option<f64>,
    /// Half of those whose whole life was seen lived for less than this.
    median_lifetime_seconds: Option<f64>,
    lifetimes: Vec<LifetimesDoc>,
}

#[derive(Serialize)]
struct LifetimesDoc {
    /// Null for no end.
    below_seconds: Option<f64>,
    count: u64,
}

impl<'a> SiteDoc<'a> {
    fn new(site: &Site, stacks: &'a StackTable) -> Self {
        let lifetimes = site.lifetimes.iter().map(|lifetimes| LifetimesDoc {
            below_seconds: lifetimes.below.as_ref().map(Duration::as_secs_f64),
            count: lifetimes.count,
        });
        Self {
            created_by: site.created_by.map(|frame| FrameDoc::new(stacks, frame)),
            creation_stack: site
                .creation_stack
                .map(|stack| StackDoc(stacks.frames_of(stack), stacks)),
            created: site.created,
            exited: site.exited,
            created_per_second: site.created_per_second,
            median_lifetime_seconds: site.median_lifetime().as_ref().map(Duration::as_secs_f64),
            lifetimes: lifetimes.collect(),
        }
    }
}

#[derive(Serialize)]
struct GroupDoc<'a> {
    signature: &'a str,
    count: u64,
    previous: Option<u64>,
    growth_per_second: Option<f64>,
    wait_class: &'static str,
    wait: WaitDoc<'a>,
    /// Null if nobody's creation was seen.
    age: Option<AgeDoc>,
    blocked_at: Option<FrameDoc<'a>>,
    created_by: Option<FrameDoc<'a>>,
    creation_stack: Option<StackDoc<'a>>,
    stack: Option<StackDoc<'a>>,
    /// Frames that a too deep stack leaves out.
    stack_elided: Option<u32>,
    no_stack: Option<&'static str>,
    labels: Labels<'a>,
    goids_sample: &'a [u64],
    locked_to_thread: u64,
    finding: Option<&'a str>,
}

impl<'a> GroupDoc<'a> {
    fn new(group: &'a Group, stacks: &'a StackTable) -> Self {
        Self {
            signature: &group.signature,
            count: group.count,
            previous: group.previous,
            growth_per_second: group.growth_per_second,
            wait_class: group.wait.name(),
            wait: WaitDoc {
                reason: group.reason.as_deref(),
                oldest_seconds: group.oldest.as_ref().map(Duration::as_secs_f64),
                median_seconds: group.median.as_ref().map(Duration::as_secs_f64),
                exact: group.exact,
                object: group.object.map(|(address, _)| hex(address)),
                waiters: group.object.map(|_| group.object_waiters),
                objects: (group.objects > 0).then_some(group.objects),
            },
            age: group.ages.map(AgeDoc::new),
            blocked_at: group.blocked_at.map(|frame| FrameDoc::new(stacks, frame)),
            created_by: group.created_by.map(|frame| FrameDoc::new(stacks, frame)),
            creation_stack: group
                .creation_stack
                .map(|stack| StackDoc(stacks.frames_of(stack), stacks)),
            stack: group.stack.map(|stack| StackDoc(stacks.frames_of(stack), stacks)),
            stack_elided: group.stack.map(|stack| stacks.elided(stack)),
            no_stack: group.no_stack,
            labels: Labels(&group.labels),
            goids_sample: &group.goids_sample,
            locked_to_thread: group.locked_to_thread,
            finding: None,
        }
    }
}

#[derive(Serialize)]
struct WaitDoc<'a> {
    reason: Option<&'a str>,
    oldest_seconds: Option<f64>,
    median_seconds: Option<f64>,
    /// Whether these are exact; else they are lower bounds.
    exact: bool,
    /// What most of the group wait on.
    object: Option<String>,
    /// How many goroutines of the whole process wait on that.
    waiters: Option<u64>,
    /// How many distinct objects the group waits on.
    objects: Option<u64>,
}

/// For how long those of a group have existed whose creation a probe saw; these times are exact.
#[derive(Serialize)]
struct AgeDoc {
    known: u64,
    oldest_seconds: f64,
    median_seconds: f64,
}

impl AgeDoc {
    fn new(ages: Ages) -> Self {
        Self {
            known: ages.known,
            oldest_seconds: ages.oldest.as_secs_f64(),
            median_seconds: ages.median.as_secs_f64(),
        }
    }
}

struct StackDoc<'a>(&'a [FrameId], &'a StackTable);

impl Serialize for StackDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frames = serializer.serialize_seq(Some(self.0.len()))?;
        for &id in self.0 {
            frames.serialize_element(&StackFrameDoc {
                frame: FrameDoc::new(self.1, id),
                inlined: self.1.lookup(id).ok().map(|frame| frame.inlined),
            })?;
        }
        frames.end()
    }
}

#[derive(Serialize)]
struct StackFrameDoc<'a> {
    #[serde(flatten)]
    frame: FrameDoc<'a>,
    inlined: Option<bool>,
}

/// A frame; one without names has its address in their place.
#[derive(Serialize)]
struct FrameDoc<'a> {
    function: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl<'a> FrameDoc<'a> {
    fn new(stacks: &'a StackTable, id: FrameId) -> Self {
        match stacks.lookup(id) {
            Ok(frame) => Self {
                function: Some(frame.function),
                file: Some(frame.file),
                line: Some(frame.line),
                address: None,
            },
            Err(pc) => Self { function: None, file: None, line: None, address: Some(hex(pc)) },
        }
    }
}

struct Labels<'a>(&'a [(String, String)]);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Addresses are text: JSON numbers lose bits beyond 2^53.
fn hex(address: u64) -> String {
    format!("{address:#x}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::analyze::{Window, assess};
    use crate::model::{
        Lifetimes, Observation, ProbeCoverage, ProbeSpell, ProbeState, StackView, WaitClass,
    };
    use crate::sample::{Sample, leaking};

    fn assessment(observations: impl IntoIterator<Item = Observation>) -> Assessment {
        let mut window = Window::default();
        for observation in observations {
            window.push(&observation);
        }
        assess(&window).expect("something was observed")
    }

    fn render(assessments: &[Assessment], several: bool) -> Value {
        let report = Report { generated_at: Timestamp::from_unix_ns(0), assessments, several };
        let mut out = Vec::new();
        Json.render(&report, &mut out).expect("a Vec takes everything");
        serde_json::from_slice(&out).expect("it is JSON")
    }

    #[test]
    fn the_document_has_the_schemas_keys() {
        let document =
            render(&[assessment([leaking(4).observe(0), leaking(40).observe(2)])], false);
        assert_eq!(document["schema"], "leak-agent/report/v1");
        assert_eq!(document["generated_at"], "1970-01-01T00:00:00.000Z");
        assert_eq!(
            document["target"],
            json!({"kind": "pid", "pid": 4711, "exe": "potato", "go_version": "go1.26.6",
                   "build": {"stripped": true, "pie": false, "cgo": false}})
        );
        assert_eq!(
            document["window"],
            json!({"observations": 2, "first": "2026-11-20T08:00:00.000Z",
                   "last": "2026-11-20T08:00:02.000Z", "seconds": 2.0})
        );
        assert_eq!(document["coverage"]["goroutines_read"], 42);
        assert_eq!(document["totals"]["by_wait"]["chan send"], 40);
        assert_eq!(document["totals"]["created_per_second"], 50.5);
        assert_eq!(document["totals"]["rates_exact"], false);
        assert_eq!(document["overhead"]["hit_cost"], Value::Null);
        assert_eq!(document["overhead"]["pauses_ms"], json!([]));
        assert_eq!(document["overhead"]["agent_cpu_percent"], Value::Null);
        assert_eq!(document["health"], Value::Null);
        assert_eq!(document["findings"], json!([]));
    }

    #[test]
    fn a_group_has_its_wait_its_lines_and_its_stack() {
        let document =
            render(&[assessment([leaking(4).observe(0), leaking(40).observe(2)])], false);
        let groups = document["groups"].as_array().expect("an array");
        let counted: u64 = groups.iter().filter_map(|group| group["count"].as_u64()).sum();
        assert_eq!(Some(counted), document["totals"]["goroutines"].as_u64());
        let stack = [
            ("runtime.gopark", "/usr/local/go/src/runtime/proc.go", 424),
            ("runtime.chansend", "/usr/local/go/src/runtime/chan.go", 270),
            ("main.leakGoroutines.func1", "/src/app/leak.go", 33),
        ]
        .map(|(function, file, line)| {
            json!({"function": function, "file": file, "line": line, "inlined": false})
        });
        assert_eq!(
            groups[0],
            json!({
                "signature":
                    "chan send: main.leakGoroutines.func1:33; created by main.leakGoroutines:31",
                "count": 40, "previous": 4, "growth_per_second": 18.0,
                "wait_class": "chan send",
                "wait": {"reason": "chan send", "oldest_seconds": 20.0, "median_seconds": 10.0,
                         "exact": false, "object": "0xc000012345", "waiters": 40, "objects": 1},
                "age": null,
                "blocked_at": {"function": "main.leakGoroutines.func1",
                               "file": "/src/app/leak.go", "line": 33},
                "created_by": {"function": "main.leakGoroutines",
                               "file": "/src/app/leak.go", "line": 31},
                "creation_stack": null, "stack": stack, "stack_elided": 0, "no_stack": null,
                "labels": {}, "goids_sample": [100, 101, 102, 103, 104],
                "locked_to_thread": 0, "finding": null
            })
        );
    }

    #[test]
    fn unknown_is_null_and_an_unnamed_frame_has_its_address() {
        let mut sample = Sample::new();
        let stack = sample.unresolved_stack(0x40_1000);
        sample.add(1, WaitClass::Unknown, StackView::Read(stack));
        let document = render(&[assessment([sample.observe(0)])], false);
        assert_eq!(document["totals"]["created_per_second"], Value::Null);
        let group = &document["groups"][0];
        assert_eq!(group["growth_per_second"], Value::Null);
        assert_eq!(
            group["wait"],
            json!({"reason": null, "oldest_seconds": null, "median_seconds": null,
                   "exact": false, "object": null, "waiters": null, "objects": null})
        );
        assert_eq!(
            group["stack"],
            json!([{"function": null, "file": null, "line": null, "address": "0x401000",
                    "inlined": null}])
        );
    }

    #[test]
    fn a_creation_site_has_its_counts_and_lifetimes() {
        let mut sample = leaking(1);
        let site = sample.frame("main.leakGoroutines", "/src/app/leak.go", 31);
        sample.sites.push(Site {
            created_by: Some(site),
            creation_stack: Some(sample.stacks.stack(&[site], 0)),
            created: 5,
            exited: 3,
            created_per_second: Some(2.5),
            lifetimes: vec![
                Lifetimes { below: Some(Duration::from_millis(2)), count: 1 },
                Lifetimes { below: None, count: 2 },
            ],
        });
        let document = render(&[assessment([sample.observe(0)])], false);
        let frame = json!({"function": "main.leakGoroutines", "file": "/src/app/leak.go",
                           "line": 31});
        let mut inner = frame.clone();
        inner["inlined"] = json!(false);
        assert_eq!(
            document["sites"],
            json!([{"created_by": frame, "creation_stack": [inner], "created": 5, "exited": 3,
                    "created_per_second": 2.5, "median_lifetime_seconds": null,
                    "lifetimes": [{"below_seconds": 0.002, "count": 1},
                                  {"below_seconds": null, "count": 2}]}])
        );
        assert_eq!(document["groups"][0]["creation_stack"], Value::Null, "another's site");
        let leak = document["groups"]
            .as_array()
            .and_then(|groups| groups.iter().find(|group| group["wait_class"] == "chan send"));
        assert_eq!(leak.expect("the leak")["creation_stack"], json!([inner]));
    }

    #[test]
    fn what_probes_saw_and_cost_is_told() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.a", "/a.go", 1)]);
        for (goid, age) in [(1, Some(2)), (2, Some(6)), (3, None)] {
            sample.add(goid, WaitClass::Sleep, StackView::Read(stack)).age =
                age.map(Duration::from_secs);
        }
        let mut observation = sample.observe(0);
        observation.coverage.probes.push(ProbeCoverage {
            event: "park".to_owned(),
            state: ProbeState::Burst,
            reason: None,
            covered_seconds: 1.5,
            history: vec![
                ProbeSpell { state: ProbeState::Shed, from_seconds: 0.0, until_seconds: Some(0.5) },
                ProbeSpell { state: ProbeState::Burst, from_seconds: 0.5, until_seconds: None },
            ],
            history_left_out: 0,
        });
        observation.overhead.hit = Some(HitCost {
            taken: Duration::from_nanos(1_200),
            in_a_loop: Some(Duration::from_nanos(600)),
            factor: 2.0,
            note: None,
        });
        let document = render(&[assessment([observation])], false);
        assert_eq!(
            document["groups"][0]["age"],
            json!({"known": 2, "oldest_seconds": 6.0, "median_seconds": 2.0})
        );
        assert_eq!(
            document["coverage"]["probes"],
            json!([{"event": "park", "state": "burst", "reason": null, "covered_seconds": 1.5,
                    "history": [
                        {"state": "shed", "from_seconds": 0.0, "until_seconds": 0.5},
                        {"state": "burst", "from_seconds": 0.5, "until_seconds": null}],
                    "history_left_out": 0}])
        );
        assert_eq!(
            document["overhead"]["hit_cost"],
            json!({"seconds": 1.2e-6, "loop_seconds": 6e-7, "factor": 2.0, "note": null})
        );
    }

    #[test]
    fn several_targets_are_an_array_even_if_one_is_left() {
        let one = [assessment([leaking(1).observe(0)])];
        assert_eq!(render(&one, true).as_array().map(Vec::len), Some(1));
        assert_eq!(render(&[], true), json!([]));
        assert!(render(&one, false).is_object());
    }
}
