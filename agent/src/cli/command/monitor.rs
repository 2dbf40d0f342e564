//! `monitor`: go on looking, and tell when a finding appears, changes or ends.

mod news;

use std::collections::HashMap;
use std::io::Write;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::watch;
use crate::cli::args::{Common, Format};
use crate::cli::failure::Failure;
use crate::cli::judging::FailOn;
use crate::cli::{Outcome, view};
use crate::watch::{Event, lines};

use news::Known;

/// From one look to the next: nobody watches a monitor's every second.
const INTERVAL: Duration = Duration::from_secs(10);

/// Looks until told to stop, then reports.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    let filter = common.judging.filter()?;
    let pace = common.pace(INTERVAL, None);
    let seen = watch::watch(common, pace, |events, _| {
        let mut out: Box<dyn Write> = match common.format {
            // Here a line of JSON a look is what standard output is for.
            Format::Json => Box::new(std::io::stdout()),
            Format::Terminal | Format::Html => watch::lines_out(common),
        };
        show(common, events, &mut out, |event| {
            let mut assessment = (*event.assessment).clone();
            view::filtered(&mut assessment, &filter);
            Event { assessment: assessment.into(), ..event }
        })
    })?;
    if common.format == Format::Json && !common.has_file() {
        return seen.filtered(common)?.end(common, FailOn::Likely);
    }
    seen.report(common, FailOn::Likely)
}

fn show(
    common: &Common,
    events: &Receiver<Event>,
    out: &mut dyn Write,
    narrow: impl Fn(Event) -> Event,
) -> Result<(), Failure> {
    let mut known: HashMap<u32, Known> = HashMap::new();
    for event in events {
        let event = narrow(event);
        let news = known.entry(event.pid).or_default().news(&event.assessment);
        let written = if common.format == Format::Json {
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
