//! Judged assessments made by hand, for the unit tests of all forms of the report.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::analyze::{Window, assess};
use crate::model::{
    AllocatedAt, AllocationBasis, Amount, Assessment, Buffer, Cause, CauseClass, ChannelNumber,
    Channels, Doing, Estimate, Evidence, Finding, Forecast, FrameId, GoroutineLeak, Growth,
    GrowthPattern, HeapHeld, HeapHolder, HeapStep, Hindsight, Holder, HolderKind, IdleReason,
    Judgement, Level, Lineage, LockGraph, LockNode, LockWait, NoOutlook, NotAnalysed, Observation,
    Outlier, Outlook, Pattern, ProvenBy, Quantity, QuantityTrend, Reached, Relation, Score,
    Snippet, SourceLine, StackView, Stillness, Subject, Suggestion, Threshold, Turn, Turnover,
    Usual, Verdict, WaitClass, Waiter,
};
use crate::sample::{Sample, leaking};

/// The groups of [`assessment`], by what is in them.
pub(super) const LEAKING: usize = 0;
pub(super) const LOCKING: usize = 1;

/// The lock that two goroutines of the sample wait for.
const LOCK: u64 = 0x00c0_0000_7000;

/// The lines of `main.transfer` where goroutines wait, and where the holder of the lock is.
const WAITS: u32 = 52;
const HOLDS: u32 = 57;

/// A finding with a line that allocated large objects, and who holds the heap.
pub(super) fn heap() -> Finding {
    let amount = |mib: u64| Amount { bytes: mib << 20, objects: mib };
    let line = SourceLine {
        function: "main.keep".to_owned(),
        file: "/src/app/main.go".to_owned(),
        line: 7,
    };
    let at = AllocatedAt {
        line: Some(line),
        via: None,
        in_use: amount(12),
        allocated: amount(20),
        grown_bytes: Some(12 << 20),
        basis: AllocationBasis::Large,
    };
    let name = Some("main.store".to_owned());
    let holder = HeapHolder::of(HolderKind::Variable, name, 1, amount(16));
    let steps = vec![HeapStep { via: None, type_name: Some("map[string]int".to_owned()) }];
    let held = HeapHeld { holder, steps, grown_bytes: None, reached: amount(32), is_whole: true };
    let mut finding = leak();
    finding.evidence.push(Evidence::AllocatedAt(vec![at]));
    finding.evidence.push(Evidence::HeapHeld(Box::new(held)));
    finding
}

/// An assessment in which these findings were made.
pub(crate) fn assessment(findings: Vec<Finding>) -> Assessment {
    let mut assessment = unjudged(&[with_locks(4).observe(0), with_locks(40).observe(2)]);
    let cycles =
        findings.iter().filter_map(Finding::goroutines).map(|leak| leak.lock_wait.cycle.clone());
    let cycles: Vec<_> = cycles.filter(|cycle| !cycle.is_empty()).collect();
    assessment.judgement = Some(Judgement {
        trends: trends(),
        relations: relations(),
        usual: usual(),
        health: if findings.is_empty() { 97 } else { 12 },
        level: Level::Normal,
        findings,
        not_enough: Vec::new(),
        unlisted: 0,
        not_analysed: BTreeMap::from([(NotAnalysed::Unremarkable, 1)]),
        idle_groups: BTreeMap::new(),
        idle: BTreeMap::from([(IdleReason::Worker.into(), 3), (IdleReason::Listener.into(), 1)]),
        lock_graph: LockGraph {
            locks: vec![LockNode {
                object: LOCK,
                kind: WaitClass::Mutex,
                waiters: vec![50, 51],
                waiting: 2,
                oldest: Some(Duration::from_secs(9)),
                holder: Some(holder()),
                passes: false,
            }],
            alike: vec![1; cycles.len()],
            cycles,
            more: 0,
            more_cycles: 0,
        },
        hot_paths: Vec::new(),
        lineage: vec![Lineage { group: 0, parent: None }],
        history: vec![(0.0, 9), (1.0, 27), (2.0, 45)],
        rise: None,
        raised: None,
        collections: None,
    });
    assessment
}

