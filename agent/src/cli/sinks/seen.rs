//! What alerts, responses and OTLP tell of a program and its findings: sentences and names of a target, made fit to be told to anybody.

use std::collections::BTreeSet;

use super::labels;
use crate::alert::{Program, Seen};
use crate::analyze::view;
use crate::export::Label;
use crate::model::{Assessment, Finding, Target, function};
use crate::report::schema::{AlertTargetDoc, NewsDoc, PlaceDoc};
use crate::report::{format, phrases};

/// Characters of a sentence, of a name, and of a label.
const MAX_SENTENCE: usize = 1_000;
const MAX_NAME: usize = 300;
const MAX_LABEL: usize = 256;

/// The label of the process, which is not part of what a program is.
const PID: &str = "pid";

/// The program that a target is.
pub(super) fn program(target: &Target) -> Program {
    let labels = labels::of(target, &[]).into_iter().filter(|label| label.name != PID);
    let labels = labels.map(|Label { name, value }| (name, fit(&value, MAX_LABEL))).collect();
    let told = AlertTargetDoc { name: fit(&target.name(), MAX_LABEL), pid: target.pid(), labels };
    let mut parts: Vec<String> =
        told.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // What was recorded is not what runs.
    parts.extend(target.id.recording.map(|at| format!("recording={}", at.unix_ns())));
    Program { identity: parts.join("\n"), target: told }
}

/// What is told of a finding.
pub(super) fn finding(finding: &Finding, assessment: &Assessment) -> Seen {
    let stacks = &assessment.stacks;
    let frame = phrases::lead(finding, finding.group_in(&assessment.groups));
    let at = frame.and_then(|frame| stacks.lookup(frame).ok()).map(|frame| PlaceDoc {
        function: fit(frame.function, MAX_NAME).into(),
        file: fit(frame.file, MAX_NAME).into(),
        line: frame.line,
    });
    let groups = finding.groups().iter().filter_map(|&group| assessment.groups.get(group));
    let functions = groups.flat_map(|group| view::functions(group, stacks));
    let functions = functions.chain(at.as_ref().map(|at| &*at.function));
    let packages: BTreeSet<&str> = functions.map(function::package).collect();
    let packages = packages.into_iter().map(str::to_owned).collect();
    let fix = phrases::suggestions(finding, stacks).into_iter().next();
    Seen {
        packages,
        fix: fix.map(|fix| fit(&fix, MAX_SENTENCE)),
        finding: NewsDoc {
            id: finding.id.clone().into(),
            class: finding.class,
            verdict: finding.verdict,
            severity: finding.severity(),
            count: finding.goroutine_count(),
            cause: Some(fit(&phrases::cause(finding, stacks), MAX_SENTENCE).into()),
            at,
        },
    }
}

/// One line of bounded length, without what could steer who shows it.
fn fit(text: &str, room: usize) -> String {
    format::cut(&format::clean(text), room)
}
