//! What the programs count of their own work, on each processor.

use crate::Event;

/// Counts since the programs were loaded. The kernel holds one set a processor.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Times that the create probe was hit.
    pub creates: u64,
    /// Times that the park probe was hit.
    pub parks: u64,
    /// Times that the exit probe was hit.
    pub exits: u64,
    /// Creations and parks that found no room for the goroutine in the table.
    pub slots_full: u64,
    /// Creations and exits that found no room for their creation site.
    pub sites_full: u64,
    /// Hits whose goroutine, descriptor or span could not be read from the target's memory.
    pub bad_reads: u64,
    /// Creation sites whose creator's stack could not be walked.
    pub lost_stacks: u64,
    /// Times that the open probe was hit.
    pub opens: u64,
    /// Openings that are not kept: the descriptor's number is too high, or there is no room for the stack.
    pub opens_lost: u64,
    /// Times that the allocate probe was hit.
    pub allocations: u64,
    /// Allocations that are not kept: there is no room for the object, or for the stack.
    pub allocations_lost: u64,
}

impl Counters {
    /// How many words it has.
    pub const WORDS: usize = size_of::<Self>() / 8;

    /// From its words, in the order of its fields.
    #[must_use]
    pub const fn from_words(words: [u64; Self::WORDS]) -> Self {
        let [
            creates,
            parks,
            exits,
            slots_full,
            sites_full,
            bad_reads,
            lost_stacks,
            opens,
            opens_lost,
            allocations,
            allocations_lost,
        ] = words;
        Self {
            creates,
            parks,
            exits,
            slots_full,
            sites_full,
            bad_reads,
            lost_stacks,
            opens,
            opens_lost,
            allocations,
            allocations_lost,
        }
    }

    /// Adds another processor's.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            creates: self.creates.wrapping_add(other.creates),
            parks: self.parks.wrapping_add(other.parks),
            exits: self.exits.wrapping_add(other.exits),
            slots_full: self.slots_full.wrapping_add(other.slots_full),
            sites_full: self.sites_full.wrapping_add(other.sites_full),
            bad_reads: self.bad_reads.wrapping_add(other.bad_reads),
            lost_stacks: self.lost_stacks.wrapping_add(other.lost_stacks),
            opens: self.opens.wrapping_add(other.opens),
            opens_lost: self.opens_lost.wrapping_add(other.opens_lost),
            allocations: self.allocations.wrapping_add(other.allocations),
            allocations_lost: self.allocations_lost.wrapping_add(other.allocations_lost),
        }
    }

    /// Times that an event's probe was hit.
    #[must_use]
    pub const fn hits(&self, event: Event) -> u64 {
        match event {
            Event::Create => self.creates,
            Event::Park => self.parks,
            Event::Exit => self.exits,
            Event::Open => self.opens,
            Event::Allocate => self.allocations,
        }
    }
}
