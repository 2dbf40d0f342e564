use std::num::NonZeroU64;
use std::time::Duration;

use crate::analyze::{CodeFile, CodeFiles, Settings, Window, judge};
use crate::model::source_rule::LockMistake;
use crate::model::{
    BlockedBasis, BlockedFor, CauseClass, Finding, Judgement, Mention, Mistake, StackView,
    Suggestion, Verdict, WaitClass,
};
use crate::sample::Sample;

const LOCK: u64 = 0xc000_0010;
const FILE: &str = "/src/main.go";
const CODE: &str = "package main

func (s *settings) resolve() {
\ts.mu.RLock()
\tdefer s.mu.RUnlock()
\ts.follow()
}

func (s *settings) follow() {
\ts.mu.RLock()
\tdefer s.mu.RUnlock()
}

func (s *settings) change() {
\ts.mu.Lock()
\tdefer s.mu.Unlock()
}

func (s *settings) get() {
\ts.mu.RLock()
\tdefer s.mu.RUnlock()
}

func (s *settings) start() {
\tgo s.follow()
}

func (s *settings) put() {
\ts.mu.Lock()
\tdefer s.mu.Unlock()
\ts.shrink()
}

func (s *settings) shrink() {
\ts.mu.Lock()
\tdefer s.mu.Unlock()
}
";

/// Who waits, by goid: the lines of the stack and the wait reason.
type Waiter<'a> = (u64, &'a [(&'a str, u32)], &'a str);

const LOCKS: &str = "sync.Mutex.Lock";
const READS: &str = "sync.RWMutex.RLock";
const WRITES: &str = "sync.RWMutex.Lock";
const REREADER: Waiter<'_> =
    (7, &[("main.(*settings).follow", 10), ("main.(*settings).resolve", 6)], READS);
const WRITER: Waiter<'_> = (8, &[("main.(*settings).change", 15)], WRITES);
const READER: Waiter<'_> = (9, &[("main.(*settings).get", 20)], READS);

/// Goroutines that wait for one lock, which the goroutine that started them knows, too.
fn judged(waiters: &[Waiter<'_>]) -> Judgement {
    let mut window = Window::default();
    for now in [0, 15, 30] {
        let mut sample = Sample::new();
        let seen = Duration::from_secs(u64::from(now));
        let blocked = Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen });
        let stack = sample.stack(&[("main.main", FILE, 40)]);
        let main = sample.add(1, WaitClass::ChanReceive, StackView::Read(stack));
        (main.seen_for, main.blocked) = (Some(seen), blocked);
        sample.mentions.push(Mention { object: LOCK, goid: 1, times: 1, outer: 0 });
        for &(goid, lines, reason) in waiters {
            let frames: Vec<_> =
                lines.iter().map(|&(function, line)| (function, FILE, line)).collect();
            let stack = sample.stack(&frames);
            let objects = sample.objects(&[LOCK]);
            sample.mentions.push(Mention { object: LOCK, goid, times: 2, outer: 1 });
            let wait = if reason == LOCKS { WaitClass::Mutex } else { WaitClass::RwMutex };
            let waiter = sample.add(goid, wait, StackView::Read(stack));
            (waiter.objects, waiter.reason) = (objects, Sample::reason(reason));
            (waiter.seen_for, waiter.blocked) = (Some(seen), blocked);
            waiter.parent = NonZeroU64::new(1);
        }
        window.push(&sample.observe(now));
    }
    let mut files = CodeFiles::default();
    let file = CodeFile { path: FILE.to_owned(), text: CODE.into(), stale: false };
    files.give(FILE.to_owned(), Some(file));
    judge(&window, &Settings::default(), &mut files)
        .and_then(|assessment| assessment.judgement)
        .expect("something was observed")
}

fn cycles(judgement: &Judgement) -> Vec<Vec<u64>> {
    let ids = |cycle: &Vec<crate::model::Waiter>| cycle.iter().map(|waiter| waiter.goid).collect();
    judgement.lock_graph.cycles.iter().map(ids).collect()
}

