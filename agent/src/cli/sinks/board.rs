//! Shows the last sample of each target on the dashboard.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::analyze::compare::{Difference, History};
use crate::cli::boarding::Entrance;
use crate::cli::failure::Failure;
use crate::cli::{difference, output};
use crate::model::{Assessment, Instance, Observation, TargetId, Timestamp, Update};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::html::board::Moment;
use crate::report::schema::ComparisonDoc;
use crate::serve::{Board, Card, ListenAddress, Past, Server, Token};

/// How often it is looked whether a target has ended.
const TICK: Duration = Duration::from_secs(1);
/// Moments that are kept of a target. Where there are more, every second one goes.
const MAX_MOMENTS: usize = 480;

/// Targets that have ended and are shown still, where they come and go for good.
const MAX_ENDED: usize = 20;

/// Whose targets are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Showing {
    /// Those that were named, with their last samples, to the end.
    Named,
    /// Those that come and go: of the samples themselves nothing is kept, and of ended ones the last.
    Passing,
}

/// What shows them.
pub(in crate::cli) struct Boarding {
    showing: Showing,
    board: Board,
    server: Server,
    known: HashMap<TargetId, Known>,
    /// The oldest first.
    ended: VecDeque<TargetId>,
}

/// What was shown of a target.
struct Known {
    /// What it is called in addresses.
    name: String,
    moments: Vec<Moment>,
    past: Kept,
    last: (Arc<Assessment>, Option<Arc<Observation>>),
}

/// Moments that can be compared still; what is shown has them too.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<History>>);

impl Kept {
    fn history(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past for Kept {
    fn moments(&self) -> Vec<(Timestamp, Option<u64>)> {
        self.history().moments().collect()
    }

    fn difference(&self, before: Timestamp, after: Timestamp) -> Option<ComparisonDoc<'static>> {
        let history = self.history();
        let (before, after) = (history.nearest(before)?, history.nearest(after)?);
        drop(history);
        Some(difference::document(&before, &after, &Difference::of(&before, &after)))
    }
}

impl Boarding {
    /// Listens, and says where.
    pub(in crate::cli) fn start(
        address: ListenAddress,
        entrance: Entrance,
        showing: Showing,
    ) -> Result<Self, Failure> {
        let board = Board::default();
        let Entrance { token, certificate } = entrance;
        let link = token.as_ref().map(Token::link).unwrap_or_default();
        let is_encrypted = certificate.is_some();
        let server = Server::of_board(address, board.clone(), token, certificate);
        let server = server.map_err(Failure::Serve)?;
        let scheme = if is_encrypted { "https" } else { "http" };
        output::say(format_args!("dashboard: {scheme}://{}/{link}", server.address()));
        if server.address().is_public() && !is_encrypted {
            output::say(format_args!(
                "warning: what is shown travels unencrypted; --tls-cert and --tls-key, or an SSH tunnel to a \
                 loopback address, keep it to yourself"
            ));
        }
        Ok(Self { showing, board, server, known: HashMap::new(), ended: VecDeque::new() })
    }

    fn take(&mut self, update: Update) {
        let key = update.key();
        let last = (Arc::clone(&update.assessment), update.observation.clone());
        let mut known = self.known.remove(&key).unwrap_or_else(|| Known {
            name: self.name_of(&key),
            moments: Vec::new(),
            past: Kept::default(),
            last: last.clone(),
        });
        // Another program has a history of its own.
        if update.replaced.is_some() {
            known.moments.clear();
            known.past = Kept::default();
        }
        if known.moments.len() >= MAX_MOMENTS {
            let mut is_kept = false;
            known.moments.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
        }
        known.moments.push(Moment {
            seconds: update.assessment.window.duration.as_secs_f64(),
            by_wait: update.assessment.totals.by_wait.clone(),
        });
        known.past.history().add(&update.assessment);
        known.last = last;
        self.show(&known, false);
        self.known.insert(key, known);
    }

    fn show(&self, known: &Known, has_ended: bool) {
        let (assessment, observation) = known.last.clone();
        let moments = known.moments.clone().into();
        let past = Arc::new(known.past.clone());
        self.board.show(&known.name, Card::new(assessment, observation, moments, past, has_ended));
    }

    /// It has ended, and is shown so. Where targets come and go, only for as long as few others have since.
    fn end(&mut self, target: &TargetId) {
        let Some(known) = self.known.get(target) else { return };
        self.show(known, true);
        self.ended.retain(|other| other != target);
        self.ended.push_back(target.clone());
        if self.showing == Showing::Passing && self.ended.len() > MAX_ENDED {
            let oldest = self.ended.pop_front();
            oldest.iter().for_each(|oldest| self.remove(oldest));
        }
    }

    fn remove(&mut self, target: &TargetId) {
        if let Some(known) = self.known.remove(target) {
            self.board.remove(&known.name);
        }
    }

    /// The pid where that tells it apart, or else a number.
    fn name_of(&self, key: &TargetId) -> String {
        let plain = match key.instance {
            Instance::Process { pid, .. } => pid.to_string(),
            _ => "source".to_owned(),
        };
        let is_free = |name: &String| self.known.values().all(|known| known.name != *name);
        let numbered = (2..).map(|number: u32| format!("{plain}-{number}"));
        std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or(plain)
    }
}

impl Sink for Boarding {
    fn name(&self) -> &'static str {
        "the dashboard"
    }

    /// It shows the last sample.
    fn terms(&self) -> Terms {
        match self.showing {
            Showing::Named => Terms::OF_SAMPLES,
            Showing::Passing => Terms::shows(Keep::Newest, Role::Follows),
        }
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        loop {
            match inbox.next_within(TICK) {
                Ok(update) => self.take(update),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => break,
            }
            for exited in inbox.exited() {
                self.end(&exited);
            }
            for released in inbox.released() {
                self.remove(&released);
            }
        }
        self.server.stopper()();
        let _ = self.server.join();
        Ok(())
    }
}
