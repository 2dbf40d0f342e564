//! Who has a contended lock's address on its stack: holders, waiters, and those who only know it.
//!
//! The runtime keeps no record of who holds a lock. But whoever locked one and is to unlock it
//! keeps its address, most often on its stack.

use rustc_hash::{FxHashMap, FxHashSet};

use std::cmp::Reverse;
use std::num::NonZeroU8;
use std::time::Duration;

use super::stacks::StackKey;
use crate::model::{CoverageNote, Goroutine, Mention, WaitClass};

/// Locks that are searched for.
const MAX_LOCKS: usize = 1024;
/// Words that are searched, a snapshot.
const MAX_WORDS: usize = 1 << 20;
/// Goroutines with the same stack that are searched, a snapshot.
const MAX_ALIKE: u16 = 1024;
/// Mentions that are kept, a snapshot: 1.5 MiB.
const MAX_MENTIONS: usize = 1 << 16;
/// Bytes at a frame's inner end where what it calls may put its arguments aside: two words, since
/// locks are nearly always passed as receiver or first argument.
const ARGUMENTS: usize = 16;

/// Which set of locks it is: another number whenever they change. It begins anew after 255, before which
/// every stack that is wanted will have been searched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockSet(NonZeroU8);

impl Default for LockSet {
    fn default() -> Self {
        Self(NonZeroU8::MIN)
    }
}

impl LockSet {
    fn next(self) -> Self {
        Self(self.0.checked_add(1).unwrap_or(NonZeroU8::MIN))
    }
}

/// The locks to search for.
#[derive(Default)]
pub(super) struct Watched {
    locks: FxHashSet<u64>,
    /// The lowest and the highest of them: most words of a stack lie outside.
    range: (u64, u64),
    left_out: usize,
    set: LockSet,
    /// Whether any of them is a mutex or an RWMutex: that goroutines wait for a group or a condition
    /// is nothing that somebody must be found for.
    mutexes: bool,
}

impl Watched {
    /// The contended locks of a snapshot, the most wanted ones if there are too many: those that somebody has
    /// been waiting for so long at least.
    pub(super) fn renew(&mut self, goroutines: &[Goroutine], objects: &[u64], least: Duration) {
        let mut waiters: FxHashMap<u64, u32> = FxHashMap::default();
        self.mutexes = false;
        for goroutine in goroutines.iter().filter(|it| waits_for_lock(it, least)) {
            if let Some(&lock) = objects.get(goroutine.objects.start as usize) {
                *waiters.entry(lock).or_default() += 1;
                self.mutexes |= matches!(goroutine.wait, WaitClass::Mutex | WaitClass::RwMutex);
            }
        }
        let mut locks: Vec<(u64, u32)> = waiters.into_iter().collect();
        self.left_out = locks.len().saturating_sub(MAX_LOCKS);
        if self.left_out > 0 {
            locks.sort_unstable_by_key(|&(lock, waiters)| (Reverse(waiters), lock));
            locks.truncate(MAX_LOCKS);
        }
        let locks = locks.into_iter().map(|(lock, _)| lock).collect();
        if locks != self.locks {
            self.set = self.set.next();
        }
        self.locks = locks;
        let (low, high) = (self.locks.iter().min(), self.locks.iter().max());
        self.range = (low.copied().unwrap_or(u64::MAX), high.copied().unwrap_or(0));
    }

    /// Whether there is nothing to search for.
    pub(super) fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }

    /// Which set of locks these are.
    pub(super) const fn set(&self) -> LockSet {
        self.set
    }

    fn has(&self, word: u64) -> bool {
        self.range.0 <= word && word <= self.range.1 && self.locks.contains(&word)
    }

    /// What was not kept, since there was no room for it.
    pub(super) fn note(&self) -> Option<CoverageNote> {
        let (watched, others) = (MAX_LOCKS as u64, self.left_out as u64);
        let note = CoverageNote::LocksUnwatched { watched, others };
        (others > 0 && self.mutexes).then_some(note)
    }
}

