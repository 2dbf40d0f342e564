//! Less than everything: an assessment with some of its groups, and the findings among those.

use std::collections::HashMap;
use std::sync::Arc;

use super::compare::Line;
use super::settings::Filter;
use crate::model::{Assessment, FrameId, Group, StackTable, WaitClass};

/// Keeps some groups. Totals and coverage stay those of the whole process.
fn narrow(assessment: &mut Assessment, mut keep: impl FnMut(&Group) -> bool) {
    // The new place of each group that stays.
    let mut places = HashMap::new();
    let mut place = 0;
    let groups = std::mem::take(&mut assessment.groups);
    assessment.members = Arc::default();
    for (index, group) in groups.into_iter().enumerate() {
        if keep(&group) {
            places.insert(index, place);
            place += 1;
            assessment.groups.push(group);
        }
    }
    let Some(judgement) = &mut assessment.judgement else { return };
    judgement.findings.retain_mut(|finding| {
        // A filter of groups says nothing of memory.
        let Some(leak) = finding.goroutines_mut() else { return true };
        leak.groups = leak.groups.iter().filter_map(|index| places.get(index).copied()).collect();
        let first = places.get(&leak.group).or(leak.groups.first()).copied();
        leak.group = first.unwrap_or_default();
        leak.parts.retain_mut(|part| moved(&places, &mut part.group));
        first.is_some()
    });
    judgement.lineage.retain_mut(|line| {
        line.parent = line.parent.and_then(|parent| places.get(&parent).copied());
        moved(&places, &mut line.group)
    });
    let idle = std::mem::take(&mut judgement.idle_groups).into_iter();
    judgement.idle_groups =
        idle.filter_map(|(group, why)| Some((*places.get(&group)?, why))).collect();
    if let Some(rise) = &mut judgement.rise {
        rise.groups.retain_mut(|rising| moved(&places, &mut rising.group));
    }
}

/// Gives a group its new place; whether it stays.
fn moved(places: &HashMap<usize, usize>, group: &mut usize) -> bool {
    let place = places.get(group);
    *group = place.copied().unwrap_or_default();
    place.is_some()
}

/// Keeps the groups that a filter lets pass. How many goroutines are in them; `None` where every one
/// passes.
pub fn filtered(assessment: &mut Assessment, filter: &Filter) -> Option<u64> {
    if filter.is_open() {
        return None;
    }
    let stacks = Arc::clone(&assessment.stacks);
    narrow(assessment, |group| filter.lets_pass(functions(group, &stacks).into_iter()));
    Some(assessment.groups.iter().map(|group| group.count).sum())
}

/// Whether a filter lets any group pass.
#[must_use]
pub fn has_match(assessment: &Assessment, filter: &Filter) -> bool {
    let stacks = &assessment.stacks;
    let passes = |group| filter.lets_pass(functions(group, stacks).into_iter());
    filter.is_open() || assessment.groups.iter().any(passes)
}

/// Keeps the stacks at which at least `threshold` goroutines stood all the time.
pub fn persistent(assessment: &mut Assessment, threshold: u64) {
    narrow(assessment, |group| group.wait.is_blocked() && group.stuck >= threshold);
}

/// Keeps those that wait for channels, at lines where at least `threshold` do.
pub fn channels(assessment: &mut Assessment, threshold: u64) {
    let is_channel = |group: &Group| {
        matches!(
            group.wait,
            WaitClass::ChanSend
                | WaitClass::ChanReceive
                | WaitClass::NilChannel
                | WaitClass::Select
                | WaitClass::EmptySelect
        )
    };
    let stacks = Arc::clone(&assessment.stacks);
    let line = |group: &Group| {
        let at = group.blocked_at.and_then(|frame| Line::of(&stacks, frame));
        at.map(|at| (at.file, at.line))
    };
    let mut at_line: HashMap<_, u64> = HashMap::new();
    for group in assessment.groups.iter().filter(|group| is_channel(group)) {
        *at_line.entry((group.wait, line(group))).or_default() += group.count;
    }
    narrow(assessment, |group| {
        is_channel(group)
            && at_line.get(&(group.wait, line(group))).is_some_and(|&count| count >= threshold)
    });
}

/// The functions of a group's stack and its creator.
#[must_use]
pub fn functions<'a>(group: &Group, stacks: &'a StackTable) -> Vec<&'a str> {
    let frames = group.stack.map_or(&[][..], |stack| stacks.frames_of(stack));
    let name = |frame: &FrameId| stacks.lookup(*frame).ok().map(|frame| frame.function);
    frames.iter().chain(&group.created_by).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::settings::Rule;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::model::{Lineage, Part};
    use crate::sample::leaking;

    fn judged() -> Assessment {
        let mut window = Window::default();
        for second in 0..30 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
    }

    #[test]
    fn channels_keep_lines_with_enough() {
        let mut few = judged();
        channels(&mut few, 581);
        assert!(few.groups.is_empty());
        let mut enough = judged();
        channels(&mut enough, 580);
        assert_eq!(enough.groups.len(), 1);
        assert_eq!(enough.groups[0].wait, WaitClass::ChanSend);
        assert_eq!(enough.totals.goroutines, 583);
    }

    #[test]
    fn findings_follow_their_groups() {
        let mut assessment = judged();
        let leak = |assessment: &Assessment| {
            let findings = &assessment.judgement.as_ref().expect("judged").findings;
            findings
                .iter()
                .map(|finding| finding.goroutines().expect("goroutines").group)
                .collect::<Vec<_>>()
        };
        let signature = assessment.groups[0].signature.clone();
        // The group comes first here; put another before it.
        assert!(leak(&assessment).iter().all(|&at| at < assessment.groups.len()));
        let judgement = assessment.judgement.as_mut().expect("judged");
        judgement.lineage = (0..2).map(|group| Lineage { group, parent: Some(1) }).collect();
        let [leaking, other] = [0, 1].map(|group| Part { group, count: 1, entry: None });
        judgement.findings[0].goroutines_mut().expect("goroutines").parts = vec![other, leaking];
        narrow(&mut assessment, |group| group.signature == signature);
        assert!(leak(&assessment).iter().all(|&at| at == 0));
        let judgement = assessment.judgement.as_ref().expect("judged");
        assert_eq!(judgement.lineage, [Lineage { group: 0, parent: None }]);
        assert_eq!(judgement.findings[0].goroutines().expect("goroutines").parts, [leaking]);
        let exclude = vec![Rule::new("main.leak*", None)];
        filtered(&mut assessment, &Filter { exclude, ..Filter::default() });
        assert!(assessment.groups.is_empty() && leak(&assessment).is_empty());
    }
}
