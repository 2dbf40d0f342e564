//! The distinct stacks of a program: walked, named once, and kept.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::probes::CallSite;
use crate::golang::Program;
use crate::golang::goroutines::RawG;
use crate::golang::sudog::Slot;
use crate::golang::symbolize::Call;
use crate::golang::unwind::{Registers, Steps, Trail, Walk};
use crate::model::{CoverageNote, Frame, FrameId, Resolved, StackHints, StackId, StackTable};

/// Frames kept of one stack; the rest of a deeper one is counted.
const MAX_FRAMES: usize = 512;
/// Words kept over all distinct stacks and the names in them: 128 MiB. Honest programs need some
/// thousand.
const MAX_KEPT: usize = 16 << 20;
/// Reads that searching stacks for wait objects may take, a snapshot. One search serves all
/// goroutines with the same stack, so that honest programs need some hundred.
const MAX_SEARCH_READS: usize = 1 << 18;
/// Trails that one thread keeps of one snapshot: at most 16 MiB.
const MAX_TRAILS: usize = 1 << 14;
/// Bytes of stacks that are read beyond the first of each, a snapshot.
const MAX_DEEP_BYTES: u64 = 256 << 20;

/// A distinct stack, by its number in [`Stacks`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct StackKey(u32);

impl StackKey {
    /// Stacks are numbered from 0 without gaps.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a distinct stack.
struct Known {
    id: StackId,
    hints: StackHints,
    /// Where goroutines with this stack keep what they wait on; `None` until it was searched for.
    slot: Option<Slot>,
    /// Where each frame from the first outside the runtime and package sync on begins, counted from
    /// the stack pointer; `None` until it was searched for.
    frame_starts: Option<Arc<[usize]>>,
}

/// What goroutines with the same stack nearly always share, and others seldom.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Kin {
    gopc: u64,
    pc: u64,
    /// Bytes from the stack pointer to the stack's end.
    depth: u64,
}

impl Kin {
    const fn of(g: &RawG) -> Self {
        Self { gopc: g.gopc, pc: g.pc, depth: g.stack_hi.wrapping_sub(g.sp) }
    }
}

/// Where the first of each kin led in this snapshot: a thread's own, so that most stacks are told without
/// asking others.
#[derive(Default)]
pub(super) struct Trails(FxHashMap<Kin, (Trail, StackKey)>);

impl Trails {
    /// Forgets all of the snapshot before.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The stack that leads where one before it led.
    pub(super) fn find(&self, g: &RawG, stack: &[u8]) -> Option<StackKey> {
        let (trail, key) = self.0.get(&Kin::of(g))?;
        trail.leads_through(registers(g), stack).then_some(*key)
    }
}

/// All distinct stacks so far.
#[derive(Default)]
pub(super) struct Stacks {
    table: Arc<StackTable>,
    /// By the addresses of the frames, innermost first, then how many were left out.
    keys: FxHashMap<Box<[u64]>, StackKey>,
    known: Vec<Known>,
    /// Frames at an address, inlined ones unfolded.
    frames: FxHashMap<u64, Arc<[FrameId]>>,
    sites: FxHashMap<u64, Option<FrameId>>,
    /// Words kept, about: addresses, frames and names.
    kept: usize,
    /// The stacks of creators, by the innermost address.
    creation_stacks: FxHashMap<u64, StackId>,
    /// Those of call sites, by their keys.
    call_stacks: FxHashMap<u64, StackId>,
    full: bool,
    /// Reads left for searches in this snapshot.
    pub(super) search_reads: usize,
    unresolved: u64,
    deep_bytes: u64,
    /// Used again for every walk.
    walked: Vec<u64>,
    trail: Trail,
}

