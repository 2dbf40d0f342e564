//! SARIF 2.1.0 (OASIS), which code hosts show beside the code: a result a finding, a rule a class.

use std::collections::BTreeMap;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString,
    Notification, PhysicalLocation, PropertyBag, Region, ReportingConfiguration,
    ReportingDescriptor, Result as Found, ResultLevel, Run, SCHEMA_URL, Sarif as Log, Tool,
    ToolComponent,
};
use strum::IntoEnumIterator as _;

use super::{Issue, Loudness, Outcome, Project, Spot};
use crate::model::CauseClass;
use crate::report::{Render, Report, phrases};

/// What paths inside the project are relative to.
const ROOT: &str = "%SRCROOT%";
/// What a finding's id is called in results: it is the same in every run.
const FINGERPRINT: &str = "leakAgentFinding/v1";

/// Renders SARIF.
#[derive(Clone, Debug)]
pub struct Sarif {
    /// Where lines are shown.
    pub project: Project,
}

impl Render for Sarif {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let outcomes: Vec<_> =
            report.assessments.iter().map(|one| Outcome::of(one, &self.project)).collect();
        let log = Log::builder()
            .schema(SCHEMA_URL)
            .version(json!("2.1.0"))
            .runs(vec![run(&outcomes, &self.project)])
            .build();
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

fn run(outcomes: &[Outcome<'_>], project: &Project) -> Run {
    // All classes, so that a rule has one index in every report of a version.
    let rules: Vec<_> = CauseClass::iter().map(rule).collect();
    let driver = ToolComponent::builder()
        .name("leak-agent")
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules)
        .build();
    let results = outcomes.iter().flat_map(|outcome| {
        let target = outcome.target();
        outcome.issues.iter().map(move |issue| result(issue, &target))
    });
    let root =
        ArtifactLocation::builder().uri(uri("file://", &project.root.to_string_lossy()) + "/");
    Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .results(results.collect::<Vec<_>>())
        .original_uri_base_ids(BTreeMap::from([(ROOT.to_owned(), root.build())]))
        .invocations(vec![invocation(outcomes)])
        .build()
}

fn rule(class: CauseClass) -> ReportingDescriptor {
    let meaning = MultiformatMessageString::builder().text(phrases::class_meaning(class)).build();
    ReportingDescriptor::builder()
        .id(class.name())
        .short_description(meaning)
        .default_configuration(ReportingConfiguration::builder().level(json!("error")).build())
        .build()
}

/// What came out for each target: that nothing was found where too little was seen is a warning.
fn invocation(outcomes: &[Outcome<'_>]) -> Invocation {
    let notes = outcomes.iter().map(|outcome| {
        let is_told = outcome.is_well || !outcome.issues.is_empty();
        Notification::builder()
            .level(json!(if is_told { "note" } else { "warning" }))
            .message(message(format!("{}: {}", outcome.target(), outcome.result)))
            .build()
    });
    Invocation::builder()
        .execution_successful(true)
        .tool_execution_notifications(notes.collect::<Vec<_>>())
        .build()
}

fn result(issue: &Issue<'_>, target: &str) -> Found {
    let finding = issue.finding;
    let level = match issue.loudness() {
        Loudness::Error => ResultLevel::Error,
        Loudness::Warning => ResultLevel::Warning,
    };
    let index = CauseClass::iter().position(|class| class == finding.class).unwrap_or_default();
    let related = issue.related.iter().zip(1_i64..).map(|((what, spot), id)| {
        let mut location = location(spot);
        (location.id, location.message) = (Some(id), Some(message(*what)));
        location
    });
    let properties = BTreeMap::from([
        ("target".to_owned(), json!(target)),
        ("verdict".to_owned(), json!(finding.verdict.name())),
        ("severity".to_owned(), json!(finding.severity().name())),
        ("count".to_owned(), json!(phrases::amount(finding))),
        ("growth".to_owned(), phrases::rate(finding).map_or(Value::Null, Value::from)),
    ]);
    let whole = format!("{}. {}", issue.title(), issue.message());
    Found::builder()
        .rule_id(finding.class.name())
        .rule_index(index as i64)
        .level(level)
        .rank(f64::from(finding.score.total()))
        .message(message(whole))
        .locations(issue.spot.iter().map(location).collect::<Vec<_>>())
        .related_locations(related.collect::<Vec<_>>())
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), finding.id.clone())]))
        .properties(PropertyBag::builder().additional_properties(properties).build())
        .build()
}

fn message(text: impl Into<String>) -> Message {
    // Brackets make links in a message's text.
    let text: String = text.into();
    let text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    Message::builder().text(text).build()
}

fn location(spot: &Spot) -> Location {
    // Elsewhere it is an absolute path, or what `-trimpath` leaves of one.
    let scheme = if spot.file.starts_with('/') { "file://" } else { "" };
    let mut artifact = ArtifactLocation::builder().uri(uri(scheme, &spot.file)).build();
    artifact.uri_base_id = spot.is_inside.then(|| ROOT.to_owned());
    let region = Region::builder().start_line(i64::from(spot.line.max(1))).build();
    let function =
        LogicalLocation::builder().fully_qualified_name(&*spot.function).kind("function");
    Location::builder()
        .physical_location(
            PhysicalLocation::builder().artifact_location(artifact).region(region).build(),
        )
        .logical_locations(vec![function.build()])
        .build()
}

/// What a path may have in a URI as it is (RFC 3986).
const PLAIN: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

fn uri(scheme: &str, path: &str) -> String {
    format!("{scheme}{}", utf8_percent_encode(path, &PLAIN))
}
