//! A session, as the arguments ask for it: its targets, its pace and what ends it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::failure::Failure;
use super::output;
use super::request::{Request, Task};
use super::seen::Seen;
use super::target::{self, NamedTarget};
use crate::model::{Assessment, EarlyEnd, Instance};
use crate::pipeline::{
    End, Outcome, Pace, Session, Sink, SinkEnd, SinkError, SinkOutcome, Stop, TargetEnd,
    TargetOutcome,
};
use crate::report::{format, phrases};

/// What is planned for less time is not expected to be watched for all of it.
const MIN_PLANNED: Duration = Duration::from_secs(5);

/// Samples the targets at the pace that was asked for, until that is over, Ctrl-C, SIGTERM, or all of them
/// have exited, and feeds the sinks meanwhile.
pub(super) fn run(request: &Request, sinks: Vec<Box<dyn Sink>>) -> Result<Seen, Failure> {
    let signals = Caught::new().map_err(Failure::Signals)?;
    let seen = run_until(request, &signals, sinks);
    signals.end_at_once();
    seen
}

/// The same with signals that are caught for longer.
pub(super) fn run_until(
    request: &Request,
    signals: &Caught,
    sinks: Vec<Box<dyn Sink>>,
) -> Result<Seen, Failure> {
    let seen = sample(request, request.pace, signals.stop.clone(), sinks);
    if request.verbosity > 0
        && let Ok(seen) = &seen
    {
        for hit in seen.assessments.iter().filter_map(|seen| seen.overhead.hit.as_ref()).take(1) {
            output::say(format_args!("probes are taken to cost {}", phrases::hit_cost(hit)));
        }
    }
    seen
}

/// Takes one sample of each target; of what was saved, every one. Signals end that at once, as they end
/// every program: there is nothing yet to report.
pub(super) fn sample_once(request: &Request) -> Result<Seen, Failure> {
    sample(request, Pace::once(), Stop::default(), Vec::new())
}

fn sample(
    request: &Request,
    pace: Pace,
    stop: Stop,
    sinks: Vec<Box<dyn Sink>>,
) -> Result<Seen, Failure> {
    let targets = target::all(request)?;
    let mut session = Session::new(pace, stop);
    let mut asked = Vec::new();
    for NamedTarget { target, is_saved, open, .. } in targets {
        session.add(is_saved, open, target::remembering(request, &target));
        asked.push((target, is_saved));
    }
    for sink in sinks {
        session.feed(sink);
    }
    let Outcome { targets, sinks } = session.run();
    let mut seen = Seen {
        assessments: Vec::new(),
        earlier: Vec::new(),
        matched: false,
        failures: Vec::new(),
        asked: asked.len(),
        unshown: None,
    };
    // Whoever watches live ends when there is nothing more to see.
    let planned =
        pace.duration.filter(|_| !matches!(request.task, Task::Watch | Task::Dashboard { .. }));
    for ((target, is_saved), outcome) in asked.into_iter().zip(targets) {
        seen.add(target, Plan { is_saved, duration: planned, interval: pace.interval }, outcome)?;
    }
    for sink in sinks {
        seen.add_sink(sink)?;
    }
    Ok(seen)
}

/// How a target was to be sampled.
#[derive(Clone, Copy)]
struct Plan {
    is_saved: bool,
    /// `None` until a request to stop.
    duration: Option<Duration>,
    interval: Duration,
}

impl Plan {
    /// For how long, where that which was watched is less than half of it. A short time has room for few samples anyway.
    fn missed(self, watched: Duration) -> Option<Duration> {
        let has_room = |it: &Duration| *it >= MIN_PLANNED && *it >= self.interval * 2;
        let planned = self.duration.filter(|it| !self.is_saved && has_room(it))?;
        (watched < planned / 2).then_some(planned)
    }
}

