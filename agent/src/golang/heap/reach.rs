//! What a pointer does to a walk: it marks an object, counts it for the path by which it is held, and has it searched.

mod entries;
mod hidden;
mod nearest;
mod noted;
mod some_spans;

use std::ops::Range;

use super::marks::{Mark, Marks};
use super::paths::{NodeId, Paths};
use super::queue::{Key, Queue};
use super::shape::{self, HEADER, MAX_WITHOUT_HEADER, Named, Shape, Word};
use super::spans::{Span, Spans};
use super::weak::{Lead, Weak};
use crate::golang::memory::{Memory, ReadError};
use crate::golang::types::{Label, Layout, Types};
use hidden::Hidden;
use nearest::Nearest;
pub use nearest::Telling;
use noted::Noted;

/// Objects that are searched in the same round as those that lead to them: they are in the run that was read.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) key: Key,
    pub(super) span: u32,
    /// The first and the last object of the run.
    pub(super) run: (u32, u32),
    pub(super) objects: Vec<u32>,
}

/// An object of which is noted what it is taken for when something reaches it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// The number of its span, and its own within that.
    pub(super) object: (u32, u32),
    /// `None` until then.
    pub(super) shape: Option<Shape>,
}

/// What has been reached, and how.
pub(super) struct Reach<'a> {
    pub(super) memory: &'a dyn Memory,
    pub(super) spans: &'a Spans,
    pub(super) marks: Marks<'a>,
    pub(super) queue: Queue,
    pub(super) paths: Paths,
    pub(super) types: Types,
    /// Where Go's text is.
    pub(super) code: Vec<Range<u64>>,
    /// That of the holder whose objects are being counted.
    pub(super) root: NodeId,
    pub(super) local: Option<Local>,
    pub(super) watched: Option<Watched>,
    pub(super) noted: Noted,
    pub(super) nearest: Nearest,
    pub(super) hidden: Hidden,
    pub(super) weak: Weak,
    /// Objects that were too many to remember how they are held.
    pub(super) untraced: u64,
    /// Whether large objects with pointers have their type before them.
    has_headers: bool,
}

impl<'a> Reach<'a> {
    pub(super) fn new(
        memory: &'a dyn Memory,
        spans: &'a Spans,
        (types, code): (Types, Vec<Range<u64>>),
        has_headers: bool,
    ) -> Self {
        let mut paths = Paths::default();
        let root = paths.root();
        let objects = spans.allocated().len() * 64;
        Self {
            memory,
            spans,
            marks: Marks::new(spans),
            queue: Queue::new(objects),
            paths,
            types,
            code,
            root,
            local: None,
            watched: None,
            noted: Noted::default(),
            nearest: Nearest::default(),
            hidden: Hidden::default(),
            weak: Weak::default(),
            untraced: 0,
            has_headers,
        }
    }

    /// How many bytes before the value of an object of a span tell its type.
    pub(super) const fn header(&self, span: &Span) -> u64 {
        let is_in_others = span.is_large() || span.is_without_pointers();
        let has_header = self.has_headers && span.object_bytes > MAX_WITHOUT_HEADER;
        if has_header && !is_in_others { HEADER } else { 0 }
    }

    /// Follows a pointer that a field of what is at a node holds. What nobody knows waits until all else is followed,
    /// for that may tell what it is.
    pub(super) fn pointer(&mut self, (node, via): (NodeId, Label), shape: Shape, address: u64) {
        let Some((number, span)) = self.spans.find(address) else { return };
        let Some(object) = span.object_at(address) else { return };
        let header = self.header(span);
        let start = span.start + u64::from(object) * span.object_bytes;
        let shape = shape.if_it_fits(&self.types, span, (start, header), address);
        let is_told = header > 0 || (span.is_large() && span.large_type != 0);
        if shape == Shape::Unknown && !is_told {
            let is_new = self.marks.state(span, object) == Mark::New;
            if is_new && self.queue.defer(node, via, address) {
                return;
            }
        }
        self.mark((node, via), shape, (number, span, object));
    }

    /// Follows a pointer that was put off.
    pub(super) fn deferred(&mut self, (node, via): (NodeId, Label), address: u64) {
        let Some((number, span)) = self.spans.find(address) else { return };
        let Some(object) = span.object_at(address) else { return };
        self.mark((node, via), Shape::Unknown, (number, span, object));
    }