fn waits_for_lock(goroutine: &Goroutine, least: Duration) -> bool {
    use WaitClass::{Cond, Mutex, RwMutex, WaitGroup};
    matches!(goroutine.wait, Mutex | RwMutex | Cond | WaitGroup)
        && goroutine.objects.len == 1
        && goroutine.blocked.is_some_and(|blocked| blocked.duration >= least)
}

/// The mentions of one snapshot.
#[derive(Default)]
pub(super) struct Mentions {
    found: Vec<Mention>,
    words: usize,
    /// How many goroutines of each stack were searched, by the stack's number.
    alike: Vec<u16>,
    unsearched: u64,
    /// Stacks of which only the innermost part was searched.
    deep: u64,
    full: bool,
    /// What the search of one stack hit: where, and which lock.
    hits: Vec<(usize, u64)>,
}

impl Mentions {
    /// Whether enough with these frames were searched.
    pub(super) fn has_enough(&self, key: StackKey) -> bool {
        self.alike.get(key.index()).is_some_and(|&alike| alike >= MAX_ALIKE)
    }

    /// Counts a stack with these frames; whether it is wanted.
    pub(super) fn wants(&mut self, key: StackKey) -> bool {
        if self.has_enough(key) {
            self.unsearched += 1;
            return false;
        }
        if self.alike.len() <= key.index() {
            self.alike.resize(key.index() + 1, 0);
        }
        self.alike[key.index()] += 1;
        true
    }

    /// As [`Mentions::search`], of a stack of which this may be but the inner part.
    pub(super) fn search_part(
        &mut self,
        watched: &Watched,
        stack: &[u8],
        is_whole: bool,
    ) -> Option<bool> {
        self.deep += u64::from(!is_whole);
        self.search(watched, stack)
    }

    /// Searches a stack; whether there is something to keep, or `None` where there is no room for more.
    pub(super) fn search(&mut self, watched: &Watched, stack: &[u8]) -> Option<bool> {
        let words = stack.as_chunks().0;
        self.hits.clear();
        if self.words + words.len() > MAX_WORDS {
            self.unsearched += 1;
            return None;
        }
        self.words += words.len();
        let words = words.iter().map(|&word| u64::from_le_bytes(word)).enumerate();
        self.hits.extend(words.filter(|&(_, word)| watched.has(word)).map(|(at, it)| (at * 8, it)));
        Some(!self.hits.is_empty())
    }

    /// Keeps what the last search hit in the frames that begin at `starts`: those further in belong
    /// to the call that locks or parks. `arguments` is where a frame has room for the arguments of
    /// what it calls.
    pub(super) fn keep(&mut self, goid: u64, starts: &[usize], arguments: usize) {
        let user = starts.first().copied().unwrap_or(usize::MAX);
        self.hits.retain(|&(at, _)| at >= user);
        self.hits.sort_unstable_by_key(|&(at, lock)| (lock, at));
        let outer = |&&(at, _): &&(usize, u64)| {
            let frame = starts.partition_point(|&start| start <= at).saturating_sub(1);
            let within = starts.get(frame).map_or(0, |start| at - start);
            frame > 0 && within >= arguments + ARGUMENTS
        };
        for hits in self.hits.chunk_by(|(_, a), (_, b)| a == b) {
            if self.found.len() >= MAX_MENTIONS {
                self.full = true;
                return;
            }
            let times = u32::try_from(hits.len()).unwrap_or(u32::MAX);
            let outer = u32::try_from(hits.iter().filter(outer).count()).unwrap_or(u32::MAX);
            self.found.extend(hits.first().map(|&(_, object)| Mention {
                object,
                goid,
                times,
                outer,
            }));
        }
    }

    /// Stacks that were not searched.
    pub(super) const fn unsearched(&self) -> u64 {
        self.unsearched
    }

