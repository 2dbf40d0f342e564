//! Messages that nothing has caused, to try a receiver with: a finding that is made up appears, worsens and is over.

use std::collections::BTreeMap;

use super::{Moment, Rule, fingerprint, message};
use crate::model::{CauseClass, Severity, Verdict};
use crate::report::json;
use crate::report::schema::{
    AlertDoc, AlertEventDoc, AlertEventKind, AlertTargetDoc, NewsDoc, PlaceDoc, WasDoc,
};

/// One of each kind, in the order in which they happen.
#[must_use]
pub fn trial(rule: &Rule, now: Moment) -> [AlertDoc; 3] {
    use AlertEventKind::{Appeared, Ended, Worsened};
    let suspect = (Verdict::Suspect, Severity::Medium);
    let likely = (Verdict::Likely, Severity::High);
    [(Appeared, suspect, None), (Worsened, likely, Some(suspect)), (Ended, likely, Some(likely))]
        .map(|(kind, weight, was)| {
            let target = AlertTargetDoc {
                name: "example".to_owned(),
                pid: None,
                labels: BTreeMap::from([("service_name".to_owned(), "example".to_owned())]),
            };
            let event = event(rule, kind, weight, was, now);
            AlertDoc { test: true, ..message(rule, &target, vec![event], now) }
        })
}

fn event(
    rule: &Rule,
    event: AlertEventKind,
    (verdict, severity): (Verdict, Severity),
    was: Option<(Verdict, Severity)>,
    now: Moment,
) -> AlertEventDoc {
    let (class, count) = (CauseClass::ChannelSend, 1_000);
    AlertEventDoc {
        event,
        // Another each time, so that what one trial left behind is no part of the next.
        fingerprint: fingerprint(&["test", &rule.name, &now.clock.unix_ns().to_string()]),
        since: json::time(now.clock),
        until: (event == AlertEventKind::Ended).then(|| json::time(now.clock)).flatten(),
        finding: NewsDoc {
            id: "f-test".into(),
            class,
            verdict,
            severity,
            count,
            cause: Some("a test of leak-agent, to which nothing has happened".into()),
            at: Some(PlaceDoc {
                function: "main.example".into(),
                file: "example.go".into(),
                line: 1,
            }),
        },
        was: was.map(|(verdict, severity)| WasDoc { class, verdict, severity, count }),
        fix: Some("There is nothing to fix.".to_owned()),
        text: String::new(),
    }
}
