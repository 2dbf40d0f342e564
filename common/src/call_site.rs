//! A stack at which descriptors are opened or large objects allocated, and the birth of each.

use crate::limits::STACK_FRAMES;

/// What the kernel knows of one stack at which descriptors were opened or objects allocated. Its counts only ever rise.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// A hash of the stack and of `gopc`. 0 in an entry that is not used.
    pub key: u64,
    /// The `go` statement that created the goroutine: the address behind its call. 0 if it could not be
    /// read.
    pub gopc: u64,
    /// Descriptors seen to be opened here, or objects seen to be allocated.
    pub opened: u64,
    /// Bytes of those objects.
    pub bytes: u64,
    /// Entries of `stack` that are set; 0 until they are.
    pub stack_len: u64,
    /// Return addresses, innermost first.
    pub stack: [u64; STACK_FRAMES],
}

impl CallSite {
    /// How many words it has.
    pub const WORDS: usize = size_of::<Self>() / 8;
    /// How many words precede the stack.
    const HEAD: usize = 5;

    /// From its words, in the order of its fields.
    #[must_use]
    pub fn from_words(words: &[u64; Self::WORDS]) -> Self {
        let (head, stack) = words.split_at(Self::HEAD);
        Self {
            key: head[0],
            gopc: head[1],
            opened: head[2],
            bytes: head[3],
            stack_len: head[4],
            stack: core::array::from_fn(|at| stack[at]),
        }
    }

    /// The stack, innermost first; empty if it is not known.
    #[must_use]
    pub fn stack(&self) -> &[u64] {
        let len = usize::try_from(self.stack_len).unwrap_or(STACK_FRAMES);
        &self.stack[..len.min(STACK_FRAMES)]
    }
}

/// When and where the descriptor of a number was opened last, or an object allocated, in one word, so that nobody reads half of
/// it. 0 for one that was never seen to be opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Birth(u64);

impl Birth {
    /// The lower bits are the call site's.
    const SITE_BITS: u32 = 12;
    /// Times are kept in units of two to this power, in nanoseconds. The bits left last for 142 years.
    const UNIT_LOG2: u32 = 10;

    /// A descriptor that was opened at a time, at the call site with this place in its table.
    #[must_use]
    pub const fn new(at_ns: u64, site: u32) -> Self {
        let mask = (1 << Self::SITE_BITS) - 1;
        Self((at_ns >> Self::UNIT_LOG2) << Self::SITE_BITS | site as u64 & mask)
    }

    /// From its word; `None` if nothing was seen.
    #[must_use]
    pub const fn from_word(word: u64) -> Option<Self> {
        if word == 0 { None } else { Some(Self(word)) }
    }

    /// Its word.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// When, within 1.024 microseconds: at this time, or that much later.
    #[must_use]
    pub const fn at_ns(self) -> u64 {
        (self.0 >> Self::SITE_BITS) << Self::UNIT_LOG2
    }

    /// The call site's place in its table.
    #[must_use]
    pub const fn site(self) -> usize {
        (self.0 & ((1 << Self::SITE_BITS) - 1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_CALL_SITES;

    #[test]
    fn words_come_back_as_the_fields_that_they_stand_for() {
        let words = core::array::from_fn(|at| at as u64);
        let site = CallSite::from_words(&words);
        assert_eq!([site.key, site.gopc, site.opened, site.bytes], [0, 1, 2, 3]);
        assert_eq!((site.stack_len, site.stack()), (4, &[5, 6, 7, 8][..]));
    }

    #[test]
    fn a_hostile_length_reaches_no_further_than_the_stack() {
        let site = CallSite::from_words(&[u64::MAX; CallSite::WORDS]);
        assert_eq!(site.stack().len(), STACK_FRAMES);
    }

    #[test]
    fn a_birth_is_when_and_where() {
        const YEAR_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;
        for site in [0, 1, MAX_CALL_SITES - 1] {
            for at_ns in [1 << 10, 123_456_789_012, 100 * YEAR_NS] {
                let birth = Birth::new(at_ns, site);
                assert_eq!(birth.site(), site as usize);
                assert!(at_ns - birth.at_ns() < 1 << 10, "{at_ns} {birth:?}");
                assert_eq!(Birth::from_word(birth.word()), Some(birth));
            }
        }
        assert_eq!(Birth::from_word(0), None);
    }
}
