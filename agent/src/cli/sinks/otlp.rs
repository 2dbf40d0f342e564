//! Metrics and what happens to findings, sent by OTLP: this makes requests of them, and a thread each for metrics and
//! for log records sends them (`sender`).

use std::collections::BTreeMap;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::metrics::OwnFigures;
use super::sender::{Account, Deliver, Sender, Words};
use super::{labels, narrowed, news, seen};
use crate::analyze::changes::{Change, ChangeKind, Changes, Weight};
use crate::analyze::settings::Filter;
use crate::cli::failure::Failure;
use crate::cli::otlp::Exported;
use crate::cli::request::Request;
use crate::cli::{output, time};
use crate::export::Label;
use crate::export::metrics::{Exposed, of_agent, of_target};
use crate::export::otlp::{
    self, Event, Exporter, Happened, Logged, Place, Signal, Times, is_refusal,
};
use crate::http::Error;
use crate::model::{Assessment, TargetId, Timestamp, Update};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};

/// How often it is looked whether something is to be sent.
const TICK: Duration = Duration::from_secs(1);

/// Events of one target in a request, at most: each has about a kilobyte.
const MAX_EVENTS: usize = 500;

/// Sends metrics of each target, and what happens to its findings.
pub(in crate::cli) struct Otlp {
    metrics: Sender<Exporter>,
    logs: Sender<Exporter>,
    every: Duration,
    filter: Filter,
    own: Option<OwnFigures>,
    /// Since when the agent counts.
    since: Timestamp,
    targets: BTreeMap<TargetId, Seen>,
    /// What happened, until it is sent.
    logged: Vec<Logged>,
}

/// A target's last sample, and what was told of its findings.
struct Seen {
    labels: Vec<Label>,
    assessment: Arc<Assessment>,
    samples: u64,
    /// Since when the agent counts.
    since: Timestamp,
    /// Since when the program does, where that is known.
    program: Option<Timestamp>,
    told: Changes,
}

impl Otlp {
    /// Nothing is sent yet.
    pub(in crate::cli) fn new(
        exported: &Exported,
        request: &Request,
        own: Option<OwnFigures>,
    ) -> Result<Self, Failure> {
        let Exported { address, protocol, every, settings, .. } = exported;
        let sender = |signal, parcel| {
            let exporter = Exporter::new(signal, *protocol, address.clone(), settings.clone());
            let exporter = exporter.map_err(|error| Failure::Otlp {
                what: "--otlp-endpoint",
                why: error.problem.to_string(),
            })?;
            Ok(Sender::new(exporter, Words { store: "OTLP".to_owned(), parcel }))
        };
        output::say(format_args!("OTLP: metrics and findings go to {}", address.url));
        Ok(Self {
            metrics: sender(Signal::Metrics, ["batch of metrics", "batches of metrics"])?,
            logs: sender(Signal::Logs, ["batch of findings", "batches of findings"])?,
            every: *every,
            filter: request.settings.filter.clone(),
            own,
            since: time::now(),
            targets: BTreeMap::new(),
            logged: Vec::new(),
        })
    }

    /// What it has come to, whenever that is asked: of metrics, and of log records.
    pub(in crate::cli) fn accounts(&self) -> [(&'static str, Account); 2] {
        [("metrics", self.metrics.account()), ("logs", self.logs.account())]
    }

    fn take(&mut self, update: Update) {
        let (key, now) = (update.key(), time::now());
        let assessment = Arc::clone(&update.assessment);
        let seen = self.targets.entry(key).or_insert_with(|| Seen::new(&assessment, now));
        if update.replaced.is_some() {
            // The process is as old as before, but what its program counts begins anew, after all that was sent.
            let next = Seen { program: Some(now), ..Seen::new(&assessment, now) };
            self.logged.extend(std::mem::replace(seen, next).ended(now));
        }
        seen.samples += 1;
        seen.assessment = Arc::clone(&assessment);
        // Where nobody judged, or saw little, nothing is known to be over.
        if assessment.judgement.is_none() || assessment.is_blind() {
            return;
        }
        let told = narrowed(update, &self.filter).assessment;
        let changes = seen.told.take(&told);
        let logged = seen.logged(&changes, &told, now);
        self.logged.extend(logged);
    }

    /// Of a target that has ended its findings are over.
    fn end(&mut self, target: &TargetId) {
        let Some(seen) = self.targets.remove(target) else { return };
        self.logged.extend(seen.ended(time::now()));
    }

    fn send_logs(&mut self) {
        let requests = otlp::logs_requests(self.logged.drain(..));
        requests.into_iter().for_each(|request| self.logs.add(request));
    }

    fn send_metrics(&self) {
        let (now, count) = (time::now(), self.targets.len());
        let of_targets = self.targets.values().map(|seen| {
            let Seen { labels, assessment, samples, since, program, .. } = seen;
            let exposed = Exposed { labels: &[], assessment, samples: *samples };
            let times = Times { now, agent: *since, program: *program };
            otlp::measured(&assessment.target, labels, of_target(exposed, count), times)
        });
        let of_agent = self.own.iter().map(|own| {
            let own = own.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let times = Times { now, agent: self.since, program: None };
            let host = labels::host();
            let pid = std::process::id();
            otlp::measured_of_agent(pid, host.as_deref(), of_agent(&own), times)
        });
        let requests = otlp::metrics_requests(of_targets.chain(of_agent));
        requests.into_iter().for_each(|request| self.metrics.add(request));
    }
}

impl Seen {
    fn new(assessment: &Arc<Assessment>, now: Timestamp) -> Self {
        Self {
            labels: labels::of(&assessment.target, &[]),
            assessment: Arc::clone(assessment),
            samples: 0,
            since: now,
            program: assessment.target.id.started,
            told: Changes::default(),
        }
    }

