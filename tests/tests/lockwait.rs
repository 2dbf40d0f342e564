//! Who holds which lock, and who is part of a cycle, in real programs of every Go version: see
//! targets/locks.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use leak_agent::analyze::settings::Settings;
use leak_agent::analyze::{CodeFiles, Window, judge};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{
    Cause, CauseClass, Finding, Goroutine, GrowthPattern, LockGraph, LockNode, Observation,
    Verdict, WaitClass,
};
use leak_agent::report::phrases;
use leak_agent_tests::Observe;
use leak_agent_tests::{Target, each_version};

each_version!(locks);
each_version!(locks_stripped);
each_version!(piles);
each_version!(piles_stripped);
each_version!(channels);
each_version!(one_observation);

/// Samples so far apart that a wait through two of them is a long one.
const APART: Duration = Duration::from_millis(1200);
/// Samples until long waits are known, stacks were searched for their locks, and healthy locks were
/// seen to pass on.
const SAMPLES: usize = 5;

/// Samples at most: on a machine that is busy locks pass on seldom.
const MOST: usize = 40;

/// Locks of healthy.go that are always contended, and so must be seen to pass on.
const PASSING: usize = 2;

/// Parts of the names of functions in healthy.go.
const HEALTHY: [&str; 5] = ["Turns", "inOrder", "runPool", "idle", "startHealthy"];

/// What the samples of one program gave.
struct Seen {
    last: Observation,
    graph: LockGraph,
    /// The functions of healthy goroutines that were part of a cycle in any sample.
    healthy: BTreeSet<String>,
}

impl Seen {
    fn of(target: &Target) -> Self {
        let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
        let mut window = Window::default();
        let mut seen = Self::one(attach.next().expect("a sample"));
        window.push(&seen.last);
        for samples in 2.. {
            thread::sleep(APART);
            seen.last = attach.next().expect("a sample");
            window.push(&seen.last);
            seen.graph = window.lock_graph().expect("there were samples").clone();
            let cyclic = seen.graph.cycles.iter().flatten();
            let functions: Vec<_> = cyclic.map(|it| seen.function_of(it.goid)).collect();
            seen.healthy.extend(
                functions
                    .into_iter()
                    .filter(|name| HEALTHY.iter().any(|healthy| name.contains(healthy))),
            );
            if samples >= MOST || samples >= SAMPLES && seen.passing() >= PASSING {
                break;
            }
        }
        seen
    }

    /// How many locks that are wanted for long, where yet nobody is stuck, were seen to pass on.
    fn passing(&self) -> usize {
        let passing = self.graph.locks.iter().filter(|lock| lock.passes);
        let is_healthy = |lock: &&LockNode| {
            let waiter = lock.waiters.first().map(|&goid| self.function_of(goid));
            waiter.is_some_and(|name| HEALTHY.iter().any(|healthy| name.contains(healthy)))
        };
        passing.filter(is_healthy).count()
    }

    fn one(last: Observation) -> Self {
        Self { last, graph: LockGraph::default(), healthy: BTreeSet::new() }
    }

    /// The innermost function of the target's own on a goroutine's stack.
    fn function(&self, goroutine: &Goroutine) -> String {
        let frames = goroutine.stack.id().map_or(&[][..], |id| self.last.stacks.frames_of(id));
        let names = frames.iter().filter_map(|&frame| self.last.stacks.lookup(frame).ok());
        let mut own = names.map(|frame| frame.function).filter(|name| name.starts_with("main."));
        own.next().unwrap_or_default().to_owned()
    }

    fn function_of(&self, goid: u64) -> String {
        let goroutine = self.last.goroutines.iter().find(|it| it.is(goid));
        self.function(goroutine.expect("it was seen"))
    }

    /// The cycles, each as the sorted functions in which its goroutines wait.
    fn cycles(&self) -> BTreeSet<Vec<String>> {
        let functions = self.graph.cycles.iter().map(|cycle| {
            let mut functions: Vec<_> = cycle.iter().map(|it| self.function_of(it.goid)).collect();
            functions.sort();
            functions
        });
        functions.collect()
    }

    /// Whoever holds what goroutines in a function wait for: its function, and what it does.
    fn holder(&self, waiter: &str) -> Option<(String, String)> {
        let mut waiters = self.last.goroutines.iter().filter(|it| self.function(it) == waiter);
        let waiter = waiters.next().unwrap_or_else(|| panic!("nobody is in {waiter}"));
        let &[lock] = self.last.objects_of(waiter) else { panic!("{waiter:?} waits for no lock") };
        let holder = self.graph.lock(lock).expect("it is contended").holder.as_ref()?;
        Some((self.function_of(holder.goid), phrases::does(holder.doing)))
    }

    fn check_holder(&self, waiter: &str, holder: &str, doing: &[&str]) {
        let (function, does) = self.holder(waiter).unwrap_or_else(|| panic!("{waiter}: nobody"));
        assert_eq!(function, holder, "{waiter}");
        assert!(doing.iter().any(|doing| does.starts_with(doing)), "{waiter}: it {does}");
    }
}

