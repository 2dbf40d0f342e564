use std::time::Duration;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{Amount, Assessment, CauseClass, Collectable, Evidence, Subject};
use crate::sample::leaking;

fn around(floor: u64, before: u64, after: u64) -> Around {
    Around { floor, before, after }
}

#[test]
fn only_what_piled_up_above_the_floor_is_compared() {
    let freed = |amounts| freed(amounts, 10, 10).map(|it| (it.amounts.freed(), it.band));
    for (amounts, expected) in [
        (around(1_000, 1_100, 1_020), Some((80, CollectionBand::CleanupDelay))),
        (around(1_000, 1_100, 1_021), Some((79, CollectionBand::Partial))),
        (around(0, 100, 50), Some((50, CollectionBand::Partial))),
        (around(0, 100, 51), Some((49, CollectionBand::LikelyLeak))),
        (around(0, 100, 80), Some((20, CollectionBand::LikelyLeak))),
        (around(0, 100, 81), Some((19, CollectionBand::ConfirmedLeak))),
        // What went on growing, and what was there before and is gone too.
        (around(0, 100, 140), Some((0, CollectionBand::ConfirmedLeak))),
        (around(1_000, 1_100, 3), Some((100, CollectionBand::CleanupDelay))),
        // Too little, or nothing.
        (around(1_000, 1_099, 1_000), None),
        (around(0, 9, 0), None),
        (around(7, 7, 7), None),
        (around(9, 7, 7), None),
        (around(u64::MAX, u64::MAX, 0), None),
        (around(0, u64::MAX, 0), Some((u64::MAX, CollectionBand::CleanupDelay))),
    ] {
        assert_eq!(freed(amounts), expected, "{amounts:?}");
    }
}

#[test]
fn a_heap_that_collections_leave_is_suspect_without_figures_of_it() {
    // Of 64 MiB that piled up above 4 MiB so much is left.
    let found = |left: u64| {
        let mut window = Window::default();
        for second in 0..30 {
            let mut observation = leaking(3).observe(second);
            let measured = Measured {
                asked: 4,
                seen: 5,
                waited: Duration::from_secs(2),
                threshold_percent: 10,
                goroutines: around(3, 3, 3),
                heap_bytes: around(4 << 20, 68 << 20, (4 + left) << 20),
            };
            let is_last = second == 29;
            observation.coverage.forced = is_last.then_some(ForcedCollection::Measured(measured));
            window.push(&observation);
        }
        let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
        assessment.expect("observed").judgement.expect("judged")
    };
    for left in [40, 60] {
        let judgement = found(left);
        let [finding] = judgement.findings.as_slice() else { panic!("{:?}", judgement.findings) };
        assert_eq!((finding.class, finding.verdict), (CauseClass::HeapGrowth, Verdict::Suspect));
        let Subject::Memory(grown) = &finding.subject else { panic!("{finding:?}") };
        assert_eq!((grown.from_bytes, grown.to_bytes), (4 << 20, (4 + left) << 20));
        assert!(judgement.health < 100);
    }
    assert!(found(20).findings.is_empty(), "most of it waited for a collection");
}

/// Twenty goroutines come a second for half a minute; after collections `left` are there.
fn judged(left: u64) -> Assessment {
    let mut window = Window::default();
    let measured = Measured {
        asked: 4,
        seen: 5,
        waited: Duration::from_secs(2),
        threshold_percent: 10,
        goroutines: around(20, 560, left),
        heap_bytes: around(1 << 20, 1 << 20, 1 << 20),
    };
    for second in 0..30 {
        let count = if second == 29 { left } else { 20 + 20 * u64::from(second) };
        let mut observation = leaking(count).observe(second);
        observation.coverage.forced = Some(match second {
            27 | 28 => ForcedCollection::Made,
            29 => ForcedCollection::Measured(measured),
            _ => ForcedCollection::Due,
        });
        window.push(&observation);
    }
    judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed")
}

#[test]
fn what_collections_end_is_no_likely_leak() {
    let collected = |assessment: &Assessment| {
        let findings = &assessment.judgement.as_ref().expect("judged").findings;
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        let said = finding.evidence.iter().find_map(|it| match it {
            Evidence::Collected(freed) => Some(*freed),
            _ => None,
        });
        (said.expect("it was measured"), finding.verdict)
    };
    let stays = judged(600);
    let (freed, verdict) = collected(&stays);
    assert_eq!((freed.amounts, verdict), (around(20, 560, 600), Verdict::Likely));
    assert_eq!(freed.band, CollectionBand::ConfirmedLeak);
    let whole = stays.judgement.expect("judged").collections.expect("measured");
    assert_eq!(whole.goroutines.map(|it| it.band), Some(CollectionBand::ConfirmedLeak));
    assert_eq!(whole.heap_bytes, None);

    let goes = judged(40);
    let findings = &goes.judgement.as_ref().expect("judged").findings;
    assert!(findings.iter().all(|finding| finding.verdict < Verdict::Likely), "{findings:?}");
    let whole = goes.judgement.as_ref().expect("judged").collections.expect("measured");
    assert_eq!(whole.goroutines.map(|it| it.band), Some(CollectionBand::CleanupDelay));
}

#[test]
fn a_walk_gives_the_bands_of_what_is_beyond_a_collection() {
    const MIB: u64 = 1 << 20;
    let amount = |bytes| Amount { bytes, objects: 1 };
    let walked = |next: u64, later: u64, last_live_bytes| Retained {
        reached: amount(200 * MIB - next),
        unreached: amount(next),
        collectable: Some(Collectable {
            next: amount(next),
            later: amount(later),
            last_live_bytes,
        }),
        ..Retained::default()
    };
    let band = |next, later, floor| {
        let would = would_free(&walked(next * MIB, later * MIB, Some(100 * MIB)), floor);
        would.expect("it was walked").freed.map(|it| (it.band, it.amounts.after / MIB))
    };
    assert_eq!(band(80, 0, None), Some((CollectionBand::CleanupDelay, 120)));
    assert_eq!(band(79, 0, None), Some((CollectionBand::Partial, 121)));
    assert_eq!(band(30, 50, None), Some((CollectionBand::CleanupDelay, 120)));
    assert_eq!(band(49, 0, None), Some((CollectionBand::LikelyLeak, 151)));
    assert_eq!(band(19, 0, None), Some((CollectionBand::ConfirmedLeak, 181)));
    // What a window began with is less than what the last collection left.
    assert_eq!(band(80, 0, Some(40 * MIB)), Some((CollectionBand::Partial, 120)));
    // Too little is there beyond it.
    assert_eq!(band(80, 0, Some(190 * MIB)), None);
    let unknown = would_free(&walked(80 * MIB, 0, None), None).expect("it was walked");
    assert_eq!((unknown.amounts, unknown.freed), (None, None));
    // What was not followed may hold anything.
    let part = Retained { collectable: None, ..walked(80 * MIB, 0, Some(1)) };
    assert_eq!(would_free(&part, None), None);
}
