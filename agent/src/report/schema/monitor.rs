//! What `monitor` writes: a line of JSON a sample.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::{Monitor, SchemaName};
use super::place::PlaceDoc;
use super::trend::UsualDoc;
use crate::model::{CauseClass, Level, RateBasis, Severity, Verdict};

/// A sample of one target, and what has happened to its findings since the sample before.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Line")]
pub struct MonitorLine<'a> {
    /// The name of the schema.
    pub schema: SchemaName<Monitor>,
    /// When the sample was taken, as RFC 3339 in UTC.
    ///
    /// Null: the time is out of range.
    pub at: Option<Cow<'a, str>>,
    /// The process id, as the agent's pid namespace counts.
    ///
    /// Unit: process id. Null: the target is no process that the agent attached to.
    pub pid: Option<u32>,
    /// The executable's file name; for Go in a shared library, the program's and the library's.
    ///
    /// Null: the source does not know.
    pub exe: Option<Cow<'a, str>>,
    /// How many goroutines there are.
    ///
    /// Unit: goroutines. Null: they are not looked at.
    pub goroutines: Option<u64>,
    /// How many that is, by the thresholds that were set.
    ///
    /// Null: nobody judged, or goroutines are not looked at.
    pub level: Option<Level>,
    /// From how many goroutines on their number is moderate, high, critical, where what has been usual of the program for
    /// long has raised that (`--state`).
    ///
    /// Unit: goroutines. Null: the thresholds that were set hold.
    #[serde(default)]
    pub raised_thresholds: Option<[u64; 3]>,
    /// How well the process is by what is looked at, 0 (worst) to 100.
    ///
    /// Unit: points. Null: nobody judged, or the process could not run, or hardly.
    pub health: Option<u8>,
    /// Goroutines created since the sample before.
    ///
    /// Unit: goroutines/s. Null: in the first sample, or goroutines are not looked at.
    pub created_per_second: Option<f64>,
    /// Goroutines that ended since the sample before.
    ///
    /// Unit: goroutines/s. Null: in the first sample, or goroutines are not looked at.
    pub exited_per_second: Option<f64>,
    /// How the rates are known.
    ///
    /// Null: there are no rates.
    pub rates_basis: Option<RateBasis>,
    /// All findings, surest first.
    pub findings: Vec<NewsDoc<'a>>,
    /// What there is far more of than usual, by what `--state` remembers.
    #[serde(default)]
    pub unusual: Vec<UsualDoc>,
    /// What has happened to findings since the sample before.
    pub events: Vec<EventDoc<'a>>,
    /// That the process has executed another program since the sample before, and what was found in the
    /// one before, as a sentence.
    ///
    /// Null: it has not.
    pub replaced: Option<Cow<'a, str>>,
}

/// A finding, in brief.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct NewsDoc<'a> {
    /// Its id, the same in every sample and report of the program.
    pub id: Cow<'a, str>,
    /// What kind of leak it is.
    pub class: CauseClass,
    /// How sure it is.
    pub verdict: Verdict,
    /// How bad it is.
    pub severity: Severity,
    /// How many goroutines.
    ///
    /// Unit: goroutines.
    pub count: u64,
    /// Why, in a sentence.
    ///
    /// Null: the finding has ended.
    pub cause: Option<Cow<'a, str>>,
    /// The line that it is told by.
    ///
    /// Null: it is not known, or the finding has ended.
    pub at: Option<PlaceDoc<'a>>,
}

/// What has happened to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventDoc<'a> {
    /// What.
    pub event: EventKind,
    /// Whether it changed for the worse: surer, or as sure and more severe.
    pub worsened: bool,
    /// The finding as it is now; as it was last, where it has ended.
    pub finding: NewsDoc<'a>,
    /// What it was before.
    ///
    /// Null: it is new.
    pub was: Option<WasDoc>,
}

/// What has happened to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// It was not there before.
    Appeared,
    /// Its class, verdict or severity is another.
    Changed,
    /// It is not there any more.
    Ended,
}

/// What a finding was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WasDoc {
    /// What kind of leak it was.
    pub class: CauseClass,
    /// How sure it was.
    pub verdict: Verdict,
    /// How bad it was.
    pub severity: Severity,
    /// How many goroutines.
    ///
    /// Unit: goroutines.
    pub count: u64,
}
