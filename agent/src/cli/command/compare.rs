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

use difference::Difference;

/// Compares two saved inputs, or now with what comes after a command, a time or the Enter key.
pub(in crate::cli) fn run(common: &Common, how: &Compare) -> Outcome {
    let difference = match (&how.before, &how.after) {
        (Some(before), Some(after)) => Difference::of(&Known::read(before)?, &Known::read(after)?),
        _ => look_twice(common, how)?,
    };
    let top = (!common.all).then_some(common.top);
    output::put(common, |out| match common.format {
        Format::Json => difference.write_json(out),
        Format::Terminal | Format::Html => difference.write(top, out),
    })?;
    Ok(Exit::Done)
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
            eprintln!("{} ended with {status}", program.to_string_lossy());
        }
    } else if let Some(time) = how.wait {
        thread::sleep(time);
    } else {
        eprintln!("Enter looks again and compares");
        // The end of the input is as good as a key.
        io::stdin().lock().skip_until(b'\n').map_err(Failure::Terminal)?;
    }
    Ok(())
}
