//! Collections, and what they ended or would free.

use super::amount;
use crate::model::{Around, Assessment, ForcedCollection, Freed, Measured, WouldFree};
use crate::report::phrases;
use crate::report::schema::{ForcedCollectionDoc, FreedDoc, WouldFreeDoc};

/// What they ended; `None` where none were asked for.
pub(super) fn forced(assessment: &Assessment) -> Option<ForcedCollectionDoc<'static>> {
    let state = assessment.coverage.forced.as_ref()?;
    let measured: Option<&Measured> = match state {
        ForcedCollection::Measured(measured) => Some(measured),
        _ => None,
    };
    let verdict = assessment.judgement.as_ref().and_then(|it| it.collections).unwrap_or_default();
    let text = phrases::collections(assessment).into_iter().map(|(text, _)| text.into());
    Some(ForcedCollectionDoc {
        asked: measured.map(|it| it.asked),
        seen: measured.map(|it| it.seen),
        waited_seconds: measured.map(|it| it.waited.as_secs_f64()),
        threshold_percent: measured.map(|it| it.threshold_percent),
        goroutines: measured.map(|it| freed(it.goroutines, verdict.goroutines)),
        heap_bytes: measured.map(|it| freed(it.heap_bytes, verdict.heap_bytes)),
        text: text.collect(),
    })
}

/// What collections would free.
pub(in crate::report) fn would_free(would: &WouldFree) -> WouldFreeDoc<'static> {
    WouldFreeDoc {
        next: amount(would.collectable.next),
        later: amount(would.collectable.later),
        bytes: would.amounts.map(|amounts| freed(amounts, would.freed)),
        text: phrases::would_free(would).into_iter().map(Into::into).collect(),
    }
}

fn freed(amounts: Around, freed: Option<Freed>) -> FreedDoc {
    FreedDoc {
        floor: amounts.floor,
        before: amounts.before,
        after: amounts.after,
        freed_part: freed.map(|it| it.part),
        band: freed.map(|it| it.band),
    }
}
