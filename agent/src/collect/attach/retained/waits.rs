//! Who holds what suspects wait on: the roots of a walk in the order in which they tell most, and the best path from them.
//!
//! What a goroutine waits on is always on its own stack, so that suspects come behind all others. Of stacks that stand
//! still those words come first that are pointers still in use, as the collector knows them; what else is there may be left
//! over. The structures of goroutines and their sudogs are hidden meanwhile: by these a channel leads to all that waits on
//! it, and on to all that it waits on.

use std::cmp::Reverse;
use std::collections::HashMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::paths::{Names, path};
use super::{Holding, Named, OfFunction, Read};
use crate::golang::heap::paths::NodeId;
use crate::golang::heap::roots::{Variable, Variables};
use crate::golang::heap::stacks::Stack;
use crate::golang::heap::{Telling, Walk};
use crate::golang::memory::ReadError;
use crate::golang::stackmap::StackMaps;
use crate::golang::unwind::Registers;
use crate::golang::variable_names::VariableNames;
use crate::golang::{self, Program};
use crate::model::{
    Amount, HeapHolder, HeapStep, HeldPath, HeldWait, HeldWaits, HolderKind, HoldingGoroutines,
    Suspects, WaitHolder,
};

/// So few goroutines of one function are followed one by one, so that it is known which of them holds something; and so
/// many in all.
const MAX_ALONE: usize = 16;
const MAX_ALONE_IN_ALL: usize = 1024;
/// A larger stack is not taken apart: every word of it counts.
const MAX_PRECISE: u64 = 4 << 20;
/// So many ways are listed of one set.
const MAX_WAYS: usize = 8;
/// So many goroutines are named of those that hold something in one way.
const MAX_GOIDS: usize = 5;
/// Since this version a channel has its timer before its elements' type (`runtime.hchan`).
const WITH_TIMER: u16 = 23;

/// What was asked for.
pub(super) struct Asked<'s> {
    suspects: &'s [Suspects],
    /// The set of each suspect.
    sets: FxHashMap<u64, u32>,
    /// Those that are still there.
    present: FxHashSet<u64>,
    /// The holder that the goroutines of a function are.
    holders: HashMap<(Option<String>, u64), usize>,
}

/// A root that was followed.
pub(super) struct Source {
    holder: HeapHolder,
    /// The goroutine, where it is one.
    goid: Option<u64>,
    /// The set of suspects that it is of.
    set: Option<u32>,
}

impl Source {
    pub(super) const fn of(holder: HeapHolder) -> Self {
        Self { holder, goid: None, set: None }
    }
}

/// Goroutines that are followed together.
struct Together<'a> {
    name: Option<&'a str>,
    /// A function that they started in.
    function: u64,
    /// How many there are of the function in all.
    of: u64,
    stacks: &'a [Stack],
    set: Option<u32>,
    /// Whether every word counts.
    whole: bool,
}

impl<'s> Asked<'s> {
    /// Has a walk that begins look for what they wait on; `None` where there is nobody.
    pub(super) fn begin(
        suspects: &'s [Suspects],
        program: &Program,
        holding: &mut Holding<'_, '_>,
    ) -> Result<Option<Self>, golang::Error> {
        if suspects.is_empty() {
            return Ok(None);
        }
        holding.walk.hide(&program.stacks()?.structures);
        let mut sets = FxHashMap::default();
        for (number, set) in (0..).zip(suspects) {
            sets.extend(set.goids.iter().map(|goid| (*goid, number)));
            for object in set.waits.iter().flat_map(|wait| &wait.objects) {
                holding.walk.ask(*object, number);
            }
        }
        let (present, holders) = (FxHashSet::default(), HashMap::new());
        Ok(Some(Self { suspects, sets, present, holders }))
    }

