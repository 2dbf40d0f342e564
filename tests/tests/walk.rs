//! What a walk of the heap from outside finds, against what the program itself says: see targets/heap.
#![allow(clippy::expect_used)]

use std::collections::HashMap;

use leak_agent::golang::Program;
use leak_agent::golang::heap::shape::Shape;
use leak_agent::golang::heap::{Outcome, Tally};
use leak_agent_tests::{Target, each_version, target};

fn figure(target: &mut Target, name: &str) -> u64 {
    let answer = target.command("figures").expect("figures");
    let pairs = answer.split_whitespace().filter_map(|pair| pair.split_once('='));
    let known: HashMap<_, _> = pairs.collect();
    known[name].parse().expect("a number")
}

/// All that is reached: from variables, from stacks, and from finalizers and the like.
fn walk(program: &Program) -> (Outcome, [Tally; 3]) {
    let heap = program.heap().expect("the heap is located");
    let memory = program.memory();
    let spans = heap.spans(memory).expect("spans");
    let mut walk = program.walk(heap, &spans).expect("a walk");
    for variable in program.variables(&spans).expect("variables").into_heap {
        walk.reach(variable.value);
    }
    let (variables, is_whole) = walk.follow(&mut || true).expect("a walk");
    assert!(is_whole);
    for stack in program.stacks().expect("stacks").stacks.found {
        walk.reach_from_stack(stack.start, stack.end).expect("a stack");
    }
    let (stacks, _) = walk.follow(&mut || true).expect("a walk");
    for special in heap.specials(memory, &spans).expect("specials").found {
        walk.reach_from_record(&special, Shape::Unknown).expect("an object");
    }
    let (specials, _) = walk.follow(&mut || true).expect("a walk");
    (walk.end().expect("an end"), [variables, stacks, specials])
}

fn compare(version: &str, mode: &str) {
    let path = target::path(version, mode, "heap").expect("it was built");
    let mut target = Target::start_at(path, &[""; 0]).expect("target");
    let program = Program::attach(target.pid()).expect("attach");
    for command in ["hold 3", "hold 40"] {
        target.command(command).expect(command);
        target.command("collect").expect("collect");
        let before = figure(&mut target, "HeapAlloc");
        let (outcome, by) = walk(&program);
        println!(
            "{version} {mode} {command}: HeapAlloc {before} reached {:?} unreached {:?} {by:?} {:?}",
            outcome.reached, outcome.unreached, outcome.moved
        );
        let all = outcome.reached.bytes + outcome.unreached.bytes;
        assert!(all.abs_diff(before) * 100 < before, "{version} {mode}: {before} {all}");
        assert!(
            outcome.reached.bytes.abs_diff(before) * 100 < before,
            "{version} {mode} after {command}: {before} bytes are live, reached were {:?}",
            outcome.reached
        );
    }
}

fn what_is_reached_is_what_is_live(version: &str) {
    for mode in ["exe", "stripped", "pie-stripped"] {
        compare(version, mode);
    }
}

each_version!(what_is_reached_is_what_is_live);

#[test]
fn another_garbage_collector() {
    compare("1.26.6", "nogreenteagc");
}
