//! What an object is taken for: a value of a type, or a part of what the runtime makes of a map or a channel.
//!
//! The shape of an object is told by the pointer that leads to it, and must fit where the object is.

use std::rc::Rc;

use super::spans::Span;
use crate::golang::memory::{Memory, ReadError};
use crate::golang::types::{Label, Layout, Leads, TypeId, Types};

/// From this size on, objects with pointers have their type before them (`minSizeForMallocHeader`, Go 1.22).
pub(super) const MAX_WITHOUT_HEADER: u64 = 512;
/// What stands before such an object.
pub(super) const HEADER: u64 = 8;
/// `internal/runtime/maps.Map` and `runtime.hmap` have 48 bytes.
const MAX_MAP: u64 = 64;
/// Objects without pointers up to this size share a block with others (`maxTinySize`).
const TINY: u64 = 16;

/// Where pointers are in what the runtime makes.
mod at {
    /// `maps.Map.dirPtr`, `maps.Map.dirLen`, `maps.table.groups`.
    pub(super) const DIRECTORY: u64 = 16;
    pub(super) const DIRECTORY_LEN: u64 = 24;
    pub(super) const GROUPS: u64 = 16;
    /// `hmap.buckets`, `hmap.oldbuckets`.
    pub(super) const BUCKETS: u64 = 16;
    pub(super) const OLD_BUCKETS: u64 = 24;
    /// `hchan.buf`.
    pub(super) const BUFFER: u64 = 16;
}

/// What an object is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Nobody knows.
    #[default]
    Unknown,
    /// A value of a type.
    One(TypeId),
    /// Values of a type, one behind the other.
    Many(TypeId),
    /// The bytes of a string.
    Text,
    /// What a map of a type begins with.
    Map(TypeId),
    /// The pointers to the tables of a map.
    Directory(TypeId),
    /// A table of a map.
    Table(TypeId),
    /// The groups, or buckets, of a map.
    Cells(TypeId),
    /// A channel of a type.
    Channel(TypeId),
    /// What is in a channel.
    Buffer(TypeId),
    /// A function value: where its code is, and what it captured.
    Function,
}

/// What objects are called; those of one map, or one channel, are called alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Named {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Nobody knows, and they have no pointers.
    Plain,
    /// A type.
    Type(TypeId),
    /// A slice of a type.
    Slice(TypeId),
    /// A string.
    Text,
    /// A function value, by the address of its code; 0 while that is not read.
    Function(u64),
}

impl Shape {
    /// What a pointer of a type's values leads to.
    #[must_use]
    pub const fn of(leads: Leads) -> Self {
        match leads {
            Leads::Pointer(id) => Self::One(id),
            Leads::Slice(id) => Self::Many(id),
            Leads::Text => Self::Text,
            Leads::Map(id) => Self::Map(id),
            Leads::Channel(id) => Self::Channel(id),
            Leads::Function => Self::Function,
            Leads::Interface | Leads::Anything => Self::Unknown,
        }
    }

    /// What an interface leads to by its second word, when this is its first.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn of_interface(
        types: &mut Types,
        memory: &dyn Memory,
        first: u64,
    ) -> Result<Self, ReadError> {
        let Some(id) = types.of_interface(memory, first)? else { return Ok(Self::Unknown) };
        if !types.is_direct(id) {
            return Ok(Self::One(id));
        }
        let layout = types.layout(memory, id)?;
        Ok(layout.at(0).map_or(Self::Unknown, |slot| Self::of(slot.leads)))
    }

    /// What an object of this shape is called, in a span with pointers or without.
    #[must_use]
    pub const fn named(self, has_pointers: bool) -> Named {
        match self {
            Self::Unknown if has_pointers => Named::Unknown,
            Self::Unknown => Named::Plain,
            Self::One(id)
            | Self::Map(id)
            | Self::Directory(id)
            | Self::Table(id)
            | Self::Cells(id)
            | Self::Channel(id)
            | Self::Buffer(id) => Named::Type(id),
            Self::Many(id) => Named::Slice(id),
            Self::Text => Named::Text,
            Self::Function => Named::Function(0),
        }
    }

    /// This shape, or the unknown one where no such object can be at what `address` points to: an object of a
    /// span that begins at `start`, behind a header of so many bytes.
    #[must_use]
    pub fn if_it_fits(
        self,
        types: &Types,
        span: &Span,
        (start, header): (u64, u64),
        address: u64,
    ) -> Self {
        let offset = address.wrapping_sub(start + header);
        let room = span.object_bytes - header;
        let has_pointers = !span.is_without_pointers();
        let fits = match self {
            Self::Unknown => true,
            Self::One(id) => {
                let size = types.size(id);
                let is_tiny = !has_pointers && span.object_bytes == TINY && size < TINY;
                types.has_pointers(id) == has_pointers
                    && (is_tiny || (offset == 0 && span.is_size_of(size, header)))
            }
            Self::Many(id) => {
                let size = types.size(id);
                let is_tiny = !has_pointers && span.object_bytes == TINY;
                size > 0
                    && types.has_pointers(id) == has_pointers
                    && (is_tiny || (size <= room && offset.is_multiple_of(size)))
            }
            Self::Text => !has_pointers,
            Self::Map(_) => has_pointers && offset == 0 && span.object_bytes <= MAX_MAP,
            Self::Channel(_) | Self::Function => offset == 0,
            // Parts of what was believed.
            Self::Directory(_) | Self::Table(_) | Self::Cells(_) | Self::Buffer(_) => true,
        };
        if fits { self } else { Self::Unknown }
    }
}

