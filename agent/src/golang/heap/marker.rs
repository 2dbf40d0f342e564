//! Marks what roots reach, as the collector does it: without types or paths, on several threads.
//!
//! Objects wait by span, each of which waits once however many of its objects do, so that what waits is bounded and
//! neighbours are read together. Memory is two to four bits for each object, and some bytes for each span.

mod crew;
pub mod shares;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::form::Form;
use super::pointers::{Part, Pointers, Run};
use super::spans::{Span, Spans, below};
use crate::golang::gather::Gather;
use crate::golang::layout;
use crate::golang::memory::{Memory, ReadError, Span as Piece};
use crew::Crew;

/// So many objects are read at once that are searched one by one.
const MAX_OBJECTS: usize = 1024;

/// So many values are looked up together.
const MAX_VALUES: usize = 1024;

/// A span of no more than this is read whole: what its objects lead to is often beside them, and it is searched at once
/// (measured: 1 and 3 GB of a tree in the order of its allocation 1.3 times as fast, of one in random order as fast).
const MAX_WHOLE: u64 = 16 << 10;

/// Where so few spans wait, larger ones are too.
const FEW_SPANS: usize = 16;

/// An object, by its number among all of the heap.
pub type Slot = u32;

/// Marks objects.
pub struct Marker<'a> {
    memory: &'a (dyn Memory + Sync),
    form: Form,
    /// The address of `mheap_.arenas`.
    arenas: u64,
    spans: &'a Spans,
    reached: Vec<AtomicU64>,
    searched: Vec<AtomicU64>,
    watched: Vec<u64>,
    hidden: Vec<u64>,
    /// What others have reached for whom it was marked before, and what of it was reached again (`shares`); else empty.
    others: Vec<u64>,
    shared: Vec<AtomicU64>,
    /// Spans that are in the queue.
    waiting: Vec<AtomicU64>,
    crew: Crew,
    met: Mutex<Vec<Slot>>,
}

/// How much was marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// Objects.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes that were searched for pointers.
    pub read_bytes: u64,
    /// Objects of no type that can be, all of whose words were taken for pointers.
    pub untyped: u64,
    /// Objects that could not be read.
    pub unread: u64,
}

/// What one thread has found and not yet handed over.
#[derive(Default)]
pub(super) struct Found {
    /// Values that may be pointers, not yet looked up.
    values: Vec<u64>,
    hints: Vec<(u32, u64)>,
    /// Objects that those point to, and the numbers of their spans.
    places: Vec<(Slot, u32)>,
    spans: Vec<u32>,
    parts: Vec<(u32, u64)>,
    met: Vec<Slot>,
    marked: Marked,
}

/// What a thread marks with.
struct Worker {
    pointers: Pointers,
    gather: Gather,
    pieces: Vec<Piece>,
}

