//! Which span an address lies in.
//!
//! The range of addresses is cut into equal pieces, about as many as there are spans, and for each piece it is
//! known at which span it begins. So what is kept grows with the number of spans, wherever they lie.

use super::spans::Span;

/// From addresses to spans.
#[derive(Debug, Default)]
pub(super) struct Index {
    low: u64,
    high: u64,
    /// How many bits of an address lie within a piece.
    shift: u32,
    /// For each piece, the first span that ends behind its start.
    pieces: Vec<u32>,
}

impl Index {
    /// Of spans in the order of their addresses, none of which overlap.
    pub(super) fn of(spans: &[Span]) -> Self {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return Self::default();
        };
        let (low, high) = (first.start, last.end());
        let wanted = spans.len() as u64 * 2;
        let mut shift = 0;
        while (high - low) >> shift > wanted {
            shift += 1;
        }
        let mut pieces = Vec::with_capacity(((high - low) >> shift) as usize + 1);
        let mut number = 0;
        for piece in 0..=(high - low) >> shift {
            let start = low + (piece << shift);
            while spans.get(number).is_some_and(|span| span.end() <= start) {
                number += 1;
            }
            pieces.push(number as u32);
        }
        Self { low, high, shift, pieces }
    }

    /// The first span that an address can lie in.
    #[inline]
    fn hint(&self, address: u64) -> Option<u32> {
        let offset = address.wrapping_sub(self.low);
        if offset >= self.high.wrapping_sub(self.low) {
            return None;
        }
        self.pieces.get((offset >> self.shift) as usize).copied()
    }

    /// Of addresses that may lie in spans, those, each behind the first span that it can lie in.
    #[inline]
    pub(super) fn hints(&self, addresses: &[u64], hints: &mut Vec<(u32, u64)>) {
        hints.clear();
        hints.extend(addresses.iter().filter_map(|it| Some((self.hint(*it)?, *it))));
    }

    /// The number of the span that holds the byte at `address`.
    #[inline]
    pub(super) fn find(&self, address: u64, spans: &[Span]) -> Option<u32> {
        self.find_from(self.hint(address)?, address, spans)
    }

    /// The same, where the first span is known that it can lie in.
    #[inline]
    pub(super) fn find_from(&self, hint: u32, address: u64, spans: &[Span]) -> Option<u32> {
        let mut number = hint;
        // In a heap without gaps this is the span, or the next. In one with gaps many may share a piece.
        for _ in 0..4 {
            let span = spans.get(number as usize)?;
            if address < span.end() {
                return (address >= span.start).then_some(number);
            }
            number += 1;
        }
        let piece = (address.wrapping_sub(self.low) >> self.shift) as usize;
        let end = self.pieces.get(piece + 1).map_or(spans.len(), |next| *next as usize + 1);
        let rest = spans.get(number as usize..end.min(spans.len()))?;
        let number = number as usize + rest.partition_point(|span| span.end() <= address);
        let span = spans.get(number)?;
        (span.start..span.end()).contains(&address).then_some(number as u32)
    }
}
