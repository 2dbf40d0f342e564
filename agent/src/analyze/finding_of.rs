//! Which finding each goroutine of an observation is in.

use rustc_hash::FxHashMap;

use super::kind::Kind;
use super::signature::Signatures;
use crate::model::{Assessment, Goroutine, Judgement, Observation};

/// The place, among the findings, of the one that each goroutine of the last observation of an assessment
/// is in.
#[must_use]
pub fn finding_of(observation: &Observation, assessment: &Assessment) -> Vec<Option<u32>> {
    let Some(judgement) = &assessment.judgement else {
        return vec![None; observation.goroutines.len()];
    };
    let by_signature = by_signature(assessment, judgement);
    let mut signatures = Signatures::default();
    let mut known: FxHashMap<Kind, Option<u32>> = FxHashMap::default();
    let of = |goroutine: &Goroutine| {
        let kind = Kind::of(goroutine);
        *known.entry(kind).or_insert_with(|| {
            let signature =
                signatures.of(&observation.stacks, kind.stack, kind.wait, kind.created_by);
            by_signature.get(&*signature).copied()
        })
    };
    observation.goroutines.iter().map(of).collect()
}

/// A group is in one finding at most: the first that has it.
fn by_signature<'a>(assessment: &'a Assessment, judgement: &Judgement) -> FxHashMap<&'a str, u32> {
    let mut found = FxHashMap::default();
    for (place, finding) in (0..).zip(&judgement.findings) {
        for &group in finding.groups() {
            if let Some(group) = assessment.groups.get(group) {
                found.entry(group.signature.as_str()).or_insert(place);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::model::WaitClass;
    use crate::sample::leaking;

    #[test]
    fn those_that_leak_are_in_the_finding_and_no_others() {
        let mut window = Window::default();
        let seen = |second: u32| leaking(u64::from(second) * 20).observe(second);
        for second in 0..30 {
            window.push(&seen(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let last = seen(29);
        let findings = finding_of(&last, &judged.expect("observed"));
        for (goroutine, finding) in last.goroutines.iter().zip(findings) {
            assert_eq!(finding, (goroutine.wait == WaitClass::ChanSend).then_some(0));
        }
    }
}
