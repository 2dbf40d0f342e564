use std::time::Duration;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{
    Assessment, CauseClass, DetectorKind, GroupMemory, GrowthPattern, Heap, HeapProfile,
    HeapProfileBasis, Lack, LimitKind, Memory, ProcessMemory, Subject, Verdict,
};
use crate::sample::Sample;

const MIB: u64 = 1 << 20;

/// A process with so many bytes reachable at each of its collections, one every two seconds, and as much
/// garbage again before the next.
fn heap(second: u64, live: u64) -> Heap {
    let garbage = if second.is_multiple_of(2) { 0 } else { live };
    Heap {
        marked_bytes: Some(live),
        objects_bytes: live + garbage,
        in_use_bytes: live + garbage + MIB,
        idle_bytes: 2 * MIB,
        stacks_bytes: MIB,
        runtime_bytes: 3 * MIB,
        goal_bytes: Some(2 * live),
        gc_percent: Some(100),
        collections: u32::try_from(second / 2 + 1).unwrap_or(u32::MAX),
        allocated_bytes: second * 10 * MIB,
        allocated_objects: second * 1000,
        gc_cpu_ns: second * 10_000_000,
        busy_cpu_ns: second * 1_000_000_000,
        ..Heap::default()
    }
}

fn process(heap: &Heap, outside: u64) -> ProcessMemory {
    let anonymous_bytes = heap.ready_bytes() + outside;
    ProcessMemory {
        rss_bytes: anonymous_bytes + 5 * MIB,
        anonymous_bytes,
        file_bytes: 4 * MIB,
        shared_bytes: MIB,
        ..ProcessMemory::default()
    }
}

