//! Metrics of the last sample of each target, served to whoever asks, or left in a file.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::labels;
use crate::cli::failure::Failure;
use crate::cli::metering::Metering;
use crate::cli::output;
use crate::export::Label;
use crate::export::metrics::{self, Exposed, MEDIA_TYPE, Own};
use crate::model::{Assessment, TargetId, Update};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::serve::Server;

/// How often it is looked whether a target has ended.
const TICK: Duration = Duration::from_secs(1);

/// What a daemon says of itself, as it is when somebody asks.
pub(in crate::cli) type OwnFigures = Arc<Mutex<Own>>;

/// Keeps what the metrics are made of.
pub(in crate::cli) struct Metrics {
    last: Arc<Mutex<BTreeMap<TargetId, Seen>>>,
    own: Option<OwnFigures>,
    file: Option<PathBuf>,
    server: Option<Server>,
}

/// A target's last sample.
struct Seen {
    labels: Vec<Label>,
    assessment: Arc<Assessment>,
    samples: u64,
}

impl Metrics {
    /// Listens, where that is asked for; nothing where no metrics are.
    pub(in crate::cli) fn wanted(
        metering: &Metering,
        own: Option<OwnFigures>,
    ) -> Result<Option<Self>, Failure> {
        let Metering { metrics_listen, metrics_file } = metering;
        if metrics_listen.is_none() && metrics_file.is_none() {
            return Ok(None);
        }
        let last = Arc::new(Mutex::new(BTreeMap::new()));
        let server = match *metrics_listen {
            Some(address) => {
                let (last, own) = (Arc::clone(&last), own.clone());
                let render = Arc::new(move || text(&last, own.as_ref()));
                let server = Server::of_metrics(address, MEDIA_TYPE, render);
                let server = server.map_err(Failure::Serve)?;
                say_where(&server);
                Some(server)
            }
            None => None,
        };
        Ok(Some(Self { last, own, file: metrics_file.clone(), server }))
    }

    fn take(&self, update: &Update) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let key = update.key();
        let before = last.remove(&key);
        let samples = before.as_ref().map_or(0, |seen| seen.samples) + 1;
        let labels = match before {
            Some(seen) if update.replaced.is_none() => seen.labels,
            _ => labels::of(&update.assessment.target, &[]),
        };
        last.insert(key, Seen { labels, assessment: Arc::clone(&update.assessment), samples });
    }

    /// Of targets that are gone, or let go, nothing is known any more.
    fn forget(&self, left: &[TargetId]) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|key, _| !left.contains(key));
    }
}

/// Where the address is bound to a port of the kernel's choice, nobody would know it.
fn say_where(server: &Server) {
    let address = server.address();
    output::say(format_args!("metrics: http://{address}/metrics"));
    if address.is_public() {
        output::say(format_args!(
            "warning: whoever reaches {address} can read the metrics, without a password"
        ));
    }
}

fn text(last: &Mutex<BTreeMap<TargetId, Seen>>, own: Option<&OwnFigures>) -> Vec<u8> {
    let own = own.map(|own| own.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let targets = last.values().map(|Seen { labels, assessment, samples }| Exposed {
        labels,
        assessment,
        samples: *samples,
    });
    let targets: Vec<Exposed<'_>> = targets.collect();
    // The names are constants that a test has tried.
    metrics::text(&targets, own.as_ref()).unwrap_or_default()
}

impl Sink for Metrics {
    fn name(&self) -> &'static str {
        "what keeps metrics"
    }

    /// Metrics are of the last sample.
    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        let mut is_said = false;
        loop {
            let next = inbox.next_within(TICK);
            if let Ok(update) = &next {
                self.take(update);
            }
            let mut left = inbox.exited();
            left.extend(inbox.released());
            self.forget(&left);
            if next.is_err() && left.is_empty() {
                if matches!(next, Err(TryRecvError::Disconnected)) {
                    break;
                }
                // What a daemon says of itself changes by itself.
                if self.own.is_none() {
                    continue;
                }
            }
            let Some(file) = &self.file else { continue };
            let text = text(&self.last, self.own.as_ref());
            match output::write_file(file, |out| out.write_all(&text)) {
                Ok(()) => is_said = false,
                // It may be written again after the next sample: a full disk is not full for ever.
                Err(error) if !is_said => {
                    say_unwritten(file, &error);
                    is_said = true;
                }
                Err(_) => {}
            }
        }
        if let Some(server) = self.server {
            server.stopper()();
            let _ = server.join();
        }
        Ok(())
    }
}

fn say_unwritten(file: &std::path::Path, error: &io::Error) {
    output::say(format_args!("cannot write metrics to {}: {error}", file.display()));
}
