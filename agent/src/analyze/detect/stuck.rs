//! Goroutines that stood at one place for most of the time that anybody looked.

use super::super::case::Case;
use super::super::code::Confidence;
use super::{Detector, Outcome, Scene, found};
use crate::model::{DetectorKind, Evidence, Pattern, Stillness, Verdict, WaitClass};

/// The same goroutines at the same place through most of the window.
pub(super) struct Stuck;

impl Detector for Stuck {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Stuck
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let life = &case.life;
        if !can_be_served(case.wait()) || !is_stuck(case, scene) || scene.is_idle {
            return Outcome::Clear;
        }
        found(Verdict::Suspect, life.stuck, Evidence::Stuck(stillness(case)))
    }
}

/// So many at one line that no pool would hold them.
pub(super) struct Large;

impl Detector for Large {
    fn kind(&self) -> DetectorKind {
        DetectorKind::LargeGroup
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let life = &case.life;
        let pushes = matches!(
            case.wait(),
            WaitClass::ChanSend | WaitClass::Mutex | WaitClass::RwMutex | WaitClass::Semaphore
        );
        let large = scene.settings.thresholds.large;
        if !pushes || life.stuck < large {
            return Outcome::Clear;
        }
        if !is_stuck(case, scene) {
            return large_at_once(case, large);
        }
        found(Verdict::Likely, life.stuck, Evidence::Large { still: stillness(case), limit: large })
    }
}

/// What one sample makes of so many whose waits nobody has timed: many senders may meet at one channel
/// for a moment, and many wait for one lock.
fn large_at_once(case: &Case<'_>, large: u64) -> Outcome {
    let apart = case.group.objects >= case.group.count && case.group.count > 1;
    if case.samples > 1 || !apart {
        return Outcome::Clear;
    }
    let evidence = Evidence::LargeAtOnce { goroutines: case.count, limit: large };
    found(Verdict::Suspect, case.count, evidence)
}

/// Stuck at a line whose source shows the mistake.
pub(super) struct Confirmed;

impl Detector for Confirmed {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Source
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let hints = &case.hints;
        let shown = match (case.wait(), hints.pattern()) {
            (
                WaitClass::ChanSend,
                Some(
                    pattern @ (Pattern::PrematureReturn
                    | Pattern::TimedOutReceiver
                    | Pattern::NCast
                    | Pattern::DoubleSend),
                ),
            ) => pattern,
            (
                WaitClass::Mutex | WaitClass::RwMutex,
                Some(pattern @ (Pattern::SelfDeadlock | Pattern::LockOnEarlyReturn)),
            ) if !case.locks.contradicts_source() => pattern,
            _ => return Outcome::Clear,
        };
        // A lock taken twice on one path needs no knowledge of other files.
        let enough = match shown {
            Pattern::SelfDeadlock => Confidence::Medium,
            _ => Confidence::High,
        };
        if !hints.is_as_sure_as(enough) || !is_stuck(case, scene) {
            return Outcome::Clear;
        }
        let evidence = Evidence::ShownBySource { still: stillness(case), pattern: shown };
        found(Verdict::Likely, case.life.stuck, evidence)
    }
}

/// Waiting longer than was set.
pub(super) struct TooLong;

impl Detector for TooLong {
    fn kind(&self) -> DetectorKind {
        DetectorKind::TooLong
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let Some(limit) = scene.settings.thresholds.max_wait else { return Outcome::Clear };
        match case.oldest {
            Some(oldest) if oldest >= limit && case.wait() != WaitClass::Runtime => {
                found(Verdict::Suspect, case.count, Evidence::TooLong { blocked: oldest, limit })
            }
            _ => Outcome::Clear,
        }
    }
}

/// Stuck at a function that the user called suspicious.
pub(super) struct Listed;

impl Detector for Listed {
    fn kind(&self) -> DetectorKind {
        DetectorKind::SuspiciousPattern
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let rule = scene.settings.suspicious.iter().find_map(|rule| {
            let function = case.functions().find(|function| rule.matches(function))?;
            Some((rule, function))
        });
        let Some((rule, function)) = rule else { return Outcome::Clear };
        if !case.wait().is_blocked() || !is_stuck(case, scene) {
            return Outcome::Clear;
        }
        let (function, reason) = (function.to_owned(), rule.reason.clone());
        found(Verdict::Suspect, case.count, Evidence::Suspicious { function, reason })
    }
}

/// Whether somebody else would have to act for the wait to end.
const fn can_be_served(wait: WaitClass) -> bool {
    matches!(
        wait,
        WaitClass::ChanSend
            | WaitClass::ChanReceive
            | WaitClass::Select
            | WaitClass::Cond
            | WaitClass::WaitGroup
            | WaitClass::Semaphore
    )
}

fn is_stuck(case: &Case<'_>, scene: Scene<'_>) -> bool {
    let least = scene.settings.thresholds.stuck_after;
    // One sample counts everybody who waits, however briefly: most of them must have waited so long.
    let most = || case.group.median.is_some_and(|median| median >= least);
    case.life.stuck > 0 && case.life.stuck_for >= least && (case.samples > 1 || most())
}

fn stillness(case: &Case<'_>) -> Stillness {
    let (goroutines, longest) = (case.life.stuck, case.life.stuck_for);
    if case.samples == 1 {
        let median = case.group.median.unwrap_or_default();
        return Stillness::AtOnce { goroutines, median, longest };
    }
    Stillness::Through { goroutines, of: case.count, window: case.window, longest }
}
