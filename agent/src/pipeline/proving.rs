//! A source whose goroutines are proven to leak where that can be: when to try, and what stays of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

use rustc_hash::FxHashSet;

use crate::collect::{CollectError, Source};
use crate::model::{
    Goroutine, KeptAlone, KeptHeap, Observation, ProofAttempt, ProofCoverage, ProofRun, TargetId,
};
use crate::prove::{Groups, Kept};

/// What can prove that goroutines of one target leak.
pub trait Prove: Send {
    /// Says what seems out of reach, without holding the target still: what moves meanwhile may be missed, so that this
    /// chooses what is worth a proof, and proves nothing.
    ///
    /// # Errors
    /// When it cannot be told.
    fn scan(&mut self) -> Result<Scan, Unproven>;

    /// The process runs another program now.
    fn begin_anew(&mut self);

    /// Holds the target still, and decides; says what goroutines of each group keep, where that can be told.
    ///
    /// # Errors
    /// When it may not be held still, or that came to no result.
    fn prove(&mut self, groups: &Groups) -> Result<Proven, Unproven>;

    /// For how long the target stood in attempts that came to no result, since this was last asked.
    fn take_pauses_in_vain(&mut self) -> Vec<Duration> {
        Vec::new()
    }
}

/// What seems out of reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// How many goroutines are blocked on what can be out of reach.
    pub candidates: u64,
    /// The ids of those among them that nothing seems to reach.
    pub unreachable: Vec<u64>,
    /// How long it took.
    pub took: Duration,
}

/// What was proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// How.
    pub run: ProofRun,
    /// The ids of the goroutines that leak.
    pub goids: Vec<u64>,
    /// What they keep; `None` where that was not told.
    pub kept: Option<Kept>,
}

/// Why nothing was proven, as part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// The target may not be held still.
    Refused(String),
    /// It was begun, and came to no result.
    Failed(String),
}

/// When to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofPace {
    /// How long after the first sample at the earliest.
    pub after: Duration,
    /// From one attempt to the next at least.
    pub every: Duration,
    /// How long after the first sample the last one is taken, before which one more attempt is made; `None` where
    /// nobody knows.
    pub ends: Option<Duration>,
}

/// Has the next sample tried for a proof, where that is done only when it is asked for.
#[derive(Clone, Debug, Default)]
pub struct ProofDemand(Arc<AtomicBool>);

impl ProofDemand {
    /// Asks for an attempt with the next sample, if the pace allows one by then.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// An attempt may take this part of the time: the next comes no sooner than so many times what it took.
const REST: u32 = 50;
/// For how long a goroutine that was proven to be in reach is not tried again.
const CLEARED_FOR: Duration = Duration::from_secs(600);

/// So many pauses are kept, the latest first.
const MAX_PAUSES: usize = 256;

/// A source, and what proves of its goroutines.
pub struct Proving {
    source: Box<dyn Source>,
    prover: Box<dyn Prove>,
    pace: ProofPace,
    of: Option<TargetId>,
    due: Duration,
    proven: FxHashSet<u64>,
    /// Goroutines that only a scan found out of reach, and until when that is believed to be so still.
    cleared: HashMap<u64, Duration>,
    latest: Option<ProofAttempt>,
    kept: Option<KeptHeap>,
    held: u64,
    contradicted: u64,
    pauses_ms: Vec<f64>,
    /// Whose turn it is, where others are proven of too and only one at a time is to be held.
    turn: Option<Arc<Mutex<()>>>,
    /// What asks for attempts, where none is made without.
    demand: Option<ProofDemand>,
    /// When it was last told what can be reached, by the clock of the samples.
    decided: Option<Duration>,
}

impl Proving {
    /// A source of which nothing is proven yet.
    #[must_use]
    pub fn new(source: Box<dyn Source>, prover: Box<dyn Prove>, pace: ProofPace) -> Self {
        Self {
            source,
            prover,
            pace,
            of: None,
            due: pace.after,
            proven: FxHashSet::default(),
            cleared: HashMap::new(),
            latest: None,
            kept: None,
            held: 0,
            contradicted: 0,
            pauses_ms: Vec::new(),
            turn: None,
            demand: None,
            decided: None,
        }
    }

    /// Of all that share this, one at a time is tried; the others are with a later sample.
    #[must_use]
    pub fn in_turn(self, turn: Option<Arc<Mutex<()>>>) -> Self {
        Self { turn, ..self }
    }

    /// Nothing is tried until it is asked for.
    #[must_use]
    pub fn on_demand(self, demand: Option<ProofDemand>) -> Self {
        Self { demand, ..self }
    }

    /// Forgets all that was of another program in the same process.
    fn begin_anew(&mut self, observation: &Observation) {
        if self.of.as_ref() == Some(&observation.target.id) {
            return;
        }
        if self.of.is_some() {
            self.due = observation.elapsed + self.pace.after;
            self.prover.begin_anew();
        }
        self.of = Some(observation.target.id.clone());
        self.proven.clear();
        self.cleared.clear();
        self.latest = None;
        self.kept = None;
        self.decided = None;
    }

    fn is_due(&self, elapsed: Duration) -> bool {
        // The last sample comes as soon as the time is up, which may be a little before by this clock.
        let is_last =
            self.pace.ends.is_some_and(|ends| elapsed + Duration::from_millis(20) >= ends);
        elapsed >= self.due || (is_last && self.pace.ends >= Some(self.pace.after))
    }

