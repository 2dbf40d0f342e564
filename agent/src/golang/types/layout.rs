//! Where the pointers of a type's values are, what they lead to, and by which fields.

use std::rc::Rc;

use super::{Kind, Label, TypeId, Types, read};
use crate::golang::memory::{Memory, ReadError};

/// Pointers of one type that are told apart; what is beyond them is not known.
const MAX_SLOTS: usize = 4096;
/// Fields of one struct that are read.
const MAX_FIELDS: u64 = 4096;
/// Structs and arrays within each other.
const MAX_DEPTH: u32 = 32;
/// Fields and elements that are visited for one type.
const MAX_VISITS: u32 = 1 << 16;
/// Slots of all types that are kept.
const MAX_KEPT: usize = 1 << 20;
/// The size of `abi.StructField`: name, type, offset.
const FIELD: usize = 24;
/// Where it stands in a value of this size or less is looked up by its number.
const MAX_INDEXED: u64 = 64 << 10;

/// A pointer of a type's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where, in bytes from the start of a value.
    pub offset: u64,
    /// The field that it is in.
    pub via: Label,
    /// What it leads to.
    pub leads: Leads,
}

/// What a pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// A value.
    Pointer(TypeId),
    /// Values, one behind the other.
    Slice(TypeId),
    /// The bytes of a string.
    Text,
    /// A map of this type.
    Map(TypeId),
    /// A channel of this type.
    Channel(TypeId),
    /// A function value.
    Function,
    /// What an interface holds; the word before says what that is.
    Interface,
    /// Nobody knows.
    Anything,
}

/// The pointers of a type's values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    size: u64,
    /// By offset.
    slots: Vec<Slot>,
    /// For each word the number of its slot and one more; 0 without any.
    index: Vec<u16>,
}

impl Layout {
    /// Of a value of so many words, without pointers.
    #[cfg(test)]
    pub(crate) fn of_words(words: u64) -> Self {
        Self::new(words * 8, Vec::new())
    }

    /// Bytes of a value.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn new(size: u64, mut slots: Vec<Slot>) -> Self {
        slots.truncate(MAX_SLOTS);
        slots.retain(|slot| slot.offset.is_multiple_of(8) && slot.offset < size);
        slots.sort_unstable_by_key(|slot| slot.offset);
        slots.dedup_by_key(|slot| slot.offset);
        let mut index = Vec::new();
        if size <= MAX_INDEXED && !slots.is_empty() {
            index.resize((size / 8) as usize, 0);
            for (number, slot) in (1..).zip(&slots) {
                if let Some(entry) = index.get_mut((slot.offset / 8) as usize) {
                    *entry = number;
                }
            }
        }
        Self { size, slots, index }
    }

    /// All of them, by offset.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// That of a word of values that stand one behind the other, at an offset from the first.
    #[must_use]
    pub fn at(&self, offset: u64) -> Option<Slot> {
        if self.size == 0 || self.slots.is_empty() {
            return None;
        }
        let offset = if offset < self.size { offset } else { offset % self.size };
        if self.index.is_empty() {
            let at = self.slots.binary_search_by_key(&offset, |slot| slot.offset).ok()?;
            return self.slots.get(at).copied();
        }
        let number = *self.index.get((offset / 8) as usize)?;
        self.slots.get(usize::from(number.checked_sub(1)?)).copied()
    }
}

/// Slots that are being listed.
struct Listing {
    slots: Vec<Slot>,
    visits: u32,
}

impl Listing {
    /// Whether the bounds of one type are reached.
    fn is_full(&self) -> bool {
        self.visits > MAX_VISITS || self.slots.len() >= MAX_SLOTS
    }
}

