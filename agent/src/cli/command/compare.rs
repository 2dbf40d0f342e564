//! `compare`: which groups are new, gone, larger or smaller.

mod difference;

use std::io::{self, BufRead as _};
use std::process::{Command, Stdio};
use std::thread;

use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::Known;
use crate::cli::request::{Comparison, Request, Until};
use crate::cli::target::{self, Target};
use crate::cli::{Outcome, output, view};
use crate::collect::CollectError;
use crate::report::words;

use difference::Difference;

/// Compares two saved inputs, or now with what comes after a command, a time or the Enter key.
pub(in crate::cli) fn run(request: &Request, what: &Comparison) -> Outcome {
    let difference = match what {
        Comparison::Saved { before, after } => {
            let (before, after) = (Known::read(before)?, Known::read(after)?);
            warn(&before, &after);
            Difference::of(&before, &after)
        }
        Comparison::Live(until) => look_twice(request, until)?,
    };
    output::put(&request.delivery, |out| match request.delivery.format {
        Format::Json => difference.write_json(out),
        Format::Terminal | Format::Html => difference.write(request.delivery.top, out),
    })?;
    Ok(Exit::Done)
}

/// Says what makes a comparison of two inputs doubtful.
fn warn(before: &Known, after: &Known) {
    if before.exe != after.exe {
        let (before, after) = (words::clean(&before.exe), words::clean(&after.exe));
        output::say(format_args!("warning: different programs: {before} before, {after} after"));
    }
    // Times of one form (RFC 3339, UTC) are ordered as their texts are.
    if let (Some(first), Some(second)) = (&before.at, &after.at)
        && first > second
    {
        let (first, second) = (words::clean(first), words::clean(second));
        output::say(format_args!(
            "warning: --before is of {first}, later than --after ({second}): swapped?"
        ));
    }
}

fn look_twice(request: &Request, until: &Until) -> Result<Difference, Failure> {
    let mut targets = target::attach(request)?;
    if targets.asked > 1 {
        return Err(Failure::OneTarget(targets.asked));
    }
    let Some(target) = targets.attached.first_mut() else {
        return Err(target::sum(targets.failures, 1).unwrap_or(Failure::NoTarget));
    };
    let before = now(target, request)?;
    if target.is_saved {
        return last(target, request, &before);
    }
    wait(until)?;
    let after = now(target, request)?;
    Ok(Difference::of(&before, &after))
}

/// With the last of what was saved.
fn last(target: &mut Target, request: &Request, before: &Known) -> Result<Difference, Failure> {
    let mut after = before.clone();
    while let Some(known) = look(target, request)? {
        after = known;
    }
    Ok(Difference::of(before, &after))
}

/// What is there now.
fn now(target: &mut Target, request: &Request) -> Result<Known, Failure> {
    look(target, request)?.ok_or_else(|| Failure::of(target.pid, CollectError::Ended))
}

/// `None` where the target has ended, or what was saved of it is over.
fn look(target: &mut Target, request: &Request) -> Result<Option<Known>, Failure> {
    let look = target.observer.look().map_err(|source| Failure::of(target.pid, source))?;
    Ok(look.map(|look| {
        let mut assessment = (*look.assessment).clone();
        view::filtered(&mut assessment, &request.settings.filter);
        Known::of(&assessment)
    }))
}

/// Until it is time for the second look.
fn wait(until: &Until) -> Result<(), Failure> {
    match until {
        Until::Command { program, args } => {
            let name = program.to_string_lossy();
            let failed = |source| Failure::Run { command: name.clone().into_owned(), source };
            // Standard output is for the difference alone.
            let status = Command::new(program)
                .args(args)
                .stdout(Stdio::from(io::stderr()))
                .status()
                .map_err(failed)?;
            if !status.success() {
                output::say(format_args!("{name} ended with {status}"));
            }
        }
        Until::Time(time) => thread::sleep(*time),
        Until::Enter => {
            output::say(format_args!("Enter takes the second sample and compares"));
            if io::stdin().lock().skip_until(b'\n').map_err(Failure::Stdin)? == 0 {
                return Err(Failure::NoKey);
            }
        }
    }
    Ok(())
}
