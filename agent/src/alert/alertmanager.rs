//! Prometheus' Alertmanager (API v2): each finding is an alert, which is sent again for as long as it stands.
//!
//! What identifies an alert there are all of its labels, so they are what never changes of a finding; what does
//! (verdict, severity, count, texts) is in annotations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{CREDENTIALS, Form, Given, Key, Kind, Post, Receiver, SendError, Unfit};
use crate::model::Timestamp;
use crate::report::json;
use crate::report::schema::{AlertDoc, AlertEventDoc, AlertEventKind};

pub(super) const KIND: Kind = Kind {
    name: "alertmanager",
    keys: &[
        Key::required("url", Form::TextOrSecret),
        Key::optional("labels", Form::Texts),
        Key::optional("resend", Form::Time),
        CREDENTIALS[0],
        CREDENTIALS[1],
    ],
    is_one_by_one: false,
    is_forgetful: true,
    make,
};

/// Where alerts are taken, below the server's address.
const PATH: &str = "api/v2/alerts";

/// From one time that an alert is sent to the next, unless the configuration says else.
pub(super) const RESEND: Duration = Duration::from_secs(60);

/// Of those, so many may be missed before it is taken to be over.
const MISSED: u32 = 4;

struct Alertmanager {
    post: Post,
    labels: BTreeMap<String, String>,
    resend: Duration,
}

fn make(given: &Given) -> Result<Arc<dyn Receiver>, Unfit> {
    let unfit = |why: &str| Unfit { key: "labels", why: why.to_owned() };
    let mut labels = BTreeMap::new();
    for text in given.texts("labels") {
        let (name, value) =
            text.split_once('=').ok_or_else(|| unfit("it is written name=value"))?;
        if !is_name(name) {
            return Err(unfit("a label's name has letters, digits and _"));
        }
        labels.insert(name.to_owned(), value.to_owned());
    }
    let resend = given.time("resend").unwrap_or(RESEND);
    Ok(Arc::new(Alertmanager { post: Post::new(given, "url", PATH)?, labels, resend }))
}

fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_word)
}

/// An alert, as the API takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

impl Receiver for Alertmanager {
    fn send(&self, alert: &AlertDoc, now: Timestamp) -> Result<String, SendError> {
        let posted: Vec<Posted> =
            alert.events.iter().map(|event| self.posted(alert, event, now)).collect();
        self.post.send_value(&posted, &[])
    }
}

impl Alertmanager {
    fn posted(&self, alert: &AlertDoc, event: &AlertEventDoc, now: Timestamp) -> Posted {
        let mut labels = alert.target.labels.clone();
        labels.insert("alertname".to_owned(), "GoLeak".to_owned());
        labels.insert("alert".to_owned(), alert.alert.clone());
        labels.insert("finding".to_owned(), event.finding.id.to_string());
        labels.extend(self.labels.clone());
        // An empty label is one that is not there.
        labels.retain(|_, value| !value.is_empty());
        let finding = &event.finding;
        let mut annotations = BTreeMap::from([
            ("summary", alert.title.clone()),
            ("description", event.text.clone()),
            ("class", finding.class.name().to_owned()),
            ("verdict", finding.verdict.name().to_owned()),
            ("severity", finding.severity.name().to_owned()),
        ]);
        annotations.extend(event.fix.clone().map(|fix| ("fix", fix)));
        let until = match event.event {
            AlertEventKind::Ended => event.until.clone(),
            _ => {
                let stands = self.resend.saturating_mul(MISSED).as_nanos();
                let stands = i64::try_from(stands).unwrap_or(i64::MAX);
                json::time(Timestamp::from_unix_ns(now.unix_ns().saturating_add(stands)))
            }
        };
        Posted { labels, annotations, starts_at: event.since.clone(), ends_at: until }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::alert;
    use super::super::{Given, Setting};
    use super::*;

    #[test]
    fn what_changes_of_a_finding_is_in_no_label() {
        let mut given = Given::default();
        given.settings.insert("url", Setting::Text("127.0.0.1:1".to_owned()));
        let post = Post::new(&given, "url", PATH).expect("an address");
        let labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        let receiver = Alertmanager { post, labels, resend: Duration::from_secs(60) };
        let now = Timestamp::from_unix_ns(1_795_939_200_000_000_000);
        let mut alert = alert(1);
        let before = receiver.posted(&alert, &alert.events[0], now);
        assert_eq!(before.ends_at.as_deref(), Some("2026-11-29T08:04:00.000Z"));
        let event = &mut alert.events[0];
        event.finding.count = 7;
        event.finding.verdict = crate::model::Verdict::Proven;
        event.finding.severity = crate::model::Severity::Critical;
        event.event = AlertEventKind::Ended;
        event.until = Some("2026-11-29T08:00:00Z".to_owned());
        let after = receiver.posted(&alert, &alert.events[0], now);
        assert_eq!(before.labels, after.labels);
        assert_eq!(after.ends_at.as_deref(), Some("2026-11-29T08:00:00Z"));
        assert_eq!(after.labels["team"], "a");
        assert!(is_name("a_1") && !is_name("1a") && !is_name("") && !is_name("a-b"));
    }
}
