//! What was done to prove that goroutines leak, and what it showed.

use crate::model::{ProofAttempt, ProofCoverage, ProofMethod, ProofRun};
use crate::report::format::{count, counted, duration};

/// What was read.
const fn how(method: ProofMethod) -> &'static str {
    match method {
        ProofMethod::Clone => "read in a clone of the process",
        ProofMethod::Freeze => "read while the process stood still",
    }
}

/// What proofs have shown; whether something is missing stands beside it.
#[must_use]
pub fn proof(proof: &ProofCoverage) -> (bool, String) {
    let proven = (proof.proven > 0)
        .then(|| format!("{} proven to leak", counted(proof.proven, "goroutine", "goroutines")));
    let (is_lacking, latest) = latest(&proof.latest);
    let contradicted = (proof.contradicted > 0).then(|| {
        format!(
            "{} that had been proven ran again, which is a defect of leak-agent",
            proof.contradicted
        )
    });
    let is_lacking = is_lacking || contradicted.is_some();
    let parts: Vec<_> = proven.into_iter().chain(contradicted).chain([latest]).collect();
    (is_lacking, parts.join("; "))
}

fn latest(attempt: &ProofAttempt) -> (bool, String) {
    match attempt {
        ProofAttempt::NoCandidate => {
            (false, "no other goroutine has been blocked for long enough to be proven".to_owned())
        }
        ProofAttempt::AllReachable { candidates, .. } => (
            false,
            format!(
                "what {} for can still be reached",
                others(
                    *candidates,
                    "other blocked goroutine waits",
                    "other blocked goroutines wait"
                ),
            ),
        ),
        ProofAttempt::Done(run) => done(run),
        ProofAttempt::Refused { why } => (true, format!("nothing was proven: {why}")),
        ProofAttempt::Failed { why } => (true, format!("a proof failed: {why}")),
    }
}

fn others(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("the {one}"),
        _ => format!("the {} {many}", count(number)),
    }
}

fn done(run: &ProofRun) -> (bool, String) {
    let ProofRun { method, pause, candidates, reachable, gaps, .. } = run;
    let mut text = format!(
        "{} of {} can still be reached ({}, pause {})",
        count(*reachable),
        counted(*candidates, "blocked goroutine", "blocked goroutines"),
        how(*method),
        duration(*pause),
    );
    for gap in gaps {
        text.push_str("; ");
        text.push_str(gap);
    }
    (!gaps.is_empty(), text)
}