fn locks(version: &str) {
    graph_of(version, "exe");
}

fn locks_stripped(version: &str) {
    graph_of(version, "stripped");
}

/// The cycles that the target makes, each as the sorted functions in which its goroutines wait.
fn cycles() -> BTreeSet<Vec<String>> {
    [
        &["main.transfer", "main.transfer"][..],
        &["main.leftThenRight", "main.rightThenLeft"],
        &["main.lockInRing", "main.lockInRing", "main.lockInRing"],
        &["main.lockTwice"],
        &["main.(*store).flush"],
        &["main.(*cache).refresh"],
        &["main.readAgain", "main.writeBetween"],
        &["main.doneAboveLock", "main.waitBelowLock"],
    ]
    .iter()
    .map(|cycle| cycle.iter().map(|&name| name.to_owned()).collect())
    .collect()
}

/// Where one observation is all that is asked for, as `check` does, it shows them too.
fn one_observation(version: &str) {
    let target = Target::start(version, "exe", "locks").expect("target");
    let mut options = Options::default();
    options.once = true;
    let mut attach = Attach::open(target.pid(), &options).expect("attach");
    let mut seen = Seen::one(attach.next().expect("a sample"));
    let mut window = Window::default();
    window.push(&seen.last);
    seen.graph = window.lock_graph().expect("there was a sample").clone();
    assert_eq!(seen.cycles(), cycles(), "{:#?}", seen.graph);
    assert!(seen.last.rates.is_none(), "a tenth of a second tells no rates");
}

fn graph_of(version: &str, mode: &str) {
    let target = Target::start(version, mode, "locks").expect("target");
    let seen = Seen::of(&target);

    let wanted = cycles();
    assert_eq!(seen.cycles(), wanted, "{:#?}", seen.graph);
    assert!(seen.healthy.is_empty(), "{:?}", seen.healthy);
    assert_eq!(seen.graph.cycles.len(), wanted.len(), "{:#?}", seen.graph.cycles);

    let on_channel = ["waits to receive from channel 0x"];
    seen.check_holder("main.wantFromChannel", "main.holdOnChannel", &on_channel);
    seen.check_holder("main.wantFromSleeper", "main.holdAsleep", &["sleeps"]);
    seen.check_holder("main.wantReading", "main.holdWriting", &on_channel);
    seen.check_holder("main.wantFromChain", "main.holdAndWant", &["waits for mutex 0x"]);
    seen.check_holder("main.holdAndWant", "main.holdOnChannel", &on_channel);
    seen.check_holder("main.lockTwice", "main.lockTwice", &["waits for mutex 0x"]);
    // Whoever forgot to unlock it is gone.
    assert_eq!(seen.holder("main.wantForgotten"), None);
    // This one runs most of the time, so that its stack has no readable top.
    let (_, doing) = seen.holder("main.wantGlobal").expect("the deferred call keeps the lock");
    assert!(["sleeps", "is ready to run", "runs", "waits"].iter().any(|it| doing.starts_with(it)));
    assert!(seen.passing() >= PASSING, "{:#?}", seen.graph.locks);

    let global = seen.graph.locks.iter().find(|lock| lock.waiting == 20).expect("the global lock");
    assert_eq!((global.kind, global.waiters.len()), (WaitClass::Mutex, 16));
    assert!(global.oldest.is_some_and(|oldest| oldest >= APART), "{global:?}");
}

fn piles(version: &str) {
    piles_of(version, "exe");
}

fn piles_stripped(version: &str) {
    piles_of(version, "stripped");
}

