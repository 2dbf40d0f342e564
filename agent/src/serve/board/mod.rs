//! The dashboard: pages of all processes and of each, kept as they are by server-sent events, and downloads of the same.
//!
//! It is read only, and shows what it was handed last: whoever samples never waits for a browser. What is rendered is
//! made once a sample, however many ask for it.

mod events;
mod guard;
mod routes;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::Bytes;
use tokio::sync::watch;

use crate::model::{Assessment, Observation, Timestamp};
use crate::report::html::board::{Moment, Shown};
use crate::report::schema::ComparisonDoc;
pub(super) use guard::Door;
pub use guard::Token;
pub(super) use routes::routes;

/// The moments of a process that can be compared still.
pub trait Past: fmt::Debug + Send + Sync {
    /// When they were, oldest first, and with how many goroutines.
    fn moments(&self) -> Vec<(Timestamp, Option<u64>)>;

    /// How those two differ that are nearest to these times; `None` where there are none.
    fn difference(&self, before: Timestamp, after: Timestamp) -> Option<ComparisonDoc<'static>>;
}

/// A process, as it was seen last.
#[derive(Debug)]
pub struct Card {
    /// What is known of it.
    pub assessment: Arc<Assessment>,
    /// The sample itself, which a profile is made of; `None` where it is not kept.
    pub observation: Option<Arc<Observation>>,
    /// Its goroutines over time, oldest first.
    pub moments: Arc<[Moment]>,
    /// What it can be compared with.
    pub past: Arc<dyn Past>,
    /// Whether it has ended.
    pub has_ended: bool,
    /// The changing part of its page, once it was asked for.
    part: OnceLock<Bytes>,
}

impl Card {
    /// What is known of a process, of which nothing is rendered yet.
    #[must_use]
    pub fn new(
        assessment: Arc<Assessment>,
        observation: Option<Arc<Observation>>,
        moments: Arc<[Moment]>,
        past: Arc<dyn Past>,
        has_ended: bool,
    ) -> Self {
        Self { assessment, observation, moments, past, has_ended, part: OnceLock::new() }
    }

    fn shown<'a>(&'a self, name: &'a str) -> Shown<'a> {
        Shown {
            name,
            assessment: &self.assessment,
            moments: &self.moments,
            has_ended: self.has_ended,
        }
    }
}

/// What the dashboard shows. Clones are of the same one.
#[derive(Clone, Debug)]
pub struct Board {
    cards: Arc<RwLock<BTreeMap<String, Arc<Card>>>>,
    /// Counts what was shown.
    changes: watch::Sender<u64>,
}

impl Default for Board {
    fn default() -> Self {
        Self { cards: Arc::default(), changes: watch::Sender::new(0) }
    }
}

impl Board {
    /// Shows a process under a name, which stands in addresses: letters, digits, points and hyphens alone.
    pub fn show(&self, name: &str, card: Card) {
        let mut cards = self.cards.write().unwrap_or_else(PoisonError::into_inner);
        cards.insert(name.to_owned(), Arc::new(card));
        drop(cards);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Shows a process no more.
    pub fn remove(&self, name: &str) {
        let mut cards = self.cards.write().unwrap_or_else(PoisonError::into_inner);
        cards.remove(name);
        drop(cards);
        self.changes.send_modify(|count| *count += 1);
    }

    fn card(&self, name: &str) -> Option<Arc<Card>> {
        self.cards.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, those with the surest findings first, then the least well.
    fn all(&self) -> Vec<(String, Arc<Card>)> {
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> =
            cards.iter().map(|(name, card)| (name.clone(), Arc::clone(card))).collect();
        drop(cards);
        all.sort_by_key(|(name, card)| {
            let judgement = card.assessment.judgement.as_ref();
            let surest = judgement
                .and_then(|judgement| judgement.findings.iter().map(|it| it.verdict).max());
            let health = card.assessment.health().unwrap_or(0);
            (card.has_ended, std::cmp::Reverse(surest), health, name.clone())
        });
        all
    }
}
