use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::model::{
    CauseBasis, CauseClass, GrowthPattern, Halt, Level, Pattern, RateBasis, Severity, Timestamp,
    Verdict, WaitClass,
};
use crate::report::json::Json;
use crate::report::{Render as _, Report, judged};

fn written(several: bool) -> Vec<u8> {
    let report = Report {
        generated_at: Timestamp::from_unix_ns(0),
        assessments: &[judged::assessment(vec![judged::leak(), judged::deadlock()])],
        several,
    };
    let mut text = Vec::new();
    Json.render(&report, &mut text).expect("a vector takes everything");
    text
}

fn value(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("JSON")
}

#[test]
fn what_is_written_is_read_back_whole() {
    for several in [false, true] {
        let text = written(several);
        let documents = read(&text).expect("a report");
        let again = if several {
            serde_json::to_value(&documents)
        } else {
            serde_json::to_value(&documents[0])
        };
        assert_eq!(again.expect("a value"), value(&text));
    }
    assert!(read(b"[]").expect("a list of none").is_empty());
}

#[test]
fn another_schema_and_no_report_are_clear_errors() {
    for (text, why) in [
        (&br#"{"schema": "leak-agent/doctor/v1"}"#[..], "its schema is \"leak-agent/doctor/v1\""),
        (br#"[{"schema": "potato"}]"#, "its schema is \"potato\""),
        (br#"{"schema": "leak-agent/report/v1"}"#, "missing field"),
        (b"potato", "expected value"),
        (b"", "EOF"),
        (b"7", "invalid type"),
    ] {
        let error = read(text).map(drop).expect_err("no report");
        assert_eq!(error.to_string(), "it is no report of the schema leak-agent/report/v1");
        let source = std::error::Error::source(&error).expect("what is wrong").to_string();
        assert!(source.contains(why), "{source}");
    }
}

/// A report with keys and values that only a later agent knows, and without those that the first did not
/// write.
#[test]
fn older_and_newer_reports_of_v1_are_read() {
    let mut report = value(&written(false));
    report["potato"] = json!({"is": "new"});
    for key in ["rise", "lineage", "not_analysed", "findings_unlisted", "held"] {
        report.as_object_mut().expect("an object").remove(key);
    }
    let finding = report["findings"][0].as_object_mut().expect("an object");
    for key in ["subject", "caused_at", "parts", "signatures", "history"] {
        finding.remove(key);
    }
    finding["pattern"] = json!("a-later-pattern");
    finding["class"] = json!("a-later-class");
    finding["lock_wait"] = json!({"cycle": [], "likely_holder": null});
    report["findings"][1]["subject"] = json!("a-later-subject");
    report["groups"][0]["wait_class"] = json!("a later wait");

    let documents = read(report.to_string().as_bytes()).expect("a report");
    let [leak, deadlock] = &*documents[0].findings else { panic!("two findings") };
    assert_eq!((leak.subject, deadlock.subject), (SubjectKind::Goroutines, SubjectKind::Unknown));
    assert_eq!((leak.class, leak.verdict), (CauseClass::Unknown, Verdict::Likely));
    assert_eq!((leak.pattern, leak.lock_wait.cycles), (None, 0));
    assert_eq!(documents[0].groups[0].wait_class, WaitClass::Unknown);
    assert!(documents[0].rise.is_none());
}

/// The names that serde writes, which the schema lists, are those that strum gives people to read.
#[test]
fn programs_and_people_read_the_same_names() {
    fn check<T: JsonSchema + DeserializeOwned + Into<&'static str>>() {
        let schema = serde_json::to_value(schemars::schema_for!(T)).expect("a schema");
        let names: Vec<_> = schema["oneOf"]
            .as_array()
            .expect("a choice")
            .iter()
            .flat_map(|choice| {
                choice["enum"].as_array().into_iter().flatten().chain(choice.get("const"))
            })
            .collect();
        assert!(names.len() > 1, "{schema}");
        for name in names {
            let value: T = serde_json::from_value(name.clone()).expect("one of the names");
            assert_eq!(name, Into::<&str>::into(value));
        }
    }
    check::<CauseBasis>();
    check::<CauseClass>();
    check::<GrowthPattern>();
    check::<Halt>();
    check::<Level>();
    check::<Pattern>();
    check::<RateBasis>();
    check::<Severity>();
    check::<Verdict>();
    check::<WaitClass>();
}
