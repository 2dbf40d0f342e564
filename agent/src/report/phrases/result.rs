//! What a judgement comes to: the verdict, and how well the process is.

use super::account::sum;
use super::{cut_short, held, of_what};
use crate::model::{Assessment, Held, Judgement, Level, Verdict};
use crate::report::format;

/// What was found: how many of each verdict; or that nothing was, and within which bounds.
#[must_use]
pub fn result(assessment: &Assessment, judgement: &Judgement) -> String {
    if judgement.findings.is_empty() {
        return nothing(assessment, judgement);
    }
    let of = |verdict: Verdict| {
        let count = judgement.findings.iter().filter(|found| found.verdict == verdict).count();
        (count > 0).then(|| format!("{} {}", format::count(count as u64), verdict.name()))
    };
    let counts = [Verdict::Proven, Verdict::Likely, Verdict::Suspect].into_iter().filter_map(of);
    let findings = format::counted(judgement.findings.len() as u64, "finding", "findings");
    let more = match judgement.unlisted {
        0 => String::new(),
        more => format!("; and {} more that are not listed, none worse", format::count(more)),
    };
    format!("{findings}: {}{more}", counts.collect::<Vec<_>>().join(", "))
}

/// Never an all-clear beyond what was sampled.
fn nothing(assessment: &Assessment, judgement: &Judgement) -> String {
    let open = match open(assessment, judgement) {
        Some(open) => format!("; {} of all are not analysed", format::count(open)),
        None => String::new(),
    };
    if assessment.coverage.has_read_none() {
        let seen = format::counted(assessment.coverage.goroutines_seen, "goroutine", "goroutines");
        return format!("no verdict: of {seen} no stack could be read");
    }
    let subjects = assessment.subjects();
    let read = format::counted(assessment.coverage.goroutines_read, "goroutine", "goroutines");
    // What was looked through for leaks.
    let over = if subjects.goroutines { &*read } else { "memory and resources" };
    let heap = heap_is_open(assessment, judgement).map_or_else(String::new, |rise| {
        format!(
            "; whether its heap leaks is open: {} more on it, too few collections",
            format::bytes(rise)
        )
    });
    if let Some(held) = assessment.held.filter(Held::is_mostly) {
        return format!("no verdict on {over}: {}", held::held(&held));
    }
    if let Some(cut_short) = cut_short(assessment) {
        return format!("no verdict on {over}: {cut_short}");
    }
    let window = &assessment.window;
    match window.observations {
        1 => format!("no leak found in one sample of {over}{open}"),
        samples => format!(
            "no leak found in {} over {over} ({}){open}{heap}",
            format::duration(window.duration),
            format::counted(samples, "sample", "samples"),
        ),
    }
}

/// Whether nothing was found, and there was enough to judge by for that to be believed.
#[must_use]
pub fn is_well(assessment: &Assessment, judgement: &Judgement) -> bool {
    judgement.findings.is_empty()
        && !assessment.coverage.has_read_none()
        && assessment.health().is_some()
        && open(assessment, judgement).is_none()
        && heap_is_open(assessment, judgement).is_none()
}

/// By how many bytes the heap rose, where too few collections were seen to tell whether it leaks.
fn heap_is_open(assessment: &Assessment, judgement: &Judgement) -> Option<u64> {
    let objects = assessment.memory.as_ref()?.objects;
    let objects = objects.filter(|_| judgement.lacks_collections())?;
    let rise = objects.to_bytes.saturating_sub(objects.from_bytes);
    (rise >= MIN_RISE).then_some(rise)
}

/// What every program's heap may rise by between two collections, and nobody is told.
const MIN_RISE: u64 = 4 << 20;

/// How many goroutines are not analysed, where they are so many that a verdict says little.
fn open(assessment: &Assessment, judgement: &Judgement) -> Option<u64> {
    let open = sum(judgement.not_analysed.values().copied());
    let many = open >= MANY_OPEN && open.saturating_mul(10) >= assessment.totals.goroutines;
    many.then_some(open)
}

/// Fewer goroutines that are not analysed, or fewer than a tenth, take nothing from a verdict.
const MANY_OPEN: u64 = 10;

/// How well the process is: `12 of 100`, and what else speaks of that.
#[must_use]
pub fn health(assessment: &Assessment, judgement: &Judgement) -> String {
    let mut health = assessment.health().map_or_else(
        || {
            let is_held = assessment.held.is_some_and(|held| held.is_mostly());
            match (assessment.coverage.has_read_none(), cut_short(assessment)) {
                (true, _) => "not judged: no stack could be read".to_owned(),
                (false, Some(cut_short)) if !is_held => format!("not judged: {cut_short}"),
                _ => "not judged: the process could not run, or hardly".to_owned(),
            }
        },
        |health| format!("{health} of 100{}", of_what(assessment.known())),
    );
    if assessment.level() > Some(Level::Normal) {
        let goroutines = format::counted(assessment.totals.goroutines, "goroutine", "goroutines");
        health
            .push_str(&format!(", {} number of goroutines: {goroutines}", judgement.level.name()));
    }
    if let Some([moderate, ..]) = judgement.raised {
        let from = format::count(moderate);
        health
            .push_str(&format!(", moderate from {from} goroutines on by what has long been usual"));
    }
    if let Some(rise) = &judgement.rise {
        let by = format::growth(rise.per_second);
        health.push_str(&format!(", and the number of goroutines rises: {by}"));
    }
    health
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::judged;

    #[test]
    fn of_goroutines_without_a_stack_there_is_no_verdict() {
        let mut assessment = judged::assessment(Vec::new());
        let judgement = assessment.judgement.clone().expect("it is judged");
        assert!(result(&assessment, &judgement).starts_with("no leak found"));
        (assessment.coverage.goroutines_seen, assessment.coverage.goroutines_read) = (5, 0);
        let said = result(&assessment, &judgement);
        assert_eq!(said, "no verdict: of 5 goroutines no stack could be read");
        assert!(!is_well(&assessment, &judgement));
        assert_eq!(assessment.health(), None);
    }
}
