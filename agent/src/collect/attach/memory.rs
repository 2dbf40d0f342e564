//! Keeping to the memory that the agent may take, by its control group or as it was told: fewer things are kept, and what does
//! not fit at all is an error, not the kernel's kill.

use thiserror::Error;

use crate::host::memory::{Allowance, code_bytes, own_bytes};
use crate::model::CoverageNote;
use crate::units::{bytes, count, counted};

/// What is taken whatever the target is like.
const BASE_BYTES: u64 = 16 << 20;
/// What a slot of the runtime's list takes, in use or not, once there is a further sample.
const SLOT_BYTES: u64 = 48;
/// What a distinct stack takes, named, grouped and judged: measured with 20,000.
const STACK_BYTES: u64 = 6 << 10;
/// What one target may take however little the agent may take in all: enough for 200,000 goroutines.
const LEAST_ROOM_BYTES: u64 = 64 << 20;
/// Below so much a batch is small.
const SMALL_BYTES: u64 = 128 << 20;

/// How much is kept, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keep {
    /// What probes see, and what spares reading stacks again.
    All,
    /// No probes: their tables have two slots a goroutine.
    NoProbes,
    /// Neither, so that each stack is read at each sample.
    Least,
    /// One sample.
    Once,
}

impl Keep {
    /// What a goroutine takes in the agent, its slot aside: with 500,000 that wait at one line a control
    /// group counted 85 MB (one sample), 106 (the least), 125 (no probes) and 309, the kernel's tables
    /// included.
    const fn goroutine_bytes(self) -> u64 {
        match self {
            Self::All => 640,
            Self::NoProbes => 220,
            Self::Least => 190,
            Self::Once => 170,
        }
    }

    /// What so much takes in all.
    const fn needs(self, load: Load) -> u64 {
        let slot_bytes = if matches!(self, Self::Once) { 0 } else { SLOT_BYTES };
        BASE_BYTES
            .saturating_add(load.goroutines.saturating_mul(self.goroutine_bytes()))
            .saturating_add(load.stacks.saturating_mul(STACK_BYTES))
            .saturating_add(load.slots.saturating_mul(slot_bytes))
    }
}

/// What there is to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Goroutines that live.
    pub(super) goroutines: u64,
    /// Different stacks among them.
    pub(super) stacks: u64,
    /// Places in the runtime's list, those of goroutines that have ended included.
    pub(super) slots: u64,
}

impl Load {
    /// As it would be if all slots were goroutines like those so far.
    fn whole(self) -> Self {
        let stacks = self.stacks.saturating_mul(self.slots) / self.goroutines.max(1);
        Self { goroutines: self.slots, stacks: stacks.max(self.stacks), slots: self.slots }
    }
}

/// What leaves the agent too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedBy {
    /// Its control group.
    ControlGroup,
    /// What it was told.
    Options,
}

impl LimitedBy {
    const fn name(self) -> &'static str {
        match self {
            Self::ControlGroup => "its control group",
            Self::Options => "what it may take (--max-memory)",
        }
    }
}

/// The agent's memory runs short.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "process {pid} has more goroutines than fit in leak-agent's memory: {} leaves it {} of {}, \
     enough for {} with {}; the {} in the runtime's list may take {}",
    by.name(), bytes(*room_bytes), bytes(*limit_bytes), counted(*goroutines, "goroutine", "goroutines"),
    counted(*stacks, "different stack", "different stacks"), count(*slots), bytes(*needed_bytes)
)]
pub struct Shortage {
    /// The target.
    pub pid: u32,
    /// Goroutines that were read before nothing more fitted in.
    pub goroutines: u64,
    /// Different stacks among them.
    pub stacks: u64,
    /// Places in its list of goroutines, those that have ended included.
    pub slots: u64,
    /// What the agent may take in all.
    pub room_bytes: u64,
    /// What limits it.
    pub by: LimitedBy,
    /// That limit.
    pub limit_bytes: u64,
    /// What all goroutines would take.
    pub needed_bytes: u64,
}

/// What the agent may take in all, before a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    room_bytes: u64,
    by: LimitedBy,
    limit_bytes: u64,
}

impl Room {
    /// As its control groups say, its own code left aside; without end where none limits it.
    pub(super) fn read() -> Self {
        let by = LimitedBy::ControlGroup;
        let Some(allowance) = Allowance::read() else {
            return Self { room_bytes: u64::MAX, by, limit_bytes: u64::MAX };
        };
        let room_bytes = allowance.left_bytes() + own_bytes().unwrap_or(0);
        let room_bytes = room_bytes.saturating_sub(code_bytes().unwrap_or(0));
        Self { room_bytes, by, limit_bytes: allowance.limit_bytes }
    }