    fn attempt(&mut self, observation: &Observation) {
        let is_open = |goroutine: &Goroutine| {
            can_be_proven(goroutine)
                && goroutine.id().is_some_and(|goid| !self.proven.contains(&goid))
        };
        if !observation.goroutines.iter().any(is_open) {
            self.latest = Some(ProofAttempt::NoCandidate);
            self.decided = Some(observation.elapsed);
            self.due = observation.elapsed + self.pace.every;
            return;
        }
        let elapsed = observation.elapsed;
        self.cleared.retain(|_, until| *until > elapsed);
        let (attempt, took) = match self.prover.scan() {
            Err(why) => (why.into(), Duration::ZERO),
            Ok(scan) => {
                let is_new =
                    |goid: &u64| !self.proven.contains(goid) && !self.cleared.contains_key(goid);
                if scan.unreachable.iter().any(is_new) {
                    self.decide(&scan, observation)
                } else {
                    // Those that are proven stay out of reach.
                    let candidates = scan.candidates.saturating_sub(scan.unreachable.len() as u64);
                    (ProofAttempt::AllReachable { candidates, took: scan.took }, scan.took)
                }
            }
        };
        if attempt.is_decided() {
            self.decided = Some(elapsed);
        }
        self.latest = Some(attempt);
        self.due = elapsed + self.pace.every.max(took * REST);
    }

    /// Holds the target still for what a scan found.
    fn decide(&mut self, scan: &Scan, observation: &Observation) -> (ProofAttempt, Duration) {
        let elapsed = observation.elapsed;
        let kinds = kinds(observation);
        let outcome = self.prover.prove(&kinds);
        for pause in self.prover.take_pauses_in_vain() {
            self.note_pause(pause);
        }
        match outcome {
            Err(why) => (why.into(), scan.took),
            Ok(Proven { run, goids, kept }) => {
                if let Some(kept) = kept {
                    self.kept = Some(told(&kept, &kinds, &goids));
                }
                self.note_pause(run.pause);
                self.proven.extend(goids);
                let is_in_reach = |goid: &&u64| !self.proven.contains(goid);
                let in_reach = scan.unreachable.iter().filter(is_in_reach);
                self.cleared.extend(in_reach.map(|&goid| (goid, elapsed + CLEARED_FOR)));
                let took = scan.took + run.took;
                (ProofAttempt::Done(run), took)
            }
        }
    }

    fn note_pause(&mut self, pause: Duration) {
        self.held += 1;
        self.pauses_ms.truncate(MAX_PAUSES - 1);
        self.pauses_ms.insert(0, pause.as_secs_f64() * 1e3);
    }

    /// Says of each goroutine whether it is proven to leak. What runs after the proof was none; the observation
    /// in hand may be of before.
    fn mark(&mut self, observation: &mut Observation, is_of_before: bool) {
        let mut there = 0;
        for goroutine in &mut observation.goroutines {
            let Some(goid) = goroutine.id().filter(|goid| self.proven.contains(goid)) else {
                continue;
            };
            if can_be_proven(goroutine) {
                goroutine.proven = true;
                there += 1;
            } else if !is_of_before {
                self.proven.remove(&goid);
                self.contradicted += 1;
            }
        }
        observation.overhead.pauses_ms.extend(&self.pauses_ms);
        observation.coverage.proof = self.latest.clone().map(|latest| ProofCoverage {
            latest,
            held: self.held,
            proven: there,
            contradicted: self.contradicted,
            kept: self.kept.clone(),
            decided: self.decided,
        });
    }
}

impl From<Unproven> for ProofAttempt {
    fn from(why: Unproven) -> Self {
        match why {
            Unproven::Refused(why) => Self::Refused { why },
            Unproven::Failed(why) => Self::Failed { why },
        }
    }
}

impl Source for Proving {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        let Some(mut observation) = self.source.observe()? else { return Ok(None) };
        self.begin_anew(&observation);
        let is_asked = self.demand.as_ref().is_none_or(|it| it.0.swap(false, Ordering::SeqCst));
        let is_due = is_asked && self.is_due(observation.elapsed);
        let turn = self.turn.clone();
        let held = turn.as_ref().map(|turn| turn.try_lock());
        let is_tried = is_due && !matches!(held, Some(Err(TryLockError::WouldBlock)));
        if is_tried {
            self.attempt(&observation);
        }
        drop(held);
        self.mark(&mut observation, is_tried);
        Ok(Some(observation))
    }
}

/// Numbers for goroutines that stand alike, and come from one `go` statement.
fn kinds(observation: &Observation) -> Groups {
    let mut numbers = HashMap::new();
    let mut kinds = Groups::default();
    for goroutine in observation.goroutines.iter().filter(|it| can_be_proven(it)) {
        let Some(goid) = goroutine.id() else { continue };
        let next = numbers.len() as u32;
        let kind = (goroutine.stack, goroutine.wait, goroutine.created_by);
        kinds.insert(goid, *numbers.entry(kind).or_insert(next));
    }
    kinds
}

/// What kinds keep, each told by one of its goroutines that are proven.
fn told(kept: &Kept, kinds: &Groups, proven: &[u64]) -> KeptHeap {
    let mut one: HashMap<u32, u64> = HashMap::new();
    for goid in proven {
        if let Some(kind) = kinds.get(goid) {
            one.entry(*kind).or_insert(*goid);
        }
    }
    let told = |&(kind, bytes): &(u32, u64)| Some(KeptAlone { goid: *one.get(&kind)?, bytes });
    KeptHeap { alone: kept.alone.iter().filter_map(told).collect(), shared_bytes: kept.shared }
}

/// Whether it waits for what can be out of reach. The main goroutine may wait for good on purpose.
fn can_be_proven(goroutine: &Goroutine) -> bool {
    !goroutine.is(1) && goroutine.wait.is_for_others()
}

#[cfg(test)]
mod tests;
