//! One creation site: a `go` statement, and what became of the goroutines that it created.

use crate::limits::{LIFETIME_BUCKETS, LIFETIME_FIRST_LOG2, STACK_FRAMES};

/// What the kernel knows of a creation site. Its counts only ever rise.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The `go` statement: the address behind its call. 0 in an entry that is not used.
    pub gopc: u64,
    /// The function that the first goroutine seen from here started in.
    pub startpc: u64,
    /// Goroutines seen to be created here.
    pub created: u64,
    /// Goroutines from here that were seen to end, whether or not their creation was.
    pub exited: u64,
    /// How often somebody set out to walk the creator's stack: the first one does it.
    pub stack_claims: u64,
    /// Entries of `stack` that are set; 0 until a creation was seen.
    pub stack_len: u64,
    /// How long goroutines lived whose creation and end were both seen; see [`Site::bucket`].
    pub lifetimes: [u64; LIFETIME_BUCKETS],
    /// The creator's stack at the first creation seen: return addresses, innermost (`gopc`) first.
    pub stack: [u64; STACK_FRAMES],
}

impl Site {
    /// How many words it has.
    pub const WORDS: usize = size_of::<Self>() / 8;
    /// How many words precede the lifetimes.
    const HEAD: usize = 6;

    /// From its words, in the order of its fields.
    #[must_use]
    pub fn from_words(words: &[u64; Self::WORDS]) -> Self {
        let (head, rest) = words.split_at(Self::HEAD);
        let (lifetimes, stack) = rest.split_at(LIFETIME_BUCKETS);
        Self {
            gopc: head[0],
            startpc: head[1],
            created: head[2],
            exited: head[3],
            stack_claims: head[4],
            stack_len: head[5],
            lifetimes: core::array::from_fn(|at| lifetimes[at]),
            stack: core::array::from_fn(|at| stack[at]),
        }
    }

    /// The creator's stack, innermost first; empty if it is not known.
    #[must_use]
    pub fn creator(&self) -> &[u64] {
        let len = usize::try_from(self.stack_len).unwrap_or(STACK_FRAMES);
        &self.stack[..len.min(STACK_FRAMES)]
    }

    /// The bucket that a lifetime belongs in: bucket `b` holds those up to [`Site::bucket_end_ns`].
    #[must_use]
    pub const fn bucket(lifetime_ns: u64) -> usize {
        let log2 = log2(lifetime_ns | 1);
        let bucket = log2.saturating_sub(LIFETIME_FIRST_LOG2 - 1) as usize;
        if bucket < LIFETIME_BUCKETS { bucket } else { LIFETIME_BUCKETS - 1 }
    }

    /// Where a bucket ends, in nanoseconds (exclusive); `None` for the last one, which has no end.
    #[must_use]
    pub const fn bucket_end_ns(bucket: usize) -> Option<u64> {
        if bucket + 1 < LIFETIME_BUCKETS {
            Some(1 << (bucket as u32 + LIFETIME_FIRST_LOG2))
        } else {
            None
        }
    }
}

/// The position of the highest bit. By halves: BPF has no instruction to count leading zeroes.
const fn log2(number: u64) -> u32 {
    let (mut rest, mut log2) = (number, 0);
    let mut step = 32;
    while step > 0 {
        if rest >> step != 0 {
            rest >>= step;
            log2 += step;
        }
        step /= 2;
    }
    log2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lifetime_lies_in_its_bucket() {
        for lifetime in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]) {
            let bucket = Site::bucket(lifetime);
            assert!(Site::bucket_end_ns(bucket).is_none_or(|end| lifetime < end), "{lifetime}");
            let start = bucket.checked_sub(1).and_then(Site::bucket_end_ns);
            assert!(start.is_none_or(|start| lifetime >= start), "{lifetime}");
        }
        assert_eq!((Site::bucket(0), Site::bucket(u64::MAX)), (0, LIFETIME_BUCKETS - 1));
    }

    #[test]
    fn words_come_back_as_the_fields_that_they_stand_for() {
        let words = core::array::from_fn(|at| at as u64);
        let site = Site::from_words(&words);
        let head =
            [site.gopc, site.startpc, site.created, site.exited, site.stack_claims, site.stack_len];
        assert_eq!(head, [0, 1, 2, 3, 4, 5]);
        let rest = site.lifetimes.into_iter().chain(site.stack);
        assert!(rest.eq(6..Site::WORDS as u64));
        assert_eq!(site.creator(), [46, 47, 48, 49, 50]);
    }

    #[test]
    fn a_hostile_length_reaches_no_further_than_the_stack() {
        let mut words = [1; Site::WORDS];
        words[5] = u64::MAX;
        assert_eq!(Site::from_words(&words).creator().len(), STACK_FRAMES);
    }
}