    /// The same where the agent may take `most` in all and takes `taken`, of which the last sample of this target, kept so,
    /// is a part.
    pub(super) fn within(self, most: u64, taken: u64, keep: Keep, last: Load) -> Self {
        let left = most.saturating_sub(taken).saturating_add(keep.needs(last));
        let room_bytes = left.max(LEAST_ROOM_BYTES);
        if room_bytes >= self.room_bytes {
            return self;
        }
        Self { room_bytes, by: LimitedBy::Options, limit_bytes: most }
    }

    /// Whether batches must be small.
    pub(super) const fn is_small(self) -> bool {
        self.room_bytes < SMALL_BYTES
    }

    /// Whether so much fits, kept so.
    pub(super) const fn fits(self, keep: Keep, load: Load) -> bool {
        keep.needs(load) <= self.room_bytes
    }

    /// The most that can be kept of so much, and no more than `wanted`.
    pub(super) fn keep(self, wanted: Keep, load: Load) -> Keep {
        let fits = |keep: &Keep| *keep >= wanted && self.fits(*keep, load);
        [Keep::All, Keep::NoProbes].into_iter().find(fits).unwrap_or(wanted.max(Keep::Least))
    }

    /// What is to be said when so much was read and no more fits.
    pub(super) fn shortage(self, pid: u32, keep: Keep, load: Load) -> Shortage {
        let Self { room_bytes, by, limit_bytes } = self;
        let Load { goroutines, stacks, slots } = load;
        let needed_bytes = keep.needs(load.whole());
        Shortage { pid, goroutines, stacks, slots, room_bytes, by, limit_bytes, needed_bytes }
    }

    /// That less is kept than was wanted.
    pub(super) const fn note(self, keep: Keep) -> CoverageNote {
        let stacks_anew = matches!(keep, Keep::Least);
        CoverageNote::LittleMemory { left_bytes: self.room_bytes, stacks_anew }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn room(mib: u64) -> Room {
        let by = LimitedBy::ControlGroup;
        Room { room_bytes: mib * MIB, by, limit_bytes: 1 << 30 }
    }

    #[test]
    fn what_the_agent_was_told_leaves_room_for_what_it_has_already() {
        let last = Load { goroutines: 300_000, stacks: 20, slots: 300_000 };
        let within = |most, taken| {
            room(1_000).within(most * MIB, taken * MIB, Keep::Least, last).room_bytes / MIB
        };
        // 300,000 goroutines take 84 MiB.
        assert_eq!((within(400, 150), within(150, 150)), (334, 84));
        assert_eq!(within(2_000, 150), 1_000, "the control group leaves less");
        let told = room(1_000).within(MIB, 150 * MIB, Keep::Least, Load::default());
        assert_eq!(told.room_bytes, LEAST_ROOM_BYTES);
        let text = told.shortage(7, Keep::Once, last).to_string();
        assert!(
            text.contains("what it may take (--max-memory) leaves it 64.0 MiB of 1.0 MiB"),
            "{text}"
        );
    }

    #[test]
    fn less_is_kept_where_less_fits() {
        let load = Load { goroutines: 100_000, stacks: 20, slots: 100_000 };
        let keep = |mib| room(mib).keep(Keep::All, load);
        assert_eq!(keep(90), Keep::All);
        assert_eq!(keep(44), Keep::NoProbes);
        assert_eq!(keep(40), Keep::Least);
        assert_eq!(room(90).keep(Keep::NoProbes, load), Keep::NoProbes);
        assert_eq!(room(1).keep(Keep::Once, load), Keep::Once);
        assert!(room(40).fits(Keep::Once, load));
        let distinct = Load { stacks: 20_000, ..load };
        assert!(
            !room(40).fits(Keep::Once, distinct),
            "each stack takes much more than a goroutine"
        );
    }

    #[test]
    fn a_shortage_says_what_would_be_needed() {
        let load = Load { goroutines: 250_000, stacks: 100, slots: 500_000 };
        let text = room(60).shortage(7, Keep::Once, load).to_string();
        let fits =
            "leaves it 60.0 MiB of 1.0 GiB, enough for 250,000 goroutines with 100 different";
        assert!(text.contains(fits), "{text}");
        assert!(text.contains("500,000 in the runtime's list may take 98.2 MiB"), "{text}");
    }
}
