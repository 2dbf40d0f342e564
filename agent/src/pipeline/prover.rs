//! What proves of a process that is attached to which of its goroutines leak.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::proving::{Prove, Proven, Scan, Unproven};
use crate::error_chain::one_line;
use crate::golang::Program;
use crate::golang::live::LiveMemory;
use crate::model::{ProofMethod, ProofRun};
use crate::prove::{self, Gap, Groups, How, Outcome, Request, Settings, Still, Stopper};
use crate::units::counted;

/// What is held is kept for ten times as long as it took to read it last, and within these limits.
const KEPT_AT_LEAST: Duration = Duration::from_secs(20);
const KEPT_AT_MOST: Duration = Duration::from_secs(60);

/// How targets may be held still.
#[derive(Clone, Debug)]
pub struct Holding {
    /// What stops them; or why there is nothing that could.
    pub stopper: Result<Arc<Stopper>, String>,
    /// In which way; `None` for a clone, or else a freeze.
    pub method: Option<ProofMethod>,
    /// For how long each may stand.
    pub max_pause: Duration,
}

/// Proves goroutines of one process.
pub struct Prover {
    pid: u32,
    /// The file that holds the Go runtime, where a process has several.
    object: Option<String>,
    holding: Holding,
    /// Located when it is first needed.
    program: Option<Program>,
    /// How long it took to read all of it last.
    reading: Duration,
}

impl Prover {
    /// Of the runtime in a process. Nothing is read yet.
    #[must_use]
    pub const fn new(pid: u32, object: Option<String>, holding: Holding) -> Self {
        Self { pid, object, holding, program: None, reading: Duration::ZERO }
    }

    fn program(&mut self) -> Result<&Program, Unproven> {
        if self.program.is_none() {
            let located = match &self.object {
                None => Program::attach(self.pid),
                Some(object) => Program::attach_object(self.pid, object),
            };
            self.program = Some(located.map_err(|error| failed(&error))?);
        }
        self.program.as_ref().ok_or_else(|| Unproven::Failed("it was not located".to_owned()))
    }

    fn decide(&mut self, still: &Still<'_>, groups: Option<&Groups>) -> Result<Outcome, Unproven> {
        let program = self.program()?;
        let settings = Settings { groups, ..Settings::default() };
        prove::prove(program, still, settings).map_err(|error| failed(&error))
    }
}

/// An error and those behind it, as part of a sentence.
fn failed(error: &(dyn Error + 'static)) -> Unproven {
    Unproven::Failed(one_line(error))
}

impl Prove for Prover {
    fn begin_anew(&mut self) {
        self.program = None;
    }

    fn scan(&mut self) -> Result<Scan, Unproven> {
        let start = Instant::now();
        let memory = LiveMemory::new(self.pid);
        let outcome = self.decide(&Still { memory: &memory, threads: Vec::new() }, None)?;
        if let Some(why) = nothing(&outcome) {
            return Err(Unproven::Refused(why));
        }
        self.reading = start.elapsed();
        Ok(Scan {
            candidates: outcome.figures.candidates,
            unreachable: outcome.proven.iter().map(|proven| proven.goid).collect(),
            took: self.reading,
        })
    }

    fn take_pauses_in_vain(&mut self) -> Vec<Duration> {
        self.holding.stopper.as_ref().map(|it| it.take_pauses_in_vain()).unwrap_or_default()
    }

    fn prove(&mut self, groups: &Groups) -> Result<Proven, Unproven> {
        let start = Instant::now();
        let stopper = self.holding.stopper.clone().map_err(Unproven::Refused)?;
        let how = self.holding.method.map(|method| match method {
            ProofMethod::Clone => How::Clone,
            ProofMethod::Freeze => How::Freeze,
        });
        let (max_pause, reading) = (self.holding.max_pause, self.reading);
        // Nobody needs a copy for longer, should this process be stopped meanwhile.
        let keep_at_most = reading.saturating_mul(20).clamp(KEPT_AT_LEAST, KEPT_AT_MOST);
        let asked = Request::new(self.pid);
        let request = Request { how, max_pause, reading, keep_at_most, ..asked };
        let held = stopper.hold(&request);
        let held = held.map_err(|error| Unproven::Refused(one_line(&error)))?;
        let method = match held.how() {
            How::Clone => ProofMethod::Clone,
            How::Freeze => ProofMethod::Freeze,
        };
        // A clone may be read for longer, the target itself not.
        let groups = matches!(method, ProofMethod::Clone).then_some(groups);
        let outcome = self.decide(&held.still(), groups);
        // Only if it stood to the end is anything proven.
        let ended = held.end().map_err(|error| failed(&error))?;
        let outcome = outcome?;
        if self.program()?.is_replaced() {
            let why = "the process has executed another program meanwhile".to_owned();
            return Err(Unproven::Failed(why));
        }
        if let Some(why) = nothing(&outcome) {
            return Err(Unproven::Refused(why));
        }
        let candidates = outcome.figures.candidates;
        Ok(Proven {
            goids: outcome.proven.iter().map(|proven| proven.goid).collect(),
            kept: outcome.kept,
            run: ProofRun {
                method,
                pause: ended.pause,
                took: start.elapsed(),
                candidates,
                reachable: outcome.unproven.len() as u64,
                marked_bytes: outcome.figures.marked_bytes,
                gaps: outcome.gaps.iter().filter_map(gap).collect(),
            },
        })
    }
}

/// Why nothing can be proven, where that is so.
fn nothing(outcome: &Outcome) -> Option<String> {
    outcome.gaps.iter().find_map(|gap| match gap {
        Gap::Nothing { why } => Some(why.to_string()),
        _ => None,
    })
}

/// What was not told precisely.
fn gap(gap: &Gap) -> Option<String> {
    Some(match gap {
        Gap::Nothing { .. } => return None,
        Gap::Stacks(count) => {
            format!(
                "{} searched for anything like a pointer",
                counted(*count, "stack was", "stacks were")
            )
        }
        Gap::Waits(count) => {
            let goroutines = counted(*count, "goroutine waits", "goroutines wait");
            format!("{goroutines} for something unknown, and were taken to go on")
        }
    })
}
