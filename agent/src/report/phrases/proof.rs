//! What was done to prove that goroutines leak, and what it showed.

use crate::model::{KeptHeap, ProofAttempt, ProofCoverage, ProofMethod, ProofRun};
use crate::report::format::{bytes, count, counted, duration};

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
    let kept = proof.kept.as_ref().filter(|kept| proof.proven > 0 && kept.bytes() > 0).map(kept);
    let parts = proven.into_iter().chain(kept).chain(contradicted).chain([latest]);
    let parts: Vec<_> = parts.collect();
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

/// What the proven keep.
fn kept(kept: &KeptHeap) -> String {
    let all = bytes(kept.bytes());
    match kept.shared_bytes {
        0 => format!("{all} of heap that they alone keep"),
        shared => format!(
            "{all} of heap that they alone keep, {} of it for several kinds of them",
            bytes(shared)
        ),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeptAlone;

    #[test]
    fn what_the_proven_keep_is_said_and_what_they_share() {
        let mut proof = ProofCoverage {
            latest: ProofAttempt::NoCandidate,
            held: 1,
            proven: 2,
            contradicted: 0,
            kept: Some(KeptHeap {
                alone: vec![KeptAlone { goid: 7, bytes: 3 << 20 }],
                shared_bytes: 0,
            }),
        };
        let said = super::proof(&proof).1;
        assert!(said.contains("; 3.0 MiB of heap that they alone keep; "), "{said}");
        if let Some(kept) = &mut proof.kept {
            kept.shared_bytes = 1 << 20;
        }
        let said = super::proof(&proof).1;
        assert!(said.contains("4.0 MiB of heap that they alone keep, 1.0 MiB of it for"), "{said}");
        proof.proven = 0;
        assert!(!super::proof(&proof).1.contains("keep"), "none is there any more");
    }
}
