//! Who holds the heap of a running program: a walk of its objects, without stopping it.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::Options;
use crate::collect::CollectError;
use crate::golang::heap::roots::Variables;
use crate::golang::heap::stacks::Stack;
use crate::golang::heap::{Outcome, Tally, Walk};
use crate::golang::variable_names::VariableNames;
use crate::golang::{self, Program};
use crate::model::function::{is_of_runtime, is_standard};
use crate::model::{Amount, HeapHolder, HolderKind, Retained, RetainedClass, WalkCoverage};

/// The part of a stack, from its end, in which the function is that the goroutine started in.
const OUTERMOST: u64 = 4096;

/// The longest direct call, in bytes.
const CALL: u64 = 5;

/// Walks the heap of the process with an id, for as long as `time`. It is never stopped, and nothing is written to
/// it; the walk takes one thread of the agent.
///
/// # Errors
/// When it cannot be attached to, nothing is known of its heap, or it ends meanwhile.
pub fn retained(pid: u32, options: &Options, time: Duration) -> Result<Retained, CollectError> {
    let program = match &options.object {
        None => Program::attach(pid)?,
        Some(object) => Program::attach_object(pid, object)?,
    };
    of_program(&program, time)
}

/// As [`retained`], of a program that was located before.
///
/// # Errors
/// As [`retained`].
pub fn of_program(program: &Program, time: Duration) -> Result<Retained, CollectError> {
    let start = Instant::now();
    let failed = |source| golang::Error::read(program.process().pid, "the heap", source);
    let memory = program.memory();
    let heap = program.heap().map_err(Clone::clone)?;
    let spans = heap.spans(memory).map_err(failed)?;
    let mut holding = Holding {
        walk: heap.walk(memory, &spans).map_err(failed)?,
        holders: Vec::new(),
        go_on: &mut || start.elapsed() < time,
        is_whole: true,
        unread: 0,
    };
    let variables = program.variables(&spans)?;
    let names = program.variable_names();
    holding.unread += variables.unread;
    let named = grouped(&variables, &names);
    let of_runtime = named.partition_point(|it| it.rank != Rank::Runtime);
    holding.variables(&named[..of_runtime]).map_err(failed)?;
    let stacks = program.stacks()?;
    holding.unread += stacks.unread;
    for (name, group) in by_function(program, &stacks.found) {
        holding.goroutines(name, &group).map_err(failed)?;
    }
    let specials = heap.specials(memory, &spans).map_err(failed)?;
    holding.unread += specials.unread;
    for special in &specials.found {
        special.words.into_iter().for_each(|word| holding.walk.reach(word));
        if special.is_finalizer {
            holding.walk.reach_from_object(special.object).map_err(failed)?;
        }
    }
    let count = specials.found.len() as u64;
    holding.take(HolderKind::Finalizers, None, None, count).map_err(failed)?;
    holding.variables(&named[of_runtime..]).map_err(failed)?;
    let Holding { walk, mut holders, is_whole, unread, .. } = holding;
    let read_bytes = walk.read_bytes();
    let outcome = walk.end().map_err(failed)?;
    holders
        .sort_by(|one, other| other.holds.cmp(&one.holds).then_with(|| one.name.cmp(&other.name)));
    let coverage = WalkCoverage {
        is_whole,
        took: start.elapsed(),
        read_bytes,
        unread: unread + outcome.moved.unread,
        has_names: !names.is_empty(),
        ..coverage(&outcome)
    };
    Ok(of_outcome(&outcome, holders, coverage))
}

/// The order in which variables are followed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Of the program's own packages, and those that it uses; or nobody knows of whose.
    Own,
    Std,
    Runtime,
}

impl Rank {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some(name) if is_of_runtime(name) => Self::Runtime,
            Some(name) if is_standard(name) => Self::Std,
            _ => Self::Own,
        }
    }
}

/// A variable that points into the heap.
struct Named<'n> {
    rank: Rank,
    name: Option<&'n str>,
    /// Its first word that does.
    address: u64,
    values: Vec<u64>,
}

/// The variables, in the order in which they are followed. The words of one that has a name are one.
fn grouped<'n>(variables: &Variables, names: &'n VariableNames) -> Vec<Named<'n>> {
    let mut by_name: BTreeMap<(Rank, Option<&str>, u64), Named<'n>> = BTreeMap::new();
    for variable in &variables.into_heap {
        let name = names.find(variable.at, &variables.among);
        let rank = Rank::of(name);
        let own = if name.is_some() { 0 } else { variable.at };
        let new = || Named { rank, name, address: variable.at, values: Vec::new() };
        by_name.entry((rank, name, own)).or_insert_with(new).values.push(variable.value);
    }
    by_name.into_values().collect()
}