impl Stacks {
    /// Before every snapshot. Whether the table outgrew its bound and is begun anew; ids of earlier
    /// snapshots then live on in the tables that these hold.
    pub(super) fn start_snapshot(&mut self) -> bool {
        self.deep_bytes = 0;
        let anew = std::mem::take(&mut self.full) || self.kept > MAX_KEPT / 2;
        if anew {
            *self = Self::default();
        }
        self.search_reads = MAX_SEARCH_READS;
        anew
    }

    /// Makes the next snapshot begin the table anew.
    pub(super) const fn begin_anew(&mut self) {
        self.full = true;
    }

    /// The table, as it is now.
    pub(super) fn table(&self) -> Arc<StackTable> {
        Arc::clone(&self.table)
    }

    /// How many distinct stacks there are.
    pub(super) const fn distinct(&self) -> usize {
        self.known.len()
    }

    /// Distinct addresses that could not be named.
    pub(super) const fn unresolved(&self) -> u64 {
        self.unresolved
    }

    /// What was not kept, since there was no room for it.
    pub(super) fn notes(&self) -> impl Iterator<Item = CoverageNote> {
        let notes = [
            (self.full, CoverageNote::StacksFull),
            (self.search_reads == 0, CoverageNote::SearchesFull),
            (self.deep_bytes > MAX_DEEP_BYTES, CoverageNote::DeepStacksFull),
        ];
        notes.into_iter().filter(|(said, _)| *said).map(|(_, note)| note)
    }

    pub(super) fn id(&self, key: StackKey) -> StackId {
        self.known[key.0 as usize].id
    }

    /// Whether frames of it were left out.
    pub(super) fn is_cut(&self, key: StackKey) -> bool {
        self.table.elided(self.id(key)) > 0
    }

    pub(super) fn hints(&self, key: StackKey) -> StackHints {
        self.known[key.0 as usize].hints
    }

    pub(super) fn slot(&self, key: StackKey) -> Option<Slot> {
        self.known[key.0 as usize].slot
    }

    pub(super) fn set_slot(&mut self, key: StackKey, slot: Slot) {
        self.known[key.0 as usize].slot = Some(slot);
    }

    /// Walks the stack of `g`, whose innermost bytes are `stack`, and notes its trail if it is the first of
    /// its kin; `None` when it cannot be walked.
    pub(super) fn walk(
        &mut self,
        program: &Program,
        (steps, trails): (&mut Steps, &mut Trails),
        g: &RawG,
        stack: &[u8],
    ) -> Option<StackKey> {
        // Another of this batch may have been its first.
        if let Some(key) = trails.find(g, stack) {
            return Some(key);
        }
        let kin = Kin::of(g);
        let is_first = trails.0.len() < MAX_TRAILS && !trails.0.contains_key(&kin);
        let mut walked = std::mem::take(&mut self.walked);
        let whole = self.addresses(program, steps, g, stack, &mut walked);
        let key = if whole { self.key(program, &walked) } else { None };
        self.walked = walked;
        if let Some(key) = key.filter(|_| is_first && self.trail.is_whole()) {
            trails.0.insert(kin, (self.trail.clone(), key));
        }
        key
    }

    /// Where each frame begins on a stack, counted from the stack pointer, from the first one outside
    /// the runtime and package sync on: the same for every goroutine with the same stack.
    pub(super) fn frame_starts(
        &mut self,
        program: &Program,
        steps: &mut Steps,
        (g, key): (&RawG, StackKey),
        stack: &[u8],
    ) -> Arc<[usize]> {
        if let Some(starts) = &self.known[key.0 as usize].frame_starts {
            return Arc::clone(starts);
        }
        let mut starts = Vec::new();
        let symbolizer = program.symbolizer();
        let mut trail = Trail::default();
        program.unwinder(steps).walk(registers(g), stack, &mut trail, &mut |pc, at| {
            let users = || {
                let call = symbolizer.function_line(pc);
                call.is_some_and(|call| !locks_or_parks(call.function))
            };
            if starts.len() < MAX_FRAMES && (!starts.is_empty() || users()) {
                starts.push(at);
            }
        });
        let starts: Arc<[usize]> = starts.into();
        self.kept += starts.len();
        self.known[key.0 as usize].frame_starts = Some(Arc::clone(&starts));
        starts
    }

