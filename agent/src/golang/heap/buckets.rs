//! The runtime's memory profile: at which stacks the objects were allocated that it sampled.
//!
//! `runtime.mbuckets` leads to a list of buckets, one for each stack and size of object (`runtime/mprof.go`, Go 1.21
//! to 1.27). A bucket is never freed, and only its counts change: what the published profile has (`active`), and
//! three cycles to come (`future`). They are read here as `runtime.MemProfile` reads them: the cycle that is
//! complete belongs to the profile, whether the program has added it yet or not.

#[cfg(test)]
mod tests;
mod window;

use std::collections::HashSet;

use thiserror::Error;

use crate::golang::gather::Gather;
use crate::golang::globals::{Global, Located, NotLocated};
use crate::golang::memory::{Memory, ReadError, Span};
use crate::golang::version::GoVersion;
use window::Window;

/// `unsafe.Sizeof(bucket{})`: next, allnext, typ, hash, size, nstk.
const HEADER: u32 = 48;
/// `memProfile`, the type of a bucket.
const MEMORY: u64 = 1;
/// `maxProfStackDepth`: no stack of a bucket has more program counters.
const MAX_DEPTH: u64 = 1024;
/// No object is larger: the address space of user code.
const MAX_OBJECT: u64 = 1 << 48;
/// Buckets that are read. Large programs have some ten thousand.
const MAX_BUCKETS: usize = 1 << 17;
/// Program counters that are kept of all of them: 32 MiB.
const MAX_PCS: usize = 4 << 20;
/// The newest Go 1.x of which it was checked that sampling may be switched on while it runs.
const NEWEST_SWITCHED: u16 = 27;
/// How often counts are read until two readings agree.
const MAX_READS: u32 = 8;
/// `active`, and then the three of `future`.
const CYCLES: usize = 4;

/// Where a process keeps its memory profile.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    /// `mbuckets`.
    head: u64,
    /// `mProfCycle`.
    cycle: u64,
    /// `MemProfileRate`.
    rate: u64,
    /// Whether a `memRecordCycle` has bytes beside its counts: up to Go 1.26.
    has_bytes: bool,
}

/// What was allocated at one stack in objects of one size, as far as it was sampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Return addresses, innermost first: one for each call, those of inlined calls among them.
    pub pcs: Box<[u64]>,
    /// The size of an object.
    pub object_bytes: u64,
    /// Objects that were sampled since the program began.
    pub allocated: Sampled,
    /// Those of them that are in use, as of the last collection that was complete.
    pub in_use: Sampled,
}

/// Objects that were sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A memory profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryProfile {
    /// Of so many bytes that are allocated one is sampled, on average (`runtime.MemProfileRate`); at least 1.
    pub rate_bytes: u64,
    /// The newest first, as the runtime lists them.
    pub buckets: Vec<Bucket>,
    /// Buckets of which the counts could not be read, or made no sense.
    pub torn: u64,
    /// Whether the list was read to its end. It is not where it is too long, runs in a circle, or leads to what is
    /// no bucket.
    pub is_whole: bool,
    /// Whether two readings of the counts agreed.
    pub is_steady: bool,
    /// Whether it has what was allocated since the program began, since no collection was complete.
    pub is_before_collection: bool,
}

