//! One look at every goroutine of a program, through its memory, while it runs on.
//!
//! Goroutines are read in batches: first each `runtime.g`, then the stacks of those that stand
//! still and have run since the look before, then what they wait on, and then each `g` once more. One
//! that stands where it stood was not torn; the others are read again, in small batches that leave
//! them less time to move.

mod batch;
mod channels;
mod intake;
mod labels;
mod mentions;
mod objects;
mod stacks;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use super::clock::Mark;
use super::wait::Reason;
use crate::golang::gather::Gather;
use crate::golang::unwind::Steps;
use crate::golang::{Error, Program};
use crate::model::{Channel, Coverage, FrameId, Goroutine, Mention, StackId, StackTable};
use batch::{Item, Last};
use channels::Channels;
use labels::Labels;
use mentions::{Mentions, Watched};
use stacks::Stacks;
use standing::Standing;

/// Goroutines a batch: the larger, the fewer calls; the smaller, the fewer torn.
const BATCH: usize = 1024;
/// Goroutines a batch where memory is short: what is read of a stack at first is 16 KiB.
const SMALL_BATCH: usize = 128;
/// Goroutines a batch when reading torn ones again, and how often that is tried.
const RETRY_BATCH: usize = 16;
const RETRIES: usize = 6;
/// Wait objects kept of one snapshot: 128 MiB. Goroutines wait on one or two each.
const MAX_OBJECTS: usize = 16 << 20;

/// What one look gave.
pub(super) struct Snapshot {
    pub(super) goroutines: Vec<Goroutine>,
    /// One for each goroutine.
    pub(super) marks: Vec<Mark>,
    pub(super) objects: Vec<u64>,
    pub(super) channels: Vec<Channel>,
    pub(super) mentions: Vec<Mention>,
    pub(super) labels: Vec<Vec<(String, String)>>,
    pub(super) coverage: Coverage,
}

/// A look under way.
struct Look<'a> {
    program: &'a Program,
    snapshot: Snapshot,
    labels: Labels,
    channels: Channels,
    mentions: Mentions,
    /// Goroutines that moved while they were read, to be read again.
    moved: Vec<Item>,
    /// Entries of the runtime's list whose memory could not be read.
    unreadable: u64,
    /// Goroutines of whose stacks only the innermost frames were kept.
    cut: u64,
}

impl<'a> Look<'a> {
    fn at(program: &'a Program) -> Self {
        let snapshot = Snapshot {
            goroutines: Vec::new(),
            marks: Vec::new(),
            objects: Vec::new(),
            channels: Vec::new(),
            mentions: Vec::new(),
            labels: vec![Vec::new()],
            coverage: Coverage::default(),
        };
        let labels = Labels::new(program.label_form());
        let (channels, mentions) = (Channels::default(), Mentions::default());
        let moved = Vec::new();
        Self { program, snapshot, labels, channels, mentions, moved, unreadable: 0, cut: 0 }
    }
}

/// Takes snapshots of one program, and keeps what it learns from one to the next.
pub(super) struct Snapshotter {
    steps: Steps,
    stacks: Stacks,
    reasons: Vec<Reason>,
    /// Locks that goroutines had long been waiting for at the end of the look before.
    watched: Watched,
    /// `None` where there will be no other look.
    standing: Option<Standing>,
    batch: usize,
    buffers: Buffers,
}

/// Memory that is used again for every batch.
#[derive(Default)]
struct Buffers {
    goroutines: Gather,
    stacks: Gather,
    sudogs: Gather,
    channels: Gather,
}

impl Snapshotter {
    /// For a program with these wait reasons.
    pub(super) fn new(reasons: &[String]) -> Self {
        Self {
            steps: Steps::default(),
            stacks: Stacks::default(),
            reasons: reasons.iter().map(|reason| Reason::of(reason)).collect(),
            watched: Watched::default(),
            standing: Some(Standing::default()),
            batch: BATCH,
            buffers: Buffers::default(),
        }
    }

    /// Forgets what was learnt of addresses: some that were in no function are in one now.
    pub(super) fn forget_addresses(&mut self) {
        self.steps = Steps::default();
        self.stacks.begin_anew();
    }

    /// Keeps nothing of a snapshot for the next one.
    pub(super) fn keep_nothing(&mut self) {
        self.standing = None;
    }

    /// Reads fewer goroutines at once, or as many as is fastest.
    pub(super) const fn use_small_batches(&mut self, small: bool) {
        self.batch = if small { SMALL_BATCH } else { BATCH };
    }