/// Each kind of wait is one finding, however many cycles and holders there are.
fn piles_of(version: &str, mode: &str) {
    const PAIRS: u64 = 60;
    let target = Target::start_with(version, mode, "locks", &[PAIRS.to_string()]).expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let mut window = Window::default();
    for _ in 0..7 {
        window.push(&attach.next().expect("a sample"));
        thread::sleep(APART);
    }
    let mut settings = Settings::default();
    settings.thresholds.stuck_after = Duration::from_secs(3);
    let judged = judge(&window, &settings, &mut CodeFiles::default()).expect("it was sampled");
    let judgement = judged.judgement.as_ref().expect("it is judged");
    let at = |finding: &Finding| {
        let frame = judged.groups[finding.goroutines().expect("goroutines").group]
            .blocked_at
            .expect("it is known");
        judged.stacks.lookup(frame).expect("it has a name").function.to_owned()
    };
    let of = |name: &str| {
        let mut found = judgement.findings.iter().filter(|it| at(it).contains(name));
        let finding = found.next().unwrap_or_else(|| panic!("{name}: {:#?}", judgement.findings));
        assert!(found.next().is_none(), "{name}: {:#?}", judgement.findings);
        finding
    };
    let likely = |finding: &Finding| (finding.verdict, finding.class);

    let pairs = of("pileTransfer");
    let wait = &pairs.goroutines().expect("goroutines").lock_wait;
    assert_eq!(likely(pairs), (Verdict::Likely, CauseClass::DeadlockCycle), "{pairs:#?}");
    assert!(wait.cycles >= PAIRS && wait.in_cycles == 2 * wait.cycles, "{pairs:#?}");
    assert!(
        pairs.goroutines().expect("goroutines").count >= 2 * PAIRS
            && pairs.goroutines().expect("goroutines").parts.len() == 2,
        "{pairs:#?}"
    );
    // Each waits for its own lock, and each is held by the other.
    let [one, other] = wait.cycle.as_slice() else { panic!("{pairs:#?}") };
    assert!(one.object != other.object && one.goid != other.goid, "{pairs:#?}");
    assert_eq!((&wait.likely_holder, &wait.holders), (&None, &None), "{pairs:#?}");
    let growth = pairs.growth.expect("there were samples enough");
    assert_ne!(growth.pattern, GrowthPattern::Plateau, "{growth:?}");

    let twice = of("lockAgain");
    assert_eq!(likely(twice), (Verdict::Likely, CauseClass::DeadlockCycle), "{twice:#?}");
    assert_eq!(
        (
            twice.goroutines().expect("goroutines").lock_wait.cycles,
            twice.goroutines().expect("goroutines").lock_wait.lengths
        ),
        (PAIRS, Some((1, 1)))
    );
    assert_eq!(twice.cause, Cause::DeadlockCycle);

    let readers = judgement.findings.iter().filter(|it| {
        ["pileReadAgain", "pileWriteBetween"].iter().any(|name| at(it).contains(name))
    });
    let readers: Vec<&Finding> = readers.collect();
    let &[readers] = readers.as_slice() else { panic!("{readers:#?}") };
    assert_eq!(likely(readers), (Verdict::Likely, CauseClass::DeadlockCycle), "{readers:#?}");
    assert_eq!(
        (
            readers.goroutines().expect("goroutines").lock_wait.cycles,
            readers.goroutines().expect("goroutines").count
        ),
        (PAIRS, 2 * PAIRS),
        "{readers:#?}"
    );

    let asleep = of("pileWantFromSleeper");
    assert_eq!(likely(asleep), (Verdict::Suspect, CauseClass::Mutex), "{asleep:#?}");
    let blocked = of("pileWantFromChannel");
    assert_eq!(likely(blocked), (Verdict::Likely, CauseClass::Mutex), "{blocked:#?}");
    for (finding, does) in [(asleep, "sleeps"), (blocked, "waits to receive from channel")] {
        let wait = &finding.goroutines().expect("goroutines").lock_wait;
        assert_eq!((wait.locks, &wait.likely_holder), (PAIRS, &None), "{finding:#?}");
        let holders = wait.holders.as_ref().expect("they are known");
        assert_eq!((&*phrases::does(holders.doing), holders.waiters), (does, PAIRS));
    }
    let healthy = judgement.findings.iter().find(|it| at(it).contains("handOn"));
    assert!(healthy.is_none(), "{healthy:#?}");
}

/// What is read of channels is what the states target made of them.
fn channels(version: &str) {
    let target = Target::start(version, "exe", "states").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let seen = Seen::one(attach.next().expect("a sample"));
    let of = |function: &str| {
        let waiter = seen.last.goroutines.iter().find(|it| seen.function(it) == function);
        let objects = seen.last.objects_of(waiter.expect("somebody waits there"));
        let find = |object: &u64| seen.last.channels.iter().find(|it| it.address == *object);
        let mut channels: Vec<_> = objects
            .iter()
            .map(|object| find(object).expect("it was read"))
            .map(|it| (it.len, it.cap, it.element_bytes, it.closed))
            .collect();
        channels.sort_unstable();
        channels
    };
    assert_eq!(of("main.sendUnbuffered"), [(0, 0, 16, false)]);
    assert_eq!(of("main.sendFull"), [(2, 2, 8, false)]);
    assert_eq!(of("main.rangeOver"), [(0, 0, 8, false)]);
    assert_eq!(of("main.selectSeveral").len(), 3);
}

/// Of a thousand who wait alike, each on a channel of its own, a few are enough.
#[test]
fn some_channels_of_each_kind() {
    let args = ["-distinct", "1000", "3"];
    let target = Target::start_with("1.26.6", "exe", "blocked", &args).expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let seen = Seen::one(attach.next().expect("a sample"));
    let blocked = seen.last.goroutines.iter().filter(|it| seen.function(it) == "main.descend");
    let objects: BTreeSet<u64> = blocked.flat_map(|it| seen.last.objects_of(it)).copied().collect();
    assert_eq!(objects.len(), 1000);
    let read = seen.last.channels.iter().filter(|it| objects.contains(&it.address));
    assert_eq!(read.count(), 4);
}
