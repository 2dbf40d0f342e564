//! Whom a report is of, over which window, and how much of it was seen.

use crate::model::{Assessment, Build, ForcedCollection, Subjects, WindowSpan};
use crate::report::format::{counted, date, duration};
use crate::report::json::time;
use crate::report::view::GapKind;

/// How an executable was built: `stripped, PIE`.
#[must_use]
pub fn build(build: Build) -> String {
    let said = [(build.stripped, "stripped"), (build.pie, "PIE"), (build.cgo, "cgo")];
    let said: Vec<_> = said.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
    if said.is_empty() { "with symbols".to_owned() } else { said.join(", ") }
}

/// What a report looks at, and what it does not.
#[must_use]
pub const fn scope(assessment: &Assessment) -> &'static str {
    match (assessment.subjects(), &assessment.resources) {
        (Subjects { goroutines: true, memory: true }, Some(_)) => {
            "goroutines, memory, descriptors, threads, mappings and child processes"
        }
        (Subjects { goroutines: true, memory: true }, None) if assessment.memory.is_none() => {
            "goroutines alone: the source tells nothing of memory or resources"
        }
        (Subjects { goroutines: true, memory: true }, None) => {
            "goroutines and figures of memory, not descriptors or connections"
        }
        (Subjects { goroutines: true, memory: false }, _) => {
            "goroutines alone: memory, descriptors, threads, mappings and child processes were not looked at \
             (--goroutines-only)"
        }
        (Subjects { goroutines: false, memory: true }, _) => {
            "memory, descriptors, threads, mappings and child processes alone: goroutines were not looked at \
             (--memory-only)"
        }
        (Subjects { goroutines: false, memory: false }, _) => {
            "nothing: the saved samples have no part of what is asked for"
        }
    }
}

/// What a verdict is of, where it is not of everything: ` of goroutines alone`.
#[must_use]
pub const fn of_what(subjects: Subjects) -> &'static str {
    match subjects {
        Subjects { goroutines: true, memory: false } => " of goroutines alone",
        Subjects { goroutines: false, .. } => " of memory and resources alone",
        Subjects { goroutines: true, memory: true } => "",
    }
}

/// That memory was to be looked at, and the source tells nothing of it; `None` where it does.
#[must_use]
pub fn memory_unseen(assessment: &Assessment) -> Option<String> {
    let is_unseen = assessment.subjects().memory && !assessment.known().memory;
    let but = match assessment.coverage.forced {
        Some(ForcedCollection::Measured(_)) => " but what forced collections left",
        _ => "",
    };
    is_unseen.then(|| format!("memory: the source tells nothing of it{but}; analyze by PID does"))
}

/// Why what alone was to be looked at could not be judged.
#[must_use]
pub const fn nothing_known(subjects: Subjects) -> &'static str {
    match subjects.memory {
        true => "nothing is known of its memory and resources",
        false => "neither its goroutines nor its memory were looked at",
    }
}

/// How many goroutines there are, or that nobody looked: `34 goroutines`.
#[must_use]
pub fn goroutines(assessment: &Assessment) -> String {
    match assessment.goroutines() {
        Some(count) => counted(count, "goroutine", "goroutines"),
        None => "goroutines not looked at".to_owned(),
    }
}

/// How much a window holds: `1 sample`, `30 samples in 29.0s`.
#[must_use]
pub fn window(window: &WindowSpan) -> String {
    let samples = counted(window.observations, "sample", "samples");
    match window.observations {
        1 => samples,
        _ => format!("{samples} in {}", duration(window.duration)),
    }
}

/// The same, and when it ended: `1 sample at 2026-11-20 08:00:02 UTC`.
#[must_use]
pub fn window_and_end(window: &WindowSpan) -> String {
    let text = self::window(window);
    let Some(last) = time(window.last) else { return text };
    let at = if window.observations == 1 { "at" } else { "until" };
    format!("{text} {at} {}", date(&last))
}

/// What is not seen whole, to follow a number of them.
#[must_use]
pub const fn gap(kind: GapKind) -> &'static str {
    match kind {
        GapKind::Running => "running (no readable stack)",
        GapKind::Torn => "torn",
        GapKind::NotUnwound => "not unwound",
        GapKind::Unnamed => "frames without a name",
        GapKind::Dropped => "events dropped",
        GapKind::Unmoved => "unmoved since the sample before",
        GapKind::Retried => "read again",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_window_of_one_sample_has_no_length() {
        let mut span = WindowSpan {
            observations: 1,
            first: Timestamp::from_unix_ns(0),
            last: Timestamp::from_unix_ns(29_000_000_000),
            duration: Duration::ZERO,
        };
        assert_eq!(window_and_end(&span), "1 sample at 1970-01-01 00:00:29 UTC");
        (span.observations, span.duration) = (30, Duration::from_secs(29));
        assert_eq!(window(&span), "30 samples in 29.0s");
        assert_eq!(window_and_end(&span), "30 samples in 29.0s until 1970-01-01 00:00:29 UTC");
    }

    #[test]
    fn a_build_is_what_it_is_not_too() {
        let plain = Build { stripped: false, pie: false, cgo: false };
        assert_eq!(build(plain), "with symbols");
        assert_eq!(build(Build { stripped: true, cgo: true, ..plain }), "stripped, cgo");
    }
}