    /// Follows stacks, and the runtime's variables, in the order in which they tell most.
    pub(super) fn follow(
        &mut self,
        holding: &mut Holding<'_, '_>,
        program: &Program,
        (groups, of_runtime): (&[OfFunction], &[Named<'_>]),
    ) -> Read<()> {
        let mut maps = program.stack_maps(program.memory());
        let mut suspects: Vec<(u32, usize, Vec<Stack>)> = Vec::new();
        let mut alone = MAX_ALONE_IN_ALL;
        holding.walk.tell(Telling::Goroutine, None);
        for (number, (name, group)) in groups.iter().enumerate() {
            let mut others = Vec::new();
            let mut sets: FxHashMap<u32, Vec<Stack>> = FxHashMap::default();
            for stack in group {
                match self.sets.get(&stack.goid) {
                    Some(set) => {
                        self.present.insert(stack.goid);
                        sets.entry(*set).or_default().push(*stack);
                    }
                    None => others.push(*stack),
                }
            }
            suspects.extend(sets.into_iter().map(|(set, stacks)| (set, number, stacks)));
            let is_few = others.len() <= MAX_ALONE.min(alone);
            alone -= if is_few { others.len() } else { 0 };
            let (name, function, of) = of_group(name.as_deref(), group);
            let (set, whole) = (None, false);
            for stacks in others.chunks(if is_few { 1 } else { usize::MAX }) {
                let together = Together { name, function, of, stacks, set, whole };
                self.goroutines(holding, program, &mut maps, &together)?;
            }
        }
        holding.walk.tell(Telling::Runtime, None);
        let (lists, rest): (Vec<_>, Vec<_>) = of_runtime.iter().partition(|variable| {
            variable.values.iter().any(|held| holding.walk.lists_hidden(held.value))
        });
        holding.variables(rest)?;
        suspects.sort_unstable();
        for (telling, whole) in [(Telling::Suspect, false), (Telling::Word, true)] {
            for (set, number, stacks) in &suspects {
                let (name, group) = &groups[*number];
                let (name, function, of) = of_group(name.as_deref(), group);
                let set = Some(*set);
                holding.walk.tell(telling, set);
                let together = Together { name, function, of, stacks, set, whole };
                self.goroutines(holding, program, &mut maps, &together)?;
            }
        }
        holding.walk.tell(Telling::Word, None);
        for (name, group) in groups {
            let (name, function, of) = of_group(name.as_deref(), group);
            let is_other = |stack: &&Stack| !self.sets.contains_key(&stack.goid);
            let others: Vec<Stack> = group.iter().filter(is_other).copied().collect();
            let (stacks, set, whole) = (&others[..], None, true);
            let together = Together { name, function, of, stacks, set, whole };
            self.goroutines(holding, program, &mut maps, &together)?;
        }
        holding.walk.show();
        holding.walk.tell(Telling::Rest, None);
        holding.variables(lists)
    }

    fn goroutines(
        &mut self,
        holding: &mut Holding<'_, '_>,
        program: &Program,
        maps: &mut StackMaps<'_>,
        together: &Together<'_>,
    ) -> Read<()> {
        let [first, ..] = together.stacks else { return Ok(()) };
        let root = holding.walk.hold();
        for stack in together.stacks {
            if !(holding.go_on)() {
                holding.is_whole = false;
                break;
            }
            if together.whole {
                holding.walk.reach_from_stack(stack.start, stack.end)?;
            } else {
                in_use(holding, program, maps, stack)?;
            }
        }
        let name = together.name.map(str::to_owned);
        let (function, set) = (together.function, together.set);
        let (kind, count) = (HolderKind::Goroutines, together.stacks.len() as u64);
        let holder = HeapHolder::of(kind, name.clone(), count, Amount::default());
        let goid = (together.stacks.len() == 1).then_some(first.goid);
        let source = Source { holder: HeapHolder { address: Some(function), ..holder }, goid, set };
        let holds = holding.follow()?;
        // What the compiler makes around a call has an address of its own.
        let key = (name.clone(), if name.is_none() { function } else { 0 });
        if let Some(place) = self.holders.get(&key) {
            let known = &mut holding.holders[*place].holds;
            *known = known.plus(holds);
            holding.roots.push((root, *place));
        } else if holds != Amount::default() {
            self.holders.insert(key, holding.holders.len());
            holding.add(root, kind, (name, Some(function)), together.of, holds);
        }
        // What this one has is told last.
        holding.sources.get_or_insert_default().push((root, source));
        Ok(())
    }

    /// Who holds what each set waits on, once all has been followed that could be. Of what a walk that has not seen
    /// everything did not reach nothing is said.
    pub(super) fn held(
        self,
        program: &Program,
        walk: &mut Walk<'_>,
        (sources, names, variables): (Vec<(NodeId, Source)>, &VariableNames, &Variables),
        saw_all: bool,
    ) -> Read<Vec<HeldWaits>> {
        let sources: FxHashMap<NodeId, Source> = sources.into_iter().collect();
        let is_late = program.binary().version.minor >= WITH_TIMER;
        let type_at = if is_late { 40 } else { 32 };
        let mut all = Vec::new();
        for set in self.suspects {
            let mut found = Found::default();
            for wait in &set.waits {
                if !self.present.contains(&wait.goid) || wait.objects.is_empty() {
                    continue;
                }
                let best = |object: &u64| {
                    let at = match walk.nearest(*object) {
                        Some((telling, depth, node)) => (telling, depth, At::Node(node)),
                        None if names.has_variables_at(*object) => {
                            (Telling::Variable, 0, At::Variable(*object))
                        }
                        None => return None,
                    };
                    Some((at, *object))
                };
                match wait.objects.iter().filter_map(best).min() {
                    Some(((telling, _, at), object)) => {
                        let channel = wait.is_channel.then_some(object);
                        let (count, any) = found.at.entry((telling, at)).or_default();
                        *count += 1;
                        *any = any.or(channel);
                    }
                    None if saw_all => found.nothing += 1,
                    None => found.unknown += 1,
                }
            }
            // A stack does not tell what it points to, and a channel does.
            let mut channels = FxHashMap::default();
            for ((_, at), (_, any)) in &found.at {
                if let (At::Node(_), Some(channel)) = (at, any)
                    && let Some(name) = walk.channel_name(*channel, type_at)?
                {
                    channels.insert(*at, name);
                }
            }
            all.push(found.told(program, walk, (&sources, &channels), (names, variables))?);
        }
        Ok(all)
    }
}

/// What goroutines of one function have in common.
fn of_group<'a>(name: Option<&'a str>, group: &[Stack]) -> (Option<&'a str>, u64, u64) {
    (name, group.first().map_or(0, |first| first.function), group.len() as u64)
}

/// Where something is held: by what the walk reached it as, or it is part of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    Node(NodeId),
    Variable(u64),
}

