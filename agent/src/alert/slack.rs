//! Slack: a message of blocks to an incoming webhook.
//!
//! What a message may hold (api.slack.com/reference/block-kit/blocks): 50 blocks, 150 characters in a header, 3000 in a
//! section.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Form, Given, Key, Kind, Post, Receiver, SendError, Unfit};
use crate::model::Timestamp;
use crate::report::format;
use crate::report::schema::{AlertDoc, AlertEventDoc, AlertEventKind};

pub(super) const KIND: Kind = Kind {
    name: "slack",
    // Whoever knows the address may write.
    keys: &[Key::required("url", Form::Secret)],
    is_one_by_one: false,
    is_forgetful: false,
    make,
};

/// Characters in a header, and in a section.
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 2_900;

/// Events that are shown; with the header, and what is said of the others, they stay within 50 blocks.
const MAX_SHOWN: usize = 20;

struct Slack(Post);

fn make(given: &Given) -> Result<Arc<dyn Receiver>, Unfit> {
    Ok(Arc::new(Slack(Post::new(given, "url", "")?)))
}

impl Receiver for Slack {
    fn send(&self, alert: &AlertDoc, _: Timestamp) -> Result<String, SendError> {
        self.0.send_value(&message(alert), &[])
    }
}

fn message(alert: &AlertDoc) -> Value {
    let header = format::cut(&alert.title, MAX_HEADER);
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": header } })];
    blocks.extend(alert.events.iter().take(MAX_SHOWN).map(section));
    let mut notes = vec![place(alert)];
    let others = alert.events.len().saturating_sub(MAX_SHOWN);
    if others > 0 {
        notes.push(format!("{others} more are not shown"));
    }
    if alert.test {
        notes.push("a test: nothing has happened".to_owned());
    }
    let notes = escaped(&notes.join(" · "));
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": notes }] }));
    // The text is what notifications show.
    json!({ "text": escaped(&alert.title), "blocks": blocks })
}

fn section(event: &AlertEventDoc) -> Value {
    let sign = match event.event {
        AlertEventKind::Appeared => ":red_circle:",
        AlertEventKind::Worsened => ":small_red_triangle:",
        AlertEventKind::Ended => ":white_check_mark:",
    };
    let mut text = format!("{sign} {}", escaped(&event.text));
    if let Some(fix) = event.fix.as_ref().filter(|_| event.event != AlertEventKind::Ended) {
        text.push_str(&format!("\n*Fix:* {}", escaped(fix)));
    }
    let text = format::cut(&text, MAX_SECTION);
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// `demo, pid 4711, host=web-1`.
fn place(alert: &AlertDoc) -> String {
    let mut parts = vec![alert.target.name.clone()];
    parts.extend(alert.target.pid.map(|pid| format!("pid {pid}")));
    let labels = alert.target.labels.iter().filter(|(name, _)| *name != "service_name");
    parts.extend(labels.map(|(name, value)| format!("{name}={value}")));
    parts.join(", ")
}

/// Text in which nothing is a link, a mention or markup of Slack's.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::alert;
    use super::*;

    #[test]
    fn a_message_stays_within_slacks_bounds_and_mentions_nobody() {
        let mut alert = alert(60);
        alert.title = "x".repeat(500);
        alert.events[0].text = format!("<!channel> {}", "&".repeat(4_000));
        let message = message(&alert);
        let blocks = message["blocks"].as_array().expect("blocks");
        assert!(blocks.len() <= 50, "{}", blocks.len());
        assert_eq!(blocks[0]["text"]["text"].as_str().map(|it| it.chars().count()), Some(150));
        let text = blocks[1]["text"]["text"].as_str().expect("text");
        assert!(text.contains("&lt;!channel&gt;") && text.chars().count() < 3_000, "{text}");
        let context = blocks.last().expect("context")["elements"][0]["text"].to_string();
        assert!(context.contains("40 more are not shown"), "{context}");
    }
}
