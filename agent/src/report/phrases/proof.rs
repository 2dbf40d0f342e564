//! What was done to prove that goroutines leak, and what it showed.

use crate::model::{
    GoroutineLeak, KeptHeap, Observation, ProofAttempt, ProofCoverage, ProofMethod, ProofRun,
    ProvenBy, RuntimeAlone,
};
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

/// What leaks that are served or written down were proven over, and when where that was before the sample; or why
/// nobody knows whether there are any.
///
/// # Errors
/// The reason as a sentence, where nothing was told of the goroutines that are not proven.
pub fn proven_over(observation: &Observation) -> Result<String, String> {
    let Some(proof) = &observation.coverage.proof else {
        return Err("nothing was proven: no proof has been tried".to_owned());
    };
    let text = self::proof(proof).1;
    if !proof.latest.is_decided() {
        return Err(text);
    }
    let before = proof.decided.map(|decided| observation.elapsed.saturating_sub(decided));
    Ok(match before {
        Some(before) if !before.is_zero() => {
            format!("{text}; this was told {} before", duration(before))
        }
        _ => text,
    })
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

/// How many goroutines of a finding are proven, and whose verdict that is; `None` where none is.
#[must_use]
pub fn proven(leak: &GoroutineLeak) -> Option<String> {
    let proven = leak.proven_count.filter(|&proven| proven > 0)?;
    Some(match proven_by(leak) {
        None => format!("{} proven", count(proven)),
        Some(by) => format!("{} proven ({by})", count(proven)),
    })
}

/// Whose verdict that is, where it is not leak-agent's alone.
#[must_use]
pub fn proven_by(leak: &GoroutineLeak) -> Option<String> {
    let ProvenBy { agent, runtime, .. } = leak.proven_by;
    match (agent, runtime) {
        (_, 0) => None,
        (0, _) => Some("by Go's own profile".to_owned()),
        _ => {
            Some(format!("{} by leak-agent, {} by Go's own profile", count(agent), count(runtime)))
        }
    }
}

/// Where the runtime and leak-agent do not say the same, and why.
pub(super) fn verdicts_differ(by: ProvenBy, alone: RuntimeAlone) -> String {
    let ProvenBy { agent, both, .. } = by;
    let why = [
        (alone.main, "the main goroutine is never proven to leak"),
        (alone.other_waits, "what they wait for is never proven to be out of reach"),
        (alone.untold, "no proof has come to a result"),
        (alone.since, "they have not waited since before the latest proof"),
        (alone.in_reach, "as far as can be seen from outside, something can still reach them"),
    ];
    let why: Vec<String> = why
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, why)| format!("{} (because {why})", count(*number)))
        .collect();
    let runtime_alone =
        (!why.is_empty()).then(|| format!("Go's own profile alone reports {}", why.join(" and ")));
    let agent_alone = agent.saturating_sub(both);
    let agent_alone = (agent_alone > 0).then(|| {
        format!(
            "leak-agent alone proves {}: they have waited only since the program last made that profile, or \
             it does not find them (a blocked sender whose value leads to its own channel; some that an \
             earlier profile had, golang/go#79452)",
            count(agent_alone)
        )
    });
    let of_both = (both > 0).then(|| format!("of {} both say so", count(both)));
    [runtime_alone, agent_alone, of_both].into_iter().flatten().collect::<Vec<_>>().join("; ")
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
            decided: None,
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

    #[test]
    fn where_two_verdicts_differ_each_says_why() {
        let by = ProvenBy { agent: 5, runtime: 6, both: 3 };
        let alone = RuntimeAlone { main: 1, in_reach: 2, ..RuntimeAlone::default() };
        assert_eq!(
            verdicts_differ(by, alone),
            "Go's own profile alone reports 1 (because the main goroutine is never proven to leak) and 2 \
             (because as far as can be seen from outside, something can still reach them); leak-agent alone \
             proves 2: they have waited only since the program last made that profile, or it does not find \
             them (a blocked sender whose value leads to its own channel; some that an earlier profile had, \
             golang/go#79452); of 3 both say so"
        );
        let fewer = ProvenBy { agent: 3, runtime: 6, both: 3 };
        assert!(!verdicts_differ(fewer, alone).contains("leak-agent alone"));
    }
}
