use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{ProofMethod, StackView, WaitClass};
use crate::sample::{Prepared, Sample};

const SECOND: Duration = Duration::from_secs(1);

/// Goroutines 11 to 13 wait to send, or are at work.
fn sample(waits: [WaitClass; 3]) -> Sample {
    let mut sample = Sample::new();
    let stack = sample.stack(&[("main.leak", "/src/a.go", 3)]);
    sample.add(1, WaitClass::EmptySelect, StackView::Read(stack));
    for (goid, wait) in (11..).zip(waits) {
        sample.add(goid, wait, StackView::Read(stack));
    }
    sample
}

const BLOCKED: [WaitClass; 3] = [WaitClass::ChanSend; 3];

/// What each call is answered with, and how often the target was held still.
#[derive(Clone, Default)]
struct Prepares {
    scans: Arc<Mutex<VecDeque<Result<Scan, Unproven>>>>,
    proofs: Arc<Mutex<VecDeque<Result<Proven, Unproven>>>>,
}

impl Prepares {
    fn scan(self, unreachable: &[u64]) -> Self {
        let scan = Scan { candidates: 3, unreachable: unreachable.to_vec(), took: SECOND / 1000 };
        self.scans.lock().expect("lock").push_back(Ok(scan));
        self
    }

    fn proof(self, goids: &[u64]) -> Self {
        let run = ProofRun {
            method: ProofMethod::Clone,
            pause: SECOND / 500,
            took: SECOND / 100,
            candidates: 3,
            reachable: 3 - goids.len() as u64,
            marked_bytes: 1 << 20,
            gaps: Vec::new(),
        };
        self.proofs.lock().expect("lock").push_back(Ok(Proven {
            run,
            goids: goids.to_vec(),
            kept: None,
        }));
        self
    }

    fn left(&self) -> (usize, usize) {
        (self.scans.lock().expect("lock").len(), self.proofs.lock().expect("lock").len())
    }
}

impl Prove for Prepares {
    fn scan(&mut self) -> Result<Scan, Unproven> {
        self.scans.lock().expect("lock").pop_front().expect("no scan is due")
    }

    fn begin_anew(&mut self) {}

    fn prove(&mut self, _: &Groups) -> Result<Proven, Unproven> {
        self.proofs.lock().expect("lock").pop_front().expect("no proof is due")
    }
}

const PACE: ProofPace =
    ProofPace { after: Duration::from_secs(2), every: Duration::from_secs(10), ends: None };

fn observed(samples: Vec<(Sample, u32)>, prepares: &Prepares, pace: ProofPace) -> Vec<Observation> {
    let observations = samples.into_iter().map(|(sample, second)| sample.observe(second)).collect();
    let source = Box::new(Prepared(observations));
    let mut proving = Proving::new(source, Box::new(prepares.clone()), pace);
    std::iter::from_fn(|| proving.observe().expect("prepared")).collect()
}

fn proven(observation: &Observation) -> Vec<u64> {
    let proven = observation.goroutines.iter().filter(|goroutine| goroutine.proven);
    proven.filter_map(Goroutine::id).collect()
}

fn coverage(observation: &Observation) -> &ProofCoverage {
    observation.coverage.proof.as_ref().expect("a proof was tried")
}

#[test]
fn what_is_proven_stays_proven() {
    let prepares = Prepares::default().scan(&[11, 12, 13]).proof(&[11, 12]);
    let samples = [0, 1, 2, 3, 11].map(|second| (sample(BLOCKED), second)).into();
    let seen = observed(samples, &prepares, PACE);
    assert_eq!(seen[1].coverage.proof, None, "it is not due");
    for after in &seen[2..] {
        assert_eq!(proven(after), [11, 12]);
        assert_eq!(coverage(after).proven, 2);
        assert_eq!(after.overhead.pauses_ms, [2.0]);
    }
    assert_eq!(prepares.left(), (0, 0));
}

#[test]
fn what_the_proven_keep_is_told_by_one_of_them_and_stays_until_it_is_told_anew() {
    let prepares = Prepares::default().scan(&[12, 13]).proof(&[12, 13]).scan(&[11]).proof(&[11]);
    let kept = Kept { alone: vec![(0, 4096)], shared: 512 };
    if let Some(Ok(proven)) = prepares.proofs.lock().expect("lock").front_mut() {
        proven.kept = Some(kept);
    }
    let samples = [2, 12].map(|second| (sample(BLOCKED), second)).into();
    let seen = observed(samples, &prepares, PACE);
    for after in &seen {
        let kept = coverage(after).kept.as_ref().expect("it was told");
        assert_eq!(kept.alone, [KeptAlone { goid: 12, bytes: 4096 }], "11 was in reach");
        assert_eq!((kept.shared_bytes, kept.bytes()), (512, 4608));
    }
}

#[test]
fn while_another_has_its_turn_nothing_is_tried_until_a_later_sample() {
    let prepares = Prepares::default().scan(&[11]).proof(&[11]);
    let observations = [2, 3].map(|second| sample(BLOCKED).observe(second)).into();
    let turn = Arc::new(Mutex::new(()));
    let source = Box::new(Prepared(observations));
    let proving = Proving::new(source, Box::new(prepares.clone()), PACE);
    let mut proving = proving.in_turn(Some(Arc::clone(&turn)));
    let other = turn.lock().expect("lock");
    let first = proving.observe().expect("prepared").expect("one");
    assert_eq!((first.coverage.proof, prepares.left()), (None, (1, 1)));
    drop(other);
    let second = proving.observe().expect("prepared").expect("one");
    assert_eq!((proven(&second), prepares.left()), (vec![11], (0, 0)));
    assert!(turn.try_lock().is_ok());
}

