//! Objects that nothing leads to for a while: the runtime's structures of goroutines, and with them the sudogs that link
//! what goroutines wait on to all that waits on it.

use super::Reach;
use crate::golang::heap::spans::Span;

/// The size of the object that a sudog is (88 to 104 bytes, Go 1.21 to 1.27).
const SUDOG_OBJECTS: [u64; 2] = [96, 112];

/// They, a bit for each object that there may be.
#[derive(Debug, Default)]
pub(in crate::golang::heap) struct Hidden {
    bits: Vec<u64>,
}

impl Hidden {
    /// Whether an object is one, by its number.
    #[inline]
    pub(super) fn has(&self, object: u32) -> bool {
        self.bits.get(object as usize / 64).is_some_and(|bits| bits >> (object % 64) & 1 == 1)
    }
}

impl Reach<'_> {
    /// Hides the objects at these addresses.
    pub(in crate::golang::heap) fn hide(&mut self, addresses: &[u64]) {
        self.hidden.bits.resize(self.spans.allocated().len(), 0);
        for address in addresses {
            let Some((number, object)) = self.object(*address) else { continue };
            let slot = (self.spans.all()[number as usize].first + object) as usize;
            if let Some(bits) = self.hidden.bits.get_mut(slot / 64) {
                *bits |= 1 << (slot % 64);
            }
        }
    }

    /// Ends that.
    pub(in crate::golang::heap) fn show(&mut self) {
        self.hidden.bits = Vec::new();
    }

    /// Whether an address is in what is hidden.
    pub(in crate::golang::heap) fn is_hidden(&self, address: u64) -> bool {
        let found = self.object(address);
        found.is_some_and(|(number, object)| {
            self.hidden.has(self.spans.all()[number as usize].first + object)
        })
    }

    /// Whether an object is a sudog of a goroutine that is hidden (`sudog.g` comes first, Go 1.21 to 1.27).
    #[inline]
    pub(in crate::golang::heap) fn links_hidden(&self, span: &Span, bytes: &[u8]) -> bool {
        !self.hidden.bits.is_empty()
            && SUDOG_OBJECTS.contains(&span.object_bytes)
            && bytes.first_chunk().is_some_and(|word| self.is_hidden(u64::from_le_bytes(*word)))
    }
}
