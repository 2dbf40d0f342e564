//! What a judgement comes to, in the sentences that every form of the report for people shares.

use std::collections::BTreeMap;

use super::words::{self, FrameText};
use crate::model::{
    Assessment, CauseClass, Coverage, Evidence, Finding, Forecast, Group, Growth, Holder,
    Judgement, Score, StackId, StackTable, Turnover, Verdict,
};

/// What was found: how many of each verdict; or that nothing was, and within which bounds.
#[must_use]
pub fn result(assessment: &Assessment, judgement: &Judgement) -> String {
    if judgement.findings.is_empty() {
        return nothing(assessment);
    }
    let of = |verdict: Verdict| {
        let count = judgement.findings.iter().filter(|found| found.verdict == verdict).count();
        (count > 0).then(|| format!("{} {}", words::count(count as u64), verdict.name()))
    };
    let counts = [Verdict::Proven, Verdict::Likely, Verdict::Suspect].into_iter().filter_map(of);
    let findings = words::counted(judgement.findings.len() as u64, "finding");
    format!("{findings}: {}", counts.collect::<Vec<_>>().join(", "))
}

/// Never an all-clear beyond what was looked at.
fn nothing(assessment: &Assessment) -> String {
    let read = words::counted(assessment.coverage.goroutines_read, "goroutine");
    let window = &assessment.window;
    match window.observations {
        1 => format!("no leak found in one look at {read}: whether any grow takes more looks"),
        looks => format!(
            "no leak found in {} over {read} ({})",
            words::duration(window.duration),
            words::counted(looks, "look"),
        ),
    }
}

/// What nobody could judge, and why: a sentence each.
#[must_use]
pub fn not_judged(coverage: &Coverage, judgement: &Judgement) -> Vec<String> {
    let mut said = Vec::new();
    let unread = coverage.goroutines_seen.saturating_sub(coverage.goroutines_read);
    if unread > 0 {
        let whose = if unread == 1 { "its stack" } else { "their stacks" };
        let unread = words::counted(unread, "goroutine");
        said.push(format!("{unread}: {whose} could not be read in the last look"));
    }
    // Detectors that lack the same thing share a sentence.
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for lacking in &judgement.not_enough {
        by_reason.entry(&lacking.reason).or_default().push(&lacking.detector);
    }
    for (reason, detectors) in by_reason {
        said.push(format!("{}: {reason}", detectors.join(", ")));
    }
    said
}

/// Goroutines that were looked at and left out, most first: `13 goroutines: idle worker pool (12),
/// listener (1)`. `None` where there are none.
#[must_use]
pub fn left_out(judgement: &Judgement) -> Option<String> {
    let mut idle: Vec<_> = judgement.idle.iter().filter(|&(_, &count)| count > 0).collect();
    idle.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
    let all = idle.iter().fold(0_u64, |sum, &(_, &count)| sum.saturating_add(count));
    let whys = idle.iter().map(|&(why, &count)| format!("{why} ({})", words::count(count)));
    let whys = whys.collect::<Vec<_>>().join(", ");
    (all > 0).then(|| format!("{}: {whys}", words::counted(all, "goroutine")))
}

/// What one detector said, and which.
#[must_use]
pub fn evidence(evidence: &Evidence) -> String {
    format!("{}: {}", evidence.detector, evidence.says)
}

/// `+50.0/s (49.1 to 50.9), linear`.
#[must_use]
pub fn growth(growth: &Growth) -> String {
    format!(
        "{} ({:.1} to {:.1}), {}",
        words::growth(growth.per_second),
        growth.low,
        growth.high,
        growth.pattern.name(),
    )
}

/// `182,189 in an hour (180,000 to 184,000)`.
#[must_use]
pub fn forecast(forecast: &Forecast) -> String {
    let Forecast { in_1h, low, high } = *forecast;
    let [in_1h, low, high] = [in_1h, low, high].map(words::count);
    format!("{in_1h} in an hour ({low} to {high})")
}

/// `100 came, 0 left; 4 stood still all the while`.
#[must_use]
pub fn turnover(turnover: &Turnover) -> String {
    let Turnover { arrived, left, stuck, .. } = *turnover;
    let [arrived, left, stuck] = [arrived, left, stuck].map(words::count);
    format!("{arrived} came, {left} left; {stuck} stood still all the while")
}