#[test]
fn what_a_scan_wrongly_finds_holds_the_target_still_once() {
    let prepares = Prepares::default().scan(&[13]).proof(&[]).scan(&[13]).scan(&[13]);
    let samples = [2, 12, 22].map(|second| (sample(BLOCKED), second)).into();
    let seen = observed(samples, &prepares, PACE);
    assert!(matches!(coverage(&seen[0]).latest, ProofAttempt::Done(_)));
    for after in &seen[1..] {
        assert!(matches!(coverage(after).latest, ProofAttempt::AllReachable { candidates: 2, .. }));
        assert_eq!(coverage(after).held, 1);
    }
}

#[test]
fn nothing_is_tried_where_nobody_is_blocked_and_main_does_not_count() {
    let idle = [WaitClass::IoWait, WaitClass::Sleep, WaitClass::Running];
    let seen = observed(vec![(sample(idle), 2)], &Prepares::default(), PACE);
    assert_eq!(coverage(&seen[0]).latest, ProofAttempt::NoCandidate);
}

#[test]
fn one_more_attempt_comes_with_the_last_sample() {
    let prepares = Prepares::default().scan(&[]).scan(&[11]).proof(&[11]);
    let pace = ProofPace { ends: Some(5 * SECOND), ..PACE };
    let samples = [2, 3, 5].map(|second| (sample(BLOCKED), second)).into();
    let seen = observed(samples, &prepares, pace);
    assert_eq!(proven(&seen[1]), [0; 0]);
    assert_eq!(proven(&seen[2]), [11]);
}

#[test]
fn what_runs_again_was_no_leak_and_is_said() {
    let prepares = Prepares::default().scan(&[11, 12]).proof(&[11, 12]);
    let runs = [WaitClass::Running, WaitClass::ChanSend, WaitClass::ChanSend];
    let samples = vec![(sample(BLOCKED), 2), (sample(runs), 3), (sample(BLOCKED), 4)];
    let seen = observed(samples, &prepares, PACE);
    assert_eq!(proven(&seen[2]), [12]);
    assert_eq!((coverage(&seen[2]).proven, coverage(&seen[2]).contradicted), (1, 1));
}

#[test]
fn what_blocked_between_the_sample_and_its_proof_is_no_contradiction() {
    let prepares = Prepares::default().scan(&[11]).proof(&[11]);
    let sleeps = [WaitClass::Sleep, WaitClass::ChanSend, WaitClass::ChanSend];
    let seen = observed(vec![(sample(sleeps), 2), (sample(BLOCKED), 3)], &prepares, PACE);
    assert_eq!((proven(&seen[0]), coverage(&seen[0]).contradicted), (vec![], 0));
    assert_eq!((proven(&seen[1]), coverage(&seen[1]).contradicted), (vec![11], 0));
}

#[test]
fn why_nothing_is_proven_is_said_and_another_program_begins_anew() {
    let prepares = Prepares::default().scan(&[11]).scan(&[11]).proof(&[11]);
    let refused = Unproven::Refused("it would stop for 80 ms".to_owned());
    prepares.proofs.lock().expect("lock").push_front(Err(refused));
    let mut other = sample(BLOCKED);
    other.generation = 1;
    let samples = vec![(sample(BLOCKED), 2), (sample(BLOCKED), 12), (other, 13)];
    let seen = observed(samples, &prepares, PACE);
    let why = "it would stop for 80 ms".to_owned();
    assert_eq!(coverage(&seen[0]).latest, ProofAttempt::Refused { why });
    assert_eq!(proven(&seen[1]), [11]);
    assert_eq!((proven(&seen[2]), &seen[2].coverage.proof), (vec![], &None));
}

#[test]
fn on_demand_nothing_is_tried_until_it_is_asked_for_and_no_sooner_than_the_pace_allows() {
    let prepares = Prepares::default().scan(&[11]).proof(&[11]).scan(&[11, 12]).proof(&[12]);
    let observations = (0..5).map(|second| sample(BLOCKED).observe(second)).collect();
    let pace = ProofPace { after: Duration::ZERO, every: 2 * SECOND, ends: None };
    let demand = ProofDemand::default();
    let proving = Proving::new(Box::new(Prepared(observations)), Box::new(prepares.clone()), pace);
    let mut proving = proving.on_demand(Some(demand.clone()));
    let mut next = |asks: bool| {
        if asks {
            demand.ask();
        }
        proving.observe().expect("prepared").expect("one")
    };
    assert_eq!((next(false).coverage.proof, prepares.left()), (None, (2, 2)));
    let first = next(true);
    assert_eq!((proven(&first), coverage(&first).decided), (vec![11], Some(SECOND)));
    // Too soon: what was told stands, with its time.
    let second = next(true);
    assert_eq!((proven(&second), coverage(&second).decided), (vec![11], Some(SECOND)));
    assert_eq!((proven(&next(false)), prepares.left()), (vec![11], (1, 1)));
    let last = next(true);
    assert_eq!((proven(&last), coverage(&last).decided), (vec![11, 12], Some(4 * SECOND)));
}
