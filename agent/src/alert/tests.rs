//! What the tests of the room's parts have in common.

use std::collections::BTreeMap;

use super::*;
use crate::model::{CauseClass, Severity, Verdict};
use crate::report::schema::{
    AlertEventDoc, AlertEventKind, AlertTargetDoc, NewsDoc, PlaceDoc, SchemaName,
};

/// A finding.
pub(super) fn news(id: &str, verdict: Verdict, severity: Severity) -> NewsDoc<'static> {
    NewsDoc {
        id: id.to_owned().into(),
        class: CauseClass::ChannelSend,
        verdict,
        severity,
        count: 20,
        cause: Some("20 goroutines wait to send".into()),
        at: Some(PlaceDoc { function: "main.leak".into(), file: "/src/leak.go".into(), line: 7 }),
    }
}

/// A program.
pub(super) fn target() -> AlertTargetDoc {
    let labels = [("service_name", "shop"), ("host", "web-1")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    AlertTargetDoc { name: "shop".to_owned(), pid: Some(4711), labels: BTreeMap::from(labels) }
}

/// A message of so many events.
pub(super) fn alert(events: usize) -> AlertDoc {
    let event = |number| AlertEventDoc {
        event: AlertEventKind::Appeared,
        fingerprint: fingerprint(&["shop", &format!("f-{number}")]),
        since: Some("2026-11-29T07:00:00Z".to_owned()),
        until: None,
        finding: news(&format!("f-{number}"), Verdict::Likely, Severity::High),
        was: None,
        fix: Some("Receive.".to_owned()),
        text: "it leaks".to_owned(),
    };
    AlertDoc {
        schema: SchemaName::default(),
        id: fingerprint(&["alert"]),
        alert: "ops".to_owned(),
        test: false,
        at: Some("2026-11-29T08:00:00Z".to_owned()),
        title: "shop: it leaks".to_owned(),
        target: target(),
        events: (0..events).map(event).collect(),
    }
}

#[test]
fn what_is_secret_is_in_no_text() {
    let secrets = ["T0/B0/hush".to_owned(), String::new(), "abc".to_owned()];
    assert_eq!(masked("no /T0/B0/hush here, abc", &secrets), "no /(secret) here, abc");
}