/// What is judged of so many seconds, with what is reachable and what is outside of Go by the second.
fn judged(seconds: u32, live: impl Fn(u64) -> u64, outside: impl Fn(u64) -> u64) -> Assessment {
    let mut window = Window::default();
    for second in 0..=seconds {
        let mut seen = Sample::new().observe(second);
        let second = u64::from(second);
        let heap = heap(second, live(second / 2 * 2));
        let process = Some(process(&heap, outside(second)));
        seen.memory = Memory { heap: Some(heap), process, ..Memory::default() };
        window.push(&seen);
    }
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

fn found(assessment: &Assessment) -> Vec<(CauseClass, Verdict)> {
    let judgement = assessment.judgement.as_ref().expect("judged");
    judgement.findings.iter().map(|finding| (finding.class, finding.verdict)).collect()
}

#[test]
fn what_collections_leave_more_and_more_of_is_found() {
    let line = |second| 100 * MIB + second * MIB;
    let leaks = judged(30, line, |_| 7 * MIB);
    assert_eq!(found(&leaks), [(CauseClass::HeapGrowth, Verdict::Likely)]);
    let judgement = leaks.judgement.expect("judged");
    assert!(judgement.health < 100);
    let finding = &judgement.findings[0];
    let Subject::Memory(growth) = finding.subject else { panic!("{finding:?}") };
    assert_eq!((growth.from_bytes, growth.to_bytes), (102 * MIB, 130 * MIB));
    let rate = finding.growth.expect("it grows").per_second / MIB as f64;
    assert!((0.9..1.1).contains(&rate), "{rate}");
    assert_eq!(finding.history.len(), 31);
    // Little, or briefly seen, is a suspicion.
    let little = judged(30, |second| 100 * MIB + second * MIB / 4, |_| 7 * MIB);
    assert_eq!(found(&little), [(CauseClass::HeapGrowth, Verdict::Suspect)]);
    let briefly = judged(14, |second| 10 * MIB + second * MIB, |_| 7 * MIB);
    assert_eq!(found(&briefly), [(CauseClass::HeapGrowth, Verdict::Suspect)]);
}

#[test]
fn what_a_collection_before_the_window_left_is_no_part_of_the_course() {
    // It came while the program still started.
    let started = |second| if second == 0 { 60 * MIB } else { 100 * MIB + second * MIB };
    let leaks = judged(30, started, |_| 7 * MIB);
    assert_eq!(found(&leaks), [(CauseClass::HeapGrowth, Verdict::Likely)]);
    let stands = judged(30, |second| if second == 0 { 60 * MIB } else { 100 * MIB }, |_| 7 * MIB);
    assert_eq!(found(&stands), []);
}

/// Whether it slows or is about to end cannot be told yet: it is neither a leak for certain nor nothing.
#[test]
fn what_grows_a_little_more_slowly_is_suspect() {
    let slows = |part: u64| {
        let live = move |second: u64| {
            let (early, late) = (second.min(15), second.saturating_sub(15));
            20 * MIB + early * MIB + late * MIB * part / 10
        };
        found(&judged(30, live, |_| 7 * MIB))
    };
    assert_eq!(slows(9), [(CauseClass::HeapGrowth, Verdict::Likely)]);
    assert_eq!(slows(6), [(CauseClass::HeapGrowth, Verdict::Suspect)]);
    assert_eq!(slows(2), []);
}

#[test]
fn that_a_small_heap_rises_is_said() {
    let rise = |from: u64, step: u64| {
        let assessment = judged(30, |second| from + second * step, |_| 7 * MIB);
        assert_eq!(found(&assessment), []);
        let lacks = assessment.judgement.expect("judged").not_enough;
        lacks.into_iter().find_map(|it| match it.lack {
            Lack::SmallRise { bytes } => Some(bytes),
            _ => None,
        })
    };
    assert_eq!(rise(200 << 10, 30 << 10), Some(28 * (30 << 10)));
    // Little of what there is.
    assert_eq!(rise(20 * MIB, 30 << 10), None);
    assert_eq!(rise(200 << 10, 0), None);
}

#[test]
fn what_go_does_not_know_of_is_found_too() {
    let leaks = judged(30, |_| 20 * MIB, |second| 7 * MIB + second * MIB);
    assert_eq!(found(&leaks), [(CauseClass::OffHeapGrowth, Verdict::Likely)]);
}

/// What is judged of half a minute of a program that serves such figures of itself, with what its profile has as in use
/// by the second, and a collection at each.
fn served(in_use: impl Fn(u64) -> u64) -> Assessment {
    let mut window = Window::default();
    for second in 0..=30_u64 {
        let mut seen = Sample::new().observe(second as u32);
        let in_use_bytes = in_use(second);
        let heap = Heap {
            marked_bytes: None,
            collections: second as u32 + 3,
            is_served: true,
            ..heap(second, in_use_bytes)
        };
        let profile = HeapProfile {
            basis: HeapProfileBasis::Sampled,
            in_use_bytes,
            in_use_objects: in_use_bytes >> 10,
            allocated_bytes: Some(in_use_bytes),
        };
        seen.memory = Memory { heap: Some(heap), profile: Some(profile), ..Memory::default() };
        window.push(&seen);
    }
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

#[test]
fn what_a_program_serves_of_its_memory_is_judged_as_what_is_read() {
    let likely = [(CauseClass::HeapGrowth, Verdict::Likely)];
    assert_eq!(found(&served(|second| (20 + second) * MIB)), likely);
    assert_eq!(found(&served(|second| 100 * MIB + second % 10 * 5 * MIB)), []);
}

/// Twenty samples in one half of the window, and twelve in the other.
#[test]
fn that_an_estimate_slows_a_little_may_be_chance() {
    let slows = |second: u64| 20 * MIB + second.min(15) * 2 * MIB + second.saturating_sub(15) * MIB;
    let mut assessment = served(slows);
    let account = assessment.memory.as_mut().expect("an account");
    let mut verdicts = |noise_bytes| {
        account.noise_bytes = noise_bytes;
        let found = findings::of_account(account, Duration::from_secs(30));
        found.into_iter().map(|it| it.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(6 * MIB), [Verdict::Likely]);
    assert_eq!(verdicts(0), [Verdict::Suspect]);
}

#[test]
fn growth_that_an_estimate_does_not_tell_for_certain_is_suspect() {
    let verdicts = |noise_bytes, is_steady| {
        let mut assessment = served(|second| (20 + second) * MIB);
        let account = assessment.memory.as_mut().expect("an account");
        account.noise_bytes = noise_bytes;
        let live = account.live.as_mut().expect("a trend");
        live.is_steady = is_steady;
        let found = findings::of_account(account, Duration::from_secs(30));
        found.into_iter().map(|it| it.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(0, true), [Verdict::Likely]);
    assert_eq!(verdicts(0, false), []);
    assert_eq!(verdicts(10 * MIB, true), [Verdict::Likely]);
    assert_eq!(verdicts(10 * MIB, false), [Verdict::Suspect]);
    assert_eq!(verdicts(40 * MIB, true), [Verdict::Suspect]);
    assert_eq!(verdicts(200 * MIB, true), []);
}

#[test]
fn what_fills_up_to_a_bound_or_ended_is_no_finding() {
    let fills = |second: u64| {
        (100.0 * MIB as f64 + 50.0 * MIB as f64 * (1.0 - (-(second as f64) / 12.0).exp())) as u64
    };
    let warm_up = |second: u64| 100 * MIB + second.min(14) * 5 * MIB;
    let sawtooth = |second: u64| 100 * MIB + second % 10 * 5 * MIB;
    for live in [&fills as &dyn Fn(u64) -> u64, &warm_up, &sawtooth] {
        assert_eq!(found(&judged(30, live, |_| 7 * MIB)), []);
        assert_eq!(found(&judged(30, |_| 20 * MIB, live)), []);
    }
}

#[test]
fn what_grows_on_after_a_part_of_it_was_let_go_is_suspect() {
    // A pool that was emptied in part: what it had then, and by how much it has grown since.
    let emptied = |left: u64, per_second: u64| {
        move |second: u64| match second {
            0..18 => (10 + second) * MIB,
            _ => (10 + left) * MIB + (second - 18) * per_second * MIB,
        }
    };
    let suspect = [(CauseClass::HeapGrowth, Verdict::Suspect)];
    assert_eq!(found(&judged(30, emptied(11, 1), |_| 7 * MIB)), suspect);
    // Emptied all, or for good; and what is not Go's.
    assert_eq!(found(&judged(30, emptied(0, 1), |_| 7 * MIB)), []);
    assert_eq!(found(&judged(30, emptied(11, 0), |_| 7 * MIB)), []);
    assert_eq!(found(&judged(30, |_| 20 * MIB, emptied(11, 1))), []);
}

#[test]
fn a_heap_of_which_few_collections_were_seen_is_not_called_sound() {
    let lacks = |seconds| {
        let judgement = judged(seconds, |_| 20 * MIB, |_| MIB).judgement.expect("judged");
        judgement.not_enough.iter().any(|it| it.detector == DetectorKind::MemoryGrowth)
    };
    assert!(lacks(5) && !lacks(30));
}

/// What is judged of half a minute in which a MiB a second is allocated, and collections come at these seconds, each of
/// which finds this reachable.
fn seldom_collected(collections: &[u64], live: impl Fn(u64) -> u64) -> Assessment {
    let mut window = Window::default();
    for second in 0..=30_u64 {
        let mut seen = Sample::new().observe(second as u32);
        let done = collections.iter().filter(|at| **at <= second).count();
        let last = collections[..done].last().copied().unwrap_or(0);
        let marked = live(last);
        let heap = Heap {
            marked_bytes: Some(marked),
            objects_bytes: marked + (second - last) * MIB,
            collections: done as u32 + 1,
            allocated_bytes: (1000 + second) * MIB,
            ..heap(second, marked)
        };
        seen.memory = Memory { heap: Some(heap), ..Memory::default() };
        window.push(&seen);
    }
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

#[test]
fn a_leak_that_is_seldom_collected_is_told_by_what_collections_keep() {
    let leak = |second| 20 * MIB + second * MIB;
    let heap_growth = |verdict| vec![(CauseClass::HeapGrowth, verdict)];
    assert_eq!(found(&seldom_collected(&[8, 20], leak)), heap_growth(Verdict::Likely));
    // One collection within the window is a suspicion, and without any nothing is known.
    assert_eq!(found(&seldom_collected(&[12], leak)), heap_growth(Verdict::Suspect));
    assert_eq!(found(&seldom_collected(&[], leak)), []);
    // Garbage goes, and what fills up or ends is no leak.
    assert_eq!(found(&seldom_collected(&[8, 20], |_| 20 * MIB)), []);
    assert_eq!(found(&seldom_collected(&[8, 20], |second| 20 * MIB + second * MIB / 3)), []);
    let ends = |second: u64| 20 * MIB + second.min(10) * MIB;
    assert_eq!(found(&seldom_collected(&[8, 20], ends)), []);
}

/// An account of a minute, with what is reachable and what is outside of Go by the second.
fn account_of(live: impl Fn(u64) -> u64, outside: impl Fn(u64) -> u64) -> MemoryAccount {
    let mut series = Series::default();
    for second in 0..60 {
        // Found by the collection before.
        let heap = heap(second, live(second / 2 * 2));
        let process = Some(process(&heap, outside(second)));
        let group = Some(GroupMemory { limit_bytes: 1024 * MIB, used_bytes: 512 * MIB });
        series.add(
            Duration::from_secs(second),
            &Memory { heap: Some(heap), process, group, ..Memory::default() },
        );
    }
    account(&series, &StackTable::default()).expect("there are figures")
}

#[test]
fn the_parts_add_up_to_what_the_kernel_counts() {
    let mut account = account_of(|_| 100 * MIB, |_| 7 * MIB);
    for missing in [0, 50 * MIB] {
        let mut now = account.now.clone();
        let process = now.process.as_mut().expect("known");
        process.anonymous_bytes -= missing;
        process.rss_bytes -= missing;
        account.now = now;
        let parts = parts::parts(&account.now).expect("both are known");
        let go = [
            parts.live_bytes,
            parts.uncollected_bytes,
            parts.fragmented_bytes,
            parts.idle_bytes,
            parts.stacks_bytes,
            parts.runtime_bytes,
        ];
        let other = [parts.outside_bytes, parts.file_bytes, parts.shared_bytes];
        let sum = go.iter().chain(&other).sum::<u64>();
        assert_eq!(sum - parts.not_resident_bytes, parts.rss_bytes, "{parts:?}");
        assert_eq!(parts.not_resident_bytes > 0, missing > 0);
    }
}

#[test]
fn a_sawtooth_does_not_grow() {
    let account = account_of(|_| 100 * MIB, |_| 0);
    let live = account.live.expect("collections");
    assert_eq!((live.grows, live.growth.pattern), (false, GrowthPattern::Flat));
    // The objects go up and down by as much again.
    let objects: Vec<_> = account.history.iter().filter_map(|point| point.objects_bytes).collect();
    assert_eq!(
        (objects.iter().min(), objects.iter().max()),
        (Some(&(100 * MIB)), Some(&(200 * MIB)))
    );
}

#[test]
fn a_leak_grows_and_reaches_a_limit() {
    let account = account_of(|second| (100 + second) * MIB, |_| 0);
    let live = account.live.expect("collections");
    assert!(live.grows, "{live:?}");
    assert_eq!(live.growth.pattern, GrowthPattern::Linear);
    assert!((live.growth.per_second - MIB as f64).abs() < 0.05 * MIB as f64, "{live:?}");
    let [limit] = account.limits[..] else { panic!("{:?}", account.limits) };
    assert_eq!(limit.kind, LimitKind::ControlGroup);
    assert_eq!(limit.level, Level::Normal);
    let reached = limit.reached_in.expect("it grows");
    let [earliest, latest] = [Some(reached.earliest), reached.latest];
    assert!(earliest > Some(Duration::from_secs(100)), "{reached:?}");
    assert!(earliest <= reached.likely && reached.likely <= latest, "{reached:?}");
    assert!(latest < Some(Duration::from_secs(600)), "{reached:?}");
}

#[test]
fn what_warms_up_or_stays_at_its_bound_does_not_grow() {
    let shapes: [fn(u64) -> u64; 4] = [
        // A cache that is full after ten seconds.
        |second| (50 + 10 * second.min(10)) * MIB,
        // A batch job every twenty.
        |second| (50 + 20 * (second % 20)) * MIB,
        // Noise.
        |second| 100 * MIB + second * 7919 % 13 * 100_000,
        // It shrinks.
        |second| (200 - second) * MIB,
    ];
    for (at, shape) in shapes.into_iter().enumerate() {
        let live = account_of(shape, |_| 0).live.expect("collections");
        assert!(!live.grows, "{at}: {live:?}");
    }
}

#[test]
fn without_collections_nothing_is_said_of_growth() {
    let mut series = Series::default();
    for second in 0..60 {
        let heap = Heap { marked_bytes: None, collections: 0, ..heap(1, (10 + second) * MIB) };
        let memory = Memory { heap: Some(heap), ..Memory::default() };
        series.add(Duration::from_secs(second), &memory);
    }
    assert_eq!(account(&series, &StackTable::default()).expect("figures").live, None);
}

#[test]
fn what_grows_outside_of_go_is_told_apart() {
    let account = account_of(|_| 100 * MIB, |second| second * 2 * MIB);
    assert!(!account.live.expect("collections").grows);
    assert!(account.outside.expect("known").grows);
    assert!(account.rss.expect("known").grows);
}

#[test]
fn a_sudden_drop_is_found() {
    let account = account_of(|second| if second < 40 { 300 * MIB } else { 100 * MIB }, |_| 0);
    let cliff = account.live.and_then(|live| live.cliff).expect("it fell");
    assert_eq!((cliff.from_bytes, cliff.to_bytes), (300 * MIB, 100 * MIB));
    assert!((cliff.at_seconds - 40.0).abs() < 1e-9, "{cliff:?}");
}

#[test]
fn a_memory_limit_that_leaves_no_room_is_pressure() {
    let pressed = |share: fn(u64) -> u64, limit: Option<u64>| {
        let mut series = Series::default();
        let mut gc = 0;
        for second in 0..60 {
            gc += share(second) * 10_000_000;
            let heap = Heap {
                goal_bytes: Some(110 * MIB),
                limit_bytes: limit,
                gc_cpu_ns: gc,
                ..heap(second, 100 * MIB)
            };
            series.add(
                Duration::from_secs(second),
                &Memory { heap: Some(heap), ..Memory::default() },
            );
        }
        account(&series, &StackTable::default())
            .and_then(|account| account.collector)
            .expect("figures")
            .is_pressed
    };
    assert!(pressed(|second| second, Some(128 * MIB)), "from 0 to 60 %");
    assert!(!pressed(|_| 5, Some(128 * MIB)));
    assert!(!pressed(|second| second, None), "a busy collector without a limit");
}

#[test]
fn a_long_run_is_kept_in_bounded_memory() {
    let mut series = Series::default();
    for second in 0..5000 {
        let memory = Memory { heap: Some(heap(second, 100 * MIB)), ..Memory::default() };
        series.add(Duration::from_secs(second), &memory);
    }
    assert!(series.points().len() <= 512 && series.collections().len() <= 512);
    assert_eq!(series.points()[0].elapsed, Duration::ZERO);
    let allocation = collector::allocation(&series).expect("known");
    assert!((allocation.bytes_per_second - 10.0 * MIB as f64).abs() < 1.0);
}
