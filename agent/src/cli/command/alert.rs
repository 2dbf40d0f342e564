//! `alert test NAME`: messages that nothing has caused, and what was answered.

use std::io::{self, Write as _};
use std::time::Instant;

use crate::alert::{Moment, trial};
use crate::cli::Outcome;
use crate::cli::alerting::Alert;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::time::now;

/// Sends one message of each kind, and stops at the first that is not taken: what follows tells of the one before.
pub(in crate::cli) fn run(alert: &Alert) -> Outcome {
    let mut out = io::stdout();
    for message in trial(&alert.rule, Moment { at: Instant::now(), clock: now() }) {
        let event = message.events.first().map_or("", |event| event.event.name());
        match alert.receiver.send(&message, now()) {
            Ok(said) => writeln!(out, "{event}: {said}").map_err(Failure::Stdout)?,
            Err(error) => {
                writeln!(out, "{event}: {error}").map_err(Failure::Stdout)?;
                return Err(Failure::NotDelivered(alert.rule.name.clone()));
            }
        }
    }
    Ok(Exit::Done)
}
