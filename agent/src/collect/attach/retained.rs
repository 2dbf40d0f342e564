//! Who holds the heap of a running program: a walk of its objects, without stopping it.

mod descriptors;
mod paths;
mod records;
mod room;
mod variables;
mod waits;
mod weak;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Options;
use crate::collect::CollectError;
use crate::golang::heap::paths::NodeId;
use crate::golang::heap::roots::RecordKind;
use crate::golang::heap::stacks::{Stack, Stacks};
use crate::golang::heap::{Came, Outcome, Spans, Tally, Telling, Walk};
use crate::golang::{self, Program};
use crate::model::{
    Amount, Collectable, HeapCycle, HeapHolder, HeapStep, HeldWaits, HolderKind, Retained,
    RetainedClass, Suspects, WalkCoverage,
};
use records::Cycle;
pub use room::NoRoom;
use variables::{Held, Named, Rank, grouped};
use waits::{Asked, Source};

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
    Ok(with_waits(pid, options, &[], time)?.0)
}

/// As [`retained`], and says who holds what suspects wait on, of each set of them.
///
/// # Errors
/// As [`retained`].
pub fn with_waits(
    pid: u32,
    options: &Options,
    suspects: &[Suspects],
    time: Duration,
) -> Result<(Retained, Vec<HeldWaits>), CollectError> {
    of_program(&options.program(pid)?, suspects, time)
}

