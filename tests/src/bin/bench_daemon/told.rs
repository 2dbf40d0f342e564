//! The receiver of all alerts, and what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;
use leak_agent::report::schema::{AlertDoc, AlertEventKind};
use leak_agent_tests::replay::Replay;
use serde::Serialize;

use crate::programs::PREFIX;

/// An HTTP server that may be out: it answers 503 then.
pub(crate) struct Receiver {
    server: Replay,
    is_out: Arc<AtomicBool>,
    /// Whether each request was taken.
    taken: Arc<Mutex<Vec<bool>>>,
    /// When each was seen.
    seen: Vec<Instant>,
}

/// What was told of one program that leaks.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Leak {
    name: String,
    /// From its start to the first alert.
    seconds: Option<f64>,
    /// Findings that were told.
    findings: usize,
    /// Those that were told again though they were not over.
    twice: usize,
    /// Those of which it was not told that they are over.
    not_over: usize,
}

/// What came of all.
pub(crate) struct Outcome {
    pub(crate) leaks: Vec<Leak>,
    /// Programs that do not leak, and how many findings were told of each.
    pub(crate) others: BTreeMap<String, usize>,
}

impl Outcome {
    pub(crate) fn is_right(&self) -> bool {
        let is_right = |it: &Leak| it.findings > 0 && it.twice == 0 && it.not_over == 0;
        self.leaks.iter().all(is_right) && self.others.is_empty()
    }
}

impl Receiver {
    pub(crate) fn start() -> Result<Self> {
        let is_out = Arc::new(AtomicBool::new(false));
        let taken: Arc<Mutex<Vec<bool>>> = Arc::default();
        let (out, take) = (Arc::clone(&is_out), Arc::clone(&taken));
        let server = Replay::start(move |_, _| {
            let is_out = out.load(Ordering::Relaxed);
            take.lock().unwrap_or_else(PoisonError::into_inner).push(!is_out);
            let status = if is_out { "503 Service Unavailable" } else { "200 OK" };
            (status, "text/plain", Vec::new())
        })?;
        Ok(Self { server, is_out, taken, seen: Vec::new() })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(crate) fn set_out(&self, is_out: bool) {
        self.is_out.store(is_out, Ordering::Relaxed);
    }

    /// Notes when what has come since the last look has.
    pub(crate) fn look(&mut self) {
        let count = self.server.heard().len();
        self.seen.resize(count, Instant::now());
    }

    /// What was told, by program. What was refused was not.
    pub(crate) fn outcome(
        &self,
        leaking: &[String],
        started: impl Fn(&str) -> Option<Instant>,
    ) -> Result<Outcome> {
        let mut first: BTreeMap<String, Instant> = BTreeMap::new();
        let mut open: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut ever: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut twice: BTreeMap<String, usize> = BTreeMap::new();
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let heard = self.server.heard();
        let heard = heard.iter().zip(&self.seen).zip(&taken);
        for ((request, at), _) in heard.filter(|(_, is_taken)| **is_taken) {
            let alert: AlertDoc = serde_json::from_slice(&request.body)?;
            let name = alert.target.name.trim_start_matches(PREFIX).to_owned();
            for event in alert.events {
                let open = open.entry(name.clone()).or_default();
                match event.event {
                    AlertEventKind::Appeared => {
                        first.entry(name.clone()).or_insert(*at);
                        ever.entry(name.clone()).or_default().insert(event.fingerprint.clone());
                        if !open.insert(event.fingerprint) {
                            *twice.entry(name.clone()).or_default() += 1;
                        }
                    }
                    AlertEventKind::Ended => _ = open.remove(&event.fingerprint),
                    AlertEventKind::Worsened => {}
                }
            }
        }
        let count = |of: &BTreeMap<String, BTreeSet<String>>, name: &str| {
            of.get(name).map_or(0, BTreeSet::len)
        };
        let leaks = leaking.iter().map(|name| {
            let first = first.get(name).zip(started(name));
            Leak {
                name: name.clone(),
                seconds: first.map(|(first, start)| (*first - start).as_secs_f64().round()),
                findings: count(&ever, name),
                twice: twice.get(name).copied().unwrap_or(0),
                not_over: count(&open, name),
            }
        });
        let others = ever.iter().filter(|(name, _)| !leaking.contains(name));
        Ok(Outcome {
            leaks: leaks.collect(),
            others: others.map(|(name, found)| (name.clone(), found.len())).collect(),
        })
    }
}

pub(crate) fn print(outcome: &Outcome) {
    println!(
        "\n{:<20} {:>14} {:>9} {:>6} {:>9}",
        "leaking", "told after, s", "findings", "twice", "not over"
    );
    for Leak { name, seconds, findings, twice, not_over } in &outcome.leaks {
        let seconds = seconds.map_or("never".to_owned(), |it| format!("{it:.0}"));
        println!("{name:<20} {seconds:>14} {findings:>9} {twice:>6} {not_over:>9}");
    }
    println!("false alerts: {}", outcome.others.values().sum::<usize>());
    for (name, count) in &outcome.others {
        println!("  {name}: {count}");
    }
}
