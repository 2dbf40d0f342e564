//! Tells apart what several reach for whom it is marked one after the other: what each alone does, and what they share.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Marker, Slot};
use crate::golang::heap::marks::Tally;
use crate::golang::memory::ReadError;

/// Who reached what. Objects that were marked before it began count for nobody.
pub struct Shares {
    before: Vec<u64>,
    searched_before: Vec<u64>,
    /// By object: who reached it first, from 1 on.
    first: Vec<u16>,
    alone: Vec<Tally>,
}

/// What was reached.
pub struct Shared {
    /// What each reaches and none of the others do, in the order in which it was marked for them.
    pub alone: Vec<Tally>,
    /// What several reach, each object once.
    pub shared: Tally,
}

impl Shares {
    /// No more than this many can be told apart.
    pub const MAX: usize = u16::MAX as usize;

    /// Begins with what is marked.
    #[must_use]
    pub fn begin(marker: &mut Marker<'_>) -> Self {
        let words = marker.reached.len();
        marker.others = vec![0; words];
        marker.shared = (0..words).map(|_| AtomicU64::new(0)).collect();
        Self {
            before: values(&mut marker.reached),
            searched_before: values(&mut marker.searched),
            first: vec![0; words * 64],
            alone: Vec::new(),
        }
    }

    /// What was marked since is of the next one.
    pub fn next(&mut self, marker: &mut Marker<'_>) {
        let number = u16::try_from(self.alone.len() + 1).unwrap_or(u16::MAX);
        let mut tally = Tally::default();
        let Self { before, first, .. } = self;
        marker.each_word(|at, reached, others, bytes| {
            let new = reached & !before[at] & !*others;
            *others |= new;
            each_bit(at, new, |slot| {
                first[slot as usize] = number;
                tally.add(1, bytes);
            });
        });
        self.alone.push(tally);
    }

    /// Marks anew what several have reached, on so many threads. Only what was marked before it began, and this, is marked
    /// then.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub fn end(mut self, marker: &mut Marker<'_>, threads: usize) -> Result<Shared, ReadError> {
        marker.others = Vec::new();
        marker.reached = self.before.iter().map(|word| AtomicU64::new(*word)).collect();
        marker.searched = self.searched_before.into_iter().map(AtomicU64::new).collect();
        let mut begins = Vec::new();
        for (at, word) in std::mem::take(&mut marker.shared).into_iter().enumerate() {
            each_bit(at, word.into_inner(), |slot| begins.extend(marker.place(slot)));
        }
        let begins: Vec<u64> = begins.into_iter().map(|(address, _)| address).collect();
        marker.mark_all(&begins);
        marker.run(threads)?;
        let mut shared = Tally::default();
        marker.each_word(|at, reached, _, bytes| {
            each_bit(at, reached & !self.before[at], |slot| {
                shared.add(1, bytes);
                let first = usize::from(self.first[slot as usize]).checked_sub(1);
                if let Some(tally) = first.and_then(|first| self.alone.get_mut(first)) {
                    tally.take(1, bytes);
                }
            });
        });
        Ok(Shared { alone: self.alone, shared })
    }
}

impl Marker<'_> {
    /// Calls with each word of bits: its place, what of it is reached, what others have reached, and how large each object
    /// in it is.
    fn each_word(&mut self, mut call: impl FnMut(usize, u64, &mut u64, u64)) {
        let mut none = 0;
        for span in self.spans.all() {
            let from = span.first as usize / 64;
            for at in from..from + span.objects.div_ceil(64) as usize {
                let reached = *self.reached[at].get_mut();
                let others = self.others.get_mut(at).unwrap_or(&mut none);
                call(at, reached, others, span.object_bytes);
            }
        }
    }

    /// Notes that what one has reached was reached for another before.
    #[inline]
    pub(super) fn meet_again(&self, word: usize, bit: u64) {
        if self.others.get(word).is_some_and(|others| others & bit != 0) {
            self.shared[word].fetch_or(bit, Ordering::Relaxed);
        }
    }
}

fn values(bits: &mut [AtomicU64]) -> Vec<u64> {
    bits.iter_mut().map(|word| *word.get_mut()).collect()
}

fn each_bit(at: usize, mut word: u64, mut call: impl FnMut(Slot)) {
    while word != 0 {
        call((at * 64) as Slot + word.trailing_zeros());
        word &= word - 1;
    }
}