    /// All that was told of it is over.
    fn ended(mut self, now: Timestamp) -> Vec<Logged> {
        let changes = std::mem::take(&mut self.told).end();
        self.logged(&changes, &self.assessment, now)
    }

    fn logged(&self, changes: &[Change], of: &Assessment, observed: Timestamp) -> Vec<Logged> {
        let events = |changes: &[Change]| {
            changes.iter().filter_map(|it| event(it, of, observed)).collect::<Vec<Event>>()
        };
        let logged = |changes| Logged {
            target: Arc::clone(&of.target),
            labels: self.labels.clone(),
            events: events(changes),
        };
        changes.chunks(MAX_EVENTS).map(logged).collect()
    }
}

fn event(change: &Change, of: &Assessment, observed: Timestamp) -> Option<Event> {
    let Weight { class, verdict, severity, count } = change.now.or(change.before)?;
    let findings = of.judgement.iter().flat_map(|judgement| &judgement.findings);
    let is_over = change.kind == ChangeKind::Ended;
    let finding = findings.into_iter().find(|it| it.id == change.id).filter(|_| !is_over);
    let told = finding.map(|it| seen::finding(it, of));
    // Its sign is for people's eyes.
    let text = news::line(change, of);
    let text = text.split_once(' ').map_or("", |(_, text)| text);
    let place = told.as_ref().and_then(|told| told.finding.at.as_ref()).map(|at| Place {
        function: at.function.to_string(),
        file: at.file.to_string(),
        line: at.line,
    });
    Some(Event {
        at: if is_over { observed } else { of.window.last },
        observed,
        happened: match change.kind {
            ChangeKind::Appeared => Happened::Appeared,
            ChangeKind::Worsened => Happened::Worsened,
            ChangeKind::Changed => Happened::Changed,
            ChangeKind::Ended => Happened::Ended,
        },
        text: text.to_owned(),
        id: change.id.clone(),
        class,
        verdict,
        severity,
        score: finding.map(|it| it.score.total().into()),
        goroutines: count,
        place,
        suggestion: told.and_then(|told| told.fix),
    })
}

impl Deliver for Exporter {
    type Parcel = otlp::Request;

    fn deliver(&self, request: &otlp::Request) -> Result<(), Error> {
        self.send(request)
    }

    fn is_refusal(error: &Error) -> bool {
        is_refusal(error)
    }
}

impl Sink for Otlp {
    fn name(&self) -> &'static str {
        "what sends by OTLP"
    }

    /// Metrics are of the last sample, and what happened is how it differs from what was told.
    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(mut self: Box<Self>, inbox: &Inbox, stop: &Stop) -> Result<(), SinkError> {
        self.metrics.start();
        self.logs.start();
        let mut tick = Instant::now();
        let mut due = Instant::now();
        loop {
            let next = inbox.next_within(tick.saturating_duration_since(Instant::now()));
            let is_over = matches!(next, Err(TryRecvError::Disconnected));
            if let Ok(update) = next {
                self.take(update);
            }
            if is_over || Instant::now() >= tick {
                tick = Instant::now() + TICK;
                for target in inbox.released() {
                    self.targets.remove(&target);
                }
                for target in inbox.exited() {
                    self.end(&target);
                }
                self.send_logs();
                let is_something = self.own.is_some() || !self.targets.is_empty();
                if is_something && (is_over || Instant::now() >= due) {
                    due = Instant::now() + self.every;
                    self.send_metrics();
                }
            }
            if is_over {
                break;
            }
        }
        Sender::end([self.logs, self.metrics], stop.is_requested());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
