//! Some of all spans.

/// They, a bit for each.
#[derive(Debug, Default)]
pub(super) struct SomeSpans {
    bits: Vec<u64>,
}

impl SomeSpans {
    pub(super) fn add(&mut self, span: u32) {
        let word = span as usize / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (span % 64);
    }

    #[inline]
    pub(super) fn has(&self, span: u32) -> bool {
        let bits = self.bits.get(span as usize / 64).copied().unwrap_or(0);
        bits >> (span % 64) & 1 == 1
    }
}
