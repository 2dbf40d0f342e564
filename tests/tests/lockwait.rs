//! Who holds which lock, and who stands in a circle, in real programs of every Go version: see
//! targets/locks.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use leak_agent::analyze::Window;
use leak_agent::collect::Source;
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::model::{Goroutine, LockGraph, Observation, WaitClass};
use leak_agent_tests::{Target, each_version};

each_version!(locks);
each_version!(locks_stripped);
each_version!(channels);

/// Looks so far apart that a wait through two of them is a long one.
const APART: Duration = Duration::from_millis(1200);
/// Looks until long waits are known, stacks were searched for their locks, and healthy locks were
/// seen to pass on.
const LOOKS: usize = 5;

/// What the looks at one program gave.
struct Seen {
    last: Observation,
    graph: LockGraph,
}

impl Seen {
    fn of(target: &Target) -> Self {
        let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
        let mut window = Window::default();
        let mut last = attach.next().expect("a look");
        window.push(&last);
        for _ in 1..LOOKS {
            thread::sleep(APART);
            last = attach.next().expect("a look");
            window.push(&last);
        }
        let graph = window.lock_graph().expect("there were looks").clone();
        Self { last, graph }
    }

    /// The innermost function of the target's own on a goroutine's stack.
    fn function(&self, goroutine: &Goroutine) -> String {
        let frames = goroutine.stack.id().map_or(&[][..], |id| self.last.stacks.frames_of(id));
        let names = frames.iter().filter_map(|&frame| self.last.stacks.lookup(frame).ok());
        let mut own = names.map(|frame| frame.function).filter(|name| name.starts_with("main."));
        own.next().unwrap_or_default().to_owned()
    }

    fn function_of(&self, goid: u64) -> String {
        let goroutine = self.last.goroutines.iter().find(|it| it.goid == goid);
        self.function(goroutine.expect("it was seen"))
    }

    /// The circles, each as the sorted functions in which its goroutines wait.
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
        Some((self.function_of(holder.goid), holder.doing.clone()))
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

fn graph_of(version: &str, mode: &str) {
    let target = Target::start(version, mode, "locks").expect("target");
    let seen = Seen::of(&target);

    let wanted: BTreeSet<Vec<String>> = [
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
    .collect();
    assert_eq!(seen.cycles(), wanted, "{:#?}", seen.graph);
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
    // A running one has no readable stack.
    if seen.holder("main.wantGlobal").is_some() {
        let doing = ["sleeps", "is ready to run", "runs", "waits"];
        seen.check_holder("main.wantGlobal", "main.holdRunning", &doing);
    }
    let global = seen.graph.locks.iter().find(|lock| lock.waiting == 20).expect("the global lock");
    assert_eq!((global.kind, global.waiters.len()), (WaitClass::Mutex, 16));
    assert!(global.oldest.is_some_and(|oldest| oldest >= APART), "{global:?}");
}

/// What is read of channels is what the states target made of them.
fn channels(version: &str) {
    let target = Target::start(version, "exe", "states").expect("target");
    let mut attach = Attach::open(target.pid(), &Options::default()).expect("attach");
    let seen = Seen { last: attach.next().expect("a look"), graph: LockGraph::default() };
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
    assert_eq!(of("main.sendUnbuffered"), [(0, 0, 8, false)]);
    assert_eq!(of("main.sendFull"), [(2, 2, 8, false)]);
    assert_eq!(of("main.rangeOver"), [(0, 0, 8, false)]);
    assert_eq!(of("main.selectSeveral").len(), 3);
}
