use super::*;
use crate::model::WaitClass::{self, Cond, Mutex, RwMutex, Sleep, WaitGroup};
use crate::model::{Channel, Doing, FrameId, LockNode, StackView, Waiter};
use crate::sample::Sample;

const A: u64 = 0xc000_0010;
const B: u64 = 0xc000_0020;
const C: u64 = 0xc000_0030;

/// The function of a line.
fn function(sample: &Sample, at: Option<FrameId>) -> String {
    let stacks = sample.observe(0).stacks;
    stacks.lookup(at.expect("a line")).expect("a name").function.to_owned()
}

fn graph_of(sample: &Sample) -> LockGraph {
    next(&mut Locks::default(), &sample.observe(20))
}

/// The graph of the next sample, in which each goroutine is a group of its own.
fn next(locks: &mut Locks, observation: &Observation) -> LockGraph {
    let groups: Vec<u32> = (0..).take(observation.goroutines.len()).collect();
    locks.observe(observation, &groups, Duration::ZERO).0
}

/// How all goroutines together stand after 20 seconds, as one group.
fn stand(sample: &Sample) -> Standing {
    let observation = sample.observe(20);
    let groups = vec![0; observation.goroutines.len()];
    let (_, mut standings) =
        Locks::default().observe(&observation, &groups, Duration::from_secs(10));
    standings.remove(&0).unwrap_or_default()
}

fn lock(graph: &LockGraph, object: u64) -> &LockNode {
    graph.lock(object).expect("it is contended")
}

fn held_by(graph: &LockGraph, object: u64) -> Option<u64> {
    lock(graph, object).holder.as_ref().map(|holder| holder.goid)
}

/// Each cycle as pairs of a goroutine and what it waits for.
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
    assert_eq!(graph_of(&sample), LockGraph::default());
}

#[test]
fn whoever_mentions_a_lock_and_does_not_wait_for_it_holds_it() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 2, &[(A, 2)]);
    sample.wants(2, (Mutex, A), 0, &[(A, 2)]);
    sample.wants(3, (WaitClass::ChanReceive, C), 9, &[(A, 1)]);
    let graph = graph_of(&sample);
    let node = lock(&graph, A);
    assert_eq!((node.kind, node.waiting, node.waiters.as_slice()), (Mutex, 2, &[1, 2][..]));
    assert_eq!(node.oldest, Some(Duration::from_secs(2)));
    let holder = node.holder.as_ref().expect("there is one");
    assert_eq!(holder.goid, 3);
    let class = WaitClass::ChanReceive;
    assert_eq!(holder.doing, Doing::Wait { class, object: Some(C), in_cycle: false });
    assert_eq!(function(&sample, holder.at), "main.f3");
    assert!(graph.cycles.is_empty());
}

#[test]
fn several_who_may_hold_a_lock_are_none() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 2, &[(A, 2)]);
    sample.wants(3, (Sleep, 0), 9, &[(A, 1)]);
    sample.wants(4, (Sleep, 0), 9, &[(A, 1)]);
    assert_eq!(held_by(&graph_of(&sample), A), None);
    // Unless one of them only made the other and gave it the lock.
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 2, &[(A, 2)]);
    sample.wants(3, (Sleep, 0), 9, &[(A, 1)]);
    sample.wants(4, (Sleep, 0), 9, &[(A, 1)]).parent = NonZeroU64::new(3);
    assert_eq!(held_by(&graph_of(&sample), A), Some(4));
}

#[test]
fn two_in_opposite_order() {
    let graph = graph_of(&opposite_order());
    assert_eq!(cycles(&graph), [[(1, B), (2, A)]]);
    assert_eq!((held_by(&graph, A), held_by(&graph, B)), (Some(1), Some(2)));
    assert_eq!(function(&opposite_order(), graph.cycles[0][0].at), "main.f1");
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
    let graph = graph_of(&sample);
    assert_eq!(cycles(&graph), [[(1, B), (2, C), (3, A)]], "{graph:?}");
}

