//! The heap's figures, read from outside, against those of `runtime.MemStats` and `runtime/metrics`
//! that the program itself reads before and after: see targets/heap.
#![allow(clippy::expect_used)]

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use leak_agent::golang::Program;
use leak_agent::golang::heap::Figures;
use leak_agent_tests::{Target, each_version, target};

type Known = HashMap<String, u64>;

fn ask(target: &mut Target) -> Known {
    let answer = target.command("figures").expect("figures");
    let pairs = answer.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.parse().expect("a number"))).collect()
}

/// What the program says, what is read from outside, and what it says then, with no collection between,
/// and nothing given back.
fn between(target: &mut Target, program: &Program) -> (Known, Figures, Known) {
    loop {
        let before = ask(target);
        let heap = program.heap().expect("the heap is located");
        let figures = heap.figures(program.memory()).expect("it rests");
        let after = ask(target);
        // Memory is given back to the kernel in the background, for a while after a collection.
        if ["NumGC", "HeapReleased"].iter().all(|name| before[*name] == after[*name]) {
            return (before, figures, after);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn compare(version: &str, mode: &str, args: &[&str]) {
    let path = target::path(version, mode, "heap").expect("it was built");
    let mut target = Target::start_at(path, args).expect("target");
    let program = Program::attach(target.pid()).expect("attach");
    for command in ["collect", "hold 3", "garbage 2"] {
        target.command(command).expect(command);
        let (before, seen, after) = between(&mut target, &program);
        let what = format!("{version} {mode} {args:?} after {command}");
        // To answer takes memory: what is counted lies between, to the byte.
        let within = |name: &str, value: u64| {
            let (low, high) = (before[name], after[name]);
            assert!(
                (low.min(high)..=low.max(high)).contains(&value),
                "{what}: {name} is {low} and then {high}, and {value} was read"
            );
        };
        within("TotalAlloc", seen.allocated_bytes);
        within("Freed", seen.freed_bytes);
        within("Mallocs", seen.allocated_objects);
        within("Frees", seen.freed_objects);
        within("HeapAlloc", seen.objects_bytes);
        within("HeapInuse", seen.in_use_bytes);
        within("HeapIdle", seen.idle_bytes + seen.released_bytes);
        within("HeapReleased", seen.released_bytes);
        within("StackInuse", seen.stacks_bytes);
        within("Sys", seen.mapped_bytes);
        let goal = seen.goal_bytes.expect("a goal");
        if args.is_empty() {
            within("NextGC", goal);
            within("/gc/heap/goal:bytes", goal);
        } else {
            // It follows from what is allocated at the moment.
            let difference = before["NextGC"].abs_diff(goal) * 100;
            assert!(difference < goal, "{what}: NextGC {} {goal}", before["NextGC"]);
        }
        within("LastGC", seen.last_collection_ns.expect("there was a collection"));
        within("NumGC", seen.collections.into());
        within("NumForcedGC", seen.forced_collections.into());
        within("PauseTotalNs", seen.pause_total_ns);
        within("LastPauseNs", seen.last_pause_ns.expect("there was a collection"));
        within("/gc/heap/live:bytes", seen.marked_bytes);
        within("/memory/classes/total:bytes", seen.mapped_bytes);
        within("/memory/classes/heap/stacks:bytes", seen.stacks_bytes);
        let gogc = if args.is_empty() { Some(100) } else { None };
        assert_eq!(seen.gc_percent, gogc, "{what}");
        let limit = (!args.is_empty()).then_some(96 << 20);
        assert_eq!(seen.memory_limit_bytes, limit, "{what}");
        // Seconds as a float lose some nanoseconds.
        let close = |name: &str, ns: u64| {
            assert!(before[name].abs_diff(ns) < 1000, "{what}: {name} {} {ns}", before[name])
        };
        close("/cpu/classes/gc/total:cpu-seconds", seen.cpu.gc_ns);
        close("/cpu/classes/total:cpu-seconds", seen.cpu.total_ns);
        for class in
            seen.classes.iter().filter(|class| class.object_bytes.is_some_and(|it| it <= 18_432))
        {
            let size = class.object_bytes.expect("small");
            within(&format!("mallocs-{size}"), class.allocated);
            within(&format!("frees-{size}"), class.freed);
        }
        let in_classes: u64 = seen.classes.iter().map(|class| class.in_use_bytes).sum();
        assert_eq!(in_classes, seen.objects_bytes, "{what}");
    }
}

fn figures_are_those_of_the_runtime(version: &str) {
    for mode in ["exe", "stripped", "pie-stripped"] {
        compare(version, mode, &[]);
    }
    compare(version, "stripped", &["limited"]);
}

each_version!(figures_are_those_of_the_runtime);

#[test]
fn another_garbage_collector() {
    compare("1.26.6", "nogreenteagc", &[]);
}
