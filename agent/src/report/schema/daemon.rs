//! What the daemon says of itself and of what it watches: the file that it keeps while it runs.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{Daemon, SchemaName};

/// The daemon, as of its last look at what runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Daemon")]
pub struct DaemonDoc<'a> {
    /// The name of the schema.
    pub schema: SchemaName<Daemon>,
    /// The agent's version.
    pub version: Cow<'a, str>,
    /// The daemon's own process.
    ///
    /// Unit: process id.
    pub pid: u32,
    /// When this was written.
    ///
    /// Null: the clock is beyond what can be written.
    pub at: Option<Cow<'a, str>>,
    /// Whether everything is switched off.
    pub off: bool,
    /// Processes that ran.
    ///
    /// Unit: processes.
    pub processes: u64,
    /// Those that were too young to be looked at.
    ///
    /// Unit: processes.
    pub young: u64,
    /// Those whose executable may not be read.
    ///
    /// Unit: processes.
    pub denied: u64,
    /// Those that the rules leave out.
    ///
    /// Unit: processes.
    pub ignored: u64,
    /// What the agent took in the last minute, attaching aside.
    ///
    /// Unit: processors. Null: it has not run for long enough.
    pub load: Option<f64>,
    /// How much longer all intervals are made so that it keeps to what it may take: 1 where they are not.
    ///
    /// Unit: factor.
    pub stretch: f64,
    /// The agent's resident memory.
    ///
    /// Unit: bytes. Null: the host does not say.
    pub rss_bytes: Option<u64>,
    /// What memory the agent may take.
    ///
    /// Unit: bytes.
    #[serde(default)]
    pub max_memory_bytes: u64,
    /// Samples that are kept at most of each program's history: fewer where memory is full.
    ///
    /// Unit: samples.
    #[serde(default)]
    pub window_samples: u64,
    /// How often programs went, and waited, since the agent took as much memory as it may.
    ///
    /// Unit: programs.
    #[serde(default)]
    pub let_go: u64,
    /// The Go programs that are meant, by process id.
    pub targets: Vec<DaemonTargetDoc<'a>>,
}

/// A Go program that the daemon watches, or would.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DaemonTargetDoc<'a> {
    /// Its process id, as the agent's pid namespace counts.
    ///
    /// Unit: process id.
    pub pid: u32,
    /// The file name of its executable.
    pub name: Cow<'a, str>,
    /// Which of several Go runtimes of the process.
    ///
    /// Null: it has one.
    pub object: Option<Cow<'a, str>>,
    /// Go's version, as the file or else the memory says.
    pub go_version: Cow<'a, str>,
    /// What becomes of it.
    pub state: TargetState,
    /// Why it is in that state.
    ///
    /// Null: nothing stands in the way.
    pub why: Option<Cow<'a, str>>,
    /// The service of systemd that it belongs to.
    ///
    /// Null: there is none.
    pub unit: Option<Cow<'a, str>>,
    /// Its container's id.
    ///
    /// Null: it is in none, or that cannot be told.
    pub container_id: Option<Cow<'a, str>>,
    /// The namespace of its Kubernetes pod.
    ///
    /// Null: it is in none, or kubelet's links cannot be read.
    pub namespace: Option<Cow<'a, str>>,
    /// Its Kubernetes pod.
    ///
    /// Null: as for the namespace.
    pub pod: Option<Cow<'a, str>>,
    /// Samples that were taken of it.
    ///
    /// Unit: samples.
    pub samples: u64,
    /// From its last sample to the next.
    ///
    /// Unit: s. Null: it is not sampled.
    pub interval_seconds: Option<f64>,
    /// What its last sample took of the agent's processor time.
    ///
    /// Unit: s. Null: it is not sampled.
    pub sample_cpu_seconds: Option<f64>,
    /// Its goroutines, as of the last sample.
    ///
    /// Unit: goroutines. Null: they were not looked at.
    pub goroutines: Option<u64>,
    /// Its findings that are likely or proven.
    ///
    /// Unit: findings. Null: nothing was judged yet.
    pub findings: Option<u64>,
}

/// What becomes of a Go program that is meant.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum TargetState {
    /// It is being attached to.
    Attaching,
    /// It is sampled.
    Watched,
    /// There are more than are watched at a time, or than there is memory for.
    Waiting,
    /// It is switched off.
    Off,
    /// It cannot be read, and is not tried again before it runs another program.
    Refused,
}

impl TargetState {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