impl<'a> Marker<'a> {
    /// Nothing is marked yet.
    pub(super) fn new(
        memory: &'a (dyn Memory + Sync),
        (mheap, layout, form): (u64, &layout::Heap, Form),
        spans: &'a Spans,
    ) -> Self {
        let words = spans.allocated().len();
        let atomics = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            memory,
            form,
            arenas: mheap.wrapping_add(layout.mheap.arenas.into()),
            spans,
            reached: atomics(words),
            searched: atomics(words),
            watched: vec![0; words],
            hidden: vec![0; words],
            others: Vec::new(),
            shared: Vec::new(),
            waiting: atomics(spans.all().len() / 64 + 1),
            crew: Crew::default(),
            met: Mutex::default(),
        }
    }

    /// The object that holds the byte at an address.
    #[must_use]
    pub fn slot(&self, address: u64) -> Option<Slot> {
        let (_, span) = self.spans.find(address)?;
        Some(span.first + span.object_at(address)?)
    }

    /// The first byte of an object, and its size.
    #[must_use]
    pub fn place(&self, slot: Slot) -> Option<(u64, u64)> {
        let (_, span) = self.spans.of_object(slot)?;
        let object = u64::from(slot - span.first);
        Some((span.start + object * span.object_bytes, span.object_bytes))
    }

    /// Hides an object: pointers to it are not followed.
    pub fn hide(&mut self, slot: Slot) {
        let (word, bit) = at(slot);
        self.hidden[word] |= bit;
        *self.reached[word].get_mut() |= bit;
        *self.searched[word].get_mut() |= bit;
    }

    /// Whether an object is hidden.
    #[must_use]
    pub fn is_hidden(&self, slot: Slot) -> bool {
        let (word, bit) = at(slot);
        self.hidden[word] & bit != 0
    }

    /// Tells of an object when it is reached, by [`Marker::take_met`].
    pub fn watch(&mut self, slot: Slot) {
        let (word, bit) = at(slot);
        self.watched[word] |= bit;
    }

    /// Whether an object was reached.
    #[must_use]
    pub fn is_reached(&self, slot: Slot) -> bool {
        let (word, bit) = at(slot);
        self.reached[word].load(Ordering::Relaxed) & bit != 0
    }

    /// Watched objects that were reached since this was last asked.
    pub fn take_met(&mut self) -> Vec<Slot> {
        std::mem::take(self.met.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// How much was marked.
    #[must_use]
    pub fn marked(&self) -> Marked {
        self.crew.marked()
    }

    /// Marks what a pointer points to; what that leads to is marked by [`Marker::run`].
    pub fn mark(&self, address: u64) {
        self.mark_all(&[address]);
    }

    /// As [`Marker::mark`], many at once.
    pub fn mark_all(&self, addresses: &[u64]) {
        let mut found = Found::default();
        for addresses in addresses.chunks(MAX_VALUES) {
            found.values.extend(addresses);
            self.reach_values(&mut found);
        }
        self.hand_over(&mut found);
    }

    /// Marks what objects lead to, and not the objects.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn mark_from(&self, slots: &[Slot]) -> Result<(), ReadError> {
        let mut worker = self.worker()?;
        let mut found = Found::default();
        for slots in slots.chunks(MAX_OBJECTS) {
            worker.pieces.clear();
            let mut runs = Vec::new();
            for slot in slots {
                let Some((number, span)) = self.spans.of_object(*slot) else { continue };
                let (word, bit) = at(*slot);
                let is_new = self.searched[word].fetch_or(bit, Ordering::AcqRel) & bit == 0;
                if span.is_without_pointers() || !is_new {
                    continue;
                }
                if span.is_large() {
                    found.parts.push((number, 0));
                } else {
                    let object = slot - span.first;
                    runs.push((span, self.pieces(&mut worker, span, (object, object))?, object));
                }
            }
            worker.gather.read(self.memory, &worker.pieces)?;
            for (span, run, object) in runs {
                self.object(&mut worker, (span, &run), object, &mut found)?;
            }
            self.reach_values(&mut found);
        }
        self.hand_over(&mut found);
        Ok(())
    }

    /// Marks all that is reached from what is marked, on so many threads.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn run(&self, threads: usize) -> Result<(), ReadError> {
        if !self.crew.has_work() {
            return Ok(());
        }
        let helpers = threads.saturating_sub(1);
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let help = || {
                let name = std::thread::Builder::new().name("mark".to_owned());
                // Without a helper the work is done all the same.
                name.spawn_scoped(scope, || self.work()).ok()
            };
            let helpers: Vec<_> = (0..helpers).filter_map(|_| help()).collect();
            outcome = self.work();
            for helper in helpers {
                match helper.join() {
                    Ok(helped) => outcome = std::mem::replace(&mut outcome, Ok(())).and(helped),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        outcome
    }

    fn worker(&self) -> Result<Worker, ReadError> {
        let pointers = Pointers::new(self.memory, self.form, self.arenas)?;
        Ok(Worker { pointers, gather: Gather::default(), pieces: Vec::new() })
    }

    fn hand_over(&self, found: &mut Found) {
        if !found.met.is_empty() {
            let mut met = self.met.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            met.append(&mut found.met);
        }
        self.crew.add(found);
    }

    /// Works until nobody has any work left.
    fn work(&self) -> Result<(), ReadError> {
        // However it ends, the others must not wait for it.
        let _end = self.crew.end_on_drop();
        let mut worker = self.worker()?;
        let mut found = Found::default();
        while let Some(order) = self.crew.take() {
            for (number, from) in &order.parts {
                self.part(&mut worker, *number, *from, &mut found)?;
            }
            self.batch(&mut worker, &order.spans, &mut found)?;
            found.marked.untyped += std::mem::take(&mut worker.pointers.untyped);
            found.marked.read_bytes += std::mem::take(&mut worker.pointers.read_bytes);
            self.hand_over(&mut found);
            self.crew.done();
        }
        Ok(())
    }

    /// Takes in a value that may be a pointer.
    #[inline]
    fn value(&self, value: u64, found: &mut Found) {
        found.values.push(value);
        if found.values.len() >= MAX_VALUES {
            self.reach_values(found);
        }
    }

    /// Marks what values point to, which are many so that the processor waits for many look-ups at a time.
    fn reach_values(&self, found: &mut Found) {
        let Found { values, hints, places, .. } = found;
        places.clear();
        self.spans.find_all(values, hints, |slot, number| {
            let (word, bit) = at(slot);
            if self.reached[word].load(Ordering::Relaxed) & bit == 0 {
                places.push((slot, number));
            } else {
                self.meet_again(word, bit);
            }
        });
        values.clear();
        let places = std::mem::take(places);
        for (slot, number) in &places {
            self.reach(*slot, *number, found);
        }
        found.places = places;
    }

    #[inline]
    fn reach(&self, slot: Slot, number: u32, found: &mut Found) {
        let (word, bit) = at(slot);
        // All that follows of what is reached and of what waits is in one order for all threads: one that finds that a
        // span waits already is right that whoever takes it will see what it has reached.
        if self.reached[word].fetch_or(bit, Ordering::SeqCst) & bit != 0 {
            self.meet_again(word, bit);
            return;
        }
        let span = &self.spans.all()[number as usize];
        found.marked.objects += 1;
        found.marked.bytes += span.object_bytes;
        if self.watched[word] & bit != 0 {
            found.met.push(slot);
        }
        if span.is_without_pointers() {
            return;
        }
        if span.is_large() {
            if self.searched[word].fetch_or(bit, Ordering::AcqRel) & bit == 0 {
                found.parts.push((number, 0));
            }
            return;
        }
        let (word, bit) = at(number);
        let waiting = &self.waiting[word];
        if waiting.load(Ordering::SeqCst) & bit == 0
            && waiting.fetch_or(bit, Ordering::SeqCst) & bit == 0
        {
            found.spans.push(number);
        }
    }

    /// Searches a part of an object with a span of its own.
    fn part(
        &self,
        worker: &mut Worker,
        number: u32,
        from: u64,
        found: &mut Found,
    ) -> Result<(), ReadError> {
        let span = &self.spans.all()[number as usize];
        if let Some(next) = Pointers::next_part(span, from) {
            // Others may go on with it meanwhile.
            self.crew.add(&mut Found { parts: vec![(number, next)], ..Found::default() });
        }
        let part = worker
            .pointers
            .of_large(self.memory, span, from, |_, value| self.value(value, found))?;
        self.reach_values(found);
        found.marked.unread += u64::from(part == Part::Unread);
        Ok(())
    }

    /// Searches what waits in some spans.
    fn batch(
        &self,
        worker: &mut Worker,
        numbers: &[u32],
        found: &mut Found,
    ) -> Result<(), ReadError> {
        worker.pieces.clear();
        let is_few = numbers.len() <= FEW_SPANS;
        let mut runs = Vec::with_capacity(numbers.len());
        for number in numbers {
            let (word, bit) = at(*number);
            self.waiting[word].fetch_and(!bit, Ordering::SeqCst);
            let span = &self.spans.all()[*number as usize];
            let Some(ends) = self.pending(span) else { continue };
            let is_whole = is_few || span.bytes <= MAX_WHOLE;
            let ends = if is_whole { (0, span.objects - 1) } else { ends };
            runs.push((span, self.pieces(worker, span, ends)?, ends));
        }
        worker.gather.read(self.memory, &worker.pieces)?;
        for (span, run, (first, last)) in runs {
            // Objects that lead to others of the same run have them searched at once.
            let mut any = true;
            while std::mem::take(&mut any) {
                for word in first / 64..=last / 64 {
                    let at = span.first as usize / 64 + word as usize;
                    let within =
                        below(last - word * 64 + 1) & !below(first.saturating_sub(word * 64));
                    let reached = self.reached[at].load(Ordering::Acquire) & within;
                    let mut mine = reached & !self.searched[at].load(Ordering::Relaxed);
                    if mine == 0 {
                        continue;
                    }
                    mine &= !self.searched[at].fetch_or(mine, Ordering::AcqRel);
                    any |= mine != 0;
                    while mine != 0 {
                        let object = word * 64 + mine.trailing_zeros();
                        mine &= mine - 1;
                        self.object(worker, (span, &run), object, found)?;
                    }
                }
                self.reach_values(found);
            }
        }
        Ok(())
    }

    fn pieces(
        &self,
        worker: &mut Worker,
        span: &Span,
        (first, last): (u32, u32),
    ) -> Result<Run, ReadError> {
        let at = |object: u32| span.start + u64::from(object) * span.object_bytes;
        let Worker { pointers, pieces, .. } = worker;
        pointers.pieces(self.memory, span, (at(first), at(last + 1)), pieces)
    }

    fn object(
        &self,
        worker: &mut Worker,
        (span, run): (&Span, &Run),
        object: u32,
        found: &mut Found,
    ) -> Result<(), ReadError> {
        let Worker { pointers, gather, .. } = worker;
        let read = (run, &*gather);
        let is_read = pointers
            .of_object(self.memory, span, read, object, |_, value| self.value(value, found))?;
        found.marked.unread += u64::from(!is_read);
        Ok(())
    }

    /// The first and the last object of a span that was reached and not yet searched.
    fn pending(&self, span: &Span) -> Option<(u32, u32)> {
        let mut ends = None;
        for word in 0..span.objects.div_ceil(64) {
            let at = span.first as usize / 64 + word as usize;
            let reached = self.reached[at].load(Ordering::SeqCst);
            let waits = reached & !self.searched[at].load(Ordering::Relaxed);
            if waits != 0 {
                let first = word * 64 + waits.trailing_zeros();
                let last = word * 64 + 63 - waits.leading_zeros();
                ends = Some((ends.map_or(first, |(first, _)| first), last));
            }
        }
        ends
    }
}

/// Where the bit of an object is.
const fn at(slot: Slot) -> (usize, u64) {
    (slot as usize / 64, 1 << (slot % 64))
}
