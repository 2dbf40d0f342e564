//! Where most goroutines pass, and who creates whom.

use rustc_hash::FxHashMap;

use super::life::Life;
use crate::model::function::Origin;
use crate::model::{FrameId, Group, HotPath, Lineage, NameId, StackTable};

/// Functions that are named.
const HOT: usize = 20;
/// Groups that the tree names.
const NAMED: usize = 1_000;

/// The functions of the user's code that most goroutines have on their stacks, most first. A function
/// that calls itself counts once a goroutine.
pub(super) fn hot(groups: &[Group], stacks: &StackTable) -> Vec<HotPath> {
    let mut counts: FxHashMap<NameId, (FrameId, u64)> = FxHashMap::default();
    let mut own: Vec<NameId> = Vec::new();
    for group in groups {
        own.clear();
        for &frame in group.stack.map_or(&[][..], |stack| stacks.frames_of(stack)) {
            let Some(function) = stacks.function(frame) else { continue };
            let is_users = stacks.origin(frame).is_some_and(Origin::is_outside_go);
            if is_users && !stacks.is_wrapper(frame) && !own.contains(&function) {
                own.push(function);
                counts.entry(function).or_insert((frame, 0)).1 += group.count;
            }
        }
    }
    let mut hot: Vec<_> = counts.into_iter().collect();
    let order = |(a, (_, more)): &(NameId, (FrameId, u64)),
                 (b, (_, less)): &(NameId, (FrameId, u64))| {
        less.cmp(more).then_with(|| stacks.text(*a).cmp(stacks.text(*b)))
    };
    if hot.len() > HOT {
        hot.select_nth_unstable_by(HOT, order);
        hot.truncate(HOT);
    }
    hot.sort_unstable_by(order);
    hot.into_iter().map(|(_, (frame, goroutines))| HotPath { frame, goroutines }).collect()
}

/// Which group created which: the largest groups, each with the group that one of its creators is in
/// now. `None` for those whose creators are gone, or that nobody created.
pub(super) fn lineage(groups: &[Group], lives: &[Life]) -> Vec<Lineage> {
    let named = groups.iter().zip(lives).enumerate().take(NAMED);
    named
        .filter(|(_, (group, _))| group.created_by.is_some())
        .map(|(index, (_, life))| Lineage {
            group: index,
            parent: life.parent_group.map(|parent| parent as usize),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::model::{StackView, WaitClass};
    use crate::sample::Sample;

    #[test]
    fn hot_functions_and_who_created_whom() {
        let mut sample = Sample::new();
        let run = ("main.run", "/src/main.go", 5);
        let worker = sample.stack(&[("main.work", "/src/main.go", 9), run, run]);
        let boss = sample.stack(&[("main.boss", "/src/main.go", 3), run]);
        let site = sample.frame("main.boss", "/src/main.go", 2);
        for goid in 10..13 {
            let one = sample.add(goid, WaitClass::ChanReceive, StackView::Read(worker));
            one.created_by = Some(site);
            one.parent = NonZeroU64::new(2);
        }
        sample.add(2, WaitClass::Select, StackView::Read(boss)).created_by = Some(site);
        let mut window = Window::default();
        window.push(&sample.observe(0));
        let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default())
            .expect("something was observed");
        let judgement = assessment.judgement.expect("it is judged");
        let name = |hot: &HotPath| {
            let frame = assessment.stacks.lookup(hot.frame).expect("it has a name");
            (frame.function.to_owned(), hot.goroutines)
        };
        let hot: Vec<_> = judgement.hot_paths.iter().map(name).collect();
        let expected = [("main.run", 4), ("main.work", 3), ("main.boss", 1)];
        assert_eq!(hot, expected.map(|(function, count)| (function.to_owned(), count)));
        assert_eq!(
            judgement.lineage,
            [Lineage { group: 0, parent: Some(1) }, Lineage { group: 1, parent: None }]
        );
    }
}