/// What was found of one set: how many goroutines wait on what is held so, and a channel among that.
#[derive(Default)]
struct Found {
    at: FxHashMap<(Telling, At), (u64, Option<u64>)>,
    nothing: u64,
    unknown: u64,
}

/// One way in which something is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Way {
    Path {
        kind: HolderKind,
        name: Option<String>,
        address: Option<u64>,
        set: Option<u32>,
        is_left: bool,
        steps: Vec<HeapStep>,
    },
    Themselves,
    Nothing,
}

/// Goroutines that wait on what is held in one way; and those that hold it, where goroutines do.
#[derive(Default)]
struct Sum {
    goroutines: u64,
    holding: u64,
    goids: Vec<u64>,
    /// The roots that those are.
    roots: Vec<NodeId>,
}

impl Found {
    fn told(
        self,
        program: &Program,
        walk: &Walk<'_>,
        (sources, channels): (&FxHashMap<NodeId, Source>, &FxHashMap<At, String>),
        (names, variables): (&VariableNames, &Variables),
    ) -> Read<HeldWaits> {
        let mut types = Names::new(program, walk);
        let mut ways: HashMap<Way, Sum> = HashMap::new();
        let mut unknown = self.unknown;
        for ((telling, at), (count, _)) in self.at {
            let (way, source) = match at {
                At::Variable(address) => {
                    let chain = names.find(Variable { at: address, value: 0 }, &variables.among);
                    let name = chain.map(|chain| chain.name.to_owned());
                    let (kind, address) = (HolderKind::Variable, Some(address));
                    let (set, is_left, steps) = (None, false, Vec::new());
                    (Way::Path { kind, name, address, set, is_left, steps }, None)
                }
                At::Node(node) => {
                    let (root, mut steps) = path(&mut types, walk, node)?;
                    let Some(source) = sources.get(&root) else {
                        unknown += count;
                        continue;
                    };
                    if let (Some(last), Some(name)) = (steps.last_mut(), channels.get(&at)) {
                        last.type_name.get_or_insert_with(|| name.clone());
                    }
                    (source.way(telling, steps), Some((root, source)))
                }
            };
            let sum = ways.entry(way).or_default();
            sum.goroutines += count;
            if let Some((root, source)) = source.filter(|(root, _)| !sum.roots.contains(root)) {
                sum.roots.push(root);
                sum.holding += source.holder.count;
                sum.goids.extend(source.goid);
            }
        }
        if self.nothing > 0 {
            ways.entry(Way::Nothing).or_default().goroutines = self.nothing;
        }
        Ok(listed(ways, unknown))
    }
}

/// The commonest ways.
fn listed(ways: HashMap<Way, Sum>, unknown: u64) -> HeldWaits {
    let looked_at = ways.values().map(|sum| sum.goroutines).sum::<u64>() + unknown;
    let mut ways: Vec<(Way, Sum)> = ways.into_iter().collect();
    ways.sort_by(|(one, sum), (other, of_other)| {
        (Reverse(sum.goroutines), one).cmp(&(Reverse(of_other.goroutines), other))
    });
    let others = ways.iter().skip(MAX_WAYS).map(|(_, sum)| sum.goroutines).sum();
    ways.truncate(MAX_WAYS);
    let by = ways
        .into_iter()
        .map(|(way, sum)| HeldWait { goroutines: sum.goroutines, way: way.holder(sum) });
    HeldWaits { by: by.collect(), looked_at, others, unknown }
}

impl Source {
    fn way(&self, telling: Telling, steps: Vec<HeapStep>) -> Way {
        let HeapHolder { kind, name, address, .. } = &self.holder;
        // The list of all goroutines leads to each, and so to what it waits on.
        let is_list = telling == Telling::Rest && *kind == HolderKind::Variable;
        if telling == Telling::Own || is_list {
            return Way::Themselves;
        }
        let is_left = telling == Telling::Word;
        let set = self.set;
        Way::Path { kind: *kind, name: name.clone(), address: *address, set, is_left, steps }
    }
}

