//! Objects for which the runtime keeps a finalizer or a cleanup, and whether what these keep leads back to them.
//!
//! The runtime keeps what an object with a finalizer points to, and what a cleanup's function and argument point to,
//! but not the object. One that is reached from there all the same is never freed, and its finalizer never runs
//! (`runtime.SetFinalizer`, `runtime.AddCleanup`).

use super::super::roots::{RecordKind, Special};
use super::{NodeId, ReadError, Shape, Walk};
use crate::golang::heap::reach::Watched;

/// A larger object with a finalizer is not searched: it is no object that a person would give one.
const MAX_ALONE: u64 = 256 << 20;

/// What the runtime makes of a cleanup (Go 1.24 and 1.25) captures its function within so many words.
const MAX_CAPTURED: u64 = 3;

impl Walk<'_> {
    /// Whether nothing has reached the object at an address yet, of those that were allocated when the walk began.
    #[must_use]
    pub fn is_unreached(&self, address: u64) -> bool {
        self.reach.is_unreached(address)
    }

    /// How large that object is; `None` where something has reached it.
    #[must_use]
    pub fn unreached_bytes(&self, address: u64) -> Option<u64> {
        let (_, span) = self.spans.find(address).filter(|_| self.is_unreached(address))?;
        Some(span.object_bytes)
    }

    /// Notes, from now on, what the object at an address is taken for once something reaches it.
    pub fn watch(&mut self, address: u64) {
        let found = self.spans.find(address);
        let object = found.and_then(|(number, span)| Some((number, span.object_at(address)?)));
        self.reach.watched = object.map(|object| Watched { object, shape: None });
    }

    /// What it is taken for; `None` where nothing has reached it.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn watched(&mut self) -> Result<Option<Shape>, ReadError> {
        let Some(Watched { object: (number, object), shape: Some(shape) }) =
            self.reach.watched.take()
        else {
            return Ok(None);
        };
        if shape != Shape::Unknown {
            return Ok(Some(shape));
        }
        let span = &self.spans.all()[number as usize];
        let header = self.reach.header(span);
        let start = span.start + u64::from(object) * span.object_bytes;
        let told = match header {
            0 => span.large_type,
            _ => self.memory.read_u64(start).unwrap_or(0),
        };
        self.reach.told(span, (told, header)).map(Some)
    }

    /// Where the function of a cleanup begins; `None` for other records, and where it is not known.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn cleanup_function(&self, record: &Special) -> Result<Option<u64>, ReadError> {
        let code = |closure: u64| match self.memory.read_u64(closure) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
            read => Ok(read.ok().filter(|code| self.reach.is_code(*code))),
        };
        let [call, function, _] = record.words;
        match (record.kind, self.pointers.form().queued_cleanup_words) {
            (RecordKind::Finalizer | RecordKind::WeakHandle | RecordKind::Other, _) => Ok(None),
            (RecordKind::Cleanup, Some(3)) => code(function),
            // A closure of the runtime's, which has captured it; in Go 1.25 by where it lies, since its address is taken.
            (RecordKind::Cleanup, words) => {
                for word in 1..=MAX_CAPTURED {
                    let captured = self.memory.read_u64(call.wrapping_add(word * 8)).ok();
                    let captured = match words {
                        Some(_) => captured.and_then(|at| self.memory.read_u64(at).ok()),
                        None => captured,
                    };
                    if let Some(code) = captured.map_or(Ok(None), code)? {
                        return Ok(Some(code));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Goes on to count for a holder.
    pub const fn hold_again(&mut self, root: NodeId) {
        self.reach.root = root;
    }

    /// What the object of a finalizer is, by the type that the runtime keeps with it.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn finalized(&mut self, special: &Special) -> Result<Shape, ReadError> {
        let (memory, types) = (self.memory, &mut self.reach.types);
        let Some(pointer) = types.get(memory, special.pointer_type)? else {
            return Ok(Shape::Unknown);
        };
        let layout = types.layout(memory, pointer)?;
        Ok(layout.at(0).map_or(Shape::Unknown, |slot| Shape::of(slot.leads)))
    }

    /// Marks what a record keeps for an object of this shape, and not the object.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn reach_from_record(&mut self, record: &Special, shape: Shape) -> Result<(), ReadError> {
        record.words.into_iter().for_each(|word| self.reach(word));
        match record.kind {
            RecordKind::Finalizer => self.reach_from_object(record.object, shape),
            RecordKind::Cleanup | RecordKind::WeakHandle | RecordKind::Other => Ok(()),
        }
    }

    /// Marks what an object of this shape points to, and not the object.
    fn reach_from_object(&mut self, address: u64, shape: Shape) -> Result<(), ReadError> {
        let Some((_, span)) = self.spans.find(address) else { return Ok(()) };
        let Some(object) = span.object_at(address) else { return Ok(()) };
        // Reading one takes no note of the time.
        if span.object_bytes > MAX_ALONE {
            self.unread += 1;
            return Ok(());
        }
        let start = span.start + u64::from(object) * span.object_bytes;
        let header = self.reach.header(span);
        let shape = shape.if_it_fits(&self.reach.types, span, (start, header), address);
        let is_read = self.reach_from_objects(span, &[object], shape)?;
        self.unread += u64::from(!is_read);
        Ok(())
    }
}
