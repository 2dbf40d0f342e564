//! What the pointers of variables lead to, by the types that debug information says variables have.

use rustc_hash::FxHashMap;

use super::heap::shape::Shape;
use super::layout::described::{DebugUnits, Described, EntryAt, Form};
use super::memory::{Memory, ReadError};
use super::types::{Label, Leads, Slot, TypeId, Types};
use super::variable_names::Chain;

/// Types within types, or pointers to them.
const MAX_DEPTH: u32 = 24;
/// Pointers of one variable that are told apart.
const MAX_SLOTS: usize = 4096;
/// Elements of arrays, and members, that are visited for one type.
const MAX_VISITS: u32 = 1 << 14;
/// `abi.Kind`, where a struct or a name stands for what is none.
const INTERFACE: u8 = 20;
const SLICE: u8 = 23;
const STRING: u8 = 24;

/// The types of variables, by where these begin.
#[derive(Debug, Default)]
pub struct VariableTypes {
    by_start: FxHashMap<u64, TypeId>,
}

impl VariableTypes {
    /// Of those variables for which `is_wanted` says so, by where they begin in memory: `bias` away from where they
    /// are linked.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn read(
        types: &mut Types,
        memory: &dyn Memory,
        (units, bias): (&DebugUnits<'_>, u64),
        is_wanted: impl Fn(u64) -> bool,
    ) -> Result<Self, ReadError> {
        let mut wanted = Vec::new();
        units.variables(|address, of| {
            let start = address.wrapping_add(bias);
            if is_wanted(start) {
                wanted.push((start, of));
            }
        });
        let mut making = Making { types, memory, units, made: FxHashMap::default() };
        let mut by_start = FxHashMap::default();
        for (start, of) in wanted {
            if let Some(id) = making.of(of, 0)? {
                by_start.insert(start, id);
            }
        }
        Ok(Self { by_start })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// By which fields the last word of a chain is reached from the variable, and what it points to.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn find(
        &self,
        types: &mut Types,
        memory: &dyn Memory,
        chain: &Chain<'_>,
    ) -> Result<(Label, Shape), ReadError> {
        let unknown = (Label::EMPTY, Shape::Unknown);
        let Some(mut id) = self.by_start.get(&chain.start).copied() else { return Ok(unknown) };
        let (mut base, mut via, mut shape) = (chain.start, Label::EMPTY, Shape::Unknown);
        for (number, word) in chain.words.iter().enumerate() {
            let slot = types.layout(memory, id)?.at(word.at.wrapping_sub(base));
            let Some(slot) = slot else { return Ok(unknown) };
            via = types.join(via, slot.via);
            shape = match slot.leads {
                Leads::Interface => match memory.read_u64(word.at.wrapping_sub(8)) {
                    Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                    first => Shape::of_interface(types, memory, first.unwrap_or(0))?,
                },
                leads => Shape::of(leads),
            };
            if number + 1 < chain.words.len() {
                match shape {
                    Shape::One(of) | Shape::Many(of) => (id, base) = (of, word.value),
                    _ => return Ok(unknown),
                }
            }
        }
        Ok((via, shape))
    }
}

/// Types that are being made.
struct Making<'a, 'd> {
    types: &'a mut Types,
    memory: &'a dyn Memory,
    units: &'a DebugUnits<'d>,
    made: FxHashMap<EntryAt, Option<TypeId>>,
}

struct Listing {
    slots: Vec<Slot>,
    visits: u32,
}

impl Making<'_, '_> {
    /// The type that an entry describes: the runtime's, where it has it.
    fn of(&mut self, at: EntryAt, depth: u32) -> Result<Option<TypeId>, ReadError> {
        if let Some(made) = self.made.get(&at) {
            return Ok(*made);
        }
        if depth > MAX_DEPTH {
            return Ok(None);
        }
        let Some(described) = self.units.get(at) else { return Ok(None) };
        if let Some(id) = self.of_runtime(&described)? {
            self.made.insert(at, Some(id));
            return Ok(Some(id));
        }
        let size = self.size(at, &described, 0);
        let id = self.types.add_described(&described.name, size);
        // Before its pointers, which may lead to it.
        self.made.insert(at, id);
        if let Some(id) = id {
            let mut listing = Listing { slots: Vec::new(), visits: 0 };
            self.list(at, (0, Label::EMPTY), depth, &mut listing)?;
            self.types.describe(id, listing.slots);
        }
        Ok(id)
    }