#[test]
fn a_cycle_beside_others_who_know_a_lock_takes_longer_to_tell() {
    let after = |seconds: u64| {
        let mut sample = Sample::new();
        sample.wants(1, (Mutex, B), seconds, &[(A, 1), (B, 2)]);
        sample.wants(2, (Mutex, A), seconds, &[(B, 1), (A, 2)]);
        sample.wants(9, (Sleep, 0), 15, &[(A, 1)]);
        cycles(&graph_of(&sample)).len()
    };
    assert_eq!((after(5), after(10)), (0, 1));
}

#[test]
fn a_lock_that_passes_on_is_part_of_no_cycle() {
    let mut sample = opposite_order();
    sample.wants(3, (Mutex, A), 12, &[]);
    let mut locks = Locks::default();
    assert_eq!(next(&mut locks, &sample.observe(20)).cycles.len(), 1);
    // 3 has got it, while the others wait on.
    let graph = next(&mut locks, &opposite_order().observe(21));
    assert_eq!(
        (graph.cycles.len(), lock(&graph, A).passes, lock(&graph, B).passes),
        (0, true, false)
    );
    assert_eq!(next(&mut locks, &opposite_order().observe(22)).cycles.len(), 0);
    // Since then nothing moved, and both began to wait later.
    assert_eq!(next(&mut locks, &opposite_order().observe(40)).cycles.len(), 1);
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
        next(&mut locks, &waiting(5).observe(20));
        let mut again = waiting(waits_for);
        again.wants(2, (Mutex, A), 20, &[]);
        assert_eq!(lock(&next(&mut locks, &again.observe(30)), A).passes, passes);
    }
}

#[test]
fn a_lock_taken_twice() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 5, &[(A, 3)]);
    sample.wants(2, (Mutex, A), 5, &[(A, 2)]);
    let graph = graph_of(&sample);
    assert_eq!(cycles(&graph), [[(1, A)]]);
    assert_eq!(held_by(&graph, A), Some(1));

    // One call explains two mentions, unless a calling function keeps one.
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 5, &[(A, 2)]);
    assert!(graph_of(&sample).cycles.is_empty());
    sample.mentions[0].outer = 1;
    assert_eq!(cycles(&graph_of(&sample)), [[(1, A)]]);

    // Somebody else may hold it: one who mentions it, or one whose stack could not be searched.
    let mut known = Sample::new();
    known.wants(1, (Mutex, A), 5, &[(A, 3)]);
    known.wants(2, (Sleep, 0), 5, &[(A, 1)]);
    assert!(graph_of(&known).cycles.is_empty());
    sample.add(9, Sleep, StackView::Torn).seen_for = Some(Duration::from_secs(9));
    assert!(graph_of(&sample).cycles.is_empty());
}

#[test]
fn a_lock_taken_twice_takes_longer_to_tell_where_not_all_stacks_were_searched() {
    let after = |seconds: u64| {
        let mut sample = Sample::new();
        sample.wants(1, (Mutex, A), seconds, &[(A, 3)]);
        let mut observation = sample.observe(20);
        observation.coverage.stacks_unsearched = 9;
        cycles(&next(&mut Locks::default(), &observation)).len()
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
    let graph = graph_of(&sample);
    assert_eq!((graph.cycles.len(), graph.more_cycles), (0, 1));
}

#[test]
fn one_who_was_born_after_the_wait_began_holds_nothing() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 5, &[(A, 3)]);
    sample.add(9, Sleep, StackView::Torn).seen_for = Some(Duration::from_secs(1));
    assert_eq!(cycles(&graph_of(&sample)), [[(1, A)]]);
}

