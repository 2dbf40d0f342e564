//! The flags of proofs, and what they make of a target's source.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::time::duration;
use crate::collect::Source;
use crate::error_chain::one_line;
use crate::model::ProofMethod;
use crate::pipeline::{Holding, ProofDemand, ProofPace, Prover, Proving as Source_};
use crate::prove::Stopper;

/// Whether it is proven that goroutines leak.
#[derive(Debug, ClapArgs)]
pub(super) struct Proof {
    /// Prove that goroutines can never go on: nothing that can still run reaches what they wait for. For that the target
    /// stands for some milliseconds. auto does so where goroutines seem to be out of reach, by a copy-on-write clone
    /// or else a freeze; clone and freeze in that way alone; off never stops the target, and with --url does not ask it
    /// for its own goroutineleak profile [default: auto; off where one sample is taken, and in daemon].
    #[arg(long, global = true, value_name = "METHOD", env = "LEAK_AGENT_PROOF")]
    pub(super) proof: Option<Method>,

    /// For how long the target may stand for a proof. What would take longer is not done, and the report says so.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "20ms",
        env = "LEAK_AGENT_MAX_PAUSE",
        value_parser = duration
    )]
    pub(super) max_pause: Duration,
}

impl Proof {
    /// Whether nothing is to be done for a proof, as was said in so many words.
    pub(super) fn is_off(&self) -> bool {
        self.proof == Some(Method::Off)
    }
}

/// How the target is held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// A clone, or else a freeze.
    Auto,
    /// Never.
    Off,
    /// A copy-on-write clone.
    Clone,
    /// The target itself stands until it is read.
    Freeze,
}

/// What was decided.
#[derive(Clone, Debug)]
pub(super) struct Proofs {
    method: Option<ProofMethod>,
    max_pause: Duration,
    pace: ProofPace,
    /// Whose turn it is, where there is only one at a time.
    turn: Option<Arc<Mutex<()>>>,
    /// Whether a proof is tried only when somebody asks for one.
    is_on_demand: bool,
    /// `None` until it was started.
    stopper: Option<Result<Arc<Stopper>, String>>,
}

/// How long after the first sample the first attempt comes.
const AFTER: Duration = Duration::from_secs(2);
/// From one attempt to the next, where somebody waits for the report, and where nobody does.
const EVERY: Duration = Duration::from_secs(10);
const SELDOM: Duration = Duration::from_secs(60);
/// The same where each attempt is asked for.
const ASKED: Duration = Duration::from_secs(1);

/// What a command samples for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// A report, for which somebody waits.
    ForReport,
    /// To go on watching.
    ForGood,
    /// To go on watching all that there is: only where that is asked for, and of one at a time.
    ForAll,
    /// One sample alone.
    Once,
    /// Whenever somebody asks, who asks for a proof by itself.
    OnDemand,
}

impl Proofs {
    /// What these flags mean for a command that takes samples for so long; `None` where nothing is to be proven.
    pub(super) fn of(typed: &Proof, samples: Samples, lasts: Option<Duration>) -> Option<Self> {
        let (default, every) = match samples {
            Samples::ForReport => (Method::Auto, EVERY),
            Samples::ForGood => (Method::Auto, SELDOM),
            Samples::ForAll => (Method::Off, SELDOM),
            Samples::Once => (Method::Off, EVERY),
            Samples::OnDemand => (Method::Auto, ASKED),
        };
        let method = match typed.proof.unwrap_or(default) {
            Method::Off => return None,
            Method::Auto => None,
            Method::Clone => Some(ProofMethod::Clone),
            Method::Freeze => Some(ProofMethod::Freeze),
        };
        let (after, ends) = match samples {
            Samples::Once | Samples::OnDemand => (Duration::ZERO, None),
            // What is shorter is tried at its end.
            _ => (lasts.map_or(AFTER, |lasts| lasts.min(AFTER)), lasts),
        };
        let pace = ProofPace { after, every, ends };
        let turn = (samples == Samples::ForAll).then(Arc::default);
        let (max_pause, is_on_demand) = (typed.max_pause, samples == Samples::OnDemand);
        Some(Self { method, max_pause, pace, turn, is_on_demand, stopper: None })
    }

    /// What asks for the proofs of one target, where they are not made without.
    pub(super) fn demand(&self) -> Option<ProofDemand> {
        self.is_on_demand.then(ProofDemand::default)
    }

    /// Starts what stops targets: while this process still has the power to, and there is little to copy.
    pub(super) fn start(&mut self) {
        let started = Stopper::start(self.max_pause);
        self.stopper = Some(started.map(Arc::new).map_err(|error| one_line(&error)));
    }
}

/// A source of a process, whose goroutines are proven to leak where that was asked for.
pub(super) fn proving(
    proofs: Option<&Proofs>,
    (pid, object): (u32, Option<String>),
    demand: Option<ProofDemand>,
) -> impl Fn(Box<dyn Source>) -> Box<dyn Source> + Send + 'static {
    let proofs = proofs.cloned();
    move |source| {
        let Some(Proofs { method, max_pause, pace, turn, stopper: Some(stopper), .. }) =
            proofs.clone()
        else {
            return source;
        };
        let prover = Prover::new(pid, object.clone(), Holding { stopper, method, max_pause });
        let proving = Source_::new(source, Box::new(prover), pace);
        Box::new(proving.in_turn(turn).on_demand(demand.clone()))
    }
}