/// An assessment that nobody judged.
pub(crate) fn unjudged(observations: &[Observation]) -> Assessment {
    let mut window = Window::default();
    for observation in observations {
        window.push(observation);
    }
    assess(&window).expect("something was observed")
}

/// A line of `main.transfer`, as the table of [`assessment`] numbers it.
fn transfer(line: u32) -> FrameId {
    with_locks(0).frame("main.transfer", "/src/app/bank.go", line)
}

fn with_locks(leaked: u64) -> Sample {
    let mut sample = leaking(leaked);
    let stack = sample.stack(&[("main.transfer", "/src/app/bank.go", WAITS)]);
    sample.frame("main.transfer", "/src/app/bank.go", HOLDS);
    let lock = sample.objects(&[LOCK]);
    for goid in [50, 51] {
        sample.add(goid, WaitClass::Mutex, StackView::Read(stack)).objects = lock;
    }
    sample
}

fn finding(id: &str, group: usize, class: CauseClass, verdict: Verdict) -> Finding {
    Finding {
        id: id.to_owned(),
        subject: Subject::Goroutines(Box::new(goroutines(group, 1, None))),
        class,
        verdict,
        score: Score::default(),
        caused_at: None,
        growth: None,
        history: Vec::new(),
        pattern: None,
        cause: Cause::Unknown,
        source: None,
        suggestions: Vec::new(),
        evidence: Vec::new(),
    }
}

fn goroutines(group: usize, count: u64, oldest: Option<u64>) -> GoroutineLeak {
    GoroutineLeak {
        group,
        groups: vec![group],
        parts: Vec::new(),
        count,
        proven_count: None,
        proven_by: ProvenBy::default(),
        turnover: None,
        oldest: oldest.map(Duration::from_secs),
        stack_bytes: None,
        kept_bytes: None,
        lock_wait: LockWait::default(),
        held: None,
        piled_up: Vec::new(),
    }
}

/// A likely finding with everything that a finding can have, lock waits aside.
pub(crate) fn leak() -> Finding {
    Finding {
        score: Score { memory: 20, count: 20, growth: 25, blocking: 10, scheduler: 3 },
        subject: Subject::Goroutines(Box::new(GoroutineLeak {
            proven_count: Some(0),
            turnover: Some(Turnover { arrived: 36, left: 0, survivors: 36, stuck: 4 }),
            stack_bytes: Some(81_920),
            kept_bytes: None,
            ..goroutines(LEAKING, 40, Some(20))
        })),
        growth: Some(Growth {
            per_second: 18.0,
            low: 17.2,
            high: 18.8,
            pattern: GrowthPattern::Linear,
            r2: 0.999,
            forecast: Some(Forecast { in_1h: 64_840, low: 61_960, high: 67_720 }),
        }),
        history: vec![(0.0, 4), (1.0, 22), (2.0, 40)],
        pattern: Some(Pattern::PrematureReturn),
        cause: Cause::Send(Channels {
            buffer: Some(Buffer { capacity: 0, length: 0 }),
            number: ChannelNumber::Shared,
        }),
        source: Some(Snippet {
            file: "/src/app/leak.go".to_owned(),
            line: 33,
            first: 31,
            lines: ["\tgo func() {", "\t\tresult := work()", "\t\tresults <- result", "\t}()"]
                .map(str::to_owned)
                .to_vec(),
            stale: false,
        }),
        suggestions: vec![Suggestion::Class(CauseClass::ChannelSend)],
        evidence: vec![
            Evidence::SteadyGrowth {
                survivors: 36,
                window: Duration::from_secs(2),
                before: 4,
                gone: 0,
            },
            Evidence::RuntimeFound { goroutines: 3 },
        ],
        ..finding("f-7c0d11", LEAKING, CauseClass::ChannelSend, Verdict::Likely)
    }
}

