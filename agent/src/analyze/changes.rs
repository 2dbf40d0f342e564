//! What happened to findings from one assessment of a target to the next: what monitors and alerts tell.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::model::{Assessment, CauseClass, Finding, Severity, Verdict};

/// Something that happened to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which finding: [`Finding::id`].
    pub id: String,
    /// What happened.
    pub kind: ChangeKind,
    /// What it was before; `None` where it was none.
    pub before: Option<Weight>,
    /// What it is now; `None` where it is none any more.
    pub now: Option<Weight>,
}

/// What happened to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not there before.
    Appeared,
    /// It is surer than before, or as sure and matters more.
    Worsened,
    /// It is less sure, matters less, or is of another class.
    Changed,
    /// It is there no more.
    Ended,
}

/// What matters of a finding from assessment to assessment. The count is no part of what can change: it
/// changes with every sample.
#[derive(Clone, Copy, Debug)]
pub struct Weight {
    /// What kind of leak.
    pub class: CauseClass,
    /// How sure.
    pub verdict: Verdict,
    /// How much it matters.
    pub severity: Severity,
    /// How many goroutines.
    pub count: u64,
}

impl Weight {
    /// That of a finding.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        Self {
            class: finding.class,
            verdict: finding.verdict,
            severity: finding.severity(),
            count: finding.goroutine_count(),
        }
    }
}

impl PartialEq for Weight {
    fn eq(&self, other: &Self) -> bool {
        (self.class, self.verdict, self.severity) == (other.class, other.verdict, other.severity)
    }
}

impl Eq for Weight {}

/// What is remembered of a target from assessment to assessment. What it runs is another matter: a finding
/// of a program that executed another one has ended.
#[derive(Clone, Debug, Default)]
pub struct Changes(BTreeMap<String, Weight>);

impl Changes {
    /// What has changed since the assessment before this one, which the next is compared with: in the order
    /// of the findings, worst first, and what has ended after them.
    pub fn take(&mut self, assessment: &Assessment) -> Vec<Change> {
        let mut before = std::mem::take(&mut self.0);
        let mut changes = Vec::new();
        for finding in findings(assessment) {
            let (id, now) = (finding.id.clone(), Weight::of(finding));
            let was = before.remove(&id);
            if let Some(kind) = kind(was, now) {
                changes.push(Change { id: id.clone(), kind, before: was, now: Some(now) });
            }
            self.0.insert(id, now);
        }
        if assessment.judgement.as_ref().is_some_and(|judgement| judgement.unlisted > 0) {
            // What is not listed any more may be there still.
            self.0.extend(before);
        } else {
            changes.extend(before.into_iter().map(ended));
        }
        changes
    }

    /// What ends with the target itself.
    pub fn end(self) -> Vec<Change> {
        self.0.into_iter().map(ended).collect()
    }
}

fn ended((id, was): (String, Weight)) -> Change {
    Change { id, kind: ChangeKind::Ended, before: Some(was), now: None }
}

fn kind(before: Option<Weight>, now: Weight) -> Option<ChangeKind> {
    let Some(before) = before else { return Some(ChangeKind::Appeared) };
    if before == now {
        None
    } else if (now.verdict, now.severity) > (before.verdict, before.severity) {
        Some(ChangeKind::Worsened)
    } else {
        Some(ChangeKind::Changed)
    }
}

/// For how many assessments, one after the other, findings have been likely or proven.
#[derive(Clone, Debug, Default)]
pub struct Persistence(FxHashMap<String, u32>);

impl Persistence {
    /// Takes in the next assessment. A finding that is not at least likely in it begins anew.
    pub fn add(&mut self, assessment: &Assessment) {
        let mut before = std::mem::take(&mut self.0);
        let sure = findings(assessment).filter(|finding| finding.verdict >= Verdict::Likely);
        for finding in sure {
            let stood = before.remove(&finding.id).unwrap_or(0);
            self.0.insert(finding.id.clone(), stood.saturating_add(1));
        }
    }

    /// The longest that one has.
    #[must_use]
    pub fn longest(&self) -> u32 {
        self.0.values().copied().max().unwrap_or(0)
    }
}

fn findings(assessment: &Assessment) -> impl Iterator<Item = &Finding> {
    assessment.judgement.iter().flat_map(|judgement| &judgement.findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::sample::leaking;

    fn assessments(counts: impl IntoIterator<Item = u64>) -> Vec<Assessment> {
        let mut window = Window::default();
        let judged = |(second, leaked)| {
            window.push(&leaking(leaked).observe(second));
            judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
        };
        (0..).zip(counts).map(judged).collect()
    }

    #[test]
    fn a_finding_appears_once_worsens_and_ends_once() {
        let mut changes = Changes::default();
        let mut told = Vec::new();
        for assessment in assessments((0..40).map(|second| second * 20).chain([0])) {
            told.extend(changes.take(&assessment));
        }
        let kinds: Vec<_> = told.iter().map(|change| change.kind).collect();
        assert_eq!(
            (kinds.first(), kinds.last()),
            (Some(&ChangeKind::Appeared), Some(&ChangeKind::Ended))
        );
        let of = |kind| kinds.iter().filter(|&&it| it == kind).count();
        assert_eq!((of(ChangeKind::Appeared), of(ChangeKind::Ended)), (1, 1), "{kinds:?}");
        assert!(of(ChangeKind::Worsened) > 0, "{kinds:?}");
        for pair in told.windows(2) {
            assert_eq!(pair[0].id, pair[1].id);
            assert_eq!(pair[0].now, pair[1].before);
        }
    }

    #[test]
    fn more_goroutines_alone_are_no_change() {
        let mut last = assessments((0..40).map(|second| second * 20)).pop().expect("forty");
        let mut changes = Changes::default();
        assert_eq!(changes.take(&last).len(), 1);
        let finding = &mut last.judgement.as_mut().expect("judged").findings[0];
        finding.goroutines_mut().expect("goroutines").count += 1_000;
        assert_eq!(changes.take(&last), []);
        last.judgement.as_mut().expect("judged").findings[0].verdict = Verdict::Suspect;
        assert_eq!(changes.take(&last)[0].kind, ChangeKind::Changed);
    }

    #[test]
    fn what_falls_out_of_the_list_has_not_ended() {
        let mut last = assessments((0..40).map(|second| second * 20)).pop().expect("forty");
        let mut changes = Changes::default();
        assert_eq!(changes.take(&last).len(), 1);
        let judgement = last.judgement.as_mut().expect("judged");
        let listed = std::mem::take(&mut judgement.findings);
        judgement.unlisted = 1;
        assert_eq!(changes.take(&last), []);
        let judgement = last.judgement.as_mut().expect("judged");
        judgement.findings = listed;
        assert_eq!(changes.take(&last), [], "it was there all the time");
        let judgement = last.judgement.as_mut().expect("judged");
        (judgement.findings, judgement.unlisted) = (Vec::new(), 0);
        assert_eq!(changes.take(&last)[0].kind, ChangeKind::Ended);
    }

    #[test]
    fn what_is_likely_has_to_stand() {
        let mut persistence = Persistence::default();
        let all = assessments((0..40).map(|second| second * 20));
        let likely = |assessment: &&Assessment| {
            findings(assessment).any(|finding| finding.verdict >= Verdict::Likely)
        };
        let last = all.iter().rev().take_while(likely).count();
        assert!(last > 5, "{last}");
        for assessment in &all {
            persistence.add(assessment);
        }
        assert_eq!(persistence.longest() as usize, last);
        persistence.add(&all[0]);
        assert_eq!(persistence.longest(), 0);
    }
}
