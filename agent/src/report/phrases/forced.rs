//! Forced collections in words.

use crate::model::{
    Amount, Around, Assessment, Collectable, CollectionBand, ForcedCollection, Freed, MIN_PILED_UP,
    MIN_PILED_UP_BYTES, Measured, WouldFree,
};
use crate::report::format::{bytes, count, counted, duration};

/// What collections show that were forced, or why none were; empty where none were asked for. The second
/// says whether that is for somebody to attend to.
#[must_use]
pub fn collections(assessment: &Assessment) -> Vec<(String, bool)> {
    match &assessment.coverage.forced {
        None => Vec::new(),
        Some(ForcedCollection::Due) => {
            vec![("none was forced: the window ended before it was due".to_owned(), true)]
        }
        Some(ForcedCollection::NothingPiledUp { threshold_percent }) => {
            let text = format!(
                "none was forced: since the first sample neither goroutines nor the heap had grown by \
                 {threshold_percent} % and by {} goroutines or {}",
                count(MIN_PILED_UP),
                bytes(MIN_PILED_UP_BYTES)
            );
            vec![(text, false)]
        }
        Some(ForcedCollection::Made) => {
            let text =
                "garbage was collected, but the window ended before what that ended was measured";
            vec![(text.to_owned(), true)]
        }
        Some(ForcedCollection::Ignored { asked, seen }) => {
            let text = format!(
                "the server ignores gc=1: {} asked for, and the program counts {}, so that nothing is \
                 known of what collections would end",
                counted(*asked, "collection was", "collections were"),
                count(*seen)
            );
            vec![(text, true)]
        }
        Some(ForcedCollection::Failed { why }) => {
            vec![(format!("they could not be forced or measured: {why}"), true)]
        }
        Some(ForcedCollection::Measured(measured)) => {
            let verdict = assessment.judgement.as_ref().and_then(|it| it.collections);
            let verdict = verdict.unwrap_or_default();
            vec![
                one("goroutines", verdict.goroutines, measured, measured.goroutines, count),
                one("heap", verdict.heap_bytes, measured, measured.heap_bytes, bytes),
            ]
        }
    }
}

/// As [`collections`], in a line for a window that goes on; `None` where none were asked for.
#[must_use]
pub fn collections_in_brief(assessment: &Assessment) -> Option<(String, bool)> {
    let known = match assessment.coverage.forced.as_ref()? {
        ForcedCollection::Due => "are due shortly before the window's end".to_owned(),
        ForcedCollection::Made => {
            "were made, what they end is measured at the window's end".to_owned()
        }
        _ => {
            let known = collections(assessment);
            let is_warning = known.iter().any(|(_, is_warning)| *is_warning);
            let texts: Vec<String> = known.into_iter().map(|(text, _)| text).collect();
            return Some((format!("forced collections: {}", texts.join("; ")), is_warning));
        }
    };
    Some((format!("forced collections {known}"), false))
}

fn one(
    what: &str,
    freed: Option<Freed>,
    measured: &Measured,
    amounts: Around,
    text: fn(u64) -> String,
) -> (String, bool) {
    let Around { floor, before, after } = amounts;
    match freed {
        Some(freed) => {
            let forced = counted(measured.asked, "forced collection", "forced collections");
            let waited = duration(measured.waited);
            let sentence = format!("{what}: {}, after {forced} and {waited}", judged(&freed, text));
            (sentence, freed.band >= CollectionBand::LikelyLeak)
        }
        None => {
            let [floor, before, after] = [floor, before, after].map(text);
            let sentence = format!(
                "{what}: too little had piled up for a verdict ({floor} at the first sample, {before} \
                 before the forced collections, {after} after them)"
            );
            (sentence, false)
        }
    }
}

/// What of goroutines was gone: `12 of 15 above the first sample's 7 were gone (80 %): cleanup delay`.
#[must_use]
pub fn freed(freed: &Freed) -> String {
    judged(freed, count)
}

/// The same of bytes of the heap.
pub(super) fn heap_freed(freed: &Freed) -> String {
    judged(freed, bytes)
}

/// What collections would free of a heap: how much, and of what had piled up.
#[must_use]
pub fn would_free(would: &WouldFree) -> Vec<String> {
    let Collectable { next, later, last_live_bytes: _ } = would.collectable;
    let objects = |amount: Amount| {
        format!("{} in {}", bytes(amount.bytes), counted(amount.objects, "object", "objects"))
    };
    let mut text = format!("a collection would free {}", objects(next));
    if later != Amount::default() {
        text.push_str(&format!(
            ", later ones {} that finalizers and cleanups which are yet to run need",
            objects(later)
        ));
    }
    let growth = match (would.amounts, would.freed) {
        (None, _) => "no collection before it says how much had been reachable".to_owned(),
        (Some(Around { floor, before, .. }), None) => format!(
            "too little has piled up for a verdict: {} in all, {} of it reachable at a collection before",
            bytes(before),
            bytes(floor)
        ),
        (Some(Around { floor, after, .. }), Some(freed)) => format!(
            "of the {} beyond the {} that a collection before had found reachable {} would be freed \
             ({:.0} %), {} would be left: {}",
            bytes(freed.amounts.piled_up()),
            bytes(floor),
            bytes(freed.amounts.freed()),
            (freed.part * 100.0).floor(),
            bytes(after),
            meaning(freed.band)
        ),
    };
    vec![text, growth]
}

