//! A snapshot of every goroutine of a program, through its memory, while it runs on.
//!
//! Goroutines are read in batches: first each `runtime.g`, then the stacks of those that stand
//! still and have run since the snapshot before, then what they wait on, and then each `g` once more. One
//! that stands where it stood was not torn; the others are read again, in small batches that leave
//! them less time to move. A second thread reads batches too while a processor is free.

mod batch;
mod channels;
mod intake;
mod item;
mod labels;
mod mentions;
mod objects;
mod readers;
mod stacks;
mod standing;

use std::panic;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::clock::Mark;
use super::probes::CallSite;
use super::wait::Reason;
use crate::golang::gather::Gather;
use crate::golang::{Error, Program};
use crate::host::processors::Processors;
use crate::model::{
    Channel, Coverage, CoverageNote, FrameId, Goroutine, Mention, StackId, StackTable,
};
use channels::Channels;
use item::{Item, Last};
use labels::Labels;
use mentions::{Mentions, Watched};
use readers::{List, Reader, Shared};
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

/// Batches below which a second thread is not worth its start.
const MIN_SHARED_BATCHES: usize = 8;

/// One snapshot; the default is that of nothing.
pub(super) struct Snapshot {
    pub(super) goroutines: Vec<Goroutine>,
    /// One for each goroutine.
    pub(super) marks: Vec<Mark>,
    pub(super) objects: Vec<u64>,
    pub(super) channels: Vec<Channel>,
    pub(super) mentions: Vec<Mention>,
    pub(super) labels: Vec<Vec<(String, String)>>,
    pub(super) coverage: Coverage,
    /// Whether any goroutine waits for a lock that somebody holds.
    pub(super) has_lock_waits: bool,
    /// Different stacks that are known.
    pub(super) distinct_stacks: usize,
    /// For how long a second thread read as well.
    pub(super) helped: Duration,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            goroutines: Vec::new(),
            marks: Vec::new(),
            objects: Vec::new(),
            channels: Vec::new(),
            mentions: Vec::new(),
            labels: vec![Vec::new()],
            coverage: Coverage::default(),
            has_lock_waits: false,
            distinct_stacks: 0,
            helped: Duration::ZERO,
        }
    }
}

/// What came of taking a snapshot.
pub(super) enum Taken {
    /// It is whole.
    Whole(Box<Snapshot>),
    /// This many goroutines with this many different stacks were read before nothing more fitted in.
    TooLarge { goroutines: usize, stacks: usize },
}

