//! Tells people and services of findings that appear, worsen or are over: what is to be told ([`Watch`]), what
//! waits to be sent ([`Spool`]), who sends it ([`Sender`]), and a part for each kind of receiver.
//!
//! What is told is one value for all kinds, [`AlertDoc`], whose sentences were made by the report. A receiver turns
//! it into a request of its own; whatever becomes of that, nobody else waits for it.

mod alertmanager;
mod digest;
mod email;
mod pagerduty;
mod post;
mod rate;
mod rule;
mod sender;
mod settings;
mod slack;
mod spool;
mod state;
mod template;
mod trial;
mod watch;
mod webhook;

use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use digest::fingerprint;
use post::{Post, json};
use rate::Rate;
pub use rule::Rule;
pub use sender::{Account, Limits, Sender};
use settings::CREDENTIALS;
pub use settings::{Form, Given, Key, SecretSource, Setting, Unfit};
pub use spool::{Spool, Tally};
use state::write;
pub use state::{Known, State, StateError, Told, ToldProgram};
pub use template::Template;
pub use trial::trial;
use watch::message;
pub use watch::{Due, Moment, Program, Seen, Watch};

use crate::http::{Error, Problem};
use crate::model::Timestamp;
use crate::report::schema::AlertDoc;

/// Events in one message, at most.
pub const MAX_EVENTS: usize = 100;

/// Somebody whom alerts are sent to.
pub trait Receiver: Send + Sync {
    /// Sends a message, and says in a line what was answered.
    ///
    /// # Errors
    /// When it was not taken. No error tells a secret.
    fn send(&self, alert: &AlertDoc, now: Timestamp) -> Result<String, SendError>;
}

/// Why a receiver has not taken a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SendError {
    /// Why.
    pub why: String,
    /// Whether it does not want the message itself, and would not take it later either.
    pub is_refusal: bool,
    /// How long it asked not to be asked again.
    pub retry_after: Option<Duration>,
}

impl SendError {
    /// The message itself cannot be sent.
    fn refused(why: &str) -> Self {
        Self { why: why.to_owned(), is_refusal: true, retry_after: None }
    }

    /// A secret's file cannot be read now.
    fn unreadable(key: &str, error: &io::Error) -> Self {
        let why = format!("cannot read {key} from its file: {error}");
        Self { why, is_refusal: false, retry_after: None }
    }
}

/// A kind of receiver.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The settings that it has beside those of every alert.
    pub keys: &'static [Key],
    /// Whether each event is a message of its own.
    pub is_one_by_one: bool,
    /// Whether it forgets what is not told again and again.
    pub is_forgetful: bool,
    /// Makes a receiver of its settings.
    pub make: fn(&Given) -> Result<Arc<dyn Receiver>, Unfit>,
}

/// All kinds.
pub const KINDS: [Kind; 5] =
    [slack::KIND, webhook::KIND, email::KIND, alertmanager::KIND, pagerduty::KIND];

/// Whether a server does not want the message itself: it is malformed or too large in its eyes. All else may pass: a
/// token that is wrong, a rate limit, a server that is started anew.
const fn is_refusal(error: &Error) -> bool {
    matches!(error.problem, Problem::Status { code: 400 | 413 | 415 | 422, .. })
}

/// A text without what must not be told. What is shorter than this is no secret that could be found by its text.
fn masked(text: &str, secrets: &[String]) -> String {
    const MIN_SECRET: usize = 4;
    const CUT: &str = "...";
    let text = secrets
        .iter()
        .filter(|secret| secret.len() >= MIN_SECRET)
        .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "(secret)"));
    // What was cut short may end in a part of one.
    let Some(whole) = text.strip_suffix(CUT) else { return text };
    let starts = |secret: &String| {
        (MIN_SECRET..secret.len())
            .rev()
            .find(|&len| secret.get(..len).is_some_and(|start| whole.ends_with(start)))
    };
    match secrets.iter().filter_map(starts).max() {
        Some(len) => format!("{}(secret){CUT}", &whole[..whole.len() - len]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
