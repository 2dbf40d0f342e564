//! What is proven of a program that stands still, against what it says of itself: see targets/prove.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use leak_agent::golang::Program;
use leak_agent::golang::memory::{Memory, ReadError};
use leak_agent::prove::{Gap, Groups, Outcome, Settings, Still, prove};
use leak_agent_tests::stopped::Stopped;
use leak_agent_tests::{Target, each_version, target};

/// A case of the target: its name, and whether its goroutine leaks.
type Cases = BTreeMap<u64, (String, bool)>;

fn cases(target: &mut Target) -> Cases {
    let answer = target.command("expect").expect("expect");
    let case = |pair: &str| {
        let (name, rest) = pair.split_once('=').expect("a name");
        let (goid, what) = rest.split_once(':').expect("an id");
        (goid.parse().expect("an id"), (name.to_owned(), what == "leaked"))
    };
    answer.split_whitespace().map(case).collect()
}

fn proof(program: &Program, pid: u32) -> Outcome {
    let stopped = Stopped::stop(pid).expect("it is stopped");
    let still = Still { memory: program.shared_memory(), threads: stopped.threads().to_vec() };
    prove(program, &still, Settings::default()).expect("a proof")
}

fn names(cases: &Cases, goids: impl Iterator<Item = u64>) -> BTreeSet<String> {
    let name = |goid: u64| {
        cases.get(&goid).map_or_else(|| format!("another ({goid})"), |(name, _)| name.clone())
    };
    goids.map(name).collect()
}

/// Nothing is proven falsely. Gives what leaks and is not proven, and what is live and was not looked at.
fn check(what: &str, cases: &Cases, outcome: &Outcome) -> BTreeSet<String> {
    println!("{what}: {:?} {:?}", outcome.figures, outcome.gaps);
    let nothing = outcome.gaps.iter().find(|gap| matches!(gap, Gap::Nothing { .. }));
    assert_eq!(nothing, None, "{what}");
    assert!(!outcome.is_filter, "{what}");
    let leaked = |wanted: bool| {
        let of = cases.iter().filter(move |(_, (_, leaked))| *leaked == wanted);
        of.map(|(goid, _)| *goid).collect::<BTreeSet<u64>>()
    };
    let proven: BTreeSet<u64> = outcome.proven.iter().map(|it| it.goid).collect();
    let unproven: BTreeSet<u64> = outcome.unproven.iter().map(|it| it.goid).collect();
    let falsely = names(cases, proven.difference(&leaked(true)).copied());
    assert!(falsely.is_empty(), "{what}: proven falsely {falsely:?}");
    // Those that do not wait yet are not.
    let unseen = leaked(false).difference(&unproven).copied().collect::<Vec<_>>();
    assert!(leaked(true).len() > 400 && leaked(false).len() > 85, "{what}: cases are missing");
    names(cases, leaked(true).difference(&proven).copied().chain(unseen))
}

/// Whether all that leaks is proven, in one of several proofs: a thread that has just become idle may still have a
/// pointer to what it ran last.
fn is_all_proven(what: &str, program: &Program, cases: &Cases, main_waits: bool) -> bool {
    let mut missed = BTreeSet::new();
    for _ in 0..5 {
        let outcome = proof(program, program.process().pid);
        missed = check(what, cases, &outcome);
        if missed.is_empty() && outcome.main_waits == main_waits {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("{what}: not proven {missed:?}");
    false
}

/// One start of the target, with and without a goroutine that runs, and with main waiting.
fn is_all_proven_of_one(version: &str, mode: &str) -> bool {
    let path = target::path(version, mode, "prove").expect("it was built");
    let mut target = Target::start_at(path, &[""; 0]).expect("target");
    let program = Program::attach(target.pid()).expect("attach");
    let what = |when: &str| format!("{version} {mode} {when}");
    let mut is_all = is_all_proven(&what("at rest"), &program, &cases(&mut target), false);
    target.command("busy").expect("busy");
    let cases = cases(&mut target);
    is_all &= is_all_proven(&what("busy"), &program, &cases, false);
    target.command("wait").expect("wait");
    is_all && is_all_proven(&what("while main waits"), &program, &cases, true)
}

/// Words that are no pointers, where it is not known which are, may happen to lead to an object: seldom, and in each
/// start to another.
fn compare(version: &str, mode: &str) {
    let any = (0..5).any(|_| is_all_proven_of_one(version, mode));
    assert!(any, "{version} {mode}: in no start all that leaks is proven");
}

fn what_is_proven_is_what_leaks(version: &str) {
    for mode in ["exe", "stripped", "pie-stripped"] {
        compare(version, mode);
    }
}

each_version!(what_is_proven_is_what_leaks);

/// What the kinds of a start of the target keep on the heap, beside what they share: what somebody else has too is not in it.
fn is_kept_told_of_one(version: &str, mode: &str) -> bool {
    let mut target = Target::start(version, mode, "prove").expect("target");
    let program = Program::attach(target.pid()).expect("attach");
    let answer = target.command("heavy").expect("heavy");
    let kinds = ["alone", "one", "other"];
    let groups: Groups = answer
        .split_whitespace()
        .map(|pair| {
            let (kind, goid) = pair.split_once('=').expect("a kind");
            let number = kinds.iter().position(|it| *it == kind).expect("a known kind");
            (goid.parse().expect("an id"), u32::try_from(number).expect("small"))
        })
        .collect();
    let stopped = Stopped::stop(target.pid()).expect("it is stopped");
    let still = Still { memory: program.shared_memory(), threads: stopped.threads().to_vec() };
    let settings = Settings { groups: Some(&groups), ..Settings::default() };
    let outcome = prove(&program, &still, settings).expect("a proof");
    println!("{version} {mode}: {:?} {:?}", outcome.gaps, outcome.kept);
    let kept = outcome.kept.as_ref().expect("it was asked for");
    let alone = |group| kept.alone.iter().find(|it| it.0 == group).map_or(0, |it| it.1);
    // With what else is theirs: channels, and what leads to it.
    let is_about = |bytes: u64, wanted: u64| (wanted..wanted + 32 * 1024).contains(&bytes);
    // A thread that has just become idle may still have a pointer to what one of the ten has.
    let ten = alone(0);
    (is_about(ten, 640 << 10) || is_about(ten, 576 << 10))
        && is_about(alone(1), 128 << 10)
        && is_about(alone(2), 768 << 10)
        && is_about(kept.shared, 3 << 20)
}

/// Words that are no pointers may lead to what nobody has any more, as in [`compare`].
fn what_is_kept_is_told_by_kind(version: &str) {
    for mode in ["exe", "stripped"] {
        let any = (0..5).any(|_| is_kept_told_of_one(version, mode));
        assert!(any, "{version} {mode}: in no start what is kept is told");
    }
}

each_version!(what_is_kept_is_told_by_kind);

/// A process's memory in which some words are others.
struct Changed<'a> {
    memory: &'a (dyn Memory + Sync),
    words: BTreeMap<u64, u64>,
}

impl Memory for Changed<'_> {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        self.memory.read(addr, buf)?;
        let end = addr.saturating_add(buf.len() as u64);
        for (at, word) in self.words.range(addr.saturating_sub(7)..end) {
            for (at, byte) in (*at..).zip(word.to_le_bytes()) {
                if (addr..end).contains(&at) {
                    buf[(at - addr) as usize] = byte;
                }
            }
        }
        Ok(())
    }
}

