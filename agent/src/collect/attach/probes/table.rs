//! The kernel's tables, read from mapped memory: no system call, whatever their size.

use std::array;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use aya::Ebpf;
use aya::maps::{Map, MapData, PerCpuArray};

use super::error::ProbeError;
use super::mapping::Mapping;
use super::{Birth, CallSite, Counters, Large, Site, Sizes, Slot};

/// How often a slot is read again that was being written. A writer needs some tens of
/// nanoseconds; only one that was interrupted takes longer.
const ATTEMPTS: usize = 8;

/// How much of a table could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Entries that were read.
    pub read: usize,
    /// Entries that were being written each time that they were read.
    pub torn: usize,
    /// How many entries fit in.
    pub capacity: usize,
    /// Whether something did not fit in any more.
    pub is_full: bool,
}

/// The tables of one set of programs.
pub(super) struct Table {
    slots: Mapping,
    sites: Mapping,
    call_sites: Mapping,
    descriptors: Mapping,
    large: Mapping,
    used: Mapping,
    counters: PerCpuArray<MapData, [u64; Counters::WORDS]>,
}

impl Table {
    /// Takes the maps out of an object that was loaded with these sizes.
    pub(super) fn of(ebpf: &mut Ebpf, sizes: Sizes) -> Result<Self, ProbeError> {
        let counters = take(ebpf, "COUNTERS")?;
        Ok(Self {
            slots: mapped(ebpf, "SLOTS", sizes.slots as usize * Slot::WORDS)?,
            sites: mapped(ebpf, "SITES", sizes.sites as usize * Site::WORDS)?,
            call_sites: mapped(ebpf, "CALL_SITES", sizes.call_sites as usize * CallSite::WORDS)?,
            descriptors: mapped(ebpf, "DESCRIPTORS", sizes.descriptors as usize)?,
            large: mapped(ebpf, "LARGE", sizes.large as usize * Large::WORDS)?,
            used: mapped(ebpf, "USED", 4)?,
            counters: PerCpuArray::try_from(counters)
                .map_err(|error| broken("COUNTERS", error.to_string()))?,
        })
    }

    pub(super) fn counters(&self) -> Result<Counters, ProbeError> {
        let sets = self.counters.get(&0, 0);
        let sets = sets.map_err(|error| broken("COUNTERS", error.to_string()))?;
        Ok(sets
            .iter()
            .map(|words| Counters::from_words(*words))
            .fold(Counters::default(), Counters::plus))
    }

    pub(super) fn goroutines(&self, into: &mut Vec<Slot>) -> Reading {
        let (slots, mut reading) = self.used::<{ Slot::WORDS }>(0, &self.slots);
        into.reserve(slots.len());
        for words in slots {
            match (0..ATTEMPTS).find_map(|_| slot(words)) {
                // Asked for, but not written yet.
                Some(slot) if slot.g == 0 => {}
                Some(slot) => into.push(slot),
                None => reading.torn += 1,
            }
        }
        reading.read = slots.len() - reading.torn;
        reading
    }

    pub(super) fn sites(&self, into: &mut Vec<Site>) -> Reading {
        let (sites, mut reading) = self.used::<{ Site::WORDS }>(1, &self.sites);
        into.extend(sites.iter().map(site).filter(|site| site.gopc != 0));
        reading.read = sites.len();
        reading
    }

    /// Those that are used, by their places.
    pub(super) fn call_sites(&self) -> Vec<CallSite> {
        let (sites, _) = self.used::<{ CallSite::WORDS }>(2, &self.call_sites);
        let site = |words: &[AtomicU64; CallSite::WORDS]| {
            CallSite::from_words(&array::from_fn(|at| words[at].load(Ordering::Acquire)))
        };
        sites.iter().map(site).collect()
    }

    /// Those whose birth is known. One that is being written has none yet.
    pub(super) fn large(&self) -> Vec<Large> {
        let (larges, _) = self.used::<{ Large::WORDS }>(3, &self.large);
        let large = |words: &[AtomicU64; Large::WORDS]| {
            // The birth before and after: it is 0 while the others are written.
            let birth = words[Large::WORDS - 1].load(Ordering::Acquire);
            let large = Large::from_words(&array::from_fn(|at| words[at].load(Ordering::Acquire)));
            (large.birth == birth && birth != 0).then_some(large)
        };
        larges.iter().filter_map(large).collect()
    }

    pub(super) fn birth(&self, descriptor: u64) -> Option<Birth> {
        let place = usize::try_from(descriptor).ok()?;
        Birth::from_word(self.descriptors.words().get(place)?.load(Ordering::Acquire))
    }

    /// The entries of a table that are in use: tables are filled from the front.
    fn used<'a, const WORDS: usize>(
        &self,
        which: usize,
        table: &'a Mapping,
    ) -> (&'a [[AtomicU64; WORDS]], Reading) {
        let entries = table.words().as_chunks().0;
        let asked = self.used.words().get(which).map_or(0, |used| used.load(Ordering::Acquire));
        let used = usize::try_from(asked).unwrap_or(usize::MAX);
        let capacity = entries.len();
        let reading = Reading { capacity, is_full: used > capacity, ..Reading::default() };
        (&entries[..used.min(capacity)], reading)
    }
}

/// Reads a slot in the order that [`Slot`] asks for: the head first, the tail last.
fn slot(words: &[AtomicU64; Slot::WORDS]) -> Option<Slot> {
    let (last, rest) = words.split_last()?;
    let mut copy = [0; Slot::WORDS];
    for (at, word) in rest.iter().enumerate() {
        copy[at] = word.load(if at == 0 { Ordering::Acquire } else { Ordering::Relaxed });
    }
    fence(Ordering::Acquire);
    copy[Slot::WORDS - 1] = last.load(Ordering::Relaxed);
    Slot::from_words(&copy)
}

/// Reads a site. Acquiring each word, the stack is read after its length.
fn site(words: &[AtomicU64; Site::WORDS]) -> Site {
    Site::from_words(&array::from_fn(|at| words[at].load(Ordering::Acquire)))
}

fn take(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, ProbeError> {
    ebpf.take_map(name).ok_or_else(|| broken(name, "it is not there".to_owned()))
}

fn mapped(ebpf: &mut Ebpf, name: &'static str, words: usize) -> Result<Mapping, ProbeError> {
    let Some(Map::Array(map)) = ebpf.map(name) else {
        return Err(broken(name, "it is no array, or not there".to_owned()));
    };
    Mapping::new(map.fd().as_fd(), words).map_err(|error| broken(name, error.to_string()))
}

const fn broken(name: &'static str, why: String) -> ProbeError {
    ProbeError::Map { name, why }
}