/// A snapshot under way.
struct Unfinished {
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

impl Unfinished {
    fn of(program: &Program) -> Self {
        let snapshot = Snapshot::default();
        let labels = Labels::new(program.label_form());
        let (channels, mentions) = (Channels::default(), Mentions::default());
        Self { snapshot, labels, channels, mentions, moved: Vec::new(), unreadable: 0, cut: 0 }
    }
}

/// Takes snapshots of one program, and keeps what it learns from one to the next.
pub(super) struct Snapshotter {
    stacks: Stacks,
    reasons: Vec<Reason>,
    /// Locks that goroutines had long been waiting for at the end of the snapshot before.
    watched: Watched,
    /// `None` where there will be no other snapshot.
    standing: Option<Standing>,
    batch: usize,
    reader: Reader,
    /// Reads beside it, while there is a processor for that.
    helper: Reader,
    processors: Option<Processors>,
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
            stacks: Stacks::default(),
            reasons: reasons.iter().map(|reason| Reason::of(reason)).collect(),
            watched: Watched::default(),
            standing: Some(Standing::default()),
            batch: BATCH,
            reader: Reader::default(),
            helper: Reader::default(),
            processors: Processors::of_host(),
        }
    }

    /// Forgets what was learnt of addresses: some that were in no function are in one now.
    pub(super) fn forget_addresses(&mut self) {
        (self.reader, self.helper) = (Reader::default(), Reader::default());
        self.stacks.begin_anew();
    }

    /// Keeps nothing of a snapshot for the next one.
    pub(super) fn keep_nothing(&mut self) {
        self.standing = None;
    }

    /// Reads with little memory, or as fast as can be.
    pub(super) const fn keep_small(&mut self, small: bool) {
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

    /// A stack that descriptors were opened at; `None` where there is no room for it.
    pub(super) fn call_stack(&mut self, program: &Program, site: &CallSite) -> Option<StackId> {
        self.stacks.call_stack(program, site)
    }

    /// Learns from a snapshot which locks the next one is to search stacks for: those that somebody has
    /// been waiting for so long at least.
    pub(super) fn watch(&mut self, goroutines: &[Goroutine], objects: &[u64], least: Duration) {
        self.watched.renew(goroutines, objects, least);
    }

    /// Reads every goroutine once, for as long as this many goroutines with this many different stacks fit.
    ///
    /// # Errors
    /// When the process is gone, runs another program, or cannot be read.
    pub(super) fn take(
        &mut self,
        program: &Program,
        fits: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Taken, Error> {
        let (all, len) = program.all_gs()?;
        let anew = self.stacks.start_snapshot();
        if let Some(standing) = &mut self.standing {
            standing.begin(len, anew);
        }
        self.reader.trails.clear();
        self.helper.trails.clear();
        let is_shared = self.batch == BATCH && len >= BATCH * MIN_SHARED_BATCHES;
        let processors = self.processors.filter(|it| is_shared && it.are_several());
        let Self { reader, helper, reasons, watched, stacks, standing, batch, .. } = self;
        let list = List { all, len, batch: *batch };
        let kept = (&mut *stacks, standing.as_mut());
        let shared = Shared::new(program, list, (&*reasons, &*watched), kept, fits);
        let helped = read_together(&shared, reader, processors.map(|it| (helper, it)))?;
        for round in 1..=RETRIES {
            let moved = shared.take_moved();
            if moved.is_empty() {
                break;
            }
            let last = if round == RETRIES { Last::Yes } else { Last::No };
            // Whoever moves a stack may be waiting for the very processor that this runs on.
            thread::yield_now();
            shared.state().unfinished.snapshot.coverage.retried += moved.len() as u64;
            for items in moved.chunks(RETRY_BATCH) {
                reader.read_again(&shared, items, last)?;
            }
        }
        let (mut unfinished, is_too_large) = shared.finish();
        if is_too_large {
            let (goroutines, stacks) = (unfinished.snapshot.goroutines.len(), stacks.distinct());
            return Ok(Taken::TooLarge { goroutines, stacks });
        }
        unfinished.snapshot.helped = helped;
        if let Some(standing) = &mut self.standing {
            standing.end(&unfinished.snapshot.objects);
        }
        Ok(Taken::Whole(Box::new(self.finish(unfinished))))
    }

    /// Sums up what was and was not seen.
    fn finish(&self, unfinished: Unfinished) -> Snapshot {
        let Unfinished { mut snapshot, unreadable, cut, labels, channels, mentions, .. } =
            unfinished;
        snapshot.distinct_stacks = self.stacks.distinct();
        let coverage = &mut snapshot.coverage;
        coverage.goroutines_seen = snapshot.goroutines.len() as u64 + unreadable;
        coverage.torn += unreadable;
        coverage.unresolved_frames = self.stacks.unresolved();
        coverage.notes.extend(self.stacks.notes());
        coverage.notes.extend(stacks::cut_note(cut));
        if snapshot.objects.len() >= MAX_OBJECTS {
            coverage.notes.push(CoverageNote::ObjectsFull);
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

/// Reads all batches with one thread, and with another beside it for as long as that has a processor; for
/// how long the other one read.
fn read_together(
    shared: &Shared<'_>,
    reader: &mut Reader,
    helper: Option<(&mut Reader, Processors)>,
) -> Result<Duration, Error> {
    let Some((helper, processors)) = helper else {
        return reader.read(shared).map(|()| Duration::ZERO);
    };
    thread::scope(|scope| {
        let help = || {
            let start = Instant::now();
            helper.help(shared, processors).map(|()| start.elapsed())
        };
        // Where no thread can be started, one reads all.
        let helping = thread::Builder::new().name("reader".to_owned()).spawn_scoped(scope, help);
        let read = reader.read(shared);
        let helped = helping.map(ScopedJoinHandle::join);
        read?;
        match helped {
            Ok(Ok(helped)) => helped,
            Ok(Err(panic)) => panic::resume_unwind(panic),
            Err(_) => Ok(Duration::ZERO),
        }
    })
}