/// The same of a program that was located before.
fn of_program(
    program: &Program,
    suspects: &[Suspects],
    time: Duration,
) -> Result<(Retained, Vec<HeldWaits>), CollectError> {
    let start = Instant::now();
    let failed = |source| golang::Error::read(program.process().pid, "the heap", source);
    let memory = program.memory();
    let heap = program.heap().map_err(Clone::clone)?;
    let figures = heap.figures(memory).ok();
    if let Some(figures) = &figures {
        room::check(program.process().pid, figures.in_use_bytes)?;
    }
    let last_live_bytes = figures.map(|it| it.marked_bytes);
    let spans = heap.spans(memory).map_err(failed)?;
    // At once: what a variable leads to that has moved since then is in none of these.
    let variables = program.variables(&spans)?;
    let mut holding = Holding {
        walk: program.walk(heap, &spans)?,
        holders: Vec::new(),
        roots: Vec::new(),
        sources: (!suspects.is_empty()).then(Vec::new),
        go_on: &mut || start.elapsed() < time,
        is_whole: true,
        unread: 0,
    };
    // What came later is followed like all else.
    let records = heap.specials(memory, &spans).map_err(failed)?;
    if heap.has_weak_pointers() {
        holding.walk.put_off_entries(&records.found);
    }
    let open = descriptors::find(program, &mut holding.walk, &records.found).map_err(failed)?;
    let mut asked = Asked::begin(suspects, program, &mut holding)?;
    let names = program.variable_names();
    holding.unread += variables.unread;
    let (named, has_variable_types) = grouped(program, &mut holding.walk, &variables, &names)?;
    let of_runtime = named.partition_point(|it| it.rank != Rank::Runtime);
    let (own, of_runtime) = named.split_at(of_runtime);
    let of_library = own.partition_point(|it| it.rank == Rank::Own);
    holding.variables(&own[..of_library]).map_err(failed)?;
    holding.walk.tell(Telling::Library, None);
    holding.variables(&own[of_library..]).map_err(failed)?;
    let Stacks { stacks, running, .. } = program.stacks()?;
    holding.unread += stacks.unread;
    let groups = by_function(program, &stacks.found);
    if let Some(asked) = &mut asked {
        asked.follow(&mut holding, program, (&groups, of_runtime)).map_err(failed)?;
    } else {
        for (name, group) in groups {
            holding.goroutines(name, &group).map_err(failed)?;
        }
        holding.variables(of_runtime).map_err(failed)?;
    }
    let came = holding.meanwhile(program, &spans)?;
    let entries = weak::follow(&mut holding).map_err(failed)?;
    let specials = heap.specials(memory, &spans).map_err(failed)?;
    let queued = heap.queued(memory).map_err(failed)?;
    holding.unread += specials.unread + queued.unread;
    let kept = records::follow(&mut holding, &specials.found, &queued.found).map_err(failed)?;
    // What only records lead to may have entries too.
    let more_entries = weak::follow(&mut holding).map_err(failed)?;
    let mut cycles = holding.cycles(program, &kept.cycles).map_err(failed)?;
    for entries in [entries, more_entries] {
        cycles.extend(weak::cycles(&mut holding, program, &entries).map_err(failed)?);
    }
    let Holding { mut walk, holders, roots, sources, is_whole, unread, .. } = holding;
    let read_bytes = walk.read_bytes();
    let mut order: Vec<usize> = (0..holders.len()).collect();
    order.sort_by(|one, other| {
        let (one, other) = (&holders[*one], &holders[*other]);
        other.holds.cmp(&one.holds).then_with(|| one.name.cmp(&other.name))
    });
    let mut places = vec![0; holders.len()];
    order.iter().enumerate().for_each(|(place, holder)| places[*holder] = place);
    let roots: HashMap<NodeId, usize> =
        roots.into_iter().map(|(root, holder)| (root, places[holder])).collect();
    let holders: Vec<HeapHolder> = order.iter().map(|it| holders[*it].clone()).collect();
    let cycles = cycles.into_iter();
    let cycles =
        cycles.filter_map(|(root, steps)| Some(HeapCycle { holder: *roots.get(&root)?, steps }));
    let mut cycles: Vec<HeapCycle> = cycles.collect();
    cycles.sort_by_key(|cycle| cycle.holder);
    let saw_all = is_whole && unread == 0 && running == 0 && walk.unread() == 0;
    let waits = match asked {
        Some(asked) => asked
            .held(program, &mut walk, (sources.unwrap_or_default(), &names, &variables), saw_all)
            .map_err(failed)?,
        None => Vec::new(),
    };
    let (paths, types) = paths::named(program, &walk, &roots).map_err(failed)?;
    let descriptors = open.held(program, &walk, (&roots, &holders), saw_all).map_err(failed)?;
    let outcome = walk.end().map_err(failed)?;
    let coverage = WalkCoverage {
        is_whole,
        took: start.elapsed(),
        read_bytes,
        unread: unread + outcome.moved.unread,
        running,
        came: amount(came.all),
        unsearched: amount(came.unsearched),
        has_names: !names.is_empty(),
        has_variable_types,
        ..coverage(&outcome)
    };
    // What was not followed may hold anything.
    let collectable = is_whole.then(|| Collectable {
        next: amount(outcome.unreached).less(kept.unreached),
        later: kept.later,
        last_live_bytes: last_live_bytes.filter(|bytes| *bytes > 0),
    });
    let retained = Retained {
        paths,
        types,
        cycles,
        descriptors,
        collectable,
        ..of_outcome(&outcome, holders, coverage)
    };
    Ok((retained, waits))
}

/// The name of a function, and the stacks of the goroutines that started in it.
type OfFunction = (Option<String>, Vec<Stack>);

/// Stacks by the function that their goroutines started in, the runtime's own last: it holds nothing of the program, but a word
/// that was left on such a stack may still lead there.
fn by_function(program: &Program, stacks: &[Stack]) -> Vec<OfFunction> {
    let mut named: Vec<OfFunction> = Vec::new();
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
    named.sort_by_key(|(name, _)| name.as_deref().is_some_and(is_of_runtime));
    named
}

/// Whether goroutines that start in this function are the runtime's own.
fn is_of_runtime(function: &str) -> bool {
    function.starts_with("runtime.") && function != "runtime.main"
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
    /// Where their paths begin, and the place of each.
    roots: Vec<(NodeId, usize)>,
    /// All that was followed, in that order, where somebody asks for it.
    sources: Option<Vec<(NodeId, Source)>>,
    go_on: &'g mut dyn FnMut() -> bool,
    is_whole: bool,
    unread: u64,
}

type Read<T> = Result<T, golang::memory::ReadError>;

