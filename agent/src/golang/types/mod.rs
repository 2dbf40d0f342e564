//! The types of a Go program: by the data that its runtime has of them, or by what debug information says.
//!
//! What is read is another process's: sizes, kinds, names, numbers and depths have bounds, and what goes beyond them
//! is no type.

mod layout;
mod name;
mod read;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::memory::{Memory, ReadError};
use super::version::GoVersion;

pub use layout::{Layout, Leads, Slot};

/// More types than this are not kept.
const MAX_TYPES: usize = 1 << 17;
/// More labels than this are not kept.
const MAX_LABELS: usize = 1 << 16;
/// Longer ones are cut, in bytes.
const MAX_LABEL: usize = 256;
/// More words that are no type, or no table of methods, are not remembered.
const MAX_REMEMBERED: usize = 1 << 16;

/// A type that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(test, derive(Default))]
pub struct TypeId(u32);

/// The name of a field, or the names of fields within fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(u32);

/// What kind of type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Without pointers.
    Plain,
    /// A string.
    Text,
    /// A pointer to the type at an address.
    Pointer(u64),
    /// A slice of the type at an address.
    Slice(u64),
    /// An array.
    Array {
        /// The address of its elements' type.
        element: u64,
        /// How many there are.
        len: u64,
    },
    /// A struct.
    Struct {
        /// Where its fields are listed.
        fields: u64,
        /// How many there are.
        count: u64,
    },
    /// A map.
    Map {
        /// The address of the type of what holds its keys and elements: groups since Go 1.24, before that buckets.
        cells: u64,
    },
    /// A channel of the type at an address.
    Channel(u64),
    /// A function value.
    Function,
    /// An interface, with methods or without.
    Interface,
    /// `unsafe.Pointer`, or what nothing more is known of.
    Anything,
    /// What debug information alone tells of.
    Described,
}

/// What is known of a type.
#[derive(Clone, Debug)]
pub(super) struct Info {
    address: u64,
    size: u64,
    pointer_bytes: u64,
    is_direct: bool,
    kind: Kind,
    name: Name,
    layout: Option<Rc<Layout>>,
}

#[derive(Clone, Debug)]
enum Name {
    /// At an offset from where the module's types begin, with a star to be left out or not.
    At { offset: u32, extra_star: bool },
    /// As debug information says.
    Is(Rc<str>),
}

/// What differs between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Whether maps are swiss tables (Go 1.24).
    pub swiss_maps: bool,
    /// Whether `TFlagDirectIface` says what interfaces hold in place of a pointer to it (Go 1.26), before that
    /// `KindDirectIface`. Both are the same bit, of the flags or of the kind.
    direct_in_flags: bool,
}

impl Label {
    /// That of no text.
    pub const EMPTY: Self = Self(0);
}

impl Form {
    /// Of a version.
    #[must_use]
    pub fn of(version: &GoVersion) -> Self {
        let is_without = version.experiments.iter().any(|it| it == "noswissmap");
        Self {
            swiss_maps: version.minor >= 24 && !is_without,
            direct_in_flags: version.minor >= 26,
        }
    }
}

/// The types that were met.
pub struct Types {
    form: Form,
    /// Where the types of each module begin and end.
    modules: Vec<(u64, u64)>,
    list: Vec<Info>,
    /// By address; `None` for what is no type.
    known: FxHashMap<u64, Option<TypeId>>,
    /// The types that tables of methods are for.
    tables: FxHashMap<u64, Option<TypeId>>,
    labels: Vec<Rc<str>>,
    label_ids: FxHashMap<Rc<str>, Label>,
    slots: usize,
}

impl Types {
    /// Of a program whose modules have their types in these ranges.
    #[must_use]
    pub fn new(form: Form, modules: Vec<(u64, u64)>) -> Self {
        Self {
            form,
            modules,
            list: Vec::new(),
            known: FxHashMap::default(),
            tables: FxHashMap::default(),
            labels: vec!["".into()],
            label_ids: FxHashMap::default(),
            slots: 0,
        }
    }

