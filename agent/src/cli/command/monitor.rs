//! `monitor`: go on sampling, and tell when a finding appears, changes or ends; keep dumps, push profiles and send
//! alerts meanwhile.

use crate::cli::allocated::AllocatedAt;
use crate::cli::format::Kind;
use crate::cli::request::{Meanwhile, Request, Selection};
use crate::cli::sinks::{Account, Alerting, Dumps, Metrics, Monitor, Otlp, Push, Responding};
use crate::cli::{Outcome, output, session, target};
use crate::pipeline::Sink;

/// Samples until told to stop, then reports.
pub(in crate::cli) fn run(request: &Request, meanwhile: &Meanwhile) -> Outcome {
    let Meanwhile { dumps, pushed, metering, exported, alerts, responses, .. } = meanwhile;
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Monitor::new(request))];
    if let Some(kept) = dumps {
        sinks.push(Box::new(Dumps::new(kept, request)));
    }
    if let Some(metrics) = Metrics::wanted(metering, None)? {
        sinks.push(Box::new(metrics));
    }
    let mut accounts: Vec<Account> = Vec::new();
    for push in Push::all(pushed)? {
        accounts.push(push.account());
        sinks.push(Box::new(push));
    }
    if let Some(exported) = exported {
        let otlp = Otlp::new(exported, request, None)?;
        accounts.extend(otlp.accounts().map(|(_, account)| account));
        sinks.push(Box::new(otlp));
    }
    let mut alerted = Vec::new();
    if let Some(alerts) = alerts {
        let alerting = Alerting::open(alerts, request)?;
        alerted = alerting.accounts();
        sinks.push(Box::new(alerting));
    }
    if let Some(responses) = responses {
        sinks.push(Box::new(Responding::open(responses, request)?));
    }
    // Where servers are the source, it is said when they are asked.
    let asks_others = matches!(
        request.selection,
        Selection::Urls(_) | Selection::Datadog(_) | Selection::Stored(_)
    );
    if !accounts.is_empty() && !asks_others {
        target::warn(&pushed.settings);
    }
    let allocated = AllocatedAt::wanted(request, None);
    if let Some(allocated) = &allocated {
        sinks.push(Box::new(allocated.clone()));
    }
    let seen = session::run(request, sinks);
    accounts.iter().for_each(Account::tell);
    for account in alerted {
        output::say(format_args!("{}", account.sum()));
    }
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
