use std::path::PathBuf;
use std::sync::Arc;

use serde_sarif::sarif::{ResultLevel, Sarif as Log};

use super::github::Github;
use super::junit::Junit;
use super::markdown::Markdown;
use super::sarif::Sarif;
use super::{Module, Project};
use crate::model::{Assessment, Target, Timestamp};
use crate::report::{Render, Report, judged};

fn project(root: &str) -> Project {
    Project { root: PathBuf::from(root), module: None }
}

fn written(render: &dyn Render, assessments: &[Assessment]) -> String {
    let generated_at = Timestamp::from_unix_ns(0);
    let report = Report { generated_at, assessments, several: assessments.len() > 1 };
    let mut out = Vec::new();
    render.render(&report, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("it is UTF-8")
}

fn leaking() -> [Assessment; 1] {
    [judged::assessment(vec![judged::leak(), judged::deadlock(), judged::suspect(1)])]
}

/// Nothing was found, and nothing could be.
fn blind() -> [Assessment; 1] {
    let mut assessment = judged::assessment(Vec::new());
    (assessment.coverage.goroutines_seen, assessment.coverage.goroutines_read) = (5, 0);
    [assessment]
}

#[test]
fn paths_are_relative_to_the_root_or_the_module() {
    let module = |folder: &str| Module { path: "example.com/app".into(), folder: folder.into() };
    let of = |folder, file: &str| {
        Project { root: "/src".into(), module: Some(module(folder)) }.relative(file)
    };
    assert_eq!(of("", "/src/a/b.go").as_deref(), Some("a/b.go"));
    assert_eq!(of("", "example.com/app/b.go").as_deref(), Some("b.go"));
    assert_eq!(of("sub", "example.com/app/b.go").as_deref(), Some("sub/b.go"));
    for elsewhere in ["/srcs/b.go", "/src", "/src/../etc/b.go", "example.com/apps/b.go", "b.go", ""]
    {
        assert_eq!(of("", elsewhere), None, "{elsewhere}");
    }
}

#[test]
fn sarif_has_a_result_a_finding_at_its_line() {
    let text = written(&Sarif { project: project("/src/app") }, &leaking());
    let log: Log = serde_json::from_str(&text).expect("it is SARIF");
    let run = &log.runs[0];
    let results = run.results.as_ref().expect("there are some");
    let levels: Vec<_> = results.iter().map(|result| result.level).collect();
    let (error, warning) = (Some(ResultLevel::Error), Some(ResultLevel::Warning));
    assert_eq!(levels, [error, error, warning]);
    for result in results {
        let rules = run.tool.driver.rules.as_ref().expect("rules");
        let index = result.rule_index.expect("it has a rule") as usize;
        assert_eq!(Some(&rules[index].id), result.rule_id.as_ref());
        let prints = result.partial_fingerprints.as_ref().expect("fingerprints");
        assert!(prints["leakAgentFinding/v1"].starts_with("f-"), "{prints:?}");
    }
    let place = |location: &serde_sarif::sarif::Location| {
        let physical = location.physical_location.clone().expect("a place");
        let file = physical.artifact_location.expect("a file");
        (file.uri.expect("its name"), file.uri_base_id, physical.region.expect("a line").start_line)
    };
    let first = &results[0].locations.as_ref().expect("locations")[0];
    assert_eq!(place(first), ("leak.go".into(), Some("%SRCROOT%".into()), Some(33)));
    let holder = results[1].related_locations.as_ref().expect("related");
    assert!(holder.iter().any(|it| place(it).2 == Some(57)), "the holder's line: {holder:?}");
    // Elsewhere a file has its whole path.
    let text = written(&Sarif { project: project("/other") }, &leaking());
    assert!(text.contains("\"uri\": \"file:///src/app/leak.go\""), "{text}");
}

#[test]
fn what_was_not_judged_is_a_warning_in_each_form() {
    let project = project("/src");
    let sarif = written(&Sarif { project: project.clone() }, &blind());
    let log: Log = serde_json::from_str(&sarif).expect("it is SARIF");
    assert_eq!(log.runs[0].results.as_ref().map(Vec::len), Some(0));
    let said = serde_json::to_value(&log.runs[0].invocations).expect("JSON");
    assert_eq!(said[0]["toolExecutionNotifications"][0]["level"], "warning");
    let github = written(&Github { project: project.clone() }, &blind());
    assert!(github.starts_with("::warning title=leak-agent::"), "{github}");
    let markdown = written(&Markdown { project: project.clone() }, &blind());
    assert!(markdown.contains("⚠️ no verdict"), "{markdown}");
    let junit = written(&Junit { project }, &blind());
    let report = quick_junit::Report::deserialize_from_str(&junit).expect("it is JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (1, 0, 1));
}

#[test]
fn what_is_well_is_said_in_each_form() {
    let assessment = [judged::assessment(Vec::new())];
    let project = project("/src");
    let github = written(&Github { project: project.clone() }, &assessment);
    assert!(github.starts_with("::notice title=leak-agent::"), "{github}");
    let markdown = written(&Markdown { project: project.clone() }, &assessment);
    assert!(markdown.contains("✅ no leak found"), "{markdown}");
    let junit = written(&Junit { project }, &assessment);
    let report = quick_junit::Report::deserialize_from_str(&junit).expect("it is JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (1, 0, 0));
}

#[test]
fn annotations_stand_at_lines_of_the_project() {
    let text = written(&Github { project: project("/src/app") }, &leaking());
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("::error file=leak.go,line=33,title=likely leak%2C"), "{text}");
    assert!(lines[2].starts_with("::warning "), "{text}");
    assert!(lines[3].starts_with("::notice title=leak-agent::"), "{text}");
    assert_eq!(lines.len(), 4);
    let text = written(&Github { project: project("/other") }, &leaking());
    assert!(text.starts_with("::error title="), "{text}");
    assert!(text.contains("/src/app/leak.go:33"), "{text}");
}

#[test]
fn junit_fails_a_test_a_finding() {
    let text = written(&Junit { project: project("/src/app") }, &leaking());
    let report = quick_junit::Report::deserialize_from_str(&text).expect("it is JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (4, 3, 0));
    let case = &report.test_suites[0].test_cases[1];
    assert!(case.name.starts_with("channel-send at "), "{:?}", case.name);
}

#[test]
fn markdown_has_a_table_the_source_and_the_fix() {
    let text = written(&Markdown { project: project("/src/app") }, &leaking());
    assert!(text.contains("\n| 1 | likely | critical | channel-send | 40 goroutines |"), "{text}");
    assert!(text.contains("`leak.go:33` |\n"), "{text}");
    assert!(text.contains("\n```go\n"), "{text}");
    assert!(text.contains("▶    33  "), "{text}");
    assert!(text.contains("\n- **fix**: "), "{text}");
}

#[test]
fn nothing_of_the_target_is_markup() {
    let [mut assessment] = leaking();
    let exe = Some("a|b`c`<img src=x>\n::error::x @all *x* %0A\u{1b}".to_owned());
    assessment.target = Arc::new(Target { exe, ..Target::clone(&assessment.target) });
    let assessment = [assessment];
    let project = project("/src");
    let markdown = written(&Markdown { project: project.clone() }, &assessment);
    assert!(!markdown.contains("<img") && !markdown.contains("@all"), "{markdown}");
    assert!(markdown.contains(r"a\|b\`c\`&lt;img"), "{markdown}");
    let github = written(&Github { project: project.clone() }, &assessment);
    assert!(!github.lines().any(|line| line.starts_with("::error::x")), "{github}");
    assert!(github.contains("%250A"), "{github}");
    let junit = written(&Junit { project: project.clone() }, &assessment);
    quick_junit::Report::deserialize_from_str(&junit).expect("it is JUnit");
    assert!(junit.contains("&lt;img src=x&gt;"), "{junit}");
    let sarif = written(&Sarif { project }, &assessment);
    serde_json::from_str::<Log>(&sarif).expect("it is SARIF");
}
