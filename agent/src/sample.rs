//! Observations made by hand, for unit tests: a builder over the model's constructors.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::collect::{CollectError, Source};
use crate::model::{
    Allocated, AllocatedSample, AllocationSite, Amount, BlockedBasis, BlockedFor, Build, Coverage,
    Frame, FrameId, Goroutine, Instance, LabelsId, Memory, Mention, ObjectRange, Observation,
    Overhead, Rates, Resolved, Resources, Site, StackId, StackTable, StackView, Status, Target,
    TargetId, Timestamp, WaitClass,
};

/// Nanoseconds of 2026-11-20T08:00:00Z.
const START_NS: i64 = 1_795_161_600_000_000_000;

/// What a goroutine of the sample waits for: a class with its reason's number.
const REASONS: [(&str, WaitClass); 13] = [
    ("chan send", WaitClass::ChanSend),
    ("chan receive", WaitClass::ChanReceive),
    ("select", WaitClass::Select),
    ("GC worker (idle)", WaitClass::Runtime),
    ("sync.Mutex.Lock", WaitClass::Mutex),
    ("sync.RWMutex.Lock", WaitClass::RwMutex),
    (READS, WaitClass::RwMutex),
    ("sync.WaitGroup.Wait", WaitClass::WaitGroup),
    ("sync.Cond.Wait", WaitClass::Cond),
    ("sleep", WaitClass::Sleep),
    ("coroutine", WaitClass::Runtime),
    ("chan receive (nil chan)", WaitClass::NilChannel),
    ("chan send (nil chan)", WaitClass::NilChannel),
];

/// What a reader of an RWMutex waits for; a writer's reason comes before it.
const READS: &str = "sync.RWMutex.RLock";

