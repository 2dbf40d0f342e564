//! Profiles that `monitor` pushes to a store, beside sampling, which never waits for it.

mod labels;
mod turns;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::analyze::finding_of;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::pushing::Pushed;
use crate::error_chain::one_line;
use crate::export::{self, Backlog, Label, Labelled, Pusher, Store, Tally};
use crate::model::Update;
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop};
use crate::profile::write::{self, Judged};
use crate::report::format;
use turns::Turns;

/// Pushes a profile of each target, now and then, to one store.
pub(in crate::cli) struct Push {
    store: Store,
    pusher: Pusher,
    turns: Turns,
    /// Those that the user named.
    labels: Vec<Label>,
    backlog: Backlog,
    account: Account,
    trouble: Trouble,
}

/// What people were told, so that they are not told again.
#[derive(Debug, Default)]
struct Trouble {
    /// The store does not take profiles at present, since when so many had been dropped.
    since: Option<u64>,
    /// Why it refused one last.
    refusal: Option<String>,
}

/// What a push has come to, for whoever cannot wait for its end.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Account {
    store: Store,
    state: Arc<Mutex<(Tally, usize)>>,
}

impl Account {
    /// Says it.
    pub(in crate::cli) fn tell(&self) {
        let (tally, waiting) = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        output::say(format_args!("{}: {}", self.store.name(), sum(tally, waiting)));
    }
}

/// `12 profiles pushed, 1 refused, 3 dropped, 2 not sent`.
fn sum(tally: Tally, waiting: usize) -> String {
    let mut text = format!("{} pushed", format::counted(tally.pushed, "profile", "profiles"));
    let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
    let others = [(tally.refused, "refused"), (tally.dropped, "dropped"), (waiting, "not sent")];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {} {what}", format::count(count)));
    }
    text
}

impl Push {
    /// One for each store that was named.
    pub(in crate::cli) fn all(pushed: &Pushed) -> Result<Vec<Self>, Failure> {
        let one = |(store, address): &(Store, _)| {
            let pusher = Pusher::new(*store, Clone::clone(address), pushed.settings.clone())
                .map_err(|error| Failure::Secret {
                    flag: match store {
                        Store::Pyroscope => "push-pyroscope",
                        Store::Parca => "push-parca",
                    },
                    why: error.problem.to_string(),
                })?;
            Ok(Self {
                store: *store,
                pusher,
                turns: Turns::new(pushed.every),
                labels: pushed.labels.clone(),
                backlog: Backlog::default(),
                account: Account { store: *store, state: Arc::default() },
                trouble: Trouble::default(),
            })
        };
        pushed.to.iter().map(one).collect()
    }

    /// What it has come to, whenever that is asked.
    pub(in crate::cli) fn account(&self) -> Account {
        self.account.clone()
    }
}

impl Sink for Push {
    fn name(&self) -> &'static str {
        match self.store {
            Store::Pyroscope => "pushing to Pyroscope",
            Store::Parca => "pushing to Parca",
        }
    }

    /// Profiles are of the present; those that wait for the store wait elsewhere.
    fn keep(&self) -> Keep {
        Keep::Newest
    }

    fn role(&self) -> Role {
        Role::Follows
    }

    fn needs_observations(&self) -> bool {
        true
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        loop {
            let update = match self.backlog.delay(Instant::now()) {
                None => inbox.next().ok_or(TryRecvError::Disconnected),
                Some(delay) => inbox.next_within(delay),
            };
            match update {
                Ok(update) => self.take(&update).map_err(SinkError::Write)?,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => break,
            }
            if self.backlog.next(Instant::now()).is_some() {
                self.send();
            }
        }
        // What waits gets one chance more, unless somebody waits for the end.
        while !stop.is_requested() && self.send() {}
        Ok(())
    }
}

impl Push {
    /// Makes a profile of a sample, if it is time for one.
    fn take(&mut self, update: &Update) -> io::Result<()> {
        let Some(observation) = &update.observation else { return Ok(()) };
        if !self.turns.is_due(&update.key(), observation.at) {
            return Ok(());
        }
        let assessment = &update.assessment;
        let finding_of = finding_of(observation, assessment);
        let judgement = assessment.judgement.as_ref();
        let judged = judgement.map(|judgement| Judged { judgement, finding_of: &finding_of });
        let mut profile = Vec::new();
        write::pprof(observation, judged, &mut profile)?;
        let labels = labels::of(&observation.target, &self.labels);
        self.backlog.add(Labelled { labels, profile });
        self.keep_account();
        Ok(())
    }

    /// Sends the oldest that waits; whether it is there no more.
    fn send(&mut self) -> bool {
        let Some(labelled) = self.backlog.oldest() else { return false };
        let sent = self.pusher.push(labelled);
        let is_gone = match &sent {
            Ok(()) => {
                self.backlog.pushed();
                true
            }
            Err(error) if export::is_refusal(error) => {
                self.backlog.refused();
                true
            }
            Err(_) => {
                self.backlog.failed(Instant::now(), chance());
                false
            }
        };
        self.keep_account();
        let dropped = self.backlog.tally().dropped;
        if let Some(line) = self.trouble.line(self.store, &sent, dropped) {
            output::say(format_args!("{line}"));
        }
        is_gone
    }

    fn keep_account(&self) {
        let state = (self.backlog.tally(), self.backlog.waiting());
        *self.account.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Trouble {
    /// What is to be said of how a push went: once when it begins to fail, once when that is over, and of
    /// refusals each new reason.
    fn line(
        &mut self,
        store: Store,
        sent: &Result<(), crate::http::Error>,
        dropped: u64,
    ) -> Option<String> {
        let name = store.name();
        match sent {
            Err(error) if export::is_refusal(error) => {
                let why = one_line(error);
                let is_new = self.refusal.as_ref() != Some(&why);
                self.refusal = Some(why.clone());
                is_new.then(|| format!("warning: {name} has refused a profile: {why}"))
            }
            Err(error) if self.since.is_none() => {
                self.since = Some(dropped);
                let why = one_line(error);
                Some(format!("warning: {name} takes no profiles, and is tried again: {why}"))
            }
            Err(_) => None,
            Ok(()) => {
                self.refusal = None;
                let lost = dropped - self.since.take()?;
                let lost = match lost {
                    0 => "none was lost".to_owned(),
                    lost => format!(
                        "{} dropped meanwhile",
                        format::counted(lost, "profile was", "profiles were")
                    ),
                };
                Some(format!("{name} takes profiles again; {lost}"))
            }
        }
    }
}

/// Anything from 0 to 1: each hasher is seeded anew.
fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests;
