//! Which objects were reached, and which of those wait to be searched for pointers.

use std::collections::VecDeque;

use super::spans::{Span, Spans};

/// Objects, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub objects: u64,
    /// Bytes, each object as large as its size class.
    pub bytes: u64,
}

impl Tally {
    pub(super) const fn add(&mut self, objects: u64, object_bytes: u64) {
        self.objects += objects;
        self.bytes = self.bytes.saturating_add(objects.saturating_mul(object_bytes));
    }

    pub(super) const fn take(&mut self, objects: u64, object_bytes: u64) {
        self.objects = self.objects.saturating_sub(objects);
        self.bytes = self.bytes.saturating_sub(objects.saturating_mul(object_bytes));
    }
}

/// What is known of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was not reached before.
    New,
    /// It was.
    Known,
    /// It was not there when spans were read, and was not reached before.
    Astray,
}

/// The marks of all objects. What is not searched by its path waits by span, each of which waits once however many of its objects do: what
/// waits is bounded, and neighbours are read together.
pub(super) struct Marks<'a> {
    spans: &'a Spans,
    reached: Vec<u64>,
    searched: Vec<u64>,
    waiting: VecDeque<u32>,
    is_waiting: Vec<u64>,
    /// What was reached since this was last taken.
    pub(super) tally: Tally,
    /// Those where no object was when spans were read.
    pub(super) astray: u64,
}

impl<'a> Marks<'a> {
    pub(super) fn new(spans: &'a Spans) -> Self {
        let words = spans.allocated().len();
        Self {
            spans,
            reached: vec![0; words],
            searched: vec![0; words],
            waiting: VecDeque::new(),
            is_waiting: vec![0; spans.all().len() / 64 + 1],
            tally: Tally::default(),
            astray: 0,
        }
    }

    /// What is known of an object.
    pub(super) fn state(&self, span: &Span, object: u32) -> Mark {
        let slot = span.first + object;
        let (word, bit) = (slot as usize / 64, 1 << (slot % 64));
        if self.reached[word] & bit != 0 {
            Mark::Known
        } else if self.spans.allocated()[word] & bit == 0 {
            Mark::Astray
        } else {
            Mark::New
        }
    }

    /// Marks an object. What was known of it before. One that came after spans were read counts like others: what it
    /// leads to, all of a list whose newest element it is, may be reached by it alone.
    #[inline]
    pub(super) fn reach(&mut self, span: &Span, object: u32) -> Mark {
        let state = self.state(span, object);
        if state != Mark::Known {
            let slot = span.first + object;
            self.reached[slot as usize / 64] |= 1 << (slot % 64);
            self.tally.add(1, span.object_bytes);
            self.astray += u64::from(state == Mark::Astray);
        }
        state
    }

    /// Puts a span in the queue, unless it is there.
    pub(super) fn wait(&mut self, number: u32) {
        let (word, bit) = (number as usize / 64, 1 << (number % 64));
        if self.is_waiting[word] & bit == 0 {
            self.is_waiting[word] |= bit;
            self.waiting.push_back(number);
        }
    }

    /// Whether any span is in the queue.
    pub(super) fn any_waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes a span out of the queue.
    pub(super) fn next(&mut self) -> Option<(u32, &'a Span)> {
        let number = self.waiting.pop_front()?;
        self.is_waiting[number as usize / 64] &= !(1 << (number % 64));
        Some((number, &self.spans.all()[number as usize]))
    }

    /// The first and the last object of a span that was reached and not yet searched.
    pub(super) fn pending(&self, span: &Span) -> Option<(u32, u32)> {
        let words = self.words(span);
        let first = words.clone().find(|(_, bits)| *bits != 0)?;
        let last = words.rev().find(|(_, bits)| *bits != 0)?;
        Some((first.0 + first.1.trailing_zeros(), last.0 + 63 - last.1.leading_zeros()))
    }

    /// The first such object from one to another.
    pub(super) fn pending_in(&self, span: &Span, first: u32, last: u32) -> Option<u32> {
        let mut words = self.words(span).skip(first as usize / 64);
        let (start, bits) = words.next()?;
        let bits = bits & !super::spans::below(first % 64);
        let found =
            if bits != 0 { Some((start, bits)) } else { words.find(|(_, bits)| *bits != 0) };
        let (start, bits) = found?;
        Some(start + bits.trailing_zeros()).filter(|object| *object <= last)
    }

    /// For each word of a span's bits, its first object, and which wait.
    fn words(&self, span: &Span) -> impl DoubleEndedIterator<Item = (u32, u64)> + Clone {
        let first = span.first as usize / 64;
        (0..span.objects.div_ceil(64)).map(move |word| {
            let at = first + word as usize;
            (word * 64, self.reached[at] & !self.searched[at])
        })
    }

    /// Whether an object was searched.
    pub(super) fn is_searched(&self, span: &Span, object: u32) -> bool {
        let slot = span.first + object;
        self.searched[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// Notes that an object is searched.
    pub(super) fn searched(&mut self, span: &Span, object: u32) {
        let slot = span.first + object;
        self.searched[slot as usize / 64] |= 1 << (slot % 64);
    }

    /// Of a span, how many objects were reached, and how many were allocated and were not.
    pub(super) fn count(&self, span: &Span) -> (u64, u64) {
        let words = span.first as usize / 64..(span.first + span.objects).div_ceil(64) as usize;
        let both = self.reached[words.clone()].iter().zip(&self.spans.allocated()[words]);
        both.fold((0, 0), |(reached, unreached), (marks, allocated)| {
            let missed = allocated & !marks;
            (reached + u64::from(marks.count_ones()), unreached + u64::from(missed.count_ones()))
        })
    }
}
