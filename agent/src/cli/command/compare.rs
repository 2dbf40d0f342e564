//! `compare`: which groups are new, gone, larger or smaller.

mod page;

use std::io::{self, BufRead as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use crate::analyze::compare::{Difference, Moment};
use crate::analyze::view;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::request::{Comparison, Request, Until};
use crate::cli::target::{self, NamedTarget};
use crate::cli::{Outcome, moment, output};
use crate::collect::CollectError;
use crate::report::{format, json};

use page::Page;

/// Compares two saved inputs, or now with what comes after a command, a time or the Enter key. Fails
/// where a finding at or above `--fail-on` is about a group that is new or has grown.
pub(in crate::cli) fn run(request: &Request, what: &Comparison) -> Outcome {
    let (before, after) = match what {
        Comparison::Saved { before, after } => {
            let before = moment::judged(before, &request.settings)?;
            let after = moment::judged(after, &request.settings)?;
            warn(&before, &after);
            (before, after)
        }
        Comparison::Live(until) => sample_twice(request, until)?,
    };
    let difference = Difference::of(&before, &after);
    let page = Page { before: &before, after: &after, difference: &difference };
    output::put(&request.delivery, |out| match request.delivery.format.kind {
        Kind::Json => page.write_json(out),
        Kind::Text | Kind::Document => page.write(request.delivery.top, out),
    })?;
    let is_met =
        difference.findings.iter().any(|it| request.fail_on.is_met(it.verdict, it.severity));
    Ok(if is_met { Exit::Findings } else { Exit::Done })
}

/// Says what makes a comparison of two inputs doubtful.
fn warn(before: &Moment, after: &Moment) {
    if before.exe != after.exe {
        let (before, after) = (format::clean(&before.exe), format::clean(&after.exe));
        output::say(format_args!("warning: different programs: {before} before, {after} after"));
    }
    if let (Some(first), Some(second)) = (before.at, after.at)
        && first > second
    {
        let [first, second] = [first, second].map(|at| json::time(at).unwrap_or_default());
        output::say(format_args!(
            "warning: --before is of {first}, later than --after ({second}): swapped?"
        ));
    }
}

fn sample_twice(request: &Request, until: &Until) -> Result<(Moment, Moment), Failure> {
    let mut targets = target::all(request)?;
    if targets.len() > 1 {
        return Err(Failure::OneTarget { command: "compare", count: targets.len() });
    }
    let NamedTarget { target, is_saved, open, .. } = targets.pop().ok_or(Failure::NoTarget)?;
    let source = open().map_err(|source| Failure::of(target.clone(), source))?;
    let mut observer = target::observer(request)(source);
    let mut sample = || {
        let update = observer.sample().map_err(|source| Failure::of(target.clone(), source))?;
        Ok(update.map(|update| {
            let mut assessment = Arc::unwrap_or_clone(update.assessment);
            view::filtered(&mut assessment, &request.settings.filter);
            Moment::of(&assessment)
        }))
    };
    let ended = || Failure::of(target.clone(), CollectError::Ended);
    let before = sample()?.ok_or_else(ended)?;
    if is_saved {
        let mut after = before.clone();
        while let Some(moment) = sample()? {
            after = moment;
        }
        return Ok((before, after));
    }
    wait(until)?;
    let after = sample()?.ok_or_else(ended)?;
    Ok((before, after))
}

/// Until it is time for the second sample.
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