/// Stacks by the function that their goroutines started in.
fn by_function(program: &Program, stacks: &[Stack]) -> Vec<(Option<String>, Vec<Stack>)> {
    let mut named: Vec<(Option<String>, Vec<Stack>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for group in stacks.chunk_by(|one, other| one.function == other.function) {
        let name = group.first().and_then(|first| started(program, first));
        let new = named.len();
        let place = name.as_ref().map_or(new, |it| *places.entry(it.clone()).or_insert(new));
        if place == new {
            named.push((name, Vec::new()));
        }
        named[place].1.extend(group);
    }
    named
}

/// The function that a goroutine started in. What the compiler makes around the call of a `go` statement is seen
/// through: what it calls there, or has inlined, was meant.
fn started(program: &Program, stack: &Stack) -> Option<String> {
    let symbolizer = program.symbolizer();
    let start = symbolizer.function_line(stack.function)?;
    let meant = if start.wrapper { called(program, stack, start.function) } else { None };
    Some(meant.unwrap_or(start.function).to_owned())
}

/// What a function that the compiler made calls, where a stack begins with it; `None` for a call through a pointer.
fn called<'p>(program: &'p Program, stack: &Stack, wrapper: &str) -> Option<&'p str> {
    let (symbolizer, memory) = (program.symbolizer(), program.memory());
    let from = stack.start.max(stack.end.saturating_sub(OUTERMOST));
    let words = memory.read_vec(from, (stack.end - from) as usize).ok()?;
    // Below the wrapper's own frame words may be left from what ran before.
    let words = words.as_chunks::<8>().0.iter().rev().map(|word| u64::from_le_bytes(*word));
    let is_in_wrapper = |pc: u64| symbolizer.entry(pc).is_some_and(|(_, name)| name == wrapper);
    let pc = words.into_iter().find(|&pc| program.is_text(pc) && is_in_wrapper(pc))?;
    let mut inlined = None;
    symbolizer.calls(symbolizer.call_address(pc), &mut |call| {
        // Innermost first.
        if !call.wrapper && call.inlined {
            inlined = Some(call.function);
        }
    });
    inlined.or_else(|| {
        let code = memory.read_vec(pc.checked_sub(CALL)?, CALL as usize).ok()?;
        let target = program.binary().arch.called_before(&code, pc)?;
        symbolizer.entry(target).map(|(_, name)| name)
    })
}

/// A walk, holder by holder.
struct Holding<'a, 'g> {
    walk: Walk<'a>,
    holders: Vec<HeapHolder>,
    go_on: &'g mut dyn FnMut() -> bool,
    is_whole: bool,
    unread: u64,
}

type Read<T> = Result<T, golang::memory::ReadError>;

impl Holding<'_, '_> {
    fn variables(&mut self, variables: &[Named<'_>]) -> Read<()> {
        for variable in variables {
            variable.values.iter().for_each(|value| self.walk.reach(*value));
            let (name, count) = (variable.name.map(str::to_owned), variable.values.len() as u64);
            self.take(HolderKind::Variable, name, Some(variable.address), count)?;
        }
        Ok(())
    }

    /// The goroutines that started in one function.
    fn goroutines(&mut self, name: Option<String>, stacks: &[Stack]) -> Read<()> {
        for stack in stacks {
            if !(self.go_on)() {
                self.is_whole = false;
                break;
            }
            self.walk.reach_from_stack(stack.start, stack.end)?;
        }
        let Some(first) = stacks.first() else { return Ok(()) };
        let function = first.function;
        let count = stacks.len() as u64;
        self.take(HolderKind::Goroutines, name, Some(function), count)
    }

    /// Follows what a holder reaches, and notes what it holds.
    fn take(
        &mut self,
        kind: HolderKind,
        name: Option<String>,
        address: Option<u64>,
        count: u64,
    ) -> Read<()> {
        let (tally, is_whole) = self.walk.follow(self.go_on)?;
        self.is_whole &= is_whole;
        if tally != Tally::default() {
            self.holders.push(HeapHolder { kind, name, address, count, holds: amount(tally) });
        }
        Ok(())
    }
}

const fn amount(tally: Tally) -> Amount {
    Amount { bytes: tally.bytes, objects: tally.objects }
}

const fn coverage(outcome: &Outcome) -> WalkCoverage {
    let moved = outcome.moved;
    WalkCoverage {
        is_whole: false,
        took: Duration::ZERO,
        read_bytes: 0,
        spans: moved.spans,
        changed_spans: moved.changed_spans,
        torn_spans: moved.torn_spans,
        astray: moved.astray,
        untyped: moved.untyped,
        unread: moved.unread,
        collected: moved.collected,
        has_names: false,
    }
}

fn of_outcome(outcome: &Outcome, holders: Vec<HeapHolder>, walk: WalkCoverage) -> Retained {
    let classes = outcome.classes.iter().map(|class| RetainedClass {
        object_bytes: class.object_bytes,
        reached: amount(class.reached),
        unreached: amount(class.unreached),
    });
    Retained {
        holders,
        reached: amount(outcome.reached),
        unreached: amount(outcome.unreached),
        classes: classes.collect(),
        walk,
    }
}