fn judged(freed: &Freed, text: fn(u64) -> String) -> String {
    let Freed { amounts, part, band } = freed;
    format!(
        "{} of {} above the first sample's {} gone ({:.0} %), {} are left: {}",
        text(amounts.freed()),
        text(amounts.piled_up()),
        text(amounts.floor),
        // Never a band's bound that was not reached.
        (part * 100.0).floor(),
        text(amounts.after),
        meaning(*band)
    )
}

const fn meaning(band: CollectionBand) -> &'static str {
    match band {
        CollectionBand::CleanupDelay => "cleanup delay, it waited for a collection",
        CollectionBand::Partial => "partial, some of it waited for a collection",
        CollectionBand::LikelyLeak => "likely leak, collections end little of it",
        CollectionBand::ConfirmedLeak => "confirmed leak, collections do not end it",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::CollectionVerdict;
    use crate::report::judged;

    #[test]
    fn of_a_window_that_goes_on_it_is_said_what_comes() {
        let mut assessment = judged::assessment(Vec::new());
        assert_eq!(collections_in_brief(&assessment), None);
        for (state, text) in [
            (ForcedCollection::Due, "forced collections are due"),
            (ForcedCollection::Made, "forced collections were made, what they end"),
            (ForcedCollection::Failed { why: "no".into() }, "forced collections: they could not"),
        ] {
            assessment.coverage.forced = Some(state);
            let (said, _) = collections_in_brief(&assessment).expect("they were asked for");
            assert!(said.starts_with(text), "{said}");
        }
    }

    fn said(state: ForcedCollection, verdict: CollectionVerdict) -> Vec<(String, bool)> {
        let mut assessment = judged::assessment(Vec::new());
        assessment.coverage.forced = Some(state);
        if let Some(judgement) = &mut assessment.judgement {
            judgement.collections = Some(verdict);
        }
        collections(&assessment)
    }

    #[test]
    fn bands_have_their_numbers_and_what_did_not_come_has_a_reason() {
        let goroutines = Around { floor: 7, before: 22, after: 10 };
        let heap_bytes = Around { floor: 1 << 20, before: 1 << 20, after: 1 << 19 };
        let measured = Measured {
            asked: 4,
            seen: 5,
            waited: Duration::from_secs(2),
            threshold_percent: 10,
            goroutines,
            heap_bytes,
        };
        let band = CollectionBand::CleanupDelay;
        let freed = Freed { amounts: goroutines, part: 0.8, band };
        let verdict = CollectionVerdict { goroutines: Some(freed), heap_bytes: None };
        let lines = said(ForcedCollection::Measured(measured), verdict);
        let expected = [
            "goroutines: 12 of 15 above the first sample's 7 gone (80 %), 10 are left: cleanup delay, it \
             waited for a collection, after 4 forced collections and 2.0s",
            "heap: too little had piled up for a verdict (1.0 MiB at the first sample, 1.0 MiB before the \
             forced collections, 512.0 KiB after them)",
        ];
        assert_eq!(lines, expected.map(|text| (text.to_owned(), false)));
        for (state, text, is_warning) in [
            (ForcedCollection::Due, "none was forced: the window ended", true),
            (
                ForcedCollection::NothingPiledUp { threshold_percent: 10 },
                "none was forced: since",
                false,
            ),
            (ForcedCollection::Made, "garbage was collected, but", true),
            (
                ForcedCollection::Ignored { asked: 3, seen: 1 },
                "the server ignores gc=1: 3 collections were asked for, and the program counts 1,",
                true,
            ),
            (ForcedCollection::Failed { why: "no".into() }, "they could not be forced", true),
        ] {
            let lines = said(state, CollectionVerdict::default());
            let [(said, warns)] = lines.as_slice() else { panic!("{lines:?}") };
            assert!(said.starts_with(text), "{said}");
            assert_eq!(*warns, is_warning, "{said}");
        }
    }

    #[test]
    fn what_a_walk_says_of_garbage_has_its_numbers() {
        const MIB: u64 = 1 << 20;
        let amount = |mib, objects| Amount { bytes: mib * MIB, objects };
        let amounts = Around { floor: 100 * MIB, before: 200 * MIB, after: 120 * MIB };
        let band = CollectionBand::CleanupDelay;
        let collectable =
            |later| Collectable { next: amount(70, 7), later, last_live_bytes: Some(100 * MIB) };
        let would = WouldFree {
            collectable: collectable(amount(10, 1)),
            amounts: Some(amounts),
            freed: Some(Freed { amounts, part: 0.8, band }),
        };
        let expected = [
            "a collection would free 70.0 MiB in 7 objects, later ones 10.0 MiB in 1 object that finalizers and \
             cleanups which are yet to run need",
            "of the 100.0 MiB beyond the 100.0 MiB that a collection before had found reachable 80.0 MiB would \
             be freed (80 %), 120.0 MiB would be left: cleanup delay, it waited for a collection",
        ];
        assert_eq!(would_free(&would), expected);
        let would = WouldFree { collectable: collectable(Amount::default()), freed: None, ..would };
        let [garbage, growth] = &would_free(&would)[..] else { panic!("two sentences") };
        assert_eq!(garbage, "a collection would free 70.0 MiB in 7 objects");
        assert!(growth.starts_with("too little has piled up for a verdict: 200.0 MiB"), "{growth}");
        let unknown = would_free(&WouldFree { amounts: None, ..would });
        assert!(unknown[1].starts_with("no collection before"), "{unknown:?}");
    }
}
