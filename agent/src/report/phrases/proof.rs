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

/// The same as short as it can be said; `None` where there is nothing to tell.
#[must_use]
pub fn proof_in_brief(proof: &ProofCoverage) -> Option<(bool, String)> {
    let in_reach = match &proof.latest {
        ProofAttempt::AllReachable { candidates, .. } => *candidates,
        ProofAttempt::Done(run) if run.gaps.is_empty() => run.reachable,
        ProofAttempt::NoCandidate if proof.proven == 0 => return None,
        ProofAttempt::NoCandidate => 0,
        _ => return Some(self::proof(proof)),
    };
    if proof.contradicted > 0 {
        return Some(self::proof(proof));
    }
    let text = match (proof.proven, in_reach) {
        (0, 1) => "the one blocked goroutine can still be reached".to_owned(),
        (0, others) => format!("all {} blocked goroutines can still be reached", count(others)),
        (proven, 0) => format!("{} proven to leak", counted(proven, "goroutine", "goroutines")),
        (proven, others) => format!(
            "{} proven to leak, {} can still be reached",
            counted(proven, "goroutine", "goroutines"),
            counted(others, "other", "others")
        ),
    };
    Some((false, text))
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
