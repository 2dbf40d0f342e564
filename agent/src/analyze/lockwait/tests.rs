use super::*;
use crate::model::WaitClass::{self, Cond, Mutex, RwMutex, Sleep, WaitGroup};
use crate::model::{LockNode, StackView, Waiter};
use crate::sample::Sample;

const A: u64 = 0xc000_0010;
const B: u64 = 0xc000_0020;
const C: u64 = 0xc000_0030;

fn look(sample: &Sample) -> LockGraph {
    Locks::default().look(&sample.observe(20))
}

fn lock(graph: &LockGraph, object: u64) -> &LockNode {
    graph.lock(object).expect("it is contended")
}

fn held_by(graph: &LockGraph, object: u64) -> Option<u64> {
    lock(graph, object).holder.as_ref().map(|holder| holder.goid)
}

/// Each circle as pairs of a goroutine and what it waits for.
fn cycles(graph: &LockGraph) -> Vec<Vec<(u64, u64)>> {
    let pairs = |cycle: &Vec<Waiter>| cycle.iter().map(|it| (it.goid, it.object)).collect();
    graph.cycles.iter().map(pairs).collect()
}

/// 1 holds A and wants B, 2 holds B and wants A.
fn opposite_order() -> Sample {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, B), 15, &[(A, 1), (B, 2)]);
    sample.wants(2, (Mutex, A), 15, &[(B, 1), (A, 2)]);
    sample
}

#[test]
fn nobody_waits_for_long() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 0, &[(A, 3)]);
    sample.wants(2, (WaitClass::ChanSend, B), 100, &[]);
    assert_eq!(look(&sample), LockGraph::default());
}

#[test]
fn whoever_mentions_a_lock_and_does_not_wait_for_it_holds_it() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 2, &[(A, 2)]);
    sample.wants(2, (Mutex, A), 0, &[(A, 2)]);
    sample.wants(3, (WaitClass::ChanReceive, C), 9, &[(A, 1)]);
    let graph = look(&sample);
    let node = lock(&graph, A);
    assert_eq!((node.kind, node.waiting, node.waiters.as_slice()), (Mutex, 2, &[1, 2][..]));
    assert_eq!(node.oldest, Some(Duration::from_secs(2)));
    let holder = node.holder.as_ref().expect("there is one");
    assert_eq!(holder.goid, 3);
    assert_eq!(holder.doing, "waits to receive from channel 0xc0000030");
    assert_eq!(holder.at, "main.f3 (/src/bank.go:33)");
    assert!(graph.cycles.is_empty());
}

#[test]
fn several_who_may_hold_a_lock_are_none() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 2, &[(A, 2)]);
    sample.wants(3, (Sleep, 0), 9, &[(A, 1)]);
    sample.wants(4, (Sleep, 0), 9, &[(A, 1)]);
    assert_eq!(held_by(&look(&sample), A), None);
    // Unless one of them only made the other and gave it the lock.
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 2, &[(A, 2)]);
    sample.wants(3, (Sleep, 0), 9, &[(A, 1)]);
    sample.wants(4, (Sleep, 0), 9, &[(A, 1)]).parent = std::num::NonZeroU64::new(3);
    assert_eq!(held_by(&look(&sample), A), Some(4));
}

#[test]
fn two_in_opposite_order() {
    let graph = look(&opposite_order());
    assert_eq!(cycles(&graph), [[(1, B), (2, A)]]);
    assert_eq!((held_by(&graph, A), held_by(&graph, B)), (Some(1), Some(2)));
    assert_eq!(graph.cycles[0][0].at, "main.f1 (/src/bank.go:33)");
    assert_eq!(graph.cycle_of(1), Some(graph.cycles[0].as_slice()));
    assert_eq!(graph.cycle_of(3), None);
}

#[test]
fn a_ring_of_three_with_others_behind_it() {
    let mut sample = Sample::new();
    for (goid, mine, next) in [(1, A, B), (2, B, C), (3, C, A)] {
        sample.wants(goid, (Mutex, next), 5, &[(mine, 1), (next, 2)]);
    }
    // These wait for one lock and mean to take another later.
    sample.wants(7, (Mutex, A), 4, &[(A, 2), (B, 1)]);
    sample.wants(8, (Mutex, B), 4, &[(B, 2), (A, 1)]);
    let graph = look(&sample);
    assert_eq!(cycles(&graph), [[(1, B), (2, C), (3, A)]], "{graph:?}");
}

#[test]
fn a_circle_beside_others_who_know_a_lock_takes_longer_to_tell() {
    let after = |seconds: u64| {
        let mut sample = Sample::new();
        sample.wants(1, (Mutex, B), seconds, &[(A, 1), (B, 2)]);
        sample.wants(2, (Mutex, A), seconds, &[(B, 1), (A, 2)]);
        sample.wants(9, (Sleep, 0), 15, &[(A, 1)]);
        cycles(&look(&sample)).len()
    };
    assert_eq!((after(5), after(10)), (0, 1));
}

#[test]
fn a_lock_that_passes_on_is_part_of_no_circle() {
    let mut sample = opposite_order();
    sample.wants(3, (Mutex, A), 12, &[]);
    let mut locks = Locks::default();
    assert_eq!(locks.look(&sample.observe(20)).cycles.len(), 1);
    // 3 has got it, while the others wait on.
    let graph = locks.look(&opposite_order().observe(21));
    assert_eq!(
        (graph.cycles.len(), lock(&graph, A).passes, lock(&graph, B).passes),
        (0, true, false)
    );
    assert_eq!(locks.look(&opposite_order().observe(22)).cycles.len(), 0);
    // Since then nothing moved, and both began to wait later.
    assert_eq!(locks.look(&opposite_order().observe(40)).cycles.len(), 1);
}