impl Way {
    fn holder(self, sum: Sum) -> WaitHolder {
        let (kind, name, address, set, is_left, steps) = match self {
            Self::Path { kind, name, address, set, is_left, steps } => {
                (kind, name, address, set, is_left, steps)
            }
            Self::Themselves => return WaitHolder::Themselves,
            Self::Nothing => return WaitHolder::Nothing,
        };
        let holder = HeapHolder::of(kind, name, sum.holding.max(1), Amount::default());
        let path = HeldPath { holder: HeapHolder { address, ..holder }, steps };
        if is_left {
            return WaitHolder::LeftOnStacks(path);
        }
        let mut goids = sum.goids;
        goids.sort_unstable();
        goids.truncate(MAX_GOIDS);
        let suspects = set.map(|set| set as usize);
        let are = kind == HolderKind::Goroutines;
        let goroutines =
            are.then(|| HoldingGoroutines { goids, suspects, ..HoldingGoroutines::default() });
        WaitHolder::Path(path, goroutines)
    }
}

/// Marks what words of a stack point to that are pointers still in use; all of them where that is not known.
fn in_use(
    holding: &mut Holding<'_, '_>,
    program: &Program,
    maps: &mut StackMaps<'_>,
    stack: &Stack,
) -> Read<()> {
    let Stack { start, end, pc, lr, .. } = *stack;
    if !stack.stands || end - start > MAX_PRECISE {
        return holding.walk.reach_from_stack(start, end);
    }
    let bytes = match program.memory().read_vec(start, (end - start) as usize) {
        Ok(bytes) => bytes,
        Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
        // It was moved or freed.
        Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => {
            holding.unread += 1;
            return Ok(());
        }
    };
    let mut pointers = FxHashSet::default();
    let registers = Registers { pc, sp: start, lr };
    maps.scan(registers, &bytes, &[], &mut |pointer| {
        pointers.insert(pointer);
    })?;
    holding.walk.reach_from_pointers(&bytes, &pointers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(name: &str) -> Way {
        Way::Path {
            kind: HolderKind::Variable,
            name: Some(name.to_owned()),
            address: None,
            set: None,
            is_left: false,
            steps: Vec::new(),
        }
    }

    fn name(held: &HeldWait) -> Option<&str> {
        match &held.way {
            WaitHolder::Path(path, None) => path.holder.name.as_deref(),
            _ => None,
        }
    }

    #[test]
    fn the_commonest_ways_are_listed_and_all_are_counted() {
        let sum = |goroutines| Sum { goroutines, ..Sum::default() };
        let mut ways: HashMap<Way, Sum> =
            (1..=10).map(|number| (way(&format!("main.v{number}")), sum(number))).collect();
        ways.insert(Way::Themselves, sum(100));
        ways.insert(Way::Nothing, sum(50));
        let held = listed(ways, 7);
        assert_eq!((held.looked_at, held.unknown), (55 + 100 + 50 + 7, 7));
        assert_eq!(held.by.len(), MAX_WAYS);
        assert_eq!(held.by[0], HeldWait { way: WaitHolder::Themselves, goroutines: 100 });
        assert_eq!(held.by[1], HeldWait { way: WaitHolder::Nothing, goroutines: 50 });
        assert_eq!(name(&held.by[2]), Some("main.v10"));
        assert_eq!(held.others, 1 + 2 + 3 + 4);
        let sum: u64 = held.by.iter().map(|held| held.goroutines).sum();
        assert_eq!(sum + held.others + held.unknown, held.looked_at);
    }

    #[test]
    fn goroutines_of_one_function_that_hold_alike_are_one_way() {
        let holder = HeapHolder::of(HolderKind::Goroutines, None, 1, Amount::default());
        let source = |goid| Source { holder: holder.clone(), goid: Some(goid), set: Some(2) };
        let (one, other) = (source(9), source(4));
        let way = one.way(Telling::Suspect, Vec::new());
        assert_eq!(way, other.way(Telling::Suspect, Vec::new()));
        assert_ne!(way, other.way(Telling::Word, Vec::new()));
        assert_eq!(one.way(Telling::Own, Vec::new()), Way::Themselves);
        let sum = Sum { goroutines: 30, holding: 2, goids: vec![9, 4], roots: Vec::new() };
        let WaitHolder::Path(path, Some(goroutines)) = way.holder(sum) else { panic!("no path") };
        assert_eq!(path.holder.count, 2);
        assert_eq!((&goroutines.goids[..], goroutines.suspects), (&[4, 9][..], Some(2)));
    }
}
