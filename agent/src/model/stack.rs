//! Stacks and frames, each kept once.
//!
//! A process with a million goroutines has few distinct stacks, so goroutines carry a [`StackId`]
//! and the table holds the rest. Ids stay valid for all later versions of the same table.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::function::{self, Origin};

/// A distinct frame in a [`StackTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FrameId(NonZeroU32);

/// A distinct stack in a [`StackTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StackId(NonZeroU32);

/// A distinct string (function or file name) in a [`StackTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NameId(NonZeroU32);

/// One frame of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// A function, file and line.
    Resolved {
        /// The function's full name, as the runtime prints it.
        function: NameId,
        /// The file's path, as the binary records it.
        file: NameId,
        /// The line, from 1.
        line: u32,
        /// Whether the compiler inlined this frame into the one that follows it.
        inlined: bool,
    },
    /// An address that no symbol table could name.
    Unresolved {
        /// The program counter.
        pc: u64,
    },
}

/// A frame with its names looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resolved<'a> {
    /// The function's full name.
    pub function: &'a str,
    /// The file's path.
    pub file: &'a str,
    /// The line, from 1.
    pub line: u32,
    /// Whether the frame was inlined into the one that follows it.
    pub inlined: bool,
}

/// What the names of a frame tell, found out once.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Whose code it is; `None` for a frame without names.
    origin: Option<Origin>,
    is_wrapper: bool,
}

/// The distinct stacks, frames and names of one target. Append-only.
#[derive(Clone, Debug, Default)]
pub struct StackTable {
    names: Vec<Arc<str>>,
    name_ids: HashMap<Arc<str>, NameId>,
    frames: Vec<Frame>,
    /// One for each frame.
    kinds: Vec<Kind>,
    frame_ids: HashMap<Frame, FrameId>,
    stacks: Vec<Stack>,
    stack_ids: HashMap<Stack, StackId>,
    bytes: usize,
}

/// What an entry takes beside its text or its frames: it stands in a list and in a map, and has been
/// allocated.
const ENTRY_BYTES: usize = 96;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stack {
    frames: Arc<[FrameId]>,
    elided: u32,
}

impl StackTable {
    /// Keeps a name once.
    pub fn name(&mut self, name: &str) -> NameId {
        if let Some(&id) = self.name_ids.get(name) {
            return id;
        }
        let name: Arc<str> = name.into();
        let id = NameId(number(self.names.len()));
        self.bytes += ENTRY_BYTES + name.len();
        self.names.push(Arc::clone(&name));
        self.name_ids.insert(name, id);
        id
    }

    /// Keeps a frame once.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        if let Some(&id) = self.frame_ids.get(&frame) {
            return id;
        }
        let id = FrameId(number(self.frames.len()));
        self.bytes += ENTRY_BYTES;
        self.frames.push(frame);
        self.kinds.push(self.kind(frame));
        self.frame_ids.insert(frame, id);
        id
    }

    fn kind(&self, frame: Frame) -> Kind {
        match frame {
            Frame::Resolved { function, file, .. } => Kind {
                origin: Some(function::origin(self.text(function), self.text(file))),
                is_wrapper: function::is_wrapper(self.text(function)),
            },
            Frame::Unresolved { .. } => Kind { origin: None, is_wrapper: false },
        }
    }

    /// Keeps a named frame once.
    pub fn resolved(&mut self, frame: Resolved<'_>) -> FrameId {
        let function = self.name(frame.function);
        let file = self.name(frame.file);
        self.frame(Frame::Resolved { function, file, line: frame.line, inlined: frame.inlined })
    }

    /// Keeps a stack once. `frames` is innermost first; `elided` counts physical frames that were
    /// left out of a stack too deep to be kept whole (0 for a whole stack).
    pub fn stack(&mut self, frames: &[FrameId], elided: u32) -> StackId {
        let stack = Stack { frames: frames.into(), elided };
        if let Some(&id) = self.stack_ids.get(&stack) {
            return id;
        }
        let id = StackId(number(self.stacks.len()));
        self.bytes += ENTRY_BYTES + size_of_val(frames);
        self.stacks.push(stack.clone());
        self.stack_ids.insert(stack, id);
        id
    }

    /// The frames of a stack, innermost first.
    #[must_use]
    pub fn frames_of(&self, stack: StackId) -> &[FrameId] {
        self.stacks.get(slot(stack.0)).map_or(&[], |stack| &stack.frames)
    }

    /// How many frames a too deep stack leaves out; 0 for a whole one.
    #[must_use]
    pub fn elided(&self, stack: StackId) -> u32 {
        self.stacks.get(slot(stack.0)).map_or(0, |stack| stack.elided)
    }

    /// A frame's value.
    #[must_use]
    pub fn get(&self, frame: FrameId) -> Frame {
        self.frames.get(slot(frame.0)).copied().unwrap_or(Frame::Unresolved { pc: 0 })
    }

    /// A frame with its names, or the address that could not be named.
    ///
    /// # Errors
    /// The program counter of a frame that no symbol table could name.
    pub fn lookup(&self, frame: FrameId) -> Result<Resolved<'_>, u64> {
        match self.get(frame) {
            Frame::Resolved { function, file, line, inlined } => {
                Ok(Resolved { function: self.text(function), file: self.text(file), line, inlined })
            }
            Frame::Unresolved { pc } => Err(pc),
        }
    }

    /// Whose code a frame is ([`function::origin`]); `None` for one without names.
    #[must_use]
    pub fn origin(&self, frame: FrameId) -> Option<Origin> {
        self.kinds.get(slot(frame.0))?.origin
    }

    /// Whether a frame is a wrapper that the compiler made ([`function::is_wrapper`]).
    #[must_use]
    pub fn is_wrapper(&self, frame: FrameId) -> bool {
        self.kinds.get(slot(frame.0)).is_some_and(|kind| kind.is_wrapper)
    }

    /// The name of a frame's function; `None` for one without names.
    #[must_use]
    pub fn function(&self, frame: FrameId) -> Option<NameId> {
        match self.get(frame) {
            Frame::Resolved { function, .. } => Some(function),
            Frame::Unresolved { .. } => None,
        }
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: NameId) -> &str {
        self.names.get(slot(name.0)).map_or("", |name| name)
    }

    /// Whether the table holds a stack.
    #[must_use]
    pub fn has_stack(&self, stack: StackId) -> bool {
        slot(stack.0) < self.stacks.len()
    }

    /// Whether the table holds a frame.
    #[must_use]
    pub fn has_frame(&self, frame: FrameId) -> bool {
        slot(frame.0) < self.frames.len()
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many distinct stacks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stacks.len()
    }

    /// Whether there is no stack yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }
}