/// Builds one observation.
pub(crate) struct Sample {
    pub(crate) stacks: StackTable,
    goroutines: Vec<Goroutine>,
    objects: Vec<u64>,
    pub(crate) mentions: Vec<Mention>,
    labels: Vec<Vec<(String, String)>>,
    pub(crate) sites: Vec<Site>,
    pub(crate) memory: Memory,
    pub(crate) resources: Resources,
    /// How long the target had been running at the first observation.
    pub(crate) uptime: Option<Duration>,
    /// When the target started.
    pub(crate) started: Option<Timestamp>,
    pub(crate) generation: u32,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self {
            stacks: StackTable::default(),
            goroutines: Vec::new(),
            objects: Vec::new(),
            mentions: Vec::new(),
            labels: vec![Vec::new()],
            sites: Vec::new(),
            memory: Memory::default(),
            resources: Resources::default(),
            uptime: None,
            started: Some(Timestamp::from_unix_ns(START_NS - 86_400 * 1_000_000_000)),
            generation: 0,
        }
    }

    pub(crate) fn frame(&mut self, function: &str, file: &str, line: u32) -> FrameId {
        self.stacks.resolved(Resolved { function, file, line, inlined: false })
    }

    /// A stack of runtime frames followed by the given ones, innermost first.
    pub(crate) fn stack(&mut self, user: &[(&str, &str, u32)]) -> StackId {
        let mut frames = vec![
            self.frame("runtime.gopark", "/usr/local/go/src/runtime/proc.go", 424),
            self.frame("runtime.chansend", "/usr/local/go/src/runtime/chan.go", 270),
        ];
        for &(function, file, line) in user {
            frames.push(self.frame(function, file, line));
        }
        self.stacks.stack(&frames, 0)
    }

    pub(crate) fn unresolved_stack(&mut self, pc: u64) -> StackId {
        let frame = self.stacks.frame(Frame::Unresolved { pc });
        self.stacks.stack(&[frame], 0)
    }

    /// Adds a goroutine that waits; change what it returns for anything else.
    pub(crate) fn add(&mut self, goid: u64, wait: WaitClass, stack: StackView) -> &mut Goroutine {
        let reason = REASONS.iter().position(|&(_, class)| class == wait);
        self.goroutines.push(Goroutine {
            goid: NonZeroU64::new(goid),
            parent: None,
            objects: ObjectRange::default(),
            stack,
            created_by: None,
            started_in: None,
            labels: LabelsId::default(),
            reason: reason.and_then(|reason| u8::try_from(reason).ok()),
            wait,
            status: if wait.is_blocked() { Status::Waiting } else { Status::Running },
            locked_to_thread: false,
            blocked: None,
            age: None,
            seen_for: None,
            came: None,
            parks: None,
            stack_bytes: None,
            weight: 1,
            proven: false,
        });
        self.goroutines.last_mut().expect("just pushed")
    }

    /// Adds so many goroutines that wait, as a profile counts them: nothing tells them apart.
    pub(crate) fn add_counted(&mut self, count: u32, wait: WaitClass, stack: StackView) {
        let counted = self.add(0, wait, stack);
        (counted.weight, counted.reason) = (count, None);
    }

    pub(crate) fn goroutines(&mut self) -> impl Iterator<Item = &mut Goroutine> {
        self.goroutines.iter_mut()
    }

    pub(crate) fn objects(&mut self, objects: &[u64]) -> ObjectRange {
        let start = u32::try_from(self.objects.len()).expect("a small sample");
        self.objects.extend_from_slice(objects);
        ObjectRange { start, len: u32::try_from(objects.len()).expect("a small sample") }
    }

    /// Adds a goroutine that has been waiting for a lock for so many seconds, in a function of its
    /// own, and mentions others so and so often.
    pub(crate) fn wants(
        &mut self,
        goid: u64,
        (wait, lock): (WaitClass, u64),
        seconds: u64,
        mentions: &[(u64, u32)],
    ) -> &mut Goroutine {
        let stack = self.stack(&[(&format!("main.f{goid}"), "/src/bank.go", 33)]);
        let objects = self.objects(if lock == 0 { &[] } else { std::slice::from_ref(&lock) });
        let mentions =
            mentions.iter().map(|&(object, times)| Mention { object, goid, times, outer: 0 });
        self.mentions.extend(mentions);
        let goroutine = self.add(goid, wait, StackView::Read(stack));
        goroutine.objects = objects;
        goroutine.blocked = Some(BlockedFor {
            duration: Duration::from_secs(seconds),
            basis: BlockedBasis::FirstSeen,
        });
        goroutine
    }

    /// The number of the wait reason of an RWMutex's readers.
    pub(crate) fn reads() -> Option<u8> {
        Self::reason(READS)
    }

    /// The number of a wait reason.
    pub(crate) fn reason(name: &str) -> Option<u8> {
        let at = REASONS.iter().position(|&(reason, _)| reason == name);
        at.and_then(|at| u8::try_from(at).ok())
    }

    pub(crate) fn labels(&mut self, labels: &[(&str, &str)]) -> LabelsId {
        let set = labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        self.labels.push(set);
        LabelsId(u32::try_from(self.labels.len() - 1).expect("a small sample"))
    }

    /// The observation, made so many seconds after the first.
    pub(crate) fn observe(&self, seconds: u32) -> Observation {
        let weight = |goroutine: &Goroutine| u64::from(goroutine.weight);
        let running = self.goroutines.iter().filter(|g| g.stack == StackView::Running);
        let running: u64 = running.map(weight).sum();
        let seen = self.goroutines.iter().map(weight).sum();
        Observation {
            at: Timestamp::from_unix_ns(START_NS + i64::from(seconds) * 1_000_000_000),
            elapsed: Duration::from_secs(u64::from(seconds)),
            uptime: self.uptime.map(|uptime| uptime + Duration::from_secs(u64::from(seconds))),
            target: Arc::new(Target {
                exe: Some("potato".to_owned()),
                go_version: Some("go1.26.6".to_owned()),
                build: Some(Build { stripped: true, pie: false, cgo: false }),
                ..Target::of(TargetId {
                    instance: Instance::Process { pid: 4711, library: None },
                    started: self.started,
                    generation: self.generation,
                    recording: None,
                })
            }),
            goroutines: self.goroutines.clone(),
            stacks: Arc::new(self.stacks.clone()),
            reasons: REASONS.iter().map(|&(reason, _)| reason.to_owned()).collect(),
            objects: self.objects.clone(),
            channels: Vec::new(),
            mentions: self.mentions.clone(),
            labels: self.labels.clone(),
            rates: (seconds > 0).then_some(Rates::at_least(50.5, 0.5)),
            rates_so_far: None,
            sites: self.sites.clone(),
            contention: None,
            memory: self.memory.clone(),
            resources: self.resources.clone(),
            coverage: Coverage {
                goroutines_seen: seen,
                goroutines_read: seen - running,
                running,
                ..Coverage::default()
            },
            overhead: Overhead {
                agent_rss_bytes: Some(17 << 20),
                target_cpu_percent_estimate: Some(0.0),
                snapshot: Some(Duration::from_micros(4100)),
                ..Overhead::default()
            },
        }
    }
}

