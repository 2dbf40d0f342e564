//! Exchanges with a server that were recorded, and a server that gives those answers and no others.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::replay::{Replay, Request};

/// A request and its answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchange {
    /// The method, the path and the question: `GET /api/profiles/types?start=...`.
    pub asked: String,
    /// What was sent with it, as text.
    #[serde(default)]
    pub sent: String,
    /// The same in base64, where it is no text.
    #[serde(default)]
    pub sent_base64: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// What kind of content it has.
    #[serde(rename = "type")]
    pub content: String,
    /// The answer, as text.
    #[serde(default)]
    pub answer: String,
    /// The same in base64, where it is no text.
    #[serde(default)]
    pub answer_base64: Option<String>,
}

impl Exchange {
    fn is_of(&self, request: &Request) -> bool {
        let asked = request.head.lines().next().unwrap_or_default();
        asked.strip_suffix(" HTTP/1.1") == Some(&self.asked)
            && bytes(&self.sent, self.sent_base64.as_deref()) == request.body
    }
}

/// What is no base64 is nothing that was recorded.
fn bytes(text: &str, base64: Option<&str>) -> Vec<u8> {
    base64
        .map_or_else(|| text.as_bytes().to_vec(), |text| STANDARD.decode(text).unwrap_or_default())
}

/// The exchanges of a file in `tests/fixtures`.
///
/// # Errors
/// When it cannot be read.
pub fn exchanges(file: &str) -> Result<Vec<Exchange>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(file);
    let read = || -> Result<Vec<Exchange>> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
    read().with_context(|| format!("reading {}", path.display()))
}

/// A server that gives recorded answers.
#[derive(Debug)]
pub struct Recorded {
    replay: Replay,
    exchanges: Arc<Vec<Exchange>>,
}

impl Recorded {
    /// Begins to answer.
    ///
    /// # Errors
    /// When there is no port for it.
    pub fn start(exchanges: Vec<Exchange>) -> Result<Self> {
        let exchanges = Arc::new(exchanges);
        let known = Arc::clone(&exchanges);
        let replay = Replay::start(move |_, request| {
            match known.iter().find(|exchange| exchange.is_of(request)) {
                Some(Exchange { status, content, answer, answer_base64, .. }) => {
                    (line(*status), media(content), bytes(answer, answer_base64.as_deref()))
                }
                None => (line(501), media("text/plain"), b"not recorded".to_vec()),
            }
        })?;
        Ok(Self { replay, exchanges })
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.replay.address)
    }

    /// The requests that nothing was recorded for.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let heard = self.replay.heard();
        let is_unknown = |request: &&Request| !self.exchanges.iter().any(|it| it.is_of(request));
        let told = |request: &Request| {
            let asked = request.head.lines().next().unwrap_or_default();
            format!("{asked}\n{}", String::from_utf8_lossy(&request.body))
        };
        heard.iter().filter(is_unknown).map(told).collect()
    }
}

/// A status with its words.
fn line(status: u16) -> &'static str {
    match status {
        200 => "200 OK",
        400 => "400 Bad Request",
        401 => "401 Unauthorized",
        404 => "404 Not Found",
        503 => "503 Service Unavailable",
        _ => "501 Not Implemented",
    }
}

fn media(content: &str) -> &'static str {
    match content.split(';').next() {
        Some("application/json") => "application/json",
        Some("application/proto") => "application/proto",
        Some("text/html") => "text/html",
        _ => "text/plain",
    }
}
