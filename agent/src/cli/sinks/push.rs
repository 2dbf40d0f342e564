//! Profiles that `monitor` pushes to a store, beside sampling, which never waits for it: this makes them when
//! it is their time, and a thread of its own (`sender`) waits for the store.

mod turns;

use std::io;

use super::labels;
use super::sender::{Account, Deliver, Sender, Words};
use crate::analyze::finding_of;
use crate::cli::failure::Failure;
use crate::cli::pushing::Pushed;
use crate::export::{Label, Labelled, Pusher, is_refusal};
use crate::http::Error;
use crate::model::{Store, Update};
use crate::pipeline::{Inbox, Sink, SinkError, Stop, Terms};
use crate::profile::write::{self, Judged};
use turns::Turns;

/// Pushes a profile of each target, now and then, to one store.
pub(in crate::cli) struct Push {
    store: Store,
    sender: Sender<Pusher>,
    turns: Turns,
    /// Those that the user named.
    labels: Vec<Label>,
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
            let words = Words { store: store.to_string(), parcel: ["profile", "profiles"] };
            Ok(Self {
                store: *store,
                sender: Sender::new(pusher, words),
                turns: Turns::new(pushed.every),
                labels: pushed.labels.clone(),
            })
        };
        pushed.to.iter().map(one).collect()
    }

    /// What it has come to, whenever that is asked.
    pub(in crate::cli) fn account(&self) -> Account {
        self.sender.account()
    }

    /// The profile of a sample, if it is time for one.
    fn profile(&mut self, update: &Update) -> io::Result<Option<Labelled>> {
        let Some(observation) = &update.observation else { return Ok(None) };
        if !self.turns.is_due(&update.key(), observation.at) {
            return Ok(None);
        }
        let assessment = &update.assessment;
        let finding_of = finding_of(observation, assessment);
        let judgement = assessment.judgement.as_ref();
        let judged = judgement.map(|judgement| Judged { judgement, finding_of: &finding_of });
        let mut profile = Vec::new();
        write::pprof(observation, judged, &mut profile)?;
        Ok(Some(Labelled { labels: labels::of(&observation.target, &self.labels), profile }))
    }
}

impl Deliver for Pusher {
    type Parcel = Labelled;

    fn deliver(&self, labelled: &Labelled) -> Result<(), Error> {
        self.push(labelled)
    }

    fn is_refusal(error: &Error) -> bool {
        is_refusal(error)
    }
}

impl Sink for Push {
    fn name(&self) -> &'static str {
        match self.store {
            Store::Pyroscope => "what pushes to Pyroscope",
            Store::Parca => "what pushes to Parca",
        }
    }

    /// Profiles are of the present; those that wait for the store wait elsewhere.
    fn terms(&self) -> Terms {
        Terms::OF_SAMPLES
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        self.sender.start();
        while let Some(update) = inbox.next() {
            if let Some(labelled) = self.profile(&update).map_err(SinkError::Write)? {
                self.sender.add(labelled);
            }
        }
        Sender::end([self.sender], stop.is_requested());
        Ok(())
    }
}