/// The parts of a score with the most that each can be, in their order in the schema.
#[must_use]
pub const fn score_parts(score: Score) -> [(&'static str, u8, u8); 5] {
    [
        ("memory", score.memory, 25),
        ("count", score.count, 20),
        ("growth", score.growth, 25),
        ("blocking", score.blocking, 20),
        ("scheduler", score.scheduler, 10),
    ]
}

/// For how long the longest has been blocked: `≥44.1s` unless a probe saw its beginning. "At least
/// nothing" says nothing, and is `None`.
#[must_use]
pub fn oldest(finding: &Finding, group: Option<&Group>) -> Option<String> {
    let exact = group.is_some_and(|group| group.exact);
    let oldest = finding.oldest.filter(|oldest| exact || !oldest.is_zero())?;
    let least = if exact { "" } else { "≥" };
    Some(format!("{least}{}", words::duration(oldest)))
}

/// Who probably holds a lock, and what it does.
#[must_use]
pub fn holder(holder: &Holder) -> String {
    let Holder { goid, doing, at, is_stuck: _ } = holder;
    let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
    match doing.is_empty() {
        true => format!("goroutine {goid}, probably{at}"),
        false => format!("goroutine {goid}, probably: {doing}{at}"),
    }
}

/// Those who called the creator of a group's goroutines, innermost first. The runtime, which is
/// below everybody, is left out.
#[must_use]
pub fn callers(stacks: &StackTable, creation_stack: StackId) -> Vec<FrameText> {
    let callers = stacks.frames_of(creation_stack).get(1..).unwrap_or(&[]);
    let callers = callers.iter().map(|&frame| words::frame(stacks, frame));
    callers.filter(|caller| !caller.runtime).collect()
}

/// What a class means, for those who do not know the field's words.
#[must_use]
pub const fn class_meaning(class: CauseClass) -> &'static str {
    match class {
        CauseClass::ChannelSend => "they send, and nobody receives",
        CauseClass::ChannelReceive => "they receive, and nobody sends or closes",
        CauseClass::ChannelNil => "the channel was never made: they wait for ever",
        CauseClass::Select => "no case of their select comes true",
        CauseClass::SelectEmpty => "a select without cases: they wait for ever",
        CauseClass::Mutex => "the mutex that they lock is not unlocked",
        CauseClass::Rwmutex => "the RWMutex that they lock is not unlocked",
        CauseClass::Cond => "nobody signals the condition that they wait for",
        CauseClass::Waitgroup => "the wait group that they wait for lacks a Done",
        CauseClass::DeadlockCycle => "they wait for each other in a circle",
        CauseClass::ContextNotCancelled => "nobody cancels the context that they wait for",
        CauseClass::NetworkIo => "the network brings nothing, and nothing ends the wait",
        CauseClass::Timer => "a ticker, timer or sleep loop is never stopped",
        CauseClass::Loop => "they run for ever",
        CauseClass::RuntimeInternal => "something that the runtime calls does not return",
        CauseClass::SyscallOrCgo => "a system call or C does not return",
        CauseClass::NotClosed => "something is made again and again, and never closed",
        CauseClass::Unknown => "of no kind that is known",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::NotEnough;
    use crate::report::judged;

    fn judgement(assessment: &Assessment) -> &Judgement {
        assessment.judgement.as_ref().expect("it is judged")
    }

    #[test]
    fn findings_are_counted_by_verdict() {
        let assessment =
            judged::assessment(vec![judged::leak(), judged::suspect(1), judged::suspect(2)]);
        assert_eq!(result(&assessment, judgement(&assessment)), "3 findings: 1 likely, 2 suspect");
    }

    #[test]
    fn nothing_found_is_bounded_by_what_was_looked_at() {
        let mut assessment = judged::assessment(Vec::new());
        assert_eq!(
            result(&assessment, judgement(&assessment)),
            "no leak found in 2.0s over 44 goroutines (2 looks)"
        );
        assessment.window.observations = 1;
        assessment.window.duration = Duration::ZERO;
        assert_eq!(
            result(&assessment, judgement(&assessment)),
            "no leak found in one look at 44 goroutines: whether any grow takes more looks"
        );
    }

    #[test]
    fn detectors_that_lack_the_same_share_a_sentence() {
        let mut assessment = judged::assessment(Vec::new());
        let judged = assessment.judgement.as_mut().expect("it is judged");
        judged.not_enough = ["trend", "steady-growth"]
            .map(|detector| NotEnough {
                detector: detector.to_owned(),
                reason: "5 looks are the least, there were 2".to_owned(),
            })
            .to_vec();
        assert_eq!(
            not_judged(&assessment.coverage, judgement(&assessment)),
            [
                "1 goroutine: its stack could not be read in the last look",
                "trend, steady-growth: 5 looks are the least, there were 2",
            ]
        );
    }

    #[test]
    fn the_longest_wait_is_a_lower_bound_unless_a_probe_saw_it_begin() {
        let mut assessment = judged::assessment(vec![judged::leak()]);
        let finding = judged::leak();
        assert_eq!(oldest(&finding, assessment.groups.first()).as_deref(), Some("≥20.0s"));
        assessment.groups[0].exact = true;
        assert_eq!(oldest(&finding, assessment.groups.first()).as_deref(), Some("20.0s"));
        let fresh = Finding { oldest: Some(Duration::ZERO), ..judged::leak() };
        assert_eq!(oldest(&fresh, None), None);
    }
}
