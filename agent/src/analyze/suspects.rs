//! Why the leak of goroutines is not proven: who holds what they wait on, as a walk of the heap found it.

use std::num::NonZeroUsize;

use crate::model::{
    Assessment, Finding, FrameId, HeldWaits, Member, StackId, SuspectWait, Suspects, Verdict,
    WaitClass, WaitHolder,
};

/// So many findings are asked about; those beyond are suspects all the same.
const MAX_FINDINGS: usize = 256;
/// What so many goroutines wait on is asked for: an even part of each finding's.
const MAX_WAITS: usize = 1 << 17;

/// Whether there is a finding of goroutines whose leak is not proven: who holds what they wait on is worth a walk.
#[must_use]
pub fn has_suspects(assessment: &Assessment) -> bool {
    let mut findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
    findings.any(|finding| is_open(finding, assessment))
}

/// The goroutines of each finding, in the order of [`hold_waits`]; nobody where none is open.
#[must_use]
pub fn suspects(assessment: &Assessment) -> Vec<Suspects> {
    if !has_suspects(assessment) {
        return Vec::new();
    }
    let findings = assessment.judgement.iter().flat_map(|judgement| &judgement.findings);
    let findings: Vec<&Finding> = findings.collect();
    let open = findings.iter().filter(|finding| is_open(finding, assessment)).count();
    let room = MAX_WAITS / open.clamp(1, MAX_FINDINGS);
    let mut asked = 0;
    let of = |finding: &&Finding| {
        let is_asked = is_open(finding, assessment) && asked < MAX_FINDINGS;
        asked += usize::from(is_asked);
        of_finding(finding, assessment, if is_asked { room } else { 0 })
    };
    findings.iter().map(of).collect()
}

/// Whether a finding is of goroutines that wait on something known, and is not proven.
fn is_open(finding: &Finding, assessment: &Assessment) -> bool {
    let waits = |group: &usize| {
        let waits = assessment.groups.get(*group).is_some_and(|group| group.wait.is_for_others());
        waits && assessment.members.of_group(*group).any(|member| !member.objects.is_empty())
    };
    finding.verdict < Verdict::Proven && finding.groups().iter().any(waits)
}

fn of_finding(finding: &Finding, assessment: &Assessment, room: usize) -> Suspects {
    let members = |group: &usize| {
        let wait = assessment.groups.get(*group).map(|group| group.wait);
        assessment.members.of_group(*group).map(move |member| (wait, member))
    };
    let members = || finding.groups().iter().flat_map(members);
    let goids = members().map(|(_, member)| member.goid).collect();
    let waiting = || members().filter(|(_, member)| !member.objects.is_empty());
    let step = NonZeroUsize::new(room).map(|room| waiting().count().div_ceil(room.get()).max(1));
    let wait = |(wait, member): (Option<WaitClass>, Member<'_>)| SuspectWait {
        goid: member.goid,
        objects: member.objects.to_vec(),
        is_channel: matches!(
            wait,
            Some(WaitClass::ChanSend | WaitClass::ChanReceive | WaitClass::Select)
        ),
    };
    let waits = step.map(|step| waiting().step_by(step).map(wait).collect());
    Suspects { goids, waits: waits.unwrap_or_default() }
}

/// Adds who holds what goroutines wait on to the findings of which a walk was asked about them.
pub fn hold_waits(assessment: &mut Assessment, held: Vec<HeldWaits>) {
    let Some(judgement) = &assessment.judgement else { return };
    let ids: Vec<String> = judgement.findings.iter().map(|finding| finding.id.clone()).collect();
    let mut told = held;
    for (place, held) in told.iter_mut().enumerate() {
        held.by.iter_mut().for_each(|held| tell(&mut held.way, &ids, place, assessment));
    }
    let Some(judgement) = &mut assessment.judgement else { return };
    for (finding, held) in judgement.findings.iter_mut().zip(told) {
        if let Some(leak) = finding.goroutines_mut().filter(|_| held.looked_at > 0) {
            leak.held = Some(held);
        }
    }
}