/// Goroutines that rise since the second sample, and processors that are used evenly.
fn trends() -> Vec<QuantityTrend> {
    let growth = Growth {
        per_second: 18.0,
        low: 17.2,
        high: 18.8,
        pattern: GrowthPattern::Linear,
        r2: 0.999,
        forecast: None,
    };
    let seconds = Duration::from_secs;
    let goroutines = QuantityTrend {
        quantity: Quantity::Goroutines,
        samples: 20,
        from: 9.0,
        to: 45.0,
        growth,
        turn: Some(Turn { at_seconds: 1.0, before_per_second: 0.0, after_per_second: 18.0 }),
        outliers: vec![Outlier { at_seconds: 0.5, value: 90.0, expected: 9.0 }],
        season: None,
        outlook: Ok(Outlook {
            in_1h: Estimate { likely: 64_840.0, low: 61_960.0, high: 67_720.0 },
            threshold: Some(Threshold {
                at: 1_000,
                reached: Reached {
                    earliest: seconds(50),
                    likely: Some(seconds(53)),
                    latest: Some(seconds(56)),
                },
            }),
            hindsight: Some(Hindsight {
                ahead: seconds(1),
                foretold: Estimate { likely: 44.0, low: 40.0, high: 48.0 },
                came: 45.0,
            }),
        }),
    };
    let still = Growth {
        per_second: 0.0,
        low: 0.0,
        high: 0.0,
        pattern: GrowthPattern::Oscillating,
        ..growth
    };
    let cpu = QuantityTrend {
        quantity: Quantity::Cpu,
        from: 0.5,
        to: 0.5,
        growth: still,
        turn: None,
        outliers: Vec::new(),
        outlook: Err(NoOutlook::NoRise),
        ..goroutines.clone()
    };
    vec![goroutines, cpu]
}

/// Many more goroutines than usual.
fn usual() -> Vec<Usual> {
    let (low, high, samples) = (4.0, 6.0, 900);
    let quantity = Quantity::Goroutines;
    vec![Usual { quantity, low, high, samples, now: 45.0, is_above: true }]
}

/// The heap follows the goroutines.
fn relations() -> Vec<Relation> {
    vec![Relation {
        leads: Quantity::Goroutines,
        follows: Quantity::LiveHeap,
        each: Some(4_200.0),
        lag: Duration::from_secs(2),
        alike: 0.97,
    }]
}

/// Two goroutines that wait for each other.
pub(crate) fn deadlock() -> Finding {
    let at = Some(transfer(WAITS));
    Finding {
        score: Score { blocking: 20, ..Score::default() },
        subject: Subject::Goroutines(Box::new(GoroutineLeak {
            lock_wait: LockWait {
                cycle: vec![
                    Waiter { goid: 50, object: LOCK, at },
                    Waiter { goid: 51, object: LOCK + 0x100, at: None },
                ],
                cycles: 1,
                lengths: Some((2, 2)),
                in_cycles: 2,
                locks: 2,
                likely_holder: Some(holder()),
                holders: None,
            },
            ..goroutines(LOCKING, 2, Some(9))
        })),
        pattern: Some(Pattern::LockOrder),
        cause: Cause::DeadlockCycle,
        suggestions: vec![Suggestion::Pattern(Pattern::LockOrder)],
        evidence: vec![Evidence::Cycle {
            example: vec![
                Waiter { goid: 50, object: LOCK, at },
                Waiter { goid: 51, object: LOCK + 0x100, at: None },
            ],
            cycles: 1,
        }],
        ..finding("f-dead10", LOCKING, CauseClass::DeadlockCycle, Verdict::Likely)
    }
}

/// One of many suspects.
pub(crate) fn suspect(number: u32) -> Finding {
    Finding {
        subject: Subject::Goroutines(Box::new(goroutines(2, 1, Some(30)))),
        cause: Cause::NotClosed { what: Some(format!("thing {number}")), below: None },
        evidence: vec![Evidence::Stuck(Stillness::Through {
            goroutines: 1,
            of: 1,
            window: Duration::from_secs(30),
            longest: Duration::from_secs(30),
        })],
        ..finding(&format!("f-5{number:05}"), 2, CauseClass::ChannelReceive, Verdict::Suspect)
    }
}

fn holder() -> Holder {
    Holder {
        goid: 51,
        doing: Doing::Wait { class: WaitClass::Mutex, object: Some(LOCK + 0x100), in_cycle: false },
        is_stuck: true,
        at: Some(transfer(HOLDS)),
    }
}
