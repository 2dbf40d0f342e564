//! What the daemon says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Figures, Kind};

/// What the daemon knows of itself.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Go programs that are meant, by what becomes of them.
    pub targets: BTreeMap<&'static str, u64>,
    /// Processes that ran at the last pass.
    pub processes: u64,
    /// Those of them that were not looked at, by why.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Passes over all processes.
    pub scans: u64,
    /// How long the last one took.
    pub scan: Duration,
    /// Programs that could not be read, or no longer, by why: since the daemon was started.
    pub refusals: BTreeMap<&'static str, u64>,
    /// What became of requests by OTLP, by what is sent and the result.
    pub otlp: BTreeMap<[&'static str; 2], u64>,
    /// Processor time of the agent.
    pub cpu: Duration,
    /// What it took in the last minute, attaching aside, in processors.
    pub load: Option<f64>,
    /// What it may take, in processors.
    pub allowed: f64,
    /// How much longer all intervals are made.
    pub stretch: f64,
    /// Its resident memory.
    pub rss_bytes: Option<u64>,
    /// What memory it may take.
    pub max_memory_bytes: u64,
    /// Samples that it keeps at most of each program's history.
    pub window_samples: u64,
    /// How often programs went since its memory was full.
    pub let_go: u64,
    /// Whether everything is switched off.
    pub is_off: bool,
}

/// Metrics of one name.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) read: fn(&Own, &mut Figures<'_>),
}

pub(super) const OWN: &[Row] = &[
    gauge(
        "leak_agent_targets",
        "Go programs that are meant, by what becomes of them.",
        |own, to| {
            counts(&own.targets, "state", to);
        },
    ),
    gauge("leak_agent_processes", "Processes that run.", |own, to| {
        to.add(Some(own.processes as f64));
    }),
    gauge(
        "leak_agent_processes_passed_over",
        "Processes that were not looked at: too young, left out by the rules, or not to be read.",
        |own, to| counts(&own.passed_over, "why", to),
    ),
    counter("leak_agent_scans_total", "Passes over all processes.", |own, to| {
        to.add(Some(own.scans as f64));
    }),
    gauge("leak_agent_scan_duration_seconds", "How long the last pass took.", |own, to| {
        to.add(Some(own.scan.as_secs_f64()));
    }),
    counter(
        "leak_agent_refusals_total",
        "Programs that could not be read, or no longer, by why.",
        |own, to| counts(&own.refusals, "reason", to),
    ),
    counter(
        "leak_agent_otlp_requests_total",
        "Requests by OTLP that were sent, refused, or dropped because too many waited.",
        |own, to| {
            for ([signal, result], count) in &own.otlp {
                to.labelled(&[("signal", signal), ("result", result)], *count as f64);
            }
        },
    ),
    counter(
        "leak_agent_cpu_seconds_total",
        "Processor time that the agent has taken since it was started.",
        |own, to| to.add(Some(own.cpu.as_secs_f64())),
    ),
    gauge(
        "leak_agent_load_ratio",
        "What the agent took in the last minute, attaching aside, as a share of one processor.",
        |own, to| to.add(own.load),
    ),
    gauge(
        "leak_agent_budget_ratio",
        "What the agent may take, as a share of one processor.",
        |own, to| to.add(Some(own.allowed)),
    ),
    gauge(
        "leak_agent_stretch_ratio",
        "How much longer all intervals are made so that the agent keeps to its budget: 1 where they are not.",
        |own, to| to.add(Some(own.stretch)),
    ),
    gauge(
        "leak_agent_daemon_resident_memory_bytes",
        "Resident memory of the daemon.",
        |own, to| {
            to.add(own.rss_bytes.map(|bytes| bytes as f64));
        },
    ),
    gauge("leak_agent_daemon_max_memory_bytes", "What memory the daemon may take.", |own, to| {
        to.add(Some(own.max_memory_bytes as f64))
    }),
    gauge(
        "leak_agent_window_samples",
        "Samples that are kept at most of each program's history; 256 unless memory is full.",
        |own, to| to.add(Some(own.window_samples as f64)),
    ),
    counter(
        "leak_agent_let_go_total",
        "Programs that went, and wait, since the daemon takes as much memory as it may.",
        |own, to| to.add(Some(own.let_go as f64)),
    ),
    gauge("leak_agent_off", "Whether everything is switched off.", |own, to| {
        to.add(Some(f64::from(u8::from(own.is_off))));
    }),
];

fn counts(counts: &BTreeMap<&'static str, u64>, label: &str, to: &mut Figures<'_>) {
    for (name, count) in counts {
        to.labelled(&[(label, name)], *count as f64);
    }
}

const fn gauge(name: &'static str, help: &'static str, read: fn(&Own, &mut Figures<'_>)) -> Row {
    Row { name, help, kind: Kind::Gauge, read }
}

const fn counter(name: &'static str, help: &'static str, read: fn(&Own, &mut Figures<'_>)) -> Row {
    Row { name, help, kind: Kind::Counter, read }
}
