//! What heap profiles of a series say.

use std::cmp::Reverse;

use super::Intake;
use super::stacks::Stacks;
use crate::model::{Amount, HeapProfile, HeapProfileBasis, Memory, ProfiledSite, ProfiledSites};
use crate::profile::counts::{Measured, SiteReader};
use crate::profile::memstats::{self, MemStats};
use crate::profile::proto::HeapSite;

/// Sites that are kept of a profile: those with most in use. The sums are of all.
const MAX_SITES: usize = 1 << 14;

/// From so many complete collections on the runtime's profile is as of one of them. Before, it has as in use what was
/// allocated and freed since (`memProfileInternal`, `runtime/mprof.go`, Go 1.21 to 1.27).
const MIN_COLLECTIONS: u64 = 2;

/// What they say for the next observation.
#[derive(Default)]
pub(super) struct Profiled {
    /// Of the profile that is being read.
    pending: Pending,
    whole: Memory,
    /// Whether the program samples what it allocates.
    is_sampling: bool,
}

#[derive(Default)]
struct Pending {
    sites: Vec<ProfiledSite>,
    in_use: Amount,
    allocated_bytes: u64,
    /// Some site does not say how much is in use.
    lacks_in_use: bool,
    /// Some site does not say how much was allocated since the start.
    lacks_allocated: bool,
}

impl Pending {
    fn take(&mut self, stacks: &mut Stacks, site: &HeapSite<'_>) {
        let amount = |objects: Option<u64>, bytes: Option<u64>| {
            Some(Amount { objects: objects?, bytes: bytes? })
        };
        let it = &site.allocated;
        let in_use = amount(it.inuse_objects, it.inuse_bytes);
        let allocated = amount(it.alloc_objects, it.alloc_bytes);
        self.lacks_in_use |= in_use.is_none();
        self.lacks_allocated |= allocated.is_none();
        let in_use = in_use.unwrap_or_default();
        let allocated = allocated.unwrap_or(in_use);
        self.in_use = self.in_use.plus(in_use);
        self.allocated_bytes = self.allocated_bytes.saturating_add(allocated.bytes);
        // A profile has every stack that ever allocated.
        if in_use.bytes > 0
            && let Some(stack) = stacks.heap_site(site.stack)
        {
            self.sites.push(ProfiledSite { stack, in_use, allocated });
        }
        if self.sites.len() >= 2 * MAX_SITES {
            self.leave_the_largest();
        }
    }

    fn leave_the_largest(&mut self) {
        if self.sites.len() > MAX_SITES {
            self.sites.select_nth_unstable_by_key(MAX_SITES, |it| Reverse(it.in_use));
            self.sites.truncate(MAX_SITES);
        }
    }
}

impl Profiled {
    /// The memory of the next observation.
    pub(super) fn memory(&mut self) -> Memory {
        std::mem::take(&mut self.whole)
    }
}

impl Intake {
    /// A heap profile begins: of one that was not ended nothing stays.
    pub fn begin_heap(&mut self) {
        self.heap.pending = Pending::default();
    }

    /// Takes a site of a heap profile.
    pub fn take_heap(&mut self, site: &HeapSite<'_>) {
        self.heap.pending.take(&mut self.stacks, site);
    }

    /// Ends a heap profile of which all sites were taken, each scaled up: the next observation has it, and none before
    /// it. Whether it says what is in use.
    pub fn end_heap(&mut self, rate_bytes: Option<u64>) -> bool {
        let mut read = std::mem::take(&mut self.heap.pending);
        if read.lacks_in_use {
            return false;
        }
        read.leave_the_largest();
        let profile = HeapProfile {
            basis: HeapProfileBasis::Sampled,
            in_use_bytes: read.in_use.bytes,
            in_use_objects: read.in_use.objects,
            allocated_bytes: (!read.lacks_allocated).then_some(read.allocated_bytes),
        };
        self.heap.whole = Memory {
            profile: Some(profile),
            profiled: Some(ProfiledSites { rate_bytes, sites: read.sites }),
            ..Memory::default()
        };
        true
    }

    /// Forgets what the next observation would have of the heap.
    pub fn drop_heap(&mut self) {
        self.heap = Profiled::default();
    }

    /// Takes a heap profile as text (`heap?debug=1`), whose pieces `read` hands on. What the program says of its memory at
    /// its end; `None` where it does not, as of one that was cut short: then nothing is taken.
    ///
    /// # Errors
    /// Those of `read`. Nothing is taken then.
    pub fn take_heap_text<E>(
        &mut self,
        read: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), E>,
    ) -> Result<Option<MemStats>, E> {
        self.begin_heap();
        let mut stats = memstats::Reader::default();
        let mut sites = SiteReader::new(|site: &Measured<'_>| {
            if let Measured::Heap(site) = site {
                self.take_heap(site);
            }
        });
        read(&mut |piece| {
            stats.feed(piece);
            sites.feed(piece);
        })?;
        let rate_bytes = sites.rate_bytes();
        sites.finish();
        let Some(stats) = stats.finish() else { return Ok(None) };
        self.heap.is_sampling = rate_bytes.is_some();
        let is_sampled = rate_bytes.is_some() && stats.collections >= MIN_COLLECTIONS;
        if !is_sampled || !self.end_heap(rate_bytes) {
            let counted = HeapProfile {
                basis: HeapProfileBasis::Counted,
                in_use_bytes: stats.heap_bytes,
                in_use_objects: stats.heap_objects,
                allocated_bytes: Some(stats.allocated_bytes),
            };
            self.heap.whole = Memory { profile: Some(counted), ..Memory::default() };
        }
        self.heap.whole.heap = Some(stats.heap());
        Ok(Some(stats))
    }

    /// Whether the next observation has an estimate of what is reachable, or it is too early for one.
    #[must_use]
    pub fn has_sampled_heap(&self) -> bool {
        let Memory { heap, profile, .. } = &self.heap.whole;
        let is_early = heap.as_ref().is_some_and(|it| u64::from(it.collections) < MIN_COLLECTIONS);
        let will_be = is_early && self.heap.is_sampling;
        will_be || profile.is_some_and(|it| it.basis == HeapProfileBasis::Sampled)
    }
}
