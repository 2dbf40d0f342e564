//! The stacks of a series, each found again by the text that the record borrows.

use std::hash::Hasher as _;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use crate::model::{Frame, FrameId, Resolved, StackId, StackTable, StackView};
use crate::profile::{Call, Entry, Record, Site};

/// Bytes that the stacks of a series may take.
const MAX_BYTES: usize = 256 << 20;

/// Stacks of one hash that are compared; what comes after is made anew, and found by the table.
const MAX_ALIKE: usize = 8;

/// The stacks of a series.
#[derive(Default)]
pub(super) struct Stacks {
    table: Arc<StackTable>,
    /// By hash: the last one of them that was made.
    latest: FxHashMap<u64, u32>,
    known: Vec<Known>,
    /// By hash: the last frame of it that was met in a stack which was not known.
    met: FxHashMap<u64, FrameId>,
    frames: Vec<FrameId>,
}

/// What a stack's text was made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) view: StackView,
    pub(super) created_by: Option<FrameId>,
    pub(super) started_in: Option<FrameId>,
    /// It was not kept, because there are too many.
    pub(super) left_out: bool,
    /// Its place among the distinct ones; `None` where it is kept in no place.
    pub(super) at: Option<u32>,
}

#[derive(Clone, Copy)]
struct Known {
    stack: StackId,
    created_by: Option<FrameId>,
    started_in: Option<FrameId>,
    /// Another one of the same hash.
    next: Option<u32>,
}

impl Stacks {
    pub(super) fn table(&self) -> Arc<StackTable> {
        Arc::clone(&self.table)
    }

    /// The stack and creator of a record.
    pub(super) fn find(&mut self, record: &Record<'_>) -> Found {
        let hash = hash(record);
        let first = self.latest.get(&hash).copied();
        let (mut next, mut alike) = (first, 0);
        while let Some(at) = next {
            let known = self.known[at as usize];
            if self.is(known, record) {
                return known.found(at);
            }
            next = known.next;
            alike += 1;
            if alike == MAX_ALIKE {
                next = None;
            }
        }
        self.add(hash, first, record)
    }

    /// The stack of a site of a profile that counts no goroutines; `None` where it has none, or there is no room.
    pub(super) fn site(&mut self, stack: &[Entry<'_>]) -> Option<StackId> {
        let record =
            Record { count: 1, goid: None, state: None, labels: &[], stack, created_by: None };
        match self.find(&record).view {
            StackView::Read(stack) => Some(stack),
            _ => None,
        }
    }

    /// The same of a heap profile, which may have very many: they leave room for those of goroutines.
    pub(super) fn heap_site(&mut self, stack: &[Entry<'_>]) -> Option<StackId> {
        (self.table.bytes() < MAX_BYTES / 4).then(|| self.site(stack))?
    }

    fn is(&self, known: Known, record: &Record<'_>) -> bool {
        let table = &*self.table;
        let mut frames = table.frames_of(known.stack).iter();
        let same = record.stack.iter().all(|entry| match entry {
            Entry::Elided(_) => true,
            Entry::Call(call) => {
                frames.next().is_some_and(|&frame| table.lookup(frame) == Ok(resolved(call)))
            }
            Entry::Address(pc) => {
                frames.next().is_some_and(|&frame| table.lookup(frame) == Err(*pc))
            }
        });
        let creator = record.created_by.as_ref().map(of_site);
        same && frames.next().is_none()
            && table.elided(known.stack) == elided(record.stack)
            && known.created_by.and_then(|frame| table.lookup(frame).ok()) == creator
    }

    fn add(&mut self, hash: u64, next: Option<u32>, record: &Record<'_>) -> Found {
        let nothing = Found {
            view: StackView::NotUnwound,
            created_by: None,
            started_in: None,
            left_out: false,
            at: None,
        };
        if record.stack.is_empty() && record.created_by.is_none() {
            return nothing;
        }
        if self.table.bytes() > MAX_BYTES {
            return Found { left_out: true, ..nothing };
        }
        let table = Arc::make_mut(&mut self.table);
        self.frames.clear();
        for entry in record.stack {
            self.frames.push(match entry {
                Entry::Elided(_) => continue,
                Entry::Call(call) => frame(table, &mut self.met, resolved(call)),
                Entry::Address(pc) => table.frame(Frame::Unresolved { pc: *pc }),
            });
        }
        let created_by =
            record.created_by.as_ref().map(|site| frame(table, &mut self.met, of_site(site)));
        // The outermost function is the one that it started in, unless the stack was cut there.
        let is_whole = matches!(record.stack.last(), Some(Entry::Call(_)));
        let started_in = self.frames.last().copied().filter(|_| is_whole);
        if self.frames.is_empty() {
            return Found { created_by, ..nothing };
        }
        let stack = table.stack(&self.frames, elided(record.stack));
        let known = Known { stack, created_by, started_in, next };
        let at = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.push(known);
        self.latest.insert(hash, at);
        known.found(at)
    }
}

impl Known {
    const fn found(self, at: u32) -> Found {
        Found {
            view: StackView::Read(self.stack),
            created_by: self.created_by,
            started_in: self.started_in,
            left_out: false,
            at: Some(at),
        }
    }
}

/// Keeps a frame once. New stacks mostly differ in a few frames from others: the table searches for each of the
/// names, this once for all that a frame is.
fn frame(table: &mut StackTable, met: &mut FxHashMap<u64, FrameId>, call: Resolved<'_>) -> FrameId {
    let mut hasher = FxHasher::default();
    add_call(&mut hasher, call.function, call.file, call.line);
    let hash = hasher.finish();
    if let Some(&frame) = met.get(&hash)
        && table.lookup(frame) == Ok(call)
    {
        return frame;
    }
    let frame = table.resolved(call);
    met.insert(hash, frame);
    frame
}

/// What the texts are told apart by before they are compared: lines, lengths, and how the names end.
fn hash(record: &Record<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    for entry in record.stack {
        match *entry {
            Entry::Call(Call { function, file, line, .. }) => {
                add_call(&mut hasher, function, file, line);
            }
            Entry::Address(pc) => hasher.write_u64(pc),
            Entry::Elided(frames) => hasher.write_u64(frames.unwrap_or(0)),
        }
    }
    if let Some(Site { function, file, line, .. }) = record.created_by {
        add_call(&mut hasher, function, file, line);
    }
    hasher.finish()
}

fn add_call(hasher: &mut FxHasher, function: &str, file: &str, line: u32) {
    let lengths = (function.len() << 16 ^ file.len()) as u64;
    hasher.write_u64(ending(function));
    hasher.write_u64(u64::from(line) << 32 ^ lengths);
}

/// The last eight bytes.
fn ending(text: &str) -> u64 {
    text.as_bytes().last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

const fn resolved<'a>(call: &Call<'a>) -> Resolved<'a> {
    let Call { function, file, line, inlined } = *call;
    Resolved { function, file, line, inlined }
}

const fn of_site<'a>(site: &Site<'a>) -> Resolved<'a> {
    let Site { function, file, line, .. } = *site;
    Resolved { function, file, line, inlined: false }
}

/// How many frames were left out; one at least where the profile does not say.
fn elided(stack: &[Entry<'_>]) -> u32 {
    let left_out = stack.iter().map(|entry| match entry {
        Entry::Elided(frames) => frames.unwrap_or(1),
        Entry::Call(_) | Entry::Address(_) => 0,
    });
    u32::try_from(left_out.fold(0, u64::saturating_add)).unwrap_or(u32::MAX)
}
