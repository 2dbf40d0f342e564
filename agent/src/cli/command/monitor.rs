//! `monitor`: go on sampling, and tell when a finding appears, changes or ends; keep dumps and push profiles
//! meanwhile.

use crate::cli::allocated::AllocatedAt;
use crate::cli::format::Kind;
use crate::cli::request::{Meanwhile, Request, Selection};
use crate::cli::sinks::{Account, Dumps, Metrics, Monitor, Push};
use crate::cli::{Outcome, session, target};
use crate::pipeline::Sink;

/// Samples until told to stop, then reports.
pub(in crate::cli) fn run(request: &Request, meanwhile: &Meanwhile) -> Outcome {
    let Meanwhile { dumps, pushed, metering, .. } = meanwhile;
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Monitor::new(request))];
    if let Some(kept) = dumps {
        sinks.push(Box::new(Dumps::new(kept, request)));
    }
    if let Some(metrics) = Metrics::wanted(metering)? {
        sinks.push(Box::new(metrics));
    }
    let mut accounts: Vec<Account> = Vec::new();
    for push in Push::all(pushed)? {
        accounts.push(push.account());
        sinks.push(Box::new(push));
    }
    // Where servers are the source, it is said when they are asked.
    let asks_others = matches!(
        request.selection,
        Selection::Urls(_) | Selection::Datadog(_) | Selection::Stored(_)
    );
    if !accounts.is_empty() && !asks_others {
        target::warn(&pushed.settings);
    }
    let allocated = AllocatedAt::wanted(request);
    if let Some(allocated) = &allocated {
        sinks.push(Box::new(allocated.clone()));
    }
    let seen = session::run(request, sinks);
    accounts.iter().for_each(Account::tell);
    let mut seen = seen?;
    if let Some(allocated) = allocated {
        allocated.add(&mut seen);
    }
    // Its lines were all of standard output's JSON.
    if request.delivery.format.kind == Kind::Json && !request.delivery.has_file() {
        return seen.end_without_report(request);
    }
    seen.report(request)
}