    /// What was found, by lock and goroutine.
    pub(super) fn found(mut self) -> Vec<Mention> {
        self.found.sort_unstable_by_key(|mention| (mention.object, mention.goid));
        self.found
    }

    /// What was not kept, since there was no room for it.
    pub(super) fn notes(&self, watched: &Watched) -> impl Iterator<Item = CoverageNote> {
        let matters = watched.mutexes;
        let (unsearched, in_part) = (self.unsearched, self.deep);
        let notes = [
            (unsearched > 0, CoverageNote::LocksUnsearched { stacks: unsearched }),
            (in_part > 0, CoverageNote::LocksSearchedInPart { stacks: in_part }),
            (self.full, CoverageNote::MentionsFull),
        ];
        notes.into_iter().filter(move |(said, _)| matters && *said).map(|(_, note)| note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    const A: u64 = 0xc000_0010;
    const B: u64 = 0xc000_0020;

    fn watched(sample: &Sample) -> Watched {
        let observation = sample.observe(0);
        let mut watched = Watched::default();
        watched.renew(&observation.goroutines, &observation.objects, Duration::from_millis(900));
        watched
    }

    fn stack(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn only_locks_that_somebody_long_waits_for_are_searched_for() {
        let mut sample = Sample::new();
        sample.wants(1, (WaitClass::Mutex, A), 0, &[]);
        sample.wants(2, (WaitClass::ChanSend, B), 9, &[]);
        assert!(watched(&sample).is_empty());
        sample.wants(3, (WaitClass::RwMutex, A), 1, &[]);
        let watched = watched(&sample);
        assert_eq!([A, B, 0, u64::MAX].map(|word| watched.has(word)), [true, false, false, false]);
    }

    #[test]
    fn the_most_wanted_locks_when_there_are_too_many() {
        let mut sample = Sample::new();
        for goid in 0..MAX_LOCKS as u64 {
            sample.wants(goid, (WaitClass::Mutex, 0x1000 + 8 * goid), 1, &[]);
        }
        sample.wants(7000, (WaitClass::Mutex, A), 1, &[]);
        sample.wants(7001, (WaitClass::Mutex, A), 1, &[]);
        let watched = watched(&sample);
        assert!(watched.has(A));
        assert_eq!((watched.locks.len(), watched.left_out), (MAX_LOCKS, 1));
        assert!(watched.note().is_some());
    }

    #[test]
    fn mentions_count_outside_the_call_that_locks() {
        let mut sample = Sample::new();
        sample.wants(1, (WaitClass::Mutex, A), 1, &[]);
        sample.wants(2, (WaitClass::Mutex, B), 1, &[]);
        let watched = watched(&sample);
        let mut mentions = Mentions::default();
        assert_eq!(mentions.search(&watched, &stack(&[1, 2, A + 8, 0])), Some(false));
        // The lock call's frame, its caller's, and one further out: argument room, then what it keeps.
        let bytes = stack(&[A, B, /* caller */ A, 0, B, /* outer */ A, 0, A]);
        assert_eq!(mentions.search(&watched, &bytes), Some(true));
        mentions.keep(7, &[16, 40], 0);
        let mention = |object, times, outer| Mention { object, goid: 7, times, outer };
        assert_eq!(mentions.found(), [mention(A, 3, 1), mention(B, 1, 0)]);
    }

    #[test]
    fn so_many_words_are_searched_and_the_rest_is_said_to_be_left_out() {
        let mut sample = Sample::new();
        sample.wants(1, (WaitClass::Mutex, A), 1, &[]);
        let (watched, mut mentions) = (watched(&sample), Mentions::default());
        let bytes = stack(&vec![A; MAX_WORDS / 2]);
        for _ in 0..2 {
            assert_eq!(mentions.search(&watched, &bytes), Some(true));
        }
        assert_eq!(mentions.search(&watched, &stack(&[A])), None);
        assert_eq!((mentions.unsearched(), mentions.notes(&watched).count()), (1, 1));
    }
}