impl Types {
    /// The pointers of a type's values; of an array those of one element, since all others follow it.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn layout(&mut self, memory: &dyn Memory, id: TypeId) -> Result<Rc<Layout>, ReadError> {
        if let Some(layout) = &self.info(id).layout {
            return Ok(layout.clone());
        }
        let id = self.element_of_array(memory, id)?;
        let mut listing = Listing { slots: Vec::new(), visits: 0 };
        if self.slots < MAX_KEPT {
            self.list_slots(memory, id, (0, Label::EMPTY), 0, &mut listing)?;
        }
        if self.is_cells(memory, id)? {
            listing.slots.iter_mut().for_each(|slot| slot.via = Label::EMPTY);
        }
        self.slots += listing.slots.len();
        let layout = Rc::new(Layout::new(self.size(id), listing.slots));
        self.list[id.0 as usize].layout = Some(layout.clone());
        Ok(layout)
    }

    /// What an array consists of, one behind the other: it has the pointers of its elements.
    fn element_of_array(&mut self, memory: &dyn Memory, id: TypeId) -> Result<TypeId, ReadError> {
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            let Kind::Array { element, len } = self.kind(id) else { break };
            let Some(of) = self.get(memory, element)? else { break };
            if self.size(of).checked_mul(len) != Some(self.size(id)) {
                break;
            }
            id = of;
        }
        Ok(id)
    }

    /// Whether it is the type of the groups or buckets of a map, the fields of which are none of the program's.
    fn is_cells(&self, memory: &dyn Memory, id: TypeId) -> Result<bool, ReadError> {
        let is_struct = matches!(self.kind(id), Kind::Struct { .. });
        let name = if is_struct { self.name(memory, id)? } else { None };
        Ok(name.is_some_and(|name| Self::map_of_cells(&name).is_some()))
    }

    fn list_slots(
        &mut self,
        memory: &dyn Memory,
        id: TypeId,
        (offset, via): (u64, Label),
        depth: u32,
        to: &mut Listing,
    ) -> Result<(), ReadError> {
        to.visits += 1;
        if depth > MAX_DEPTH || to.is_full() {
            return Ok(());
        }
        let leads = match self.kind(id) {
            Kind::Plain => return Ok(()),
            Kind::Described => {
                let slots = self.info(id).layout.clone().unwrap_or_default();
                for slot in &slots.slots {
                    let via = self.join(via, slot.via);
                    to.slots.push(Slot { offset: offset + slot.offset, via, ..*slot });
                }
                return Ok(());
            }
            Kind::Array { element, len } => {
                let Some(element) = self.get(memory, element)? else { return Ok(()) };
                let size = self.size(element);
                let all = size.checked_mul(len).filter(|all| *all <= self.size(id));
                if !self.has_pointers(element) || size == 0 || all.is_none() {
                    return Ok(());
                }
                for number in 0..len {
                    if to.is_full() {
                        break;
                    }
                    let at = (offset + number * size, via);
                    self.list_slots(memory, element, at, depth + 1, to)?;
                }
                return Ok(());
            }
            Kind::Struct { fields, count } => {
                return self.list_fields(memory, (fields, count), id, (offset, via), depth, to);
            }
            Kind::Pointer(to) => self.get(memory, to)?.map_or(Leads::Anything, Leads::Pointer),
            Kind::Slice(of) => self.get(memory, of)?.map_or(Leads::Anything, Leads::Slice),
            Kind::Text => Leads::Text,
            Kind::Map { .. } => Leads::Map(id),
            Kind::Channel(_) => Leads::Channel(id),
            Kind::Function => Leads::Function,
            Kind::Interface => {
                to.slots.push(Slot { offset: offset + 8, via, leads: Leads::Interface });
                return Ok(());
            }
            Kind::Anything => Leads::Anything,
        };
        to.slots.push(Slot { offset, via, leads });
        Ok(())
    }

    fn list_fields(
        &mut self,
        memory: &dyn Memory,
        (fields, count): (u64, u64),
        id: TypeId,
        (offset, via): (u64, Label),
        depth: u32,
        to: &mut Listing,
    ) -> Result<(), ReadError> {
        let count = count.min(MAX_FIELDS) as usize;
        let bytes = match memory.read_vec(fields, count * FIELD) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => return Ok(()),
            Ok(bytes) => bytes,
        };
        let size = self.size(id);
        for field in bytes.as_chunks::<FIELD>().0 {
            let [name, own, at] = [0, 8, 16].map(|at| read::word(field, at));
            let Some(own) = self.get(memory, own)? else { continue };
            let fits = at.checked_add(self.size(own)).is_some_and(|end| end <= size);
            if !fits || !self.has_pointers(own) {
                continue;
            }
            if to.is_full() {
                break;
            }
            let name = self.read_name(memory, name)?.unwrap_or_default();
            let label = self.label(&name);
            let via = self.join(via, label);
            self.list_slots(memory, own, (offset + at, via), depth + 1, to)?;
        }
        Ok(())
    }
}