/// Why there is no memory profile.
#[derive(Debug, Error)]
pub enum NoProfile {
    /// A variable of the runtime was not found.
    #[error(transparent)]
    NotLocated(#[from] NotLocated),
    /// The program samples no allocations.
    #[error("runtime.MemProfileRate is {rate}")]
    Off {
        /// What it is set to: 0, or less.
        rate: i64,
    },
    /// The memory could not be read.
    #[error("the memory profile cannot be read")]
    Memory(#[from] ReadError),
}

/// A bucket, and where its counts are.
struct Listed {
    pcs: Box<[u64]>,
    object_bytes: u64,
    counts: u64,
}

/// What one `memRecordCycle` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cycle {
    allocs: u64,
    frees: u64,
    alloc_bytes: u64,
    free_bytes: u64,
}

impl Cycle {
    const fn plus(self, more: Self) -> Self {
        Self {
            allocs: self.allocs.wrapping_add(more.allocs),
            frees: self.frees.wrapping_add(more.frees),
            alloc_bytes: self.alloc_bytes.wrapping_add(more.alloc_bytes),
            free_bytes: self.free_bytes.wrapping_add(more.free_bytes),
        }
    }
}

impl Buckets {
    /// Where `find` says that the variables are.
    ///
    /// # Errors
    /// When it does not find one.
    pub fn locate(
        version: &GoVersion,
        find: impl Fn(Global) -> Result<Located, NotLocated>,
        bias: u64,
    ) -> Result<Self, NotLocated> {
        let address = |global| find(global).map(|it| it.address.wrapping_add(bias));
        Ok(Self {
            head: address(Global::MBuckets)?,
            cycle: address(Global::MProfCycle)?,
            rate: address(Global::MemProfileRate)?,
            has_bytes: version.minor < 27,
        })
    }

    /// Where `MemProfileRate` is, of a version whose runtime is known to take a change of it at any time.
    #[must_use]
    pub const fn switch(&self, version: &GoVersion) -> Option<u64> {
        if version.minor <= NEWEST_SWITCHED { Some(self.rate) } else { None }
    }

    /// Whether the program samples allocations.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn is_on(&self, memory: &dyn Memory) -> Result<bool, ReadError> {
        Ok(memory.read_u64(self.rate)?.cast_signed() > 0)
    }

    /// The profile as it is now.
    ///
    /// # Errors
    /// When the program samples nothing, or nothing can be read.
    pub fn read(&self, memory: &dyn Memory) -> Result<MemoryProfile, NoProfile> {
        let rate = memory.read_u64(self.rate)?.cast_signed();
        if rate <= 0 {
            return Err(NoProfile::Off { rate });
        }
        let (listed, is_whole) = self.list(memory)?;
        let mut gather = Gather::default();
        let mut counts = self.counts(memory, &listed, &mut gather)?;
        let mut is_steady = false;
        for _ in 1..MAX_READS {
            let again = self.counts(memory, &listed, &mut gather)?;
            is_steady = again == counts;
            counts = again;
            if is_steady {
                break;
            }
        }
        let Counts { cycles, is_before_collection } = counts;
        let mut torn = 0;
        let buckets = listed.into_iter().zip(cycles).filter_map(|(bucket, cycle)| {
            let bucket = cycle.and_then(|cycle| bucket.with(cycle));
            torn += u64::from(bucket.is_none());
            bucket
        });
        let buckets = buckets.collect();
        let rate_bytes = rate.unsigned_abs();
        Ok(MemoryProfile { rate_bytes, buckets, torn, is_whole, is_steady, is_before_collection })
    }

    /// All buckets, and whether those are all.
    fn list(&self, memory: &dyn Memory) -> Result<(Vec<Listed>, bool), ReadError> {
        let mut window = Window::new(memory);
        let (mut listed, mut seen, mut pcs) = (Vec::new(), HashSet::new(), 0);
        let mut at = memory.read_u64(self.head)?;
        while at != 0 {
            let is_new = listed.len() < MAX_BUCKETS && pcs <= MAX_PCS && seen.insert(at);
            let bucket = if is_new { bucket(&mut window, at)? } else { None };
            let Some((bucket, next)) = bucket else { return Ok((listed, false)) };
            pcs += bucket.pcs.len();
            listed.push(bucket);
            at = next;
        }
        Ok((listed, true))
    }

