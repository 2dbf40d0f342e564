//! `analyze`: sample long enough to judge, report, end.

use crate::cli::allocated::AllocatedAt;
use crate::cli::failure::Failure;
use crate::cli::held::HeldBy;
use crate::cli::request::Request;
use crate::cli::seen::Seen;
use crate::cli::session::Caught;
use crate::cli::sinks::Progress;
use crate::cli::switch::Switch;
use crate::cli::{Outcome, session};
use crate::pipeline::Sink;

/// Samples for `--duration`, or until something is found, and says on standard error how far it is. Where the heap
/// grows, findings say who allocated what was added, and with `walks` who holds it. Allocations are sampled meanwhile where
/// there is a switch.
pub(in crate::cli) fn run(request: &Request, walks: bool, switch: Option<Switch>) -> Outcome {
    let signals = Caught::new().map_err(Failure::Signals)?;
    let progress: Box<dyn Sink> = Box::new(Progress::new(request));
    let seen = watch(request, walks, switch, vec![progress], &signals);
    signals.end_at_once();
    seen?.report(request)
}

/// The same without a report, and with these sinks.
pub(in crate::cli) fn watch(
    request: &Request,
    walks: bool,
    switch: Option<Switch>,
    mut sinks: Vec<Box<dyn Sink>>,
    signals: &Caught,
) -> Result<Seen, Failure> {
    let held = (walks && !request.is_saved()).then(|| HeldBy::new(request));
    if let Some(held) = &held {
        sinks.push(Box::new(held.clone()));
    }
    let allocated = AllocatedAt::wanted(request, switch);
    if let Some(allocated) = &allocated {
        sinks.push(Box::new(allocated.clone()));
    }
    let mut seen = session::run_until(request, signals, sinks)?;
    if let Some(held) = held {
        held.add(&mut seen);
    }
    if let Some(allocated) = allocated {
        allocated.add(&mut seen);
    }
    Ok(seen)
}
