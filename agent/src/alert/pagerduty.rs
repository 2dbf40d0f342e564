//! PagerDuty: Events API v2. Each finding is an incident by its key; it is triggered, and resolved once it is over.

use std::sync::Arc;

use serde_json::json;

use super::{Form, Given, Key, Kind, Post, Receiver, SecretSource, SendError, Unfit};
use crate::model::{Severity, Timestamp};
use crate::report::format;
use crate::report::schema::{AlertDoc, AlertEventKind};

pub(super) const KIND: Kind = Kind {
    name: "pagerduty",
    keys: &[Key::required("routing-key", Form::Secret), Key::optional("url", Form::Text)],
    is_one_by_one: true,
    is_forgetful: false,
    make,
};

/// Where events are sent, unless the configuration says else (Europe has a server of its own).
const SERVER: &str = "https://events.pagerduty.com";

/// Where they are taken there.
const PATH: &str = "v2/enqueue";

/// Characters in a summary.
const MAX_SUMMARY: usize = 1024;

struct PagerDuty {
    post: Post,
    key: SecretSource,
}

fn make(given: &Given) -> Result<Arc<dyn Receiver>, Unfit> {
    let missing = || Unfit { key: "routing-key", why: "it is missing".to_owned() };
    let key = given.secret("routing-key").ok_or_else(missing)?.clone();
    let url = given.text("url").unwrap_or(SERVER);
    let post = Post::to(given, url, PATH, false).map_err(|why| Unfit { key: "url", why })?;
    Ok(Arc::new(PagerDuty { post, key }))
}

impl Receiver for PagerDuty {
    fn send(&self, alert: &AlertDoc, _: Timestamp) -> Result<String, SendError> {
        let key = self.key.read().map_err(|error| SendError::unreadable("routing-key", &error))?;
        // One by one: there is no more than one.
        let Some(event) = alert.events.first() else { return Ok("nothing to send".to_owned()) };
        let finding = &event.finding;
        let labels = &alert.target.labels;
        let source = labels.get("host").or_else(|| labels.get("instance"));
        let sent = json!({
            "routing_key": key.reveal(),
            "event_action": match event.event {
                AlertEventKind::Appeared | AlertEventKind::Worsened => "trigger",
                AlertEventKind::Ended => "resolve",
            },
            "dedup_key": format!("leak-agent/{}/{}", alert.alert, event.fingerprint),
            "client": "leak-agent",
            "payload": {
                "summary": format::cut(&alert.title, MAX_SUMMARY),
                "source": source.unwrap_or(&alert.target.name),
                "severity": severity(finding.severity),
                "timestamp": event.since,
                "component": alert.target.name,
                "class": finding.class.name(),
                "custom_details": {
                    "text": event.text,
                    "fix": event.fix,
                    "verdict": finding.verdict,
                    "severity": finding.severity,
                    "finding": finding,
                    "target": alert.target,
                },
            },
        });
        self.post.send_value(&sent, &[key.reveal().to_owned()])
    }
}

/// What PagerDuty calls it.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "info",
    }
}
