//! `analyze`: sample long enough to judge, report, end.

use crate::cli::allocated::AllocatedAt;
use crate::cli::held::HeldBy;
use crate::cli::request::Request;
use crate::cli::sinks::Progress;
use crate::cli::{Outcome, session};
use crate::pipeline::Sink;

/// Samples for `--duration`, or until something is found, and says on standard error how far it is. Where the heap
/// grows, findings say who allocated what was added, and with `walks` who holds it.
pub(in crate::cli) fn run(request: &Request, walks: bool) -> Outcome {
    let held = (walks && !request.is_saved()).then(|| HeldBy::new(request));
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Progress::new(request))];
    if let Some(held) = &held {
        sinks.push(Box::new(held.clone()));
    }
    let allocated = AllocatedAt::wanted(request);
    if let Some(allocated) = &allocated {
        sinks.push(Box::new(allocated.clone()));
    }
    let mut seen = session::run(request, sinks)?;
    if let Some(held) = held {
        held.add(&mut seen);
    }
    if let Some(allocated) = allocated {
        allocated.add(&mut seen);
    }
    seen.report(request)
}
