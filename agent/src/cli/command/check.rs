//! `check`: take one sample, report, end.

use crate::cli::exit::Exit;
use crate::cli::judging::FailOn;
use crate::cli::request::Request;
use crate::cli::{Outcome, session};
use crate::model::{Assessment, Level};

/// Takes one sample of each target, and fails on the number of goroutines too.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let seen = session::sample_once(request)?;
    let assessments = &seen.assessments;
    let too_many = assessments.iter().any(|seen| is_too_many(seen, request.fail_on));
    let exit = seen.report(request)?;
    Ok(if too_many { Exit::Findings } else { exit })
}

/// Whether there are more goroutines than --fail-on allows.
fn is_too_many(assessment: &Assessment, fail_on: FailOn) -> bool {
    let level = assessment.level().unwrap_or(Level::Normal);
    match fail_on {
        FailOn::Never => false,
        FailOn::Low | FailOn::Medium => level >= Level::Moderate,
        FailOn::High => level >= Level::High,
        _ => level >= Level::Critical,
    }
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
