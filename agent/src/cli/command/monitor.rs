//! `monitor`: go on looking, and tell when a finding appears, changes or ends.

mod news;

use std::collections::HashMap;
use std::io::Write;
use std::sync::mpsc::Receiver;

use super::watch;
use crate::analyze::view;
use crate::cli::Outcome;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::request::Request;
use crate::watch::{Event, lines};

use news::Known;

/// Looks until told to stop, then reports.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let filter = &request.settings.filter;
    let seen = watch::watch(request, |events, _| {
        let mut out: Box<dyn Write> = match request.delivery.format.kind {
            // Here a line of JSON a look is what standard output is for.
            Kind::Json => Box::new(std::io::stdout()),
            Kind::Text | Kind::Document => watch::lines_out(request),
        };
        show(request, events, &mut out, |event| {
            let mut assessment = (*event.assessment).clone();
            view::filtered(&mut assessment, filter);
            Event { assessment: assessment.into(), ..event }
        })
    })?;
    if request.delivery.format.kind == Kind::Json && !request.delivery.has_file() {
        return seen.filtered(request).end(request);
    }
    seen.report(request)
}

fn show(
    request: &Request,
    events: &Receiver<Event>,
    out: &mut dyn Write,
    narrow: impl Fn(Event) -> Event,
) -> Result<(), Failure> {
    let mut known: HashMap<u32, Known> = HashMap::new();
    for event in events {
        let event = narrow(event);
        let news = known.entry(event.pid).or_default().news(&event.assessment);
        let written = if request.delivery.format.kind == Kind::Json {
            news::write_json(&event, &news, out)
        } else {
            let line = lines::line(&event.assessment, event.now);
            watch::write_replaced(&event, out).and_then(|()| writeln!(out, "{line}")).and_then(
                |()| {
                    news.iter()
                        .try_for_each(|news| writeln!(out, "  {}", news.line(&event.assessment)))
                },
            )
        };
        written.and_then(|()| out.flush()).map_err(Failure::Stdout)?;
    }
    Ok(())
}
