//! The runtime's own verdict beside the proof from outside: where they differ, and why.

use std::time::Duration;

use super::ids::MAIN;
use super::life::Life;
use crate::model::{Evidence, Goroutine, Observation, ProofCoverage, RuntimeAlone, Status};

/// When it was last told from outside what can be reached, where that is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// How long ago; `None` where it never was.
    ago: Option<Duration>,
}

impl Told {
    /// `None` where nothing is to be proven: there is nothing that could differ.
    pub(super) fn of(observation: &Observation) -> Option<Self> {
        let ProofCoverage { decided, .. } = observation.coverage.proof.as_ref()?;
        Some(Self { ago: decided.map(|decided| observation.elapsed.saturating_sub(decided)) })
    }

    /// A goroutine that the runtime alone reports, by why it is not proven too; nothing of any other.
    pub(super) fn marked_alone(self, goroutine: &Goroutine) -> RuntimeAlone {
        let mut alone = RuntimeAlone::default();
        if goroutine.status != Status::Leaked || goroutine.proven {
            return alone;
        }
        let blocked = goroutine.blocked.map(|blocked| blocked.duration);
        let why = match self.ago {
            _ if goroutine.is(MAIN) => &mut alone.main,
            _ if !goroutine.wait.is_for_others() => &mut alone.other_waits,
            None => &mut alone.untold,
            Some(ago) if blocked.is_some_and(|blocked| blocked < ago) => &mut alone.since,
            Some(_) => &mut alone.in_reach,
        };
        *why += u64::from(goroutine.weight);
        alone
    }
}

/// How the two differ, where both have said something: that the runtime marks none does not tell that it searched.
pub(super) fn differ(life: &Life) -> Option<Evidence> {
    let by = life.proven_by();
    let is_told = life.marked_alone.sum() > 0 || (by.runtime > 0 && by.agent > by.both);
    is_told.then_some(Evidence::VerdictsDiffer { by, runtime_alone: life.marked_alone })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BlockedBasis, BlockedFor, ProofAttempt, StackView, WaitClass};
    use crate::sample::Sample;

    /// A sample of a minute after a proof that came to a result, or none.
    fn told(decided: Option<Duration>) -> Told {
        let mut observation = Sample::new().observe(60);
        observation.coverage.proof = Some(ProofCoverage {
            latest: ProofAttempt::NoCandidate,
            held: 1,
            proven: 0,
            contradicted: 0,
            kept: None,
            decided,
        });
        Told::of(&observation).expect("a proof was tried")
    }

    #[test]
    fn why_the_runtime_alone_reports_a_goroutine_is_told() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.leak", "/src/a.go", 3)]);
        let mut one = |goid, wait, seconds| {
            let one = sample.add(goid, wait, StackView::Read(stack));
            one.status = Status::Leaked;
            let duration = Duration::from_secs(seconds);
            one.blocked = Some(BlockedFor { duration, basis: BlockedBasis::Runtime });
            *one
        };
        let old = one(7, WaitClass::ChanSend, 50);
        let new = one(8, WaitClass::ChanSend, 9);
        let main = one(1, WaitClass::ChanSend, 50);
        let sleeps = one(9, WaitClass::Sleep, 50);
        let (never, then) = (told(None), told(Some(Duration::from_secs(50))));
        assert_eq!(never.marked_alone(&old), RuntimeAlone { untold: 1, ..RuntimeAlone::default() });
        assert_eq!(
            then.marked_alone(&old),
            RuntimeAlone { in_reach: 1, ..RuntimeAlone::default() }
        );
        assert_eq!(then.marked_alone(&new), RuntimeAlone { since: 1, ..RuntimeAlone::default() });
        assert_eq!(then.marked_alone(&main), RuntimeAlone { main: 1, ..RuntimeAlone::default() });
        assert_eq!(then.marked_alone(&sleeps).other_waits, 1);
        let proven = Goroutine { proven: true, ..old };
        assert_eq!(then.marked_alone(&proven), RuntimeAlone::default());
        let waits = Goroutine { status: Status::Waiting, ..old };
        assert_eq!(then.marked_alone(&waits), RuntimeAlone::default());
        assert!(Told::of(&Sample::new().observe(0)).is_none());
    }

    #[test]
    fn they_differ_only_where_both_have_said_something() {
        let agent = Life { unreachable: 5, proven: 5, ..Life::default() };
        assert_eq!(differ(&agent), None, "nobody knows whether the runtime searched");
        let both = Life { leaked: 5, ..agent.clone() };
        assert_eq!(differ(&both), None);
        let fewer = Life { leaked: 3, ..agent.clone() };
        let Some(Evidence::VerdictsDiffer { by, .. }) = differ(&fewer) else { panic!("they do") };
        assert_eq!((by.agent, by.runtime, by.both), (5, 3, 3));
        let in_reach = RuntimeAlone { in_reach: 1, ..RuntimeAlone::default() };
        let more = Life { leaked: 1, proven: 1, marked_alone: in_reach, ..Life::default() };
        assert!(differ(&more).is_some());
    }
}