    /// The stacks of all snapshots so far.
    pub(super) fn stacks(&self) -> Arc<StackTable> {
        self.stacks.table()
    }

    /// The `go` statement that returns to `gopc`.
    pub(super) fn creation_site(&mut self, program: &Program, gopc: u64) -> Option<FrameId> {
        self.stacks.creation_site(program, gopc)
    }

    /// The function that starts at `startpc`.
    pub(super) fn function_start(&mut self, program: &Program, startpc: u64) -> Option<FrameId> {
        self.stacks.function_start(program, startpc)
    }

    /// The function that a goroutine started in, from the return addresses of its whole stack, innermost
    /// first.
    pub(super) fn first_function(&mut self, program: &Program, pcs: &[u64]) -> Option<FrameId> {
        self.stacks.first_function(program, pcs)
    }

    /// The stack of whoever created a goroutine, from its return addresses, innermost first.
    pub(super) fn creation_stack(&mut self, program: &Program, pcs: &[u64]) -> Option<StackId> {
        self.stacks.creation_stack(program, pcs)
    }

    /// Learns from a look which locks the next one is to search stacks for: those that somebody has
    /// been waiting for so long at least.
    pub(super) fn watch(&mut self, goroutines: &[Goroutine], objects: &[u64], least: Duration) {
        self.watched.renew(goroutines, objects, least);
    }

    /// Looks at every goroutine once; `None` as soon as so many goroutines with so many different stacks
    /// do not fit.
    ///
    /// # Errors
    /// When the process is gone, runs another program, or cannot be read.
    pub(super) fn take(
        &mut self,
        program: &Program,
        fits: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Option<Snapshot>, Error> {
        let pid = program.process().pid;
        let (all, len) = program.all_gs()?;
        let anew = self.stacks.start_snapshot();
        if let Some(standing) = &mut self.standing {
            standing.begin(len, anew);
        }
        let mut look = Look::at(program);
        let batch = self.batch;
        let (mut addresses, mut items) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
        for from in (0..len).step_by(batch) {
            all.addresses(program.memory(), from, batch.min(len - from), &mut addresses)
                .map_err(|source| Error::read(pid, "the list of goroutines", source))?;
            items.clear();
            items.extend((from as u32..).zip(&addresses).map(|(slot, &addr)| Item { slot, addr }));
            self.batch(&mut look, &items, Last::No)?;
            if !fits(look.snapshot.goroutines.len(), self.stacks.distinct()) {
                return Ok(None);
            }
        }
        for round in 1..=RETRIES {
            if look.moved.is_empty() {
                break;
            }
            let last = if round == RETRIES { Last::Yes } else { Last::No };
            // Whoever moves a stack may be waiting for the very processor that this runs on.
            std::thread::yield_now();
            let again = std::mem::take(&mut look.moved);
            look.snapshot.coverage.retried += again.len() as u64;
            for items in again.chunks(RETRY_BATCH) {
                self.batch(&mut look, items, last)?;
            }
        }
        if let Some(standing) = &mut self.standing {
            standing.end(&look.snapshot.objects);
        }
        Ok(Some(self.finish(look)))
    }

    /// Sums up what was and was not seen.
    fn finish(&self, look: Look<'_>) -> Snapshot {
        let Look { mut snapshot, unreadable, cut, labels, channels, mentions, .. } = look;
        let coverage = &mut snapshot.coverage;
        coverage.goroutines_seen = snapshot.goroutines.len() as u64 + unreadable;
        coverage.torn += unreadable;
        coverage.unresolved_frames = self.stacks.unresolved();
        coverage.notes.extend(self.stacks.notes());
        coverage.notes.extend(stacks::cut_note(cut));
        if snapshot.objects.len() >= MAX_OBJECTS {
            let note = "there are too many wait objects to keep them all; some were left out";
            coverage.notes.push(note.to_owned());
        }
        coverage.notes.extend(labels.note());
        snapshot.channels.sort_unstable_by_key(|channel| channel.address);
        snapshot.channels.dedup_by_key(|channel| channel.address);
        coverage.notes.extend(channels.note());
        coverage.notes.extend(self.watched.note());
        coverage.notes.extend(mentions.notes(&self.watched));
        coverage.stacks_unsearched = mentions.unsearched();
        snapshot.mentions = mentions.found();
        snapshot
    }
}
