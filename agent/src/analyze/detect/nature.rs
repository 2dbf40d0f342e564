//! Waits that can never end by their nature, and what the runtime itself says.

use super::super::case::Case;
use super::{Detector, Outcome, Scene, found};
use crate::model::{DetectorKind, Evidence, Verdict, WaitClass};

/// The runtime's own verdict (`_Gleaked`, Go 1.26 and later).
pub(super) struct RuntimeSays;

impl Detector for RuntimeSays {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Runtime
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        match case.life.leaked {
            // True of every wait on a nil channel, by design or not.
            _ if case.wait() == WaitClass::NilChannel && scene.is_idle => Outcome::Clear,
            0 => Outcome::Clear,
            leaked => found(Verdict::Proven, leaked, Evidence::RuntimeFound { goroutines: leaked }),
        }
    }
}

/// What was proven from outside: nothing that can still run can reach what they wait for.
pub(super) struct Unreachable;

impl Detector for Unreachable {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Proof
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        match case.life.unreachable {
            // As above.
            _ if case.wait() == WaitClass::NilChannel && scene.is_idle => Outcome::Clear,
            0 => Outcome::Clear,
            goroutines => found(Verdict::Proven, goroutines, Evidence::Unreachable { goroutines }),
        }
    }
}

/// Waiting on a nil channel, or in `select {}` outside of main.
pub(super) struct ForEver;

impl Detector for ForEver {
    fn kind(&self) -> DetectorKind {
        DetectorKind::ForEver
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let evidence = match case.wait() {
            WaitClass::NilChannel if scene.is_idle => return Outcome::Clear,
            WaitClass::NilChannel => Evidence::NilChannel,
            WaitClass::EmptySelect => Evidence::EmptySelect,
            _ => return Outcome::Clear,
        };
        // The main goroutine may wait for good on purpose: the others do the work.
        if case.life.has_main || !case.is_users() {
            return Outcome::Clear;
        }
        // What receives from nil may wait for a context that is never cancelled by design, unless its source
        // tells otherwise. Nobody sends on nil by design.
        let receives =
            case.group.reason.as_deref().is_some_and(|it| it.starts_with("chan receive"));
        let verdict = match case.wait() {
            WaitClass::NilChannel if receives && !case.hints.is_found => Verdict::Suspect,
            _ => Verdict::Likely,
        };
        found(verdict, case.count, evidence)
    }
}

/// The goroutine that runs finalizers or cleanups, blocked in one of them.
pub(super) struct Finalizer;

/// `runtime/mfinal.go`, `runtime/mcleanup.go`; the second since Go 1.24, one of several.
const RUNNERS: [&str; 4] = [
    "runtime.runfinq",
    "runtime.runFinalizers",
    "runtime.runCleanups",
    "runtime.(*cleanupQueue).dequeue",
];

impl Detector for Finalizer {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Finalizer
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let Some(at) = case.group.blocked_at.filter(|_| is_finalizer(case)) else {
            return Outcome::Clear;
        };
        let stuck =
            case.life.stuck > 0 && case.life.stuck_for >= scene.settings.thresholds.stuck_after;
        if !stuck || !case.is_users() {
            return Outcome::Clear;
        }
        found(
            Verdict::Likely,
            case.count,
            Evidence::BlockedFinalizer { at, blocked: case.life.stuck_for },
        )
    }
}

/// Whether the case is a finalizer or cleanup under way.
pub(in crate::analyze) fn is_finalizer(case: &Case<'_>) -> bool {
    RUNNERS.iter().any(|runner| case.calls(runner))
}