#[test]
fn a_reader_that_reads_again_and_the_writer_in_between_are_a_cycle() {
    let judgement = judged(&[REREADER, WRITER, READER]);
    assert_eq!(cycles(&judgement), [[7, 8]]);
    let holder = judgement.lock_graph.locks[0].holder.as_ref().map(|holder| holder.goid);
    assert_eq!(holder, Some(7), "not the one that started them");
    let of_class = |class| -> Vec<&Finding> {
        judgement.findings.iter().filter(|finding| finding.class == class).collect()
    };
    let [cycle] = of_class(CauseClass::DeadlockCycle)[..] else {
        panic!("{:?}", judgement.findings)
    };
    assert_eq!((cycle.verdict, cycle.goroutine_count()), (Verdict::Likely, 2));
    let fixes = [Suggestion::Source(Mistake::Lock(LockMistake::HeldByCaller {
        lock: "s.mu".to_owned(),
        function: "follow".to_owned(),
        call: 6,
        held_since: 4,
        again: 10,
        reading: true,
    }))];
    assert_eq!(
        cycle.suggestions, fixes,
        "the writer leads, and the reader's code shows the mistake"
    );
    let [behind] = of_class(CauseClass::Rwmutex)[..] else { panic!("{:?}", judgement.findings) };
    assert_eq!(behind.verdict, Verdict::Likely);
    let holder = behind
        .goroutines()
        .expect("goroutines")
        .lock_wait
        .likely_holder
        .as_ref()
        .map(|holder| holder.goid);
    assert_eq!(holder, Some(7));
}

#[test]
fn a_reader_that_came_another_way_holds_nothing() {
    let other = (7, &[("main.(*settings).follow", 10)][..], READS);
    assert_eq!(cycles(&judged(&[other, WRITER, READER])), Vec::<Vec<u64>>::new());
}

#[test]
fn a_reader_that_reads_again_waits_for_a_writer_even_where_none_is_seen() {
    assert_eq!(cycles(&judged(&[REREADER, READER])), [[7]]);
}

/// What holds a lock alone and takes it again waits for itself, and whoever else wants it waits for that one.
#[test]
fn what_locks_again_waits_for_itself_and_others_for_it() {
    let stack: &[_] = &[("main.(*settings).shrink", 35), ("main.(*settings).put", 31)];
    let cases = [
        (LOCKS, LOCKS, CauseClass::Mutex),
        (WRITES, WRITES, CauseClass::Rwmutex),
        (WRITES, READS, CauseClass::Rwmutex),
    ];
    for (reason, behind, class) in cases {
        let waiter = if behind == READS { READER } else { (9, WRITER.1, behind) };
        let judgement = judged(&[(7, stack, reason), waiter]);
        assert_eq!(cycles(&judgement), [[7]], "{reason}");
        let found = |class| judgement.findings.iter().find(|finding| finding.class == class);
        let cycle = found(CauseClass::DeadlockCycle).expect("a deadlock");
        assert_eq!((cycle.verdict, cycle.goroutine_count()), (Verdict::Likely, 1));
        let shown = &cycle.suggestions[..];
        assert!(
            matches!(
                shown,
                [Suggestion::Source(Mistake::Lock(LockMistake::HeldByCaller { call: 31, .. }))]
            ),
            "{shown:?}"
        );
        let behind = found(class).expect("who waits behind it");
        let fix = &behind.suggestions[..];
        assert!(matches!(fix, [Suggestion::BreakDeadlock { goid: 7, at: Some(_) }]), "{fix:?}");
        let behind = behind.goroutines().expect("goroutines");
        let holder = behind.lock_wait.likely_holder.as_ref().map(|holder| holder.goid);
        assert_eq!(holder, Some(7), "not the one that started them");
    }
}

#[test]
fn of_two_that_wait_at_one_place_neither_holds_the_lock_for_sure() {
    let stack: &[_] = &[("main.(*settings).shrink", 35), ("main.(*settings).put", 31)];
    assert_eq!(cycles(&judged(&[(7, stack, LOCKS), (8, stack, LOCKS)])), Vec::<Vec<u64>>::new());
}