    /// The address in each frame, and last how many frames were left out, if any were.
    fn addresses(
        &mut self,
        program: &Program,
        steps: &mut Steps,
        g: &RawG,
        stack: &[u8],
        walked: &mut Vec<u64>,
    ) -> bool {
        let (start, trail) = (registers(g), &mut self.trail);
        let mut unwinder = program.unwinder(steps);
        let mut walk = |bytes: &[u8], walked: &mut Vec<u64>| {
            walked.clear();
            let mut elided = 0;
            let end = unwinder.walk(start, bytes, trail, &mut |pc, _| {
                if walked.len() < MAX_FRAMES { walked.push(pc) } else { elided += 1 }
            });
            if elided > 0 {
                walked.push(elided);
            }
            end
        };
        let mut end = walk(stack, walked);
        let whole = g.stack_hi - g.sp;
        let mut len = stack.len() as u64;
        while end == Walk::NeedsMore && len < whole {
            len = whole.min(len * 16);
            self.deep_bytes += len;
            if self.deep_bytes > MAX_DEEP_BYTES {
                return false;
            }
            let Ok(bytes) = program.memory().read_vec(g.sp, len as usize) else { return false };
            end = walk(&bytes, walked);
        }
        end == Walk::Whole
    }

    fn key(&mut self, program: &Program, walked: &[u64]) -> Option<StackKey> {
        if let Some(&key) = self.keys.get(walked) {
            return Some(key);
        }
        if self.kept + walked.len() > MAX_KEPT {
            self.full = true;
            return None;
        }
        let (pcs, elided) = match walked.split_at_checked(MAX_FRAMES) {
            Some((pcs, &[elided])) => (pcs, u32::try_from(elided).unwrap_or(u32::MAX)),
            _ => (walked, 0),
        };
        let mut frames = Vec::new();
        for &pc in pcs {
            frames.extend_from_slice(&self.frames_at(program, pc));
        }
        let table = Arc::make_mut(&mut self.table);
        let id = table.stack(&frames, elided);
        let mut hints = StackHints::default();
        for frame in frames.iter().filter_map(|&frame| table.lookup(frame).ok()) {
            hints.add(frame.function);
        }
        let key = StackKey(u32::try_from(self.known.len()).ok()?);
        self.known.push(Known { id, hints, slot: None, frame_starts: None });
        self.kept += walked.len() + frames.len();
        self.keys.insert(walked.into(), key);
        Some(key)
    }

    fn frames_at(&mut self, program: &Program, pc: u64) -> Arc<[FrameId]> {
        if let Some(frames) = self.frames.get(&pc) {
            return Arc::clone(frames);
        }
        let table = Arc::make_mut(&mut self.table);
        let (mut frames, mut kept) = (Vec::new(), 1);
        // Go's own tracebacks leave the compiler's wrappers out too.
        let named = program.symbolizer().calls(pc, &mut |call| {
            if !call.wrapper {
                frames.push(table.resolved(resolved(call)));
                kept += words(call);
            }
        });
        self.kept += kept;
        if !named {
            frames = vec![table.frame(Frame::Unresolved { pc })];
            self.unresolved += 1;
        }
        let frames: Arc<[FrameId]> = frames.into();
        self.frames.insert(pc, Arc::clone(&frames));
        frames
    }

    /// The `go` statement that returns to `gopc`.
    pub(super) fn creation_site(&mut self, program: &Program, gopc: u64) -> Option<FrameId> {
        if gopc == 0 {
            return None;
        }
        let symbolizer = program.symbolizer();
        self.site(gopc, || symbolizer.function_line(symbolizer.call_address(gopc)))
    }

