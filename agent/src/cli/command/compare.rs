//! `compare`: which groups are new, gone, larger or smaller.

mod difference;

use std::io::{self, BufRead as _};
use std::process::{Command, Stdio};
use std::thread;

use crate::cli::args::{Common, Compare, Format};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::known::Known;
use crate::cli::target::{self, Target};
use crate::cli::{Outcome, output, view};
use crate::collect::attach::Options;
use crate::report::words;

use difference::Difference;

/// Compares two saved inputs, or now with what comes after a command, a time or the Enter key.
pub(in crate::cli) fn run(common: &Common, how: &Compare) -> Outcome {
    let difference = match (&how.before, &how.after) {
        (Some(before), Some(after)) => {
            let (before, after) = (Known::read(before)?, Known::read(after)?);
            warn(&before, &after);
            Difference::of(&before, &after)
        }
        _ => look_twice(common, how)?,
    };
    let top = (!common.all).then_some(common.top);
    output::put(common, |out| match common.format {
        Format::Json => difference.write_json(out),
        Format::Terminal | Format::Html => difference.write(top, out),
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

fn look_twice(common: &Common, how: &Compare) -> Result<Difference, Failure> {
    let mut targets = target::attach(common, &Options::default())?;
    if targets.asked > 1 {
        return Err(Failure::OneTarget(targets.asked));
    }
    let Some(target) = targets.attached.first_mut() else {
        return Err(target::sum(targets.failures, 1).unwrap_or(Failure::NoTarget));
    };
    let before = look(target, common)?;
    if target.is_saved {
        return last(target, common, &before);
    }
    wait(how)?;
    let after = look(target, common)?;
    Ok(Difference::of(&before, &after))
}

/// With the last of what was saved.
fn last(target: &mut Target, common: &Common, before: &Known) -> Result<Difference, Failure> {
    let mut after = before.clone();
    loop {
        match look(target, common) {
            Ok(known) => after = known,
            Err(Failure::Saved { source }) if source.is_end() => break,
            Err(failure) => return Err(failure),
        }
    }
    Ok(Difference::of(before, &after))
}

fn look(target: &mut Target, common: &Common) -> Result<Known, Failure> {
    let filter = common.judging.filter()?;
    let look = target.observer.look().map_err(|source| Failure::of(target.pid, source))?;
    let mut assessment = (*look.assessment).clone();
    view::filtered(&mut assessment, &filter);
    Ok(Known::of(&assessment))
}

/// Until it is time for the second look.
fn wait(how: &Compare) -> Result<(), Failure> {
    if let Some((program, args)) = how.run.split_first() {
        let failed =
            |source| Failure::Run { command: program.to_string_lossy().into_owned(), source };
        // Standard output is for the difference alone.
        let status = Command::new(program)
            .args(args)
            .stdout(Stdio::from(io::stderr()))
            .status()
            .map_err(failed)?;
        if !status.success() {
            output::say(format_args!("{} ended with {status}", program.to_string_lossy()));
        }
    } else if let Some(time) = how.wait {
        thread::sleep(time);
    } else {
        output::say(format_args!("Enter takes the second sample and compares"));
        if io::stdin().lock().skip_until(b'\n').map_err(Failure::Stdin)? == 0 {
            return Err(Failure::NoKey);
        }
    }
    Ok(())
}