/// A frame as it is written: function, file, line, whether inlined; or an address.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum FrameForm {
    Resolved(NameId, NameId, u32, bool),
    Unresolved(u64),
}

/// A table as it is written. Ids are places in these lists, from 1.
#[derive(Deserialize)]
struct TableForm {
    names: Vec<String>,
    frames: Vec<FrameForm>,
    stacks: Vec<(Vec<FrameId>, u32)>,
}

impl Serialize for StackTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Form<'a> {
            names: Vec<&'a str>,
            frames: Vec<FrameForm>,
            stacks: Vec<(&'a [FrameId], u32)>,
        }
        let frame = |frame: &Frame| match *frame {
            Frame::Resolved { function, file, line, inlined } => {
                FrameForm::Resolved(function, file, line, inlined)
            }
            Frame::Unresolved { pc } => FrameForm::Unresolved(pc),
        };
        Form {
            names: self.names.iter().map(|name| &**name).collect(),
            frames: self.frames.iter().map(frame).collect(),
            stacks: self.stacks.iter().map(|stack| (&*stack.frames, stack.elided)).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StackTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = TableForm::deserialize(deserializer)?;
        let mut table = Self::default();
        let twice = |what: &str| D::Error::custom(format!("a {what} stands there twice"));
        let nowhere = |what: &str| D::Error::custom(format!("a {what} is named and not there"));
        // An entry that was there before would shift the ids of all that follow.
        for (at, name) in form.names.iter().enumerate() {
            if slot(table.name(name).0) != at {
                return Err(twice("name"));
            }
        }
        for (at, frame) in form.frames.into_iter().enumerate() {
            let frame = match frame {
                FrameForm::Resolved(function, file, line, inlined) => {
                    if slot(function.0.max(file.0)) >= table.names.len() {
                        return Err(nowhere("name"));
                    }
                    Frame::Resolved { function, file, line, inlined }
                }
                FrameForm::Unresolved(pc) => Frame::Unresolved { pc },
            };
            if slot(table.frame(frame).0) != at {
                return Err(twice("frame"));
            }
        }
        for (at, (frames, elided)) in form.stacks.iter().enumerate() {
            if !frames.iter().all(|&frame| table.has_frame(frame)) {
                return Err(nowhere("frame"));
            }
            if slot(table.stack(frames, *elided).0) != at {
                return Err(twice("stack"));
            }
        }
        Ok(table)
    }
}

/// The id of the entry that comes after `len` others: from 1, so that an `Option` of an id is no
/// larger than the id. 32 bits: a target cannot have more distinct stacks than a snapshot has
/// goroutines, and readers bound those far below.
fn number(len: usize) -> NonZeroU32 {
    u32::try_from(len)
        .ok()
        .and_then(|len| NonZeroU32::MIN.checked_add(len))
        .unwrap_or(NonZeroU32::MAX)
}

/// Where the entry with an id stands.
fn slot(id: NonZeroU32) -> usize {
    id.get() as usize - 1
}