#[test]
fn a_waiter_that_waits_again_has_had_the_lock() {
    for (waits_for, passes) in [(15, false), (3, true)] {
        let waiting = |seconds| {
            let mut sample = Sample::new();
            sample.wants(1, (Mutex, A), seconds, &[]);
            sample
        };
        let mut locks = Locks::default();
        locks.look(&waiting(5).observe(20));
        let mut again = waiting(waits_for);
        again.wants(2, (Mutex, A), 20, &[]);
        assert_eq!(lock(&locks.look(&again.observe(30)), A).passes, passes);
    }
}

#[test]
fn a_lock_taken_twice() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 5, &[(A, 3)]);
    sample.wants(2, (Mutex, A), 5, &[(A, 2)]);
    let graph = look(&sample);
    assert_eq!(cycles(&graph), [[(1, A)]]);
    assert_eq!(held_by(&graph, A), Some(1));

    // One call explains two mentions, unless a calling function keeps one.
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 5, &[(A, 2)]);
    assert!(look(&sample).cycles.is_empty());
    sample.mentions[0].outer = 1;
    assert_eq!(cycles(&look(&sample)), [[(1, A)]]);

    // Somebody else may hold it: one who mentions it, or one whose stack could not be searched.
    let mut known = Sample::new();
    known.wants(1, (Mutex, A), 5, &[(A, 3)]);
    known.wants(2, (Sleep, 0), 5, &[(A, 1)]);
    assert!(look(&known).cycles.is_empty());
    sample.add(9, Sleep, StackView::Torn).seen_for = Some(Duration::from_secs(9));
    assert!(look(&sample).cycles.is_empty());
}

#[test]
fn a_lock_taken_twice_takes_longer_to_tell_where_not_all_stacks_were_searched() {
    let after = |seconds: u64| {
        let mut sample = Sample::new();
        sample.wants(1, (Mutex, A), seconds, &[(A, 3)]);
        let mut observation = sample.observe(20);
        observation.coverage.stacks_unsearched = 9;
        cycles(&Locks::default().look(&observation)).len()
    };
    assert_eq!((after(5), after(10)), (0, 1));
}

#[test]
fn a_ring_of_hundreds_is_counted_and_not_drawn() {
    let mut sample = Sample::new();
    for goid in 1..=300 {
        let next = 0x1000 + (goid % 300) * 16;
        sample.wants(goid, (Mutex, next), 5, &[(0x1000 + (goid - 1) * 16, 1), (next, 2)]);
    }
    let graph = look(&sample);
    assert_eq!((graph.cycles.len(), graph.more_cycles), (0, 1));
}

#[test]
fn one_who_was_born_after_the_wait_began_holds_nothing() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 5, &[(A, 3)]);
    sample.add(9, Sleep, StackView::Torn).seen_for = Some(Duration::from_secs(1));
    assert_eq!(cycles(&look(&sample)), [[(1, A)]]);
}

#[test]
fn a_reader_that_reads_again_behind_a_writer() {
    let mut sample = Sample::new();
    sample.wants(1, (RwMutex, A), 5, &[(A, 2)]).reason = Sample::reads();
    sample.wants(2, (RwMutex, A), 5, &[(A, 1)]);
    sample.wants(3, (RwMutex, A), 5, &[(A, 1)]).reason = Sample::reads();
    assert_eq!(cycles(&look(&sample)), [[(1, A), (2, A)]]);
}

#[test]
fn a_wait_group_below_a_lock() {
    let mut sample = Sample::new();
    sample.wants(1, (WaitGroup, B), 5, &[(A, 2), (B, 1)]);
    sample.wants(2, (Mutex, A), 5, &[(A, 2), (B, 1)]).parent = std::num::NonZeroU64::new(1);
    assert_eq!(cycles(&look(&sample)), [[(1, B), (2, A)]]);
    // Another worker may hold the lock as well.
    sample.add(3, Sleep, StackView::Torn).seen_for = Some(Duration::from_secs(5));
    assert!(look(&sample).cycles.is_empty());
}

#[test]
fn idle_workers_are_no_circle() {
    let mut sample = Sample::new();
    sample.wants(1, (WaitGroup, B), 50, &[(A, 1)]);
    for goid in 2..6 {
        sample.wants(goid, (Cond, A), 50, &[(B, 1)]);
    }
    let graph = look(&sample);
    assert!(graph.cycles.is_empty());
    assert_eq!((held_by(&graph, A), held_by(&graph, B)), (None, None));
}

#[test]
fn a_graph_shows_so_many_locks_and_circles() {
    let mut sample = Sample::new();
    for pair in 0..400 {
        let (left, right) = (0x1000 + pair * 32, 0x1010 + pair * 32);
        sample.wants(2 * pair + 1, (Mutex, right), 5, &[(left, 1)]);
        sample.wants(2 * pair + 2, (Mutex, left), 5, &[(right, 1)]);
    }
    let graph = look(&sample);
    assert_eq!((graph.locks.len(), graph.more), (256, 544));
    assert_eq!((graph.cycles.len(), graph.more_cycles), (64, 336));
    assert_eq!(graph.cycles[0].len(), 2);
}

#[test]
fn a_group_gets_its_circle_and_its_holder() {
    let mut window = crate::analyze::Window::default();
    window.push(&opposite_order().observe(20));
    let graph = window.lock_graph().expect("there was a look").clone();
    let assessment = crate::analyze::assess(&window).expect("there was a look");
    for group in &assessment.groups {
        let wait = of_group(&graph, group);
        assert_eq!(wait.cycle.len(), 2, "{group:?}");
        let holder = wait.likely_holder.map(|holder| holder.goid);
        assert_eq!(holder.map(|goid| 3 - goid), group.goids_sample.first().copied());
    }
}