    /// What differs between versions.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Where the types of the main module begin: what offsets of types count from.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.modules.first().map_or(0, |(start, _)| *start)
    }

    /// Whether an address is where types are.
    #[must_use]
    pub fn is_within(&self, address: u64) -> bool {
        self.modules.iter().any(|(start, end)| (*start..*end).contains(&address))
    }

    /// The type at an address; `None` where none can be.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn get(&mut self, memory: &dyn Memory, address: u64) -> Result<Option<TypeId>, ReadError> {
        if let Some(known) = self.known.get(&address) {
            return Ok(*known);
        }
        if !self.is_within(address) || !address.is_multiple_of(8) {
            return Ok(None);
        }
        let read = match read::info(memory, self.form.direct_in_flags, address) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => None,
            Ok(read) => read,
        };
        let id = read.and_then(|info| self.add(info));
        if id.is_some() || self.known.len() < MAX_TYPES + MAX_REMEMBERED {
            self.known.insert(address, id);
        }
        Ok(id)
    }

    fn add(&mut self, info: Info) -> Option<TypeId> {
        let id = u32::try_from(self.list.len()).ok().filter(|id| (*id as usize) < MAX_TYPES)?;
        self.list.push(info);
        Some(TypeId(id))
    }

    /// Adds a type that only debug information tells of. Where its pointers are is told later
    /// ([`Types::describe`]), since types may lead to themselves.
    pub fn add_described(&mut self, name: &str, size: u64) -> Option<TypeId> {
        let name = &name[..name.floor_char_boundary(name::MAX_NAME)];
        self.add(Info {
            address: 0,
            size,
            pointer_bytes: size,
            is_direct: false,
            kind: Kind::Described,
            name: Name::Is(name.into()),
            layout: None,
        })
    }

    /// Says where such a type's pointers are.
    pub fn describe(&mut self, id: TypeId, slots: Vec<Slot>) {
        let info = &mut self.list[id.0 as usize];
        // Where the last pointer ends.
        info.pointer_bytes =
            slots.iter().map(|slot| slot.offset.saturating_add(8)).max().unwrap_or(0);
        info.layout = Some(Rc::new(Layout::new(info.size, slots)));
    }

    /// The type of what an interface holds whose first word this is: a type, or a table of methods.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn of_interface(
        &mut self,
        memory: &dyn Memory,
        word: u64,
    ) -> Result<Option<TypeId>, ReadError> {
        if word == 0 || !word.is_multiple_of(8) {
            return Ok(None);
        }
        if let Some(id) = self.get(memory, word)? {
            return Ok(Some(id));
        }
        if let Some(known) = self.tables.get(&word) {
            return Ok(*known);
        }
        // `abi.ITab`: the interface, the type.
        let mut words = [0; 16];
        let id = match memory.read(word, &mut words) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => None,
            Ok(()) => {
                let [interface, own] = [read::word(&words, 0), read::word(&words, 8)];
                let is_table = self.is_within(interface);
                if is_table { self.get(memory, own)? } else { None }
            }
        };
        if self.tables.len() < MAX_REMEMBERED {
            self.tables.insert(word, id);
        }
        Ok(id)
    }

    pub(super) fn info(&self, id: TypeId) -> &Info {
        &self.list[id.0 as usize]
    }

    /// The size of its values, in bytes.
    #[must_use]
    pub fn size(&self, id: TypeId) -> u64 {
        self.info(id).size
    }

    /// Whether its values have pointers.
    #[must_use]
    pub fn has_pointers(&self, id: TypeId) -> bool {
        self.info(id).pointer_bytes > 0
    }

    /// Whether an interface holds its values themselves, and not pointers to them.
    #[must_use]
    pub fn is_direct(&self, id: TypeId) -> bool {
        self.info(id).is_direct
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self, id: TypeId) -> Kind {
        self.info(id).kind
    }

    /// The type of what holds a map's keys and elements.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn cells(&mut self, memory: &dyn Memory, map: TypeId) -> Result<Option<TypeId>, ReadError> {
        match self.kind(map) {
            Kind::Map { cells } => self.get(memory, cells),
            _ => Ok(None),
        }
    }

    /// The type of what is in a channel.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn element(
        &mut self,
        memory: &dyn Memory,
        channel: TypeId,
    ) -> Result<Option<TypeId>, ReadError> {
        match self.kind(channel) {
            Kind::Channel(element) => self.get(memory, element),
            _ => Ok(None),
        }
    }

    /// A label by its text; that of no text when there are too many.
    pub fn label(&mut self, text: &str) -> Label {
        let text = &text[..text.floor_char_boundary(MAX_LABEL)];
        if text.is_empty() {
            return Label::default();
        }
        if let Some(known) = self.label_ids.get(text) {
            return *known;
        }
        if self.labels.len() >= MAX_LABELS {
            return Label::default();
        }
        let (text, label): (Rc<str>, _) = (text.into(), Label(self.labels.len() as u32));
        self.labels.push(text.clone());
        self.label_ids.insert(text, label);
        label
    }

    /// A field within a field.
    pub fn join(&mut self, outer: Label, inner: Label) -> Label {
        match (self.text(outer), self.text(inner)) {
            (Some(outer), Some(inner)) => {
                let text = format!("{outer}.{inner}");
                self.label(&text)
            }
            (None, _) => inner,
            (_, None) => outer,
        }
    }

    /// The text of a label; `None` for that of no text.
    #[must_use]
    pub fn text(&self, label: Label) -> Option<&str> {
        self.labels.get(label.0 as usize).map(|it| &**it).filter(|it| !it.is_empty())
    }
}
