//! What happened to findings, as OTLP's log records.

use super::metrics::nanoseconds;
use super::proto::{
    AnyValue, InstrumentationScope, KeyValue, LogRecord, Resource, ResourceLogs, ScopeLogs,
};
use crate::model::{CauseClass, Severity, Timestamp, Verdict};

/// Something that happened to a finding.
#[derive(Clone, Debug)]
pub struct Event {
    /// When the sample was taken that shows it.
    pub at: Timestamp,
    /// When it was noticed.
    pub observed: Timestamp,
    /// What.
    pub happened: Happened,
    /// In a sentence.
    pub text: String,
    /// Which finding.
    pub id: String,
    /// What kind of leak.
    pub class: CauseClass,
    /// How sure it is; was, where it has ended.
    pub verdict: Verdict,
    /// How bad.
    pub severity: Severity,
    /// How much it matters, 0 to 100; not known of one that has ended.
    pub score: Option<f64>,
    /// How many goroutines.
    pub goroutines: u64,
    /// The line that it is told by.
    pub place: Option<Place>,
    /// What to do about it.
    pub suggestion: Option<String>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was not there before.
    Appeared,
    /// It is surer, or more severe.
    Worsened,
    /// It is less sure, less severe, or of another class.
    Changed,
    /// It is not there any more.
    Ended,
}

/// A line of source.
#[derive(Clone, Debug)]
pub struct Place {
    /// The function.
    pub function: String,
    /// The file.
    pub file: String,
    /// Its line.
    pub line: u32,
}

pub(super) fn of(resource: Resource, events: Vec<Event>) -> ResourceLogs {
    let log_records = events.into_iter().map(record).collect();
    let scope = Some(InstrumentationScope::own());
    ResourceLogs { resource: Some(resource), scope_logs: vec![ScopeLogs { scope, log_records }] }
}

fn record(event: Event) -> LogRecord {
    let mut attributes = vec![
        KeyValue::text("leak_agent.finding.id", &event.id),
        KeyValue::text("leak_agent.finding.class", event.class.name()),
        KeyValue::text("leak_agent.finding.verdict", event.verdict.name()),
        KeyValue::text("leak_agent.finding.severity", event.severity.name()),
        KeyValue::whole("leak_agent.finding.goroutines", event.goroutines),
    ];
    attributes.extend(event.score.map(|score| KeyValue::real("leak_agent.finding.score", score)));
    if let Some(Place { function, file, line }) = &event.place {
        attributes.extend([
            KeyValue::text("code.function.name", function),
            KeyValue::text("code.file.path", file),
            KeyValue::whole("code.line.number", (*line).into()),
        ]);
    }
    let suggestion = event.suggestion.as_deref();
    attributes.extend(suggestion.map(|it| KeyValue::text("leak_agent.finding.suggestion", it)));
    LogRecord {
        time_unix_nano: nanoseconds(event.at),
        observed_time_unix_nano: nanoseconds(event.observed),
        severity_number: severity_number(event.happened, event.severity),
        severity_text: event.severity.name().to_owned(),
        body: Some(AnyValue::text(&event.text)),
        attributes,
        event_name: format!("leak_agent.finding.{}", event.happened.name()),
    }
}

impl Happened {
    const fn name(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Worsened => "worsened",
            Self::Changed => "changed",
            Self::Ended => "ended",
        }
    }
}

/// INFO, WARN, ERROR and ERROR4. That something is over is no warning.
const fn severity_number(happened: Happened, severity: Severity) -> i32 {
    match (happened, severity) {
        (Happened::Ended, _) | (_, Severity::Low) => 9,
        (_, Severity::Medium) => 13,
        (_, Severity::High) => 17,
        (_, Severity::Critical) => 20,
    }
}