#[test]
fn a_reader_that_reads_again_behind_a_writer() {
    let mut sample = Sample::new();
    sample.wants(1, (RwMutex, A), 5, &[(A, 2)]).reason = Sample::reads();
    sample.wants(2, (RwMutex, A), 5, &[(A, 1)]);
    sample.wants(3, (RwMutex, A), 5, &[(A, 1)]).reason = Sample::reads();
    assert_eq!(cycles(&graph_of(&sample)), [[(1, A), (2, A)]]);
}

#[test]
fn a_wait_group_below_a_lock() {
    let mut sample = Sample::new();
    sample.wants(1, (WaitGroup, B), 5, &[(A, 2), (B, 1)]);
    sample.wants(2, (Mutex, A), 5, &[(A, 2), (B, 1)]).parent = NonZeroU64::new(1);
    assert_eq!(cycles(&graph_of(&sample)), [[(1, B), (2, A)]]);
    // Another worker may hold the lock as well.
    sample.add(3, Sleep, StackView::Torn).seen_for = Some(Duration::from_secs(5));
    assert!(graph_of(&sample).cycles.is_empty());
}

#[test]
fn idle_workers_are_no_cycle() {
    let mut sample = Sample::new();
    sample.wants(1, (WaitGroup, B), 50, &[(A, 1)]);
    for goid in 2..6 {
        sample.wants(goid, (Cond, A), 50, &[(B, 1)]);
    }
    let graph = graph_of(&sample);
    assert!(graph.cycles.is_empty());
    assert_eq!((held_by(&graph, A), held_by(&graph, B)), (None, None));
}

#[test]
fn a_graph_shows_so_many_locks_and_cycles() {
    let mut sample = Sample::new();
    for pair in 0..400 {
        let (left, right) = (0x1000 + pair * 32, 0x1010 + pair * 32);
        sample.wants(2 * pair + 1, (Mutex, right), 5, &[(left, 1)]);
        sample.wants(2 * pair + 2, (Mutex, left), 5, &[(right, 1)]);
    }
    let graph = graph_of(&sample);
    assert_eq!((graph.locks.len(), graph.more), (256, 544));
    assert_eq!((graph.cycles.len(), graph.more_cycles), (64, 336));
    assert_eq!(graph.cycles[0].len(), 2);
}

#[test]
fn equal_cycles_are_one_kind_with_a_count_and_an_example_of_its_own() {
    let mut sample = Sample::new();
    for pair in 0..400 {
        let (left, right) = (0x1000 + pair * 32, 0x1010 + pair * 32);
        sample.wants(2 * pair + 1, (Mutex, right), 15, &[(left, 1), (right, 2)]);
        sample.wants(2 * pair + 2, (Mutex, left), 15, &[(right, 1), (left, 2)]);
    }
    let observation = sample.observe(20);
    let groups: Vec<u32> = (0..).take(800).map(|at| at % 2).collect();
    let (graph, standings) =
        Locks::default().observe(&observation, &groups, Duration::from_secs(10));
    assert_eq!(cycles(&graph), [[(1, 0x1010), (2, 0x1000)]]);
    assert_eq!((graph.alike, graph.more_cycles), (vec![400], 0));
    let (from, to) = (&standings[&0], &standings[&1]);
    assert!(from.cycle_numbers().eq([0]) && to.cycle_numbers().eq([0]));
    let mut both = from.clone();
    both.merge(to);
    for (standing, members) in [(from, 400), (to, 400), (&both, 800)] {
        let wait = standing.lock_wait();
        assert_eq!((wait.cycles, wait.in_cycles, wait.locks), (400, members, members));
        assert_eq!((wait.lengths, wait.cycle.len()), (Some((2, 2)), 2));
        assert_eq!((wait.likely_holder, wait.holders), (None, None), "the cycle says who");
        assert_eq!(standing.stuck.count, members);
    }
}

