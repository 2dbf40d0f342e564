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
            leaked => found(at_most(case), leaked, Evidence::RuntimeFound { goroutines: leaked }),
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
            goroutines => found(at_most(case), goroutines, Evidence::Unreachable { goroutines }),
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
        found(at_most(case).min(Verdict::Likely), case.count, evidence)
    }
}

/// How sure it can be that a goroutine leaks of which it is certain that nothing wakes it. What receives from a nil channel
/// may wait for a context that is never cancelled, by design, unless its source tells otherwise. Nobody sends on nil by
/// design.
fn at_most(case: &Case<'_>) -> Verdict {
    let receives = || case.group.reason.as_deref().is_some_and(|it| it.starts_with("chan receive"));
    match case.wait() {
        WaitClass::NilChannel if !case.hints.is_found && receives() => Verdict::Suspect,
        _ => Verdict::Proven,
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