    fn mark(
        &mut self,
        (node, via): (NodeId, Label),
        shape: Shape,
        (number, span, object): (u32, &Span, u32),
    ) {
        if self.hidden.has(span.first + object) {
            return;
        }
        if self.marks.reach(span, object) == Mark::Known {
            if self.nearest.is_asked(number) {
                let named = shape.named(!span.is_without_pointers());
                self.nearest.again((number, object), &mut self.paths, (node, via, named));
            }
            return;
        }
        if let Some(watched) = &mut self.watched
            && watched.object == (number, object)
        {
            watched.shape = Some(shape);
        }
        let has_pointers = !span.is_without_pointers();
        let child = self.paths.child(node, via, shape.named(has_pointers));
        self.paths.add(child, span.object_bytes);
        self.noted.reached((number, object), child);
        if self.nearest.is_asked(number) {
            self.nearest.reached((number, object), &self.paths, child);
        }
        if !has_pointers {
            return;
        }
        let key = (child, shape);
        if let Some(local) = &mut self.local
            && (local.key, local.span) == (key, number)
            && (local.run.0..=local.run.1).contains(&object)
        {
            local.objects.push(object);
        } else if !self.queue.push(key, span.first + object) {
            self.untraced += 1;
            self.marks.wait(number);
        }
    }

    /// Follows a word of an object that is at a node.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn word(
        &mut self,
        (node, shape): Key,
        layout: Option<&Layout>,
        word: Word<'_>,
        value: u64,
    ) -> Result<(), ReadError> {
        // Most words of most objects.
        if self.spans.find(value).is_none() {
            return Ok(());
        }
        let (via, leads) = shape::follow(&mut self.types, self.memory, (shape, layout), word)?;
        self.pointer((node, via), leads, value);
        Ok(())
    }

    /// Follows a word of an object, or where there are weak pointers gathers it: all words of the object tell whether it
    /// has entries of them.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn word_of_object(
        &mut self,
        key: Key,
        layout: Option<&Layout>,
        word: Word<'_>,
        value: u64,
    ) -> Result<(), ReadError> {
        if !self.weak.is_any() {
            return self.word(key, layout, word, value);
        }
        if self.spans.find(value).is_some() {
            let offset = word.offset;
            let follow = shape::follow(&mut self.types, self.memory, (key.1, layout), word)?;
            let (via, shape) = follow;
            self.weak.gathered.push(Lead { offset, via, shape, value });
        }
        Ok(())
    }

    /// Whether Go's text is at an address.
    pub(super) fn is_code(&self, address: u64) -> bool {
        self.code.iter().any(|range| range.contains(&address))
    }

    /// What an object of a span is by the type that stands with it, before its value or in the span; 0 where there is
    /// none.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn told(
        &mut self,
        span: &Span,
        (told, header): (u64, u64),
    ) -> Result<Shape, ReadError> {
        let Some(id) = self.types.get(self.memory, told)? else { return Ok(Shape::Unknown) };
        let (size, room) = (self.types.size(id), span.object_bytes - header);
        Ok(match size {
            0 => Shape::Unknown,
            _ if span.is_size_of(size, header) => Shape::One(id),
            _ if size <= room => Shape::Many(id),
            _ => Shape::Unknown,
        })
    }

    /// What an object is that was not known before it was read; `told` is the type that stands with it, `first` its
    /// first word.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(super) fn learn(
        &mut self,
        (node, shape): Key,
        span: &Span,
        (told, header): (u64, u64),
        first: u64,
    ) -> Result<Key, ReadError> {
        let (shape, named) = match shape {
            Shape::Unknown if told != 0 => match self.told(span, (told, header))? {
                Shape::Unknown => return Ok((node, shape)),
                shape => (shape, shape.named(true)),
            },
            Shape::Function | Shape::Unknown if self.is_code(first) => {
                (Shape::Function, Named::Function(first))
            }
            _ => return Ok((node, shape)),
        };
        let known = *self.paths.node(node);
        // A root stands for objects that were counted where they belong.
        let Some(parent) = known.parent else {
            return Ok((self.paths.child(node, Label::EMPTY, named), shape));
        };
        let own = self.paths.child(parent, known.via, named);
        self.paths.rename(node, own, span.object_bytes);
        Ok((own, shape))
    }
}
