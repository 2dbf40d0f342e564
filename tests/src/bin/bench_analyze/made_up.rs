//! A process that nobody runs: so many goroutines in so many groups, a tenth of which leak.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use leak_agent::model::{
    BlockedBasis, BlockedFor, Coverage, FrameId, Goroutine, Instance, LabelsId, Memory,
    ObjectRange, Observation, Overhead, Resolved, Resources, StackId, StackTable, StackView,
    Status, Target, TargetId, Timestamp, WaitClass,
};

/// Frames of a stack, as background goroutines of real servers have them.
const FRAMES: u32 = 8;
/// Seconds from one birth in a leaking group to the next.
const BIRTHS: u32 = 3;

/// What stays the same from sample to sample.
pub struct MadeUp {
    goroutines: u32,
    kinds: Vec<(StackId, FrameId)>,
    stacks: Arc<StackTable>,
    reasons: Arc<[String]>,
    target: Arc<Target>,
}

impl MadeUp {
    /// So many goroutines in so many groups.
    pub fn new(goroutines: u32, groups: u32) -> Self {
        let mut stacks = StackTable::default();
        let kinds = (0..groups).map(|group| kind(&mut stacks, group)).collect();
        Self {
            goroutines,
            kinds,
            stacks: Arc::new(stacks),
            reasons: ["chan receive".to_owned()].into(),
            target: Arc::new(Target {
                exe: Some("made-up".to_owned()),
                ..Target::of(TargetId {
                    instance: Instance::Process { pid: 1, library: None },
                    started: None,
                    generation: 0,
                    recording: None,
                })
            }),
        }
    }

    /// A sample: the one with this number, a second after the one before.
    pub fn sample(&self, number: u32) -> Observation {
        let mut sample = Observation {
            at: Timestamp::from_unix_ns(0),
            elapsed: Duration::ZERO,
            uptime: None,
            target: Arc::clone(&self.target),
            goroutines: Vec::new(),
            stacks: Arc::clone(&self.stacks),
            reasons: Arc::clone(&self.reasons),
            objects: (0..u64::from(self.goroutines)).map(|at| 0x00c0_0000_0000 + at * 96).collect(),
            channels: Vec::new(),
            mentions: Vec::new(),
            contention: None,
            labels: vec![Vec::new()],
            rates: None,
            rates_so_far: None,
            sites: Vec::new(),
            memory: Memory::default(),
            resources: Resources::default(),
            coverage: Coverage::default(),
            overhead: Overhead::default(),
        };
        self.turn_to(&mut sample, number);
        sample
    }

    /// A goroutine, if it has been born.
    fn goroutine(&self, at: u32, number: u32) -> Option<Goroutine> {
        let groups = self.kinds.len() as u32;
        let (stack, site) = self.kinds[(at % groups) as usize];
        let leaks = (at % groups).is_multiple_of(10);
        let born = if leaks { at / groups * BIRTHS } else { 0 };
        let seen = Duration::from_secs(u64::from(number.checked_sub(born)?));
        Some(Goroutine {
            goid: NonZeroU64::new(1000 + u64::from(at)),
            parent: NonZeroU64::new(1),
            objects: ObjectRange { start: at, len: 1 },
            stack: StackView::Read(stack),
            created_by: Some(site),
            started_in: None,
            labels: LabelsId::default(),
            reason: Some(0),
            wait: WaitClass::ChanReceive,
            status: Status::Waiting,
            locked_to_thread: false,
            blocked: Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen }),
            age: None,
            seen_for: Some(seen),
            came: Some(seen.is_zero()),
            parks: None,
            stack_bytes: Some(8192),
            weight: 1,
            proven: false,
        })
    }

    /// Makes a sample the one with this number. Of every tenth group, a goroutine is born every few
    /// seconds; all others have been there since the first sample.
    pub fn turn_to(&self, sample: &mut Observation, number: u32) {
        sample.elapsed = Duration::from_secs(u64::from(number));
        sample.at = Timestamp::from_unix_ns(i64::from(number) * 1_000_000_000);
        sample.goroutines.clear();
        sample.goroutines.extend((0..self.goroutines).filter_map(|at| self.goroutine(at, number)));
    }
}

fn kind(stacks: &mut StackTable, group: u32) -> (StackId, FrameId) {
    let mut frames =
        vec![resolved(stacks, "runtime.gopark", "/usr/local/go/src/runtime/proc.go", 462)];
    for depth in 0..FRAMES {
        // Half of the callers are shared with other groups.
        let of = if depth < FRAMES / 2 { group } else { group / 64 };
        let function = format!("example.com/shop/part{}.(*Worker{of}).step{depth}", of % 50);
        frames.push(resolved(stacks, &function, "/src/shop/part.go", 10 + depth));
    }
    let site = resolved(stacks, &format!("example.com/shop.start{group}"), "/src/shop/start.go", 7);
    (stacks.stack(&frames, 0), site)
}

fn resolved(stacks: &mut StackTable, function: &str, file: &str, line: u32) -> FrameId {
    stacks.resolved(Resolved { function, file, line, inlined: false })
}