    fn of_runtime(&mut self, described: &Described) -> Result<Option<TypeId>, ReadError> {
        match described.runtime {
            Some(offset) => self.types.get(self.memory, self.types.start().wrapping_add(offset)),
            None => Ok(None),
        }
    }

    fn size(&self, at: EntryAt, described: &Described, depth: u32) -> u64 {
        match (described.form, described.size, described.of) {
            (_, Some(size), _) => size,
            (Form::Name, None, Some(of)) if of != at && depth < MAX_DEPTH => {
                let of = self.units.get(of).map(|it| (of, it));
                of.map_or(0, |(at, it)| self.size(at, &it, depth + 1))
            }
            _ => 8,
        }
    }

    fn list(
        &mut self,
        at: EntryAt,
        (offset, via): (u64, Label),
        depth: u32,
        to: &mut Listing,
    ) -> Result<(), ReadError> {
        to.visits += 1;
        if depth > MAX_DEPTH || to.visits > MAX_VISITS || to.slots.len() >= MAX_SLOTS {
            return Ok(());
        }
        let Some(described) = self.units.get(at) else { return Ok(()) };
        // The layout of an array is that of an element.
        let is_array = described.form == Form::Array;
        if let Some(id) = self.of_runtime(&described)?.filter(|_| !is_array) {
            for slot in self.types.layout(self.memory, id)?.slots() {
                let via = self.types.join(via, slot.via);
                to.slots.push(Slot { offset: offset + slot.offset, via, ..*slot });
            }
            return Ok(());
        }
        let leads = match (described.form, described.go_kind) {
            (_, STRING) => Leads::Text,
            (_, SLICE) => {
                let array = self.units.members(at).into_iter().find(|it| it.name == "array");
                let of = array.and_then(|it| self.units.get(it.of)).and_then(|it| it.of);
                let of = of.map(|of| self.of(of, depth + 1)).transpose()?.flatten();
                of.map_or(Leads::Anything, Leads::Slice)
            }
            (_, INTERFACE) => {
                to.slots.push(Slot { offset: offset + 8, via, leads: Leads::Interface });
                return Ok(());
            }
            (Form::Pointer, _) => match described.of {
                Some(of) => self.of(of, depth + 1)?.map_or(Leads::Anything, Leads::Pointer),
                None => Leads::Anything,
            },
            (Form::Function, _) => Leads::Function,
            (Form::Name, _) => match described.of {
                Some(of) => return self.list(of, (offset, via), depth + 1, to),
                None => return Ok(()),
            },
            (Form::Struct, _) => {
                for member in self.units.members(at) {
                    let label = self.types.label(&member.name);
                    let via = self.types.join(via, label);
                    let Some(offset) = offset.checked_add(member.offset) else { continue };
                    self.list(member.of, (offset, via), depth + 1, to)?;
                }
                return Ok(());
            }
            (Form::Array, _) => return self.list_elements(&described, (offset, via), depth, to),
            (Form::Other, _) => return Ok(()),
        };
        to.slots.push(Slot { offset, via, leads });
        Ok(())
    }

    fn list_elements(
        &mut self,
        array: &Described,
        (offset, via): (u64, Label),
        depth: u32,
        to: &mut Listing,
    ) -> Result<(), ReadError> {
        let Some(of) = array.of else { return Ok(()) };
        let size = self.units.get(of).map_or(0, |it| self.size(of, &it, 0));
        let count = array.size.unwrap_or(0).checked_div(size).unwrap_or(0);
        for number in 0..count.min(MAX_VISITS.into()) {
            let before = to.slots.len();
            let Some(at) = offset.checked_add(number * size) else { break };
            self.list(of, (at, via), depth + 1, to)?;
            // Without pointers in one there are none in the others.
            if to.slots.len() == before {
                break;
            }
        }
        Ok(())
    }
}