    /// What the profile has of each bucket; `None` where that cannot be read.
    fn counts(
        &self,
        memory: &dyn Memory,
        listed: &[Listed],
        gather: &mut Gather,
    ) -> Result<Counts, ReadError> {
        // Its lowest bit says whether that cycle was added to `active`; what is added is taken away from there.
        let mut value = [0; 4];
        memory.read(self.cycle, &mut value)?;
        let complete = (u32::from_le_bytes(value) >> 1) as usize % (CYCLES - 1);
        let words: usize = if self.has_bytes { 4 } else { 2 };
        let len = (CYCLES * words * 8) as u32;
        let spans: Vec<Span> = listed.iter().map(|it| Span { addr: it.counts, len }).collect();
        gather.read(memory, &spans)?;
        let of = |place: usize, cycle: usize| -> Option<Cycle> {
            let bytes = gather.get(place)?.as_chunks::<8>().0;
            let words = bytes.get(cycle * words..(cycle + 1) * words)?;
            let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
            let (allocs, frees) = (word(0), word(1));
            let size = listed[place].object_bytes;
            let (alloc_bytes, free_bytes) = if self.has_bytes {
                (word(2), word(3))
            } else {
                (allocs.wrapping_mul(size), frees.wrapping_mul(size))
            };
            Some(Cycle { allocs, frees, alloc_bytes, free_bytes })
        };
        let published = |place| Some(of(place, 0)?.plus(of(place, complete + 1)?));
        let cycles: Vec<Option<Cycle>> = (0..listed.len()).map(published).collect();
        let is_empty = |cycle: &Cycle| cycle.allocs == 0 && cycle.frees == 0;
        if !cycles.iter().flatten().all(is_empty) {
            return Ok(Counts { cycles, is_before_collection: false });
        }
        let all =
            |place| (1..CYCLES).try_fold(of(place, 0)?, |sum, it| Some(sum.plus(of(place, it)?)));
        let cycles = (0..listed.len()).map(all).collect();
        Ok(Counts { cycles, is_before_collection: true })
    }
}

/// What one reading of the counts gave.
#[derive(PartialEq, Eq)]
struct Counts {
    cycles: Vec<Option<Cycle>>,
    is_before_collection: bool,
}

impl Listed {
    /// The bucket with its counts, if they can be true.
    fn with(self, cycle: Cycle) -> Option<Bucket> {
        let Cycle { allocs, frees, alloc_bytes, free_bytes } = cycle;
        // `runtime/pprof` takes them for signed numbers.
        let is_possible = i64::try_from(allocs).is_ok() && i64::try_from(alloc_bytes).is_ok();
        let in_use = Sampled {
            objects: allocs.checked_sub(frees)?,
            bytes: alloc_bytes.checked_sub(free_bytes)?,
        };
        let allocated = Sampled { objects: allocs, bytes: alloc_bytes };
        let Self { pcs, object_bytes, .. } = self;
        is_possible.then_some(Bucket { pcs, object_bytes, allocated, in_use })
    }
}

/// The bucket at an address, and where the next one is; `None` where there is none. Its hash proves that it is one.
fn bucket(window: &mut Window<'_>, at: u64) -> Result<Option<(Listed, u64)>, ReadError> {
    let Some(header) = window.read(at, HEADER as usize)? else { return Ok(None) };
    let words = header.as_chunks::<8>().0;
    let [_, next, kind, hash, object_bytes, depth] =
        std::array::from_fn(|word| words.get(word).map_or(0, |it| u64::from_le_bytes(*it)));
    let is_possible =
        kind == MEMORY && depth <= MAX_DEPTH && (1..=MAX_OBJECT).contains(&object_bytes);
    if !is_possible {
        return Ok(None);
    }
    let stack = at.wrapping_add(HEADER.into());
    let Some(pcs) = window.read(stack, depth as usize * 8)? else { return Ok(None) };
    let pcs: Box<[u64]> =
        pcs.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    if hash_of(&pcs, object_bytes) != hash {
        return Ok(None);
    }
    let counts = stack.wrapping_add(depth * 8);
    Ok(Some((Listed { pcs, object_bytes, counts }, next)))
}

/// As `stkbucket` makes it.
fn hash_of(pcs: &[u64], object_bytes: u64) -> u64 {
    let add = |hash: u64, word: u64| {
        let hash = hash.wrapping_add(word);
        let hash = hash.wrapping_add(hash << 10);
        hash ^ (hash >> 6)
    };
    let hash = pcs.iter().fold(0, |hash, pc| add(hash, *pc));
    let hash = add(hash, object_bytes);
    let hash = hash.wrapping_add(hash << 3);
    hash ^ (hash >> 11)
}
