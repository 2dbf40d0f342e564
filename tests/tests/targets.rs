//! The targets themselves: what they promise to hold is there, in every Go version, as their own dumps tell.
#![allow(clippy::expect_used)]

use leak_agent_tests::debug2::Dump;
use leak_agent_tests::{Target, each_version};

each_version!(parks_in_every_way);
each_version!(obeys);
each_version!(stays_well_under_stress);

fn states_of(dump: &Dump, function: &str) -> Vec<String> {
    let has = |name: &str| name == function;
    let mut states: Vec<String> = dump
        .goroutines
        .iter()
        .filter(|goroutine| goroutine.calls().any(|call| has(&call.function)))
        .map(|goroutine| goroutine.state.clone())
        .collect();
    states.sort();
    states
}

fn parks_in_every_way(version: &str) {
    let mut target = Target::start(version, "exe", "states").expect("target");
    let dump = target.dump().expect("dump");
    let minor: u32 = version.split('.').nth(1).and_then(|n| n.parse().ok()).expect("version");
    // The runtime's words for a wait, where they changed.
    let group = if minor >= 24 { "sync.WaitGroup.Wait" } else { "semacquire" };
    let (lock, read) = ("sync.Mutex.Lock", "sync.RWMutex.RLock");
    let mut wanted = vec![
        ("main.sendUnbuffered", vec!["chan send"; 3]),
        ("main.sendFull", vec!["chan send"]),
        ("main.rangeOver", vec!["chan receive"]),
        ("main.sendNil", vec!["chan send (nil chan)"]),
        ("main.receiveNil", vec!["chan receive (nil chan)"]),
        ("main.selectSeveral", vec!["select"]),
        ("main.emptySelect", vec!["select (no cases)"]),
        ("main.wantMutex", vec![lock; 3]),
        ("main.wantRead", vec![read; 3]),
        ("main.wantWrite", vec![lock, "sync.RWMutex.Lock"]),
        ("main.transfer", vec![lock; 2]),
        ("main.waitForCondition", vec!["sync.Cond.Wait"; 3]),
        ("main.waitForGroup", vec![group; 2]),
        ("main.sleep", vec!["sleep"]),
        ("main.readFile", vec!["IO wait"]),
        ("main.readRaw", vec!["syscall"; 2]),
        ("main.inDeferOfNilDereference", vec!["chan receive"]),
        ("main.abandon.func1", vec!["chan receive"]),
    ];
    if minor >= 23 {
        wanted.push(("main.pairs", vec!["coroutine"]));
    }
    if minor >= 25 {
        wanted.push(("main.startCleanup.func1", vec!["chan receive"]));
    }
    for (function, states) in wanted {
        assert_eq!(states_of(&dump, function), states, "{function}");
    }
}

fn obeys(version: &str) {
    let mut target = Target::start(version, "exe", "states").expect("target");
    assert_eq!(target.command("spawn 20 7").expect("spawn"), "20");
    let dump = target.dump().expect("dump");
    let spawned = |goroutine: &&leak_agent_tests::debug2::Goroutine| {
        goroutine.calls().filter(|call| call.function.ends_with("control.descend")).count() == 8
    };
    assert_eq!(dump.goroutines.iter().filter(spawned).count(), 20);

    target.command("churn on").expect("churn");
    target.command("spin 2").expect("spin");
    let newest = |dump: &Dump| dump.goroutines.iter().map(|goroutine| goroutine.goid).max();
    let before = target.dump().expect("dump");
    let moved = (0..200).any(|_| newest(&target.dump().expect("dump")) > newest(&before));
    assert!(moved, "churn makes no goroutines");
    target.command("spin 0").expect("spin");
    target.command("churn off").expect("churn");
    let error = target.command("dance").expect_err("there is no such command");
    assert!(format!("{error:#}").contains("no such command"), "{error:#}");
    target.command("exit").expect("exit");
}

fn stays_well_under_stress(version: &str) {
    let mut target = Target::start(version, "exe", "stress").expect("target");
    let before = target.alive().expect("alive");
    assert!(before.len() >= 10, "{before:?}");
    leak_agent_tests::target::until_all_parts_went_on(&mut target, &before).expect("well");
}