impl Seen {
    fn add(&mut self, target: Instance, plan: Plan, outcome: TargetOutcome) -> Result<(), Failure> {
        let Plan { is_saved, duration: planned, .. } = plan;
        let TargetOutcome { last, earlier, matched, end } = outcome;
        self.matched |= matched;
        self.earlier.extend(earlier.into_iter().map(Arc::unwrap_or_clone));
        let mut last: Option<Assessment> = last.map(Arc::unwrap_or_clone);
        let early_end = match end {
            TargetEnd::Orderly(End::TargetExited) if !is_saved => {
                output::say(format_args!(
                    "{target} has exited; the report shows what was seen last"
                ));
                Some(EarlyEnd::Exited)
            }
            TargetEnd::Orderly(End::Stopped) if !is_saved => {
                planned.map(|planned| EarlyEnd::Stopped { planned })
            }
            TargetEnd::Orderly(End::Done) => {
                let watched = last.as_ref().map(|last| last.window.duration);
                let planned = watched.and_then(|watched| plan.missed(watched));
                planned.map(|planned| EarlyEnd::Starved { planned })
            }
            TargetEnd::Orderly(_) => None,
            TargetEnd::Interrupted => {
                Some(EarlyEnd::Interrupted { planned: planned.filter(|_| !is_saved) })
            }
            TargetEnd::Failed(source) => {
                let why = source.to_string();
                self.failures.push(Failure::of(target.clone(), source));
                Some(EarlyEnd::Failed(why))
            }
            TargetEnd::Panicked => return Err(Failure::Defect),
        };
        let is_failed = matches!(early_end, Some(EarlyEnd::Failed(_)));
        match &mut last {
            Some(last) => last.early_end = early_end.or(last.early_end.take()),
            // Nothing was seen, and nothing says why.
            None if !is_failed => self.failures.push(Failure::Interrupted { target }),
            None => {}
        }
        self.assessments.extend(last);
        Ok(())
    }

    /// What becomes of a sink's end: what it lost is said; that it could not write is a failure, unless
    /// nobody reads any more what it writes.
    fn add_sink(&mut self, sink: SinkOutcome) -> Result<(), Failure> {
        let SinkOutcome { name, dropped, end } = sink;
        if dropped > 0 {
            let samples = format::counted(dropped, "sample", "samples");
            output::say(format_args!(
                "{name} was too slow for {samples}, and left them out; the report has them"
            ));
        }
        match end {
            SinkEnd::Done => {}
            SinkEnd::LeftBehind => output::say(format_args!("{name} did not end in time")),
            SinkEnd::Failed(SinkError::Write(error))
                if error.kind() == io::ErrorKind::BrokenPipe => {}
            SinkEnd::Failed(SinkError::Write(error)) => {
                self.unshown = Some(Failure::Stdout(error));
            }
            SinkEnd::Failed(SinkError::Terminal(error)) => return Err(Failure::Terminal(error)),
            SinkEnd::Panicked => return Err(Failure::Defect),
        }
        Ok(())
    }
}

/// The signals that ask to stop: the first of them stops the session, the second ends the process at
/// once.
pub(super) struct Caught {
    pub(super) stop: Stop,
    /// The first of them, or 0.
    first: Arc<AtomicI32>,
    /// Once this is set, a signal ends the process at once.
    is_final: Arc<AtomicBool>,
}

impl Caught {
    pub(super) fn new() -> io::Result<Self> {
        let (stop, is_final) = (Stop::default(), Arc::new(AtomicBool::new(false)));
        let signals = [SIGINT, SIGTERM, SIGHUP];
        for signal in signals {
            // In this order: the first signal sets what the second one finds set.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&is_final))?;
            flag::register(signal, Arc::clone(&is_final))?;
        }
        let mut signals = Signals::new(signals)?;
        let first = Arc::new(AtomicI32::new(0));
        thread::spawn({
            let (stop, first) = (stop.clone(), Arc::clone(&first));
            move || {
                if let Some(signal) = signals.forever().next() {
                    first.store(signal, Ordering::SeqCst);
                    stop.request();
                }
            }
        });
        Ok(Self { stop, first, is_final })
    }

    /// The first of them, once one has come.
    pub(super) fn first(&self) -> Option<i32> {
        Some(self.first.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }

    /// The session is over: from now on there is nothing to stop but the process.
    pub(super) fn end_at_once(&self) {
        self.is_final.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_was_hardly_watched_is_missed() {
        let seconds = Duration::from_secs;
        let plan = |duration: Option<u64>, interval: u64| Plan {
            is_saved: false,
            duration: duration.map(seconds),
            interval: seconds(interval),
        };
        for (plan, watched, is_missed) in [
            (plan(Some(30), 1), 1, true),
            (plan(Some(30), 1), 14, true),
            (plan(Some(30), 1), 16, false),
            // Nobody expects a second sample in that.
            (plan(Some(30), 60), 0, false),
            (plan(Some(1), 1), 0, false),
            (plan(None, 1), 0, false),
            (Plan { is_saved: true, ..plan(Some(30), 1) }, 1, false),
        ] {
            assert_eq!(plan.missed(seconds(watched)).is_some(), is_missed, "{watched}");
        }
    }
}