impl Holding<'_, '_> {
    fn variables<'v, 'n: 'v>(
        &mut self,
        variables: impl IntoIterator<Item = &'v Named<'n>>,
    ) -> Read<()> {
        for variable in variables {
            let root = self.walk.hold();
            for Held { via, shape, value } in &variable.values {
                self.walk.reach_as(*via, *shape, *value);
            }
            let (name, count) = (variable.name.map(str::to_owned), variable.values.len() as u64);
            self.take(root, HolderKind::Variable, name, Some(variable.address), count)?;
        }
        Ok(())
    }

    /// The goroutines that started in one function.
    fn goroutines(&mut self, name: Option<String>, stacks: &[Stack]) -> Read<()> {
        let root = self.walk.hold();
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
        self.take(root, HolderKind::Goroutines, name, Some(function), count)
    }

    /// What came while the walk went on, and what variables and stacks lead to by now.
    fn meanwhile(&mut self, program: &Program, spans: &Spans) -> Result<Came, golang::Error> {
        let failed = |source| golang::Error::read(program.process().pid, "the heap", source);
        let root = self.walk.hold();
        let came = self.walk.reach_from_what_came(self.go_on).map_err(failed)?;
        for variable in program.variables(spans)?.into_heap {
            self.walk.reach(variable.value);
        }
        for stack in program.stacks()?.stacks.found {
            if !(self.go_on)() {
                self.is_whole = false;
                break;
            }
            self.walk.reach_from_stack(stack.start, stack.end).map_err(failed)?;
        }
        self.take(root, HolderKind::Meanwhile, None, None, came.all.objects).map_err(failed)?;
        Ok(came)
    }

    /// Follows what a holder reaches, and notes what it holds.
    fn take(
        &mut self,
        root: NodeId,
        kind: HolderKind,
        name: Option<String>,
        address: Option<u64>,
        count: u64,
    ) -> Read<()> {
        let holds = self.follow()?;
        self.add(root, kind, (name, address), count, holds);
        Ok(())
    }

    /// Follows what was marked; gives what was reached.
    fn follow(&mut self) -> Read<Amount> {
        let (tally, is_whole) = self.walk.follow(self.go_on)?;
        self.is_whole &= is_whole;
        Ok(amount(tally))
    }

    fn add(
        &mut self,
        root: NodeId,
        kind: HolderKind,
        (name, address): (Option<String>, Option<u64>),
        count: u64,
        holds: Amount,
    ) {
        let holder = HeapHolder { address, ..HeapHolder::of(kind, name, count, holds) };
        if let Some(sources) = &mut self.sources {
            sources.push((root, Source::of(holder.clone())));
        }
        if holds != Amount::default() {
            self.roots.push((root, self.holders.len()));
            self.holders.push(holder);
        }
    }

    /// Adds objects that keep themselves as holders; gives by which fields each does.
    fn cycles(
        &mut self,
        program: &Program,
        cycles: &[Cycle],
    ) -> Read<Vec<(NodeId, Vec<HeapStep>)>> {
        let mut found = Vec::new();
        for &Cycle { root, kind, shape, function, count, holds } in cycles {
            let mut names = paths::Names::new(program, &self.walk);
            let name = names.of(shape.named(true))?;
            found.push((root, paths::cycle(&mut names, &self.walk, (root, shape))?));
            let kind = match kind {
                RecordKind::Cleanup => HolderKind::CleanupCycle,
                RecordKind::Finalizer | RecordKind::WeakHandle | RecordKind::Other => {
                    HolderKind::Cycle
                }
            };
            let symbolizer = program.symbolizer();
            let function = function.and_then(|code| symbolizer.entry(code));
            let function = function.map(|(_, name)| name.to_owned());
            self.roots.push((root, self.holders.len()));
            let holder = HeapHolder::of(kind, name, count, holds);
            self.holders.push(HeapHolder { function, ..holder });
        }
        Ok(found)
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
        unexamined: moved.unexamined,
        untraced: moved.untraced.saturating_add(moved.merged),
        unread: moved.unread,
        running: 0,
        came: Amount { bytes: 0, objects: 0 },
        unsearched: Amount { bytes: 0, objects: 0 },
        collected: moved.collected,
        has_names: false,
        has_variable_types: false,
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
        paths: Vec::new(),
        types: Vec::new(),
        cycles: Vec::new(),
        descriptors: Vec::new(),
        collectable: None,
        walk,
    }
}
