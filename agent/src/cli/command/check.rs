//! `check`: look once, report, end.

use super::watch::Seen;
use crate::cli::Outcome;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::judging::FailOn;
use crate::cli::request::Request;
use crate::cli::target::{self, Target};
use crate::collect::CollectError;
use crate::model::{Assessment, Level};
use crate::pipeline::Look;

/// Looks once at each target, and fails on their number too.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let seen = look(request)?;
    let assessments = &seen.assessments;
    let too_many = assessments.iter().any(|seen| is_too_many(seen, request.fail_on));
    let exit = seen.report(request)?;
    Ok(if too_many { Exit::Findings } else { exit })
}

/// Whether there are more goroutines than are put up with.
fn is_too_many(assessment: &Assessment, fail_on: FailOn) -> bool {
    let level = assessment.judgement.as_ref().map_or(Level::Normal, |judgement| judgement.level);
    match fail_on {
        FailOn::Never => false,
        FailOn::Low | FailOn::Medium => level >= Level::Moderate,
        FailOn::High => level >= Level::High,
        _ => level >= Level::Critical,
    }
}

/// Looks once at each target. One look leaves probes nothing to watch: there are none.
pub(super) fn look(request: &Request) -> Result<Seen, Failure> {
    let mut targets = target::attach(request)?;
    let mut assessments = Vec::new();
    for target in &mut targets.attached {
        match last(target) {
            Ok(look) => assessments.push((*look.assessment).clone()),
            Err(source) => targets.failures.push(Failure::of(target.pid, source)),
        }
    }
    Ok(Seen { assessments, earlier: Vec::new(), failures: targets.failures, asked: targets.asked })
}

/// The one look; of what was saved, the last.
fn last(target: &mut Target) -> Result<Look, CollectError> {
    let mut last = target.observer.look()?.ok_or(CollectError::Ended)?;
    while target.is_saved
        && let Some(look) = target.observer.look()?
    {
        last = look;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    #[test]
    fn a_level_is_held_against_a_severity() {
        let mut settings = Settings::default();
        settings.thresholds.goroutines = [5, 10, 50];
        let mut window = Window::default();
        window.push(&leaking(20).observe(0));
        let high = judge(&window, &settings, &mut CodeFiles::default()).expect("observed");
        assert!(is_too_many(&high, FailOn::Medium) && is_too_many(&high, FailOn::High));
        assert!(!is_too_many(&high, FailOn::Likely) && !is_too_many(&high, FailOn::Critical));
        settings.thresholds.goroutines = [5, 10, 20];
        let critical = judge(&window, &settings, &mut CodeFiles::default()).expect("observed");
        assert!(is_too_many(&critical, FailOn::Likely) && !is_too_many(&critical, FailOn::Never));
    }
}