/// The memory of a program at an instant at which the collector moves the stacks of all goroutines that sleep, and none of
/// what points to variables on them does so yet: see `runtime.copystack`. The status is left as it was where
/// `is_scanned` is not set.
fn while_stacks_move(program: &Program, is_scanned: bool) -> Changed<'_> {
    let memory = program.shared_memory();
    let layout = program.binary().layout.layout.g;
    let (list, count) = program.all_gs().expect("the goroutines");
    let mut addresses = Vec::new();
    list.addresses(memory, 0, count, &mut addresses).expect("their addresses");
    let mut words = BTreeMap::new();
    for g in addresses {
        let word = |offset: u32| memory.read_u64(g + u64::from(offset)).expect("a goroutine");
        let status = word(layout.status);
        let reason = program.reasons().get((word(layout.wait_reason) & 0xff) as usize);
        if status & 0xffff_ffff != 4 || reason.map(String::as_str) != Some("sleep") {
            continue;
        }
        if is_scanned {
            words.insert(g + u64::from(layout.status), status | 0x1000);
        }
        let stack = word(layout.stack_lo)..word(layout.stack_hi);
        for at in (word(layout.sched_sp)..stack.end).step_by(8) {
            let value = memory.read_u64(at).expect("a stack");
            if stack.contains(&value) {
                words.insert(at, value + (1 << 46));
            }
        }
    }
    assert!(words.len() > 20, "stacks without pointers to themselves");
    Changed { memory, words }
}

/// What is proven falsely of a memory.
fn proven_falsely(
    program: &Program,
    cases: &Cases,
    memory: &Changed,
    stopped: &Stopped,
) -> BTreeSet<String> {
    let still = Still { memory, threads: stopped.threads().to_vec() };
    let outcome = prove(program, &still, Settings::default()).expect("a proof");
    assert!(!outcome.proven.is_empty(), "{:?}", outcome.gaps);
    let falsely = outcome.proven.iter().map(|it| it.goid);
    names(cases, falsely.filter(|goid| cases.get(goid).is_none_or(|(_, leaked)| !leaked)))
}

/// A stack that is being moved is not gone by: a variable on it that only a pointer leads to would be missed.
fn a_stack_that_moves_makes_no_false_proof(version: &str) {
    let path = target::path(version, "exe", "prove").expect("it was built");
    let mut target = Target::start_at(path, &[""; 0]).expect("target");
    let program = Program::attach(target.pid()).expect("attach");
    let cases = cases(&mut target);
    let stopped = Stopped::stop(target.pid()).expect("it is stopped");
    let falsely = |is_scanned| {
        let memory = while_stacks_move(&program, is_scanned);
        proven_falsely(&program, &cases, &memory, &stopped)
    };
    assert_eq!(falsely(true), BTreeSet::new(), "{version}");
    // Which the collector's mark alone tells.
    assert!(falsely(false).contains("by-pointer"), "{version}: nothing was missed");
}

each_version!(a_stack_that_moves_makes_no_false_proof);
