//! JUnit's XML, which CI servers show as test results: a suite a target, in it the verdict as a test and each
//! finding as a failed one.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{Issue, Outcome, Project};
use crate::report::phrases;
use crate::report::{Render, Report};

/// Renders JUnit's XML.
#[derive(Clone, Debug)]
pub struct Junit {
    /// Where lines are shown.
    pub project: Project,
}

impl Render for Junit {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut document = quick_junit::Report::new("leak-agent");
        for assessment in report.assessments {
            document.add_test_suite(suite(&Outcome::of(assessment, &self.project)));
        }
        document.serialize(out).map_err(io::Error::other)
    }
}

fn suite(outcome: &Outcome<'_>) -> TestSuite {
    let mut suite = TestSuite::new(outcome.target());
    // That nothing was found where too little was seen is no success.
    let mut status = if outcome.is_well || !outcome.issues.is_empty() {
        TestCaseStatus::success()
    } else {
        TestCaseStatus::non_success(NonSuccessKind::Error)
    };
    // A success has no message.
    status.set_message(outcome.result.as_str());
    let mut verdict = TestCase::new("verdict", status);
    verdict.set_classname("leak-agent").set_system_out(outcome.result.as_str());
    suite.add_test_case(verdict);
    suite.add_test_cases(outcome.issues.iter().map(case));
    suite
}

fn case(issue: &Issue<'_>) -> TestCase {
    let finding = issue.finding;
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status
        .set_message(issue.title())
        .set_type(finding.class.name())
        .set_description(details(issue));
    // The same in the next run, so that servers follow it.
    let name = match &issue.spot {
        Some(spot) => format!("{} at {}", finding.class.name(), spot.function),
        None => format!("{}: {}", finding.class.name(), phrases::about(finding)),
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("leak-agent.{}", finding.class.name()));
    if let Some(spot) = issue.spot.as_ref().filter(|spot| spot.is_inside) {
        let line = spot.line.to_string();
        for (key, value) in [("file", spot.file.as_str()), ("line", line.as_str())] {
            case.extra.insert(key.into(), value.into());
        }
    }
    case
}

fn details(issue: &Issue<'_>) -> String {
    let mut lines = vec![issue.cause()];
    let spots = issue.spot.iter().map(|spot| ("at", spot));
    let spots = spots.chain(issue.related.iter().map(|(what, spot)| (*what, spot)));
    lines.extend(spots.map(|(what, spot)| format!("{what} {} ({})", spot.function, spot.place())));
    lines.extend(issue.suggestions().iter().map(|fix| format!("fix: {fix}")));
    let evidence = issue.finding.evidence.iter();
    lines.extend(
        evidence.map(|it| format!("because {}", phrases::evidence(it, &issue.assessment.stacks))),
    );
    lines.push(format!("id {}", issue.finding.id));
    lines.join("\n")
}