#[test]
fn those_behind_a_cycle_wait_for_what_nobody_gives_back() {
    let mut sample = opposite_order();
    sample.wants(3, (Mutex, A), 14, &[(C, 1), (A, 2)]);
    sample.wants(4, (Mutex, C), 13, &[(C, 2)]);
    let standing = stand(&sample);
    assert_eq!((standing.in_cycles.count, standing.stuck.count), (2, 4));
    assert_eq!(standing.open.count + standing.abandoned.count + standing.passing.count, 0);
}

#[test]
fn what_a_holder_does_says_whether_it_may_give_a_lock_back() {
    for (doing, gives) in [
        (Sleep, true),
        (WaitClass::Running, true),
        (WaitClass::Syscall, true),
        (WaitClass::IoWait, true),
        (WaitClass::ChanReceive, false),
        (WaitClass::ChanSend, false),
        (WaitClass::Select, false),
        (Cond, false),
    ] {
        let mut sample = Sample::new();
        sample.wants(1, (Mutex, A), 15, &[(A, 2)]);
        sample.wants(2, (doing, C), 19, &[(A, 1)]);
        let standing = stand(&sample);
        let expected = if gives { (1, 0) } else { (0, 1) };
        assert_eq!((standing.open.count, standing.stuck.count), expected, "{doing:?}");
        let holder = standing.lock_wait().likely_holder.expect("one mentions it");
        assert_eq!((holder.goid, holder.is_stuck), (2, !gives), "{doing:?}");
    }
}

#[test]
fn a_holder_that_waits_for_a_timer_goes_on() {
    for (element_bytes, open) in [(24, 1), (8, 0)] {
        let mut sample = Sample::new();
        sample.wants(1, (Mutex, A), 15, &[(A, 2)]);
        sample.wants(2, (WaitClass::ChanReceive, C), 19, &[(A, 1)]);
        let mut observation = sample.observe(20);
        observation.channels.push(Channel {
            address: C,
            len: 0,
            cap: 1,
            element_bytes,
            closed: false,
        });
        let look = Locks::default().observe(&observation, &[0, 0], Duration::from_secs(10));
        assert_eq!(look.1[&0].open.count, open, "{element_bytes}");
    }
}

#[test]
fn one_who_waits_behind_a_sleeper_goes_on_when_it_does() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 15, &[(A, 2)]);
    sample.wants(2, (Mutex, B), 15, &[(A, 1), (B, 2)]);
    sample.wants(3, (Sleep, 0), 19, &[(B, 1)]);
    assert_eq!((stand(&sample).open.count, stand(&sample).stuck.count), (2, 0));
}

#[test]
fn a_lock_that_nobody_mentions_was_forgotten_only_where_all_stacks_were_searched() {
    let mut sample = Sample::new();
    sample.wants(1, (Mutex, A), 15, &[(A, 2)]);
    assert_eq!(stand(&sample).abandoned.count, 1);
    sample.mentions.clear();
    assert_eq!((stand(&sample).abandoned.count, stand(&sample).open.count), (0, 1));
}

#[test]
fn holders_of_several_locks_are_named_by_what_most_of_them_do() {
    let mut sample = Sample::new();
    for at in 0..10 {
        let lock = 0x1000 + 16 * at;
        sample.wants(2 * at + 1, (Mutex, lock), 15, &[(lock, 2)]);
        let doing = if at < 8 { Sleep } else { WaitClass::ChanSend };
        let stack = sample.stack(&[("main.hold", "/src/bank.go", 7)]);
        sample.wants(2 * at + 2, (doing, 0), 19, &[(lock, 1)]).stack = StackView::Read(stack);
    }
    let wait = stand(&sample).lock_wait();
    assert_eq!((wait.locks, wait.likely_holder), (10, None));
    let holders = wait.holders.expect("all are held");
    let sleeps = Doing::Wait { class: Sleep, object: None, in_cycle: false };
    assert_eq!((holders.doing, holders.waiters), (sleeps, 8));
    assert_eq!(holders.at, Some(sample.frame("main.hold", "/src/bank.go", 7)));
}