/// A word of an object, and what stands around it.
#[derive(Clone, Copy, Debug)]
pub struct Word<'b> {
    /// Where it is in the object's value.
    pub offset: u64,
    /// Bytes of the object, and where the word is in them.
    pub bytes: &'b [u8],
    /// Where.
    pub at: usize,
}

impl Word<'_> {
    /// A word so many bytes behind this one, or before it; 0 where that was not read.
    #[must_use]
    pub fn beside(&self, distance: isize) -> u64 {
        let at = self.at.checked_add_signed(distance);
        let word = at.and_then(|at| self.bytes.get(at..)).and_then(<[u8]>::first_chunk);
        word.map_or(0, |word| u64::from_le_bytes(*word))
    }
}

/// By which field a word of an object of a shape leads on, and to what. `layout` is that of the shape's values
/// ([`layout`]).
///
/// # Errors
/// When nothing can be read any more.
pub fn follow(
    types: &mut Types,
    memory: &dyn Memory,
    (shape, layout): (Shape, Option<&Layout>),
    word: Word<'_>,
) -> Result<(Label, Shape), ReadError> {
    let none = Label::default();
    let is_swiss = types.form().swiss_maps;
    let shape = match shape {
        Shape::Map(map) if is_swiss => match word.offset {
            at::DIRECTORY => {
                let between = (at::DIRECTORY_LEN - at::DIRECTORY) as isize;
                let is_small = word.beside(between) == 0;
                if is_small { Shape::Cells(map) } else { Shape::Directory(map) }
            }
            _ => Shape::Unknown,
        },
        Shape::Map(map) => match word.offset {
            at::BUCKETS | at::OLD_BUCKETS => Shape::Cells(map),
            _ => Shape::Unknown,
        },
        Shape::Directory(map) => Shape::Table(map),
        Shape::Table(map) if word.offset == at::GROUPS => Shape::Cells(map),
        Shape::Channel(channel) if word.offset == at::BUFFER => Shape::Buffer(channel),
        Shape::Table(_) | Shape::Channel(_) | Shape::Function | Shape::Text => Shape::Unknown,
        Shape::Unknown if word.offset >= 8 => {
            // An interface, where a type stands before it.
            let first = word.beside(-8);
            if types.is_within(first) {
                Shape::of_interface(types, memory, first)?
            } else {
                Shape::Unknown
            }
        }
        Shape::Unknown => Shape::Unknown,
        Shape::One(_) | Shape::Many(_) | Shape::Buffer(_) | Shape::Cells(_) => {
            let Some(slot) = layout.and_then(|it| it.at(word.offset)) else {
                return Ok((none, Shape::Unknown));
            };
            let leads = match (slot.leads, shape) {
                (Leads::Interface, _) => Shape::of_interface(types, memory, word.beside(-8))?,
                // What a bucket has no room for is in another.
                (Leads::Anything, Shape::Cells(map)) if !is_swiss => Shape::Cells(map),
                (leads, _) => Shape::of(leads),
            };
            let is_own = matches!(shape, Shape::One(_) | Shape::Many(_));
            return Ok((if is_own { slot.via } else { none }, leads));
        }
    };
    Ok((none, shape))
}

/// Where the pointers are of the values that an object of a shape consists of; `None` for what consists of none.
///
/// # Errors
/// When nothing can be read any more.
pub fn layout(
    types: &mut Types,
    memory: &dyn Memory,
    shape: Shape,
) -> Result<Option<Rc<Layout>>, ReadError> {
    let values = match shape {
        Shape::One(id) | Shape::Many(id) => Some(id),
        Shape::Cells(map) => types.cells(memory, map)?,
        Shape::Buffer(channel) => types.element(memory, channel)?,
        _ => None,
    };
    values.map(|id| types.layout(memory, id)).transpose()
}
