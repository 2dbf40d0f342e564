use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use super::*;
use crate::analyze::Settings;
use crate::collect::attach::Budget;
use crate::golang;
use crate::model::Observation;
use crate::pipeline::{Keep, Role, SinkError, Terms};
use crate::sample::leaking;

/// What a sink is told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Sample(Option<u32>),
    Exited(Option<u32>),
    Released(Option<u32>),
}

struct Listener(Sender<Told>);

impl Sink for Listener {
    fn name(&self) -> &'static str {
        "the listener"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        loop {
            let next = inbox.next_within(Duration::from_millis(5));
            if let Ok(update) = &next {
                _ = self.0.send(Told::Sample(update.assessment.target.pid()));
            }
            inbox.exited().iter().for_each(|id| _ = self.0.send(Told::Exited(id.pid())));
            inbox.released().iter().for_each(|id| _ = self.0.send(Told::Released(id.pid())));
            if matches!(next, Err(TryRecvError::Disconnected)) {
                return Ok(());
            }
        }
    }
}

/// A program that has exited after some samples; forever without a number.
struct Program {
    pid: u32,
    left: Option<u32>,
}

impl Source for Program {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        if let Some(left) = &mut self.left {
            let Some(fewer) = left.checked_sub(1) else { return Ok(None) };
            *left = fewer;
        }
        let mut seen = leaking(5).observe(0);
        let target = Arc::make_mut(&mut seen.target);
        target.id.instance = crate::model::Instance::Process { pid: self.pid, library: None };
        Ok(Some(seen))
    }
}

fn program(pid: u32, left: Option<u32>) -> Open {
    Box::new(move || Ok(Box::new(Program { pid, left })))
}

fn observe() -> Observe {
    Box::new(|source| Observer::new(source, Settings::default(), Vec::new()))
}

fn pool(threads: usize) -> (Pool, Receiver<Told>) {
    pool_within(Memory { max_bytes: u64::MAX, taken: || None, give_back: || {} }, threads)
}

fn pool_within(memory: Memory, threads: usize) -> (Pool, Receiver<Told>) {
    let (out, heard) = channel();
    let step = Duration::from_millis(10);
    let pacing = Pacing { least: step, most: step, host: 1e9, budget: Budget::UNLIMITED };
    let threads = NonZeroUsize::new(threads).expect("it is not 0");
    (Pool::start(pacing, threads, memory, vec![Box::new(Listener(out))], Stop::default()), heard)
}

/// What is heard until something is.
fn until(heard: &Receiver<Told>, wanted: &Told) -> Vec<Told> {
    let mut all = Vec::new();
    while all.last() != Some(wanted) {
        all.push(heard.recv_timeout(Duration::from_secs(60)).expect("it is told"));
    }
    all
}

#[test]
fn a_few_threads_sample_many_and_one_that_fails_leaves_the_others_going() {
    let (pool, heard) = pool(2);
    let keys: Vec<u64> = (1..=50).map(|pid| pool.add(program(pid, None), observe())).collect();
    let bad = pool.add(Box::new(|| Err(golang::Error::Exited { pid: 7 }.into())), observe());
    let worse = pool.add(Box::new(|| panic!("on purpose")), observe());
    let mut pids = std::collections::BTreeSet::new();
    let mut again = 0;
    while pids.len() < 50 || again < 100 {
        match heard.recv_timeout(Duration::from_secs(60)).expect("a sample") {
            Told::Sample(pid) => again += u32::from(!pids.insert(pid)),
            told => panic!("{told:?}"),
        }
    }
    let (mut attached, mut failed, mut panicked) = (0, 0, 0);
    while (attached, failed, panicked) != (50, 1, 1) {
        for event in pool.events() {
            match event {
                Event::Attached(_) => attached += 1,
                Event::Failed(key, _) if key == bad => failed += 1,
                Event::Panicked(key) if key == worse => panicked += 1,
                other => panic!("{other:?}"),
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    let progress = pool.progress();
    assert_eq!(progress.keys().copied().collect::<Vec<_>>(), keys);
    assert!(progress.values().all(|it| it.samples > 0 && it.last.is_some()));
    pool.weigh();
    let outcome = pool.end();
    assert_eq!(outcome.len(), 1);
}

#[test]
fn sinks_are_told_who_has_exited_and_who_is_only_let_go() {
    let (pool, heard) = pool(1);
    pool.add(program(7, Some(3)), observe());
    let told = until(&heard, &Told::Exited(Some(7)));
    // Its last sample was told before.
    assert!(told.contains(&Told::Sample(Some(7))), "{told:?}");
    assert!(!told.contains(&Told::Released(Some(7))), "{told:?}");
    let kept = pool.add(program(8, None), observe());
    until(&heard, &Told::Sample(Some(8)));
    pool.remove(kept, Departure::Released);
    until(&heard, &Told::Released(Some(8)));
    let gone = pool.add(program(9, None), observe());
    until(&heard, &Told::Sample(Some(9)));
    pool.remove(gone, Departure::Exited);
    until(&heard, &Told::Exited(Some(9)));
    assert!(pool.progress().is_empty());
    // Of one that was never sampled nobody is told.
    let never = pool.add(program(10, None), observe());
    pool.remove(never, Departure::Exited);
    drop(pool.end());
}

/// What the agent takes in a test, in MiB.
static TAKEN: AtomicU64 = AtomicU64::new(0);

#[test]
fn where_memory_is_full_nothing_more_is_attached_to_and_those_with_least_to_see_go() {
    let taken = || Some(TAKEN.load(Ordering::Relaxed) << 20);
    let (pool, heard) = pool_within(Memory { max_bytes: 100 << 20, taken, give_back: || {} }, 1);
    // Six that have room, and find nothing.
    let keys: Vec<u64> = (1..=6).map(|pid| pool.add(program(pid, None), observe())).collect();
    for pid in 1..=6 {
        until(&heard, &Told::Sample(Some(pid)));
    }
    TAKEN.store(90, Ordering::Relaxed);
    let seventh = pool.add(program(7, None), observe());
    let event = || loop {
        let is_other = |it: &Event| !matches!(it, Event::Attached(_));
        if let Some(event) = pool.events().into_iter().find(is_other) {
            return event;
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(matches!(event(), Event::NoMemory(key) if key == seventh));
    pool.press();
    assert_eq!(pool.room(), 0);
    // One goes for it.
    pool.exchange(1);
    assert!(matches!(event(), Event::NoMemory(key) if keys.contains(&key)));
    assert_eq!(pool.room(), 1);
    let seventh = pool.add(program(7, None), observe());
    until(&heard, &Told::Sample(Some(7)));
    assert!(pool.progress().contains_key(&seventh) && pool.progress().len() == 6);
    // Nobody gives way for nothing, and a few stay whatever they take.
    TAKEN.store(50, Ordering::Relaxed);
    pool.press();
    assert_eq!((pool.room(), pool.shortened().1), (usize::MAX, false));
    drop(pool.end());
}