/// Says of goroutines that hold something what they do, and which finding is about them.
fn tell(way: &mut WaitHolder, ids: &[String], own: usize, assessment: &Assessment) {
    let WaitHolder::Path(_, Some(goroutines)) = way else { return };
    let suspects = goroutines.suspects.filter(|suspects| *suspects != own);
    goroutines.finding = suspects.and_then(|place| ids.get(place).cloned());
    let group = goroutines.goids.first().and_then(|goid| assessment.members.group(*goid));
    let of_finding = || {
        let findings = &assessment.judgement.as_ref()?.findings;
        findings.get(suspects?)?.goroutines().map(|leak| leak.group)
    };
    if let Some(group) = group.or_else(of_finding).and_then(|group| assessment.groups.get(group)) {
        goroutines.wait = Some(group.wait);
        goroutines.at = group.blocked_at.or_else(|| outermost(assessment, group.stack?));
    }
}

/// The outermost frame of a stack: what all else is called from.
fn outermost(assessment: &Assessment, stack: StackId) -> Option<FrameId> {
    assessment.stacks.frames_of(stack).last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::model::{
        Amount, HeapHolder, HeldPath, HeldWait, HolderKind, HoldingGoroutines, Subject,
    };
    use crate::sample::leaking;

    fn judged() -> Assessment {
        let mut window = Window::default();
        for second in 0..40 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        judged.expect("observed")
    }

    #[test]
    fn all_that_leak_are_suspects_with_what_they_wait_on() {
        let mut assessment = judged();
        assert!(has_suspects(&assessment));
        let asked = suspects(&assessment);
        assert_eq!(asked.len(), 1);
        assert_eq!((asked[0].goids.len(), asked[0].waits.len()), (780, 780));
        let wait = SuspectWait { goid: 100, objects: vec![0x00c0_0001_2345], is_channel: true };
        assert_eq!(asked[0].waits[0], wait);
        // What is proven needs no other reason.
        let judgement = assessment.judgement.as_mut().expect("judged");
        judgement.findings[0].verdict = Verdict::Proven;
        assert!(!has_suspects(&assessment) && suspects(&assessment).is_empty());
    }

    #[test]
    fn what_is_asked_of_many_findings_is_an_even_part_of_each() {
        let mut assessment = judged();
        let judgement = assessment.judgement.as_mut().expect("judged");
        let one = judgement.findings[0].clone();
        judgement.findings = vec![one; 300];
        let asked = suspects(&assessment);
        assert_eq!(asked.len(), 300);
        // 131,072 / 256 = 512, so every second of 780.
        assert!(asked[..256].iter().all(|set| set.waits.len() == 390));
        assert!(asked[256..].iter().all(|set| set.waits.is_empty() && set.goids.len() == 780));
    }

    #[test]
    fn of_goroutines_that_hold_something_is_said_what_they_do() {
        let mut assessment = judged();
        let listener = HoldingGoroutines { goids: vec![1], ..HoldingGoroutines::default() };
        let holder = HeapHolder::of(HolderKind::Goroutines, None, 1, Amount::default());
        let path = HeldPath { holder, steps: Vec::new() };
        let way = WaitHolder::Path(path, Some(listener));
        let by = vec![HeldWait { way, goroutines: 31 }];
        hold_waits(&mut assessment, vec![HeldWaits { by, looked_at: 40, ..HeldWaits::default() }]);
        let finding = &assessment.judgement.as_ref().expect("judged").findings[0];
        let Subject::Goroutines(leak) = &finding.subject else { panic!("no goroutines") };
        let held = leak.held.as_ref().expect("it was asked for");
        let WaitHolder::Path(_, Some(goroutines)) = &held.by[0].way else { panic!("no path") };
        assert_eq!((goroutines.wait, &goroutines.finding), (Some(WaitClass::IoWait), &None));
        let at = assessment.stacks.lookup(goroutines.at.expect("it is known")).expect("a name");
        assert!(at.function.ends_with("AcceptForever"), "{}", at.function);
        // Nobody was looked at: nothing is said.
        let mut assessment = judged();
        hold_waits(&mut assessment, vec![HeldWaits::default()]);
        let finding = &assessment.judgement.as_ref().expect("judged").findings[0];
        assert!(finding.goroutines().is_some_and(|leak| leak.held.is_none()));
    }
}