/// A memory profile that has all: this many objects of 64 bytes are in use, of twice as many.
pub(crate) fn allocating(objects: u64) -> AllocatedSample {
    let mut stacks = StackTable::default();
    let mut frame =
        |function, file, line| stacks.resolved(Resolved { function, file, line, inlined: false });
    let frames = [
        frame("runtime.mallocgc", "/usr/local/go/src/runtime/malloc.go", 1),
        frame("main.keep", "/src/app/main.go", 9),
    ];
    let amount = |objects: u64| Amount { bytes: 64 * objects, objects };
    let site = AllocationSite {
        stack: stacks.stack(&frames, 0),
        of_runtime: 1,
        object_bytes: 64,
        in_use: amount(objects),
        allocated: amount(2 * objects),
        sampled_in_use: amount(objects),
        sampled: amount(2 * objects),
    };
    let Observation { target, at, .. } = Sample::new().observe(0);
    let allocated = Allocated { rate_bytes: 1, stacks, sites: vec![site], ..Allocated::default() };
    AllocatedSample { target, at, allocated }
}

/// A leaking service: `leaked` senders stuck on one channel, a few others beside them.
pub(crate) fn leaking(leaked: u64) -> Sample {
    let mut sample = Sample::new();
    let sender = sample.stack(&[("main.leakGoroutines.func1", "/src/app/leak.go", 33)]);
    let listener = sample.stack(&[
        ("internal/poll.(*FD).Accept", "/usr/local/go/src/internal/poll/fd_unix.go", 611),
        ("net/http.(*Server).Serve", "/usr/local/go/src/net/http/server.go", 3424),
        (
            "github.com/acme/platform/services/gateway.(*Listener).AcceptForever",
            "/root/go/pkg/mod/github.com/acme/platform@v1.4.2/services/gateway/listener.go",
            118,
        ),
    ]);
    let worker = sample.stack(&[]);
    let site = sample.frame("main.leakGoroutines", "/src/app/leak.go", 31);
    let channel = sample.objects(&[0x00c0_0001_2345]);
    for goid in 0..leaked {
        let goroutine = sample.add(100 + goid, WaitClass::ChanSend, StackView::Read(sender));
        goroutine.created_by = Some(site);
        goroutine.objects = channel;
        goroutine.blocked = Some(BlockedFor {
            duration: Duration::from_millis(500 * (goid + 1)),
            basis: BlockedBasis::FirstSeen,
        });
    }
    sample.add(1, WaitClass::IoWait, StackView::Read(listener));
    sample.add(2, WaitClass::Runtime, StackView::Read(worker));
    sample.add(7, WaitClass::Running, StackView::Running);
    sample
}

/// A source that shows prepared observations and then ends.
pub(crate) struct Prepared(pub(crate) VecDeque<Observation>);

impl Source for Prepared {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        Ok(self.0.pop_front())
    }
}