    /// A stack from return addresses, innermost first; `None` without any.
    pub(super) fn creation_stack(&mut self, program: &Program, pcs: &[u64]) -> Option<StackId> {
        let (&gopc, _) = pcs.split_first()?;
        if let Some(&stack) = self.creation_stacks.get(&gopc) {
            return Some(stack);
        }
        let stack = self.returning_to(program, pcs)?;
        self.creation_stacks.insert(gopc, stack);
        Some(stack)
    }

    /// The stack of a call site.
    pub(super) fn call_stack(&mut self, program: &Program, site: &CallSite) -> Option<StackId> {
        if let Some(&stack) = self.call_stacks.get(&site.key) {
            return Some(stack);
        }
        let stack = self.returning_to(program, site.stack())?;
        self.call_stacks.insert(site.key, stack);
        Some(stack)
    }

    /// A stack from return addresses, innermost first; `None` where there is no room for it.
    fn returning_to(&mut self, program: &Program, pcs: &[u64]) -> Option<StackId> {
        if self.kept + pcs.len() > MAX_KEPT {
            self.full = true;
            return None;
        }
        let calls = pcs.iter().map(|pc| pc.wrapping_sub(1));
        let frames: Vec<FrameId> =
            calls.flat_map(|pc| self.frames_at(program, pc).to_vec()).collect();
        self.kept += frames.len();
        Some(Arc::make_mut(&mut self.table).stack(&frames, 0))
    }

    /// The function that starts at `startpc`.
    pub(super) fn function_start(&mut self, program: &Program, startpc: u64) -> Option<FrameId> {
        if startpc == 0 {
            return None;
        }
        let symbolizer = program.symbolizer();
        self.site(startpc, || symbolizer.function_line(startpc))
    }

    /// The function that a goroutine started in, from the return addresses of its whole stack, innermost
    /// first; `None` where the stack was cut.
    pub(super) fn first_function(&mut self, program: &Program, pcs: &[u64]) -> Option<FrameId> {
        let symbolizer = program.symbolizer();
        let mut entries = pcs.iter().rev().filter_map(|pc| symbolizer.entry(pc.wrapping_sub(1)));
        // Every goroutine's stack ends there (`runtime/asm_*.s`).
        entries.next().filter(|&(_, name)| name == "runtime.goexit")?;
        let (entry, _) = entries.next()?;
        self.function_start(program, entry)
    }

    fn site<'a>(&mut self, pc: u64, find: impl FnOnce() -> Option<Call<'a>>) -> Option<FrameId> {
        if let Some(&site) = self.sites.get(&pc) {
            return site;
        }
        if self.kept > MAX_KEPT {
            self.full = true;
            return None;
        }
        let call = find();
        self.kept += 1 + call.map_or(0, words);
        let site = call.map(|call| Arc::make_mut(&mut self.table).resolved(resolved(call)));
        self.sites.insert(pc, site);
        site
    }
}

/// That stacks were cut, if any were.
pub(super) fn cut_note(goroutines: u64) -> Option<CoverageNote> {
    let note = CoverageNote::StacksCut { goroutines, frames: MAX_FRAMES as u64 };
    (goroutines > 0).then_some(note)
}

/// Whether a function is one that locks are made of, so that it mentions whatever it locks.
fn locks_or_parks(function: &str) -> bool {
    ["runtime.", "sync.", "internal/sync."].iter().any(|package| function.starts_with(package))
}

/// What a call takes to keep, at most.
const fn words(call: Call<'_>) -> usize {
    2 + (call.function.len() + call.file.len()) / 8
}

const fn registers(g: &RawG) -> Registers {
    Registers { pc: g.pc, sp: g.sp, lr: g.lr }
}

const fn resolved(call: Call<'_>) -> Resolved<'_> {
    Resolved { function: call.function, file: call.file, line: call.line, inlined: call.inlined }
}
