//! `daemon`: watch all Go programs of this machine as they come and go.
//!
//! This thread looks at what runs, at the file that switches things off, and at what signals ask for; samples are taken
//! by the pool's threads, and shown and sent by the sinks'.

mod notify;
mod order;
mod status;
mod targets;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

pub(in crate::cli) use order::run as tell;

use crate::analyze::Window;
use crate::cli::alerting::Alert;
use crate::cli::daemon::Daemon;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::off::Off;
use crate::cli::request::{Request, Task};
use crate::cli::responding::Response;
use crate::cli::shelving::Windows;
use crate::cli::sinks::{
    Account, Alerting, Boarding, Diary, Metrics, Otlp, OwnFigures, Responding, Showing,
};
use crate::cli::{Outcome, layers, output};
use crate::discover::Scanner;
use crate::error_chain::one_line;
use crate::export::Tally;
use crate::export::metrics::Own;
use crate::host::memory;
use crate::host::privileges::as_its_user;
use crate::pipeline::{Memory, Pool, Sink, SinkEnd, SinkOutcome, Stop};
use crate::report::format;
use targets::{Sampling, Targets};

/// How often it is looked whether something is switched off, and what became of targets.
const TICK: Duration = Duration::from_secs(1);
/// How often the file of what is watched is written where no target has changed its state.
const STATUS: Duration = Duration::from_secs(5);
/// So many times the interval is a program watched at least where others wait for memory.
const TURN: u32 = 30;
/// More threads would take more of the machine at once than samples are worth.
const MAX_THREADS: usize = 4;

/// Watches until a signal asks to stop.
pub(in crate::cli) fn run(request: &Request, daemon: &Daemon) -> Outcome {
    let signals = signals().map_err(Failure::Signals)?;
    let figures: OwnFigures = Arc::new(Mutex::new(Own::default()));
    let Sinks { sinks, renewing, responding, exports } = sinks(request, daemon, &figures)?;
    let pacing = daemon.pacing(request.pace.interval, request.attach.budget);
    let memory = Memory {
        max_bytes: daemon.max_memory,
        taken: memory::resident_bytes,
        give_back: memory::give_back,
    };
    let pool = Pool::start(pacing, threads(), memory, sinks, Stop::default());
    let mut running = Running {
        scanner: Scanner::new(daemon.rules.clone()),
        targets: Targets::new(Sampling::of(request, daemon), daemon.max_targets),
        pool,
        figures,
        renewing,
        responding,
        exports,
        turn: Duration::ZERO,
        max_memory: 0,
        shortened: (Window::MAX_SAMPLES, false),
        off: Off::default(),
        off_fault: false,
        is_scan_fault: false,
        has_scanned: false,
        status_fault: false,
        denied: 0,
        written: None,
        counts: BTreeMap::new(),
    };
    let (mut scan, mut min_age) = (daemon.scan, daemon.min_age);
    running.go_by(request, daemon);
    let mut due = Instant::now();
    loop {
        let (off, fault) = Off::read(&daemon.off_file);
        running.switch(off, fault);
        if Instant::now() >= due {
            due = Instant::now() + scan;
            running.scan(min_age, daemon.state.as_deref());
        }
        running.tick(&daemon.off_file);
        match signals.recv_timeout(TICK.min(due.saturating_duration_since(Instant::now()))) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(SIGHUP) => {
                notify::reloading();
                if let Some(read) = running.reload(daemon) {
                    (scan, min_age) = read;
                    due = Instant::now();
                }
                notify::ready();
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    notify::stopping();
    let outcome = running.pool.end();
    running.exports.iter().for_each(|(_, account)| account.tell());
    end(outcome)
}

/// As many as there are processors, within bounds: two at least, so that one large target does not keep all others
/// waiting.
fn threads() -> NonZeroUsize {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(processors.clamp(2, MAX_THREADS)).unwrap_or(NonZeroUsize::MIN)
}

/// Signals as they come. The second one that asks to stop ends the process at once.
fn signals() -> std::io::Result<Receiver<i32>> {
    let is_final = Arc::new(std::sync::atomic::AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal sets what the second one finds set.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&is_final))?;
        flag::register(signal, Arc::clone(&is_final))?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let (tell, told) = channel();
    thread::spawn(move || {
        for signal in signals.forever() {
            if tell.send(signal).is_err() {
                return;
            }
        }
    });
    Ok(told)
}

/// Those that samples are shown or sent to.
struct Sinks {
    sinks: Vec<Box<dyn Sink>>,
    /// What takes others to be alerted.
    renewing: Option<Sender<Vec<Alert>>>,
    /// What takes other responses.
    responding: Option<Sender<Vec<Response>>>,
    /// What sending by OTLP has come to, by what is sent.
    exports: Vec<(&'static str, Account)>,
}

fn sinks(request: &Request, daemon: &Daemon, figures: &OwnFigures) -> Result<Sinks, Failure> {
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Diary::new(request.settings.filter.clone()))];
    if let Some(metrics) = Metrics::wanted(&daemon.metering, Some(Arc::clone(figures)))? {
        sinks.push(Box::new(metrics));
    }
    let mut renewing = None;
    if let Some(alerts) = &daemon.alerts {
        let mut alerting = Alerting::open(alerts, request)?;
        renewing = Some(alerting.renewable());
        sinks.push(Box::new(alerting));
    }
    let mut responding = None;
    if let Some(responses) = &daemon.responses {
        let mut sink = Responding::open(responses, request)?;
        responding = Some(sink.renewable());
        sinks.push(Box::new(sink));
    }
    if let Some((listen, looking)) = &daemon.dashboard {
        let entrance = looking.entrance(*listen)?;
        sinks.push(Box::new(Boarding::start(*listen, entrance, Showing::Passing)?));
    }
    let mut exports = Vec::new();
    if let Some(exported) = &daemon.exported {
        let otlp = Otlp::new(exported, request, Some(Arc::clone(figures)))?;
        exports.extend(otlp.accounts());
        sinks.push(Box::new(otlp));
    }
    Ok(Sinks { sinks, renewing, responding, exports })
}

/// What goes on.
struct Running {
    scanner: Scanner,
    targets: Targets,
    pool: Pool,
    figures: OwnFigures,
    renewing: Option<Sender<Vec<Alert>>>,
    responding: Option<Sender<Vec<Response>>>,
    exports: Vec<(&'static str, Account)>,
    /// For how long a program is watched at least where others wait for memory.
    turn: Duration,
    /// In bytes.
    max_memory: u64,
    /// By how many samples windows are kept, and whether more memory is taken than may be, as people were told last.
    shortened: (usize, bool),
    off: Off,
    /// People were told that the file that switches things off cannot be read, that /proc cannot, and so on.
    off_fault: bool,
    is_scan_fault: bool,
    status_fault: bool,
    has_scanned: bool,
    /// Processes that may not be read, as people were told last.
    denied: u64,
    /// When the file of what is watched was written, and how many there were in each state then.
    written: Option<Instant>,
    counts: BTreeMap<&'static str, u64>,
}

impl Running {
    /// Goes on within what may be taken, and at this pace.
    fn go_by(&mut self, request: &Request, daemon: &Daemon) {
        self.pool.pace(daemon.pacing(request.pace.interval, request.attach.budget));
        self.pool.limit(daemon.max_memory);
        self.max_memory = daemon.max_memory;
        self.turn = request.pace.interval * TURN;
    }

    /// Says what gives way to keep to what memory may be taken, where that has changed.
    fn say_what_gives_way(&mut self) {
        let now = self.pool.shortened();
        let (samples, is_over) = now;
        let (before, was_over) = std::mem::replace(&mut self.shortened, now);
        let most = format::bytes(self.max_memory);
        if samples != before {
            output::say(format_args!(
                "memory: at most {samples} samples are kept of each program's history, to keep to {most} (--max-memory)"
            ));
        }
        if is_over && !was_over {
            let taken = memory::resident_bytes().map(format::bytes).unwrap_or_default();
            output::say(format_args!(
                "warning: the agent takes {taken} of memory, more than the {most} that it may (--max-memory): less is kept, \
                 fewer programs are watched at a time"
            ));
        }
        if was_over && !is_over {
            output::say(format_args!("the agent takes no more memory than it may"));
        }
    }

    fn switch(&mut self, off: Off, fault: Option<std::io::Error>) {
        if let Some(error) = &fault
            && !self.off_fault
        {
            output::say(format_args!(
                "everything is off: the file of what is off cannot be read: {error}"
            ));
        }
        self.off_fault = fault.is_some();
        if off == self.off {
            return;
        }
        match off.said() {
            Some(what) if fault.is_none() => output::say(format_args!("off: {what}")),
            Some(_) => {}
            None => output::say(format_args!("nothing is off any more")),
        }
        self.off = off;
        self.targets.switch(&self.off, &self.pool);
    }

    /// Looks at what runs. While everything is off, at nothing.
    fn scan(&mut self, min_age: Duration, state: Option<&Path>) {
        if self.off.is_all() && self.has_scanned {
            return;
        }
        let scan = match self.scanner.scan(min_age) {
            Ok(scan) => scan,
            Err(error) => {
                if !self.is_scan_fault {
                    output::say(format_args!("cannot look at what runs: {error}"));
                }
                self.is_scan_fault = true;
                return;
            }
        };
        self.is_scan_fault = false;
        if scan.denied > self.denied {
            let processes = format::counted(scan.denied, "process", "processes");
            let advice = "leak-agent doctor says what the agent may";
            output::say(format_args!("permission denied for {processes}: not watched ({advice})"));
        }
        self.denied = scan.denied;
        self.targets.take(&scan, &self.off, &self.pool);
        if !self.has_scanned {
            self.has_scanned = true;
            if let Some(state) = state {
                Windows::new(state).retain(self.targets.found());
            }
            let (meant, young) = (self.targets.len() as u64, scan.young);
            let meant = format::counted(meant, "Go program", "Go programs");
            output::say(format_args!("{meant} found; {young} processes too young to be looked at"));
            notify::ready();
        }
        let mut own = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        own.scans += 1;
        own.scan = scan.took;
        own.processes = scan.processes;
        own.passed_over =
            [("young", scan.young), ("ignored", scan.ignored), ("denied", scan.denied)].into();
    }

    /// What became of targets, what all that takes, and the file of both.
    fn tick(&mut self, off_file: &Path) {
        self.pool.weigh();
        self.pool.press();
        self.say_what_gives_way();
        self.targets.take_turns(self.turn, &self.pool);
        self.targets.follow(&self.off, &self.pool);
        let progress = self.pool.progress();
        let (load, stretch) = self.pool.load();
        let own = {
            let mut own = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
            own.targets = self.targets.counts();
            own.refusals.clone_from(self.targets.refusals());
            own.otlp = self.exports.iter().flat_map(|(signal, it)| results(signal, it)).collect();
            (own.load, own.stretch) = (load, stretch);
            own.allowed = self.targets.sampling().host;
            own.is_off = self.off.is_all();
            own.max_memory_bytes = self.max_memory;
            own.window_samples = self.shortened.0 as u64;
            own.let_go = self.targets.let_go();
            (own.cpu, own.rss_bytes) = status::taken();
            own.clone()
        };
        let is_due =
            self.written.is_none_or(|then| then.elapsed() >= STATUS) || self.counts != own.targets;
        if !is_due {
            return notify::alive();
        }
        self.written = Some(Instant::now());
        self.counts.clone_from(&own.targets);
        let written = status::write(off_file, &own, self.targets.documents(&progress));
        if let Err(error) = &written
            && !self.status_fault
        {
            let file = status::file(off_file);
            output::say(format_args!(
                "{}: cannot be written: {error}; daemon status shows nothing",
                file.display()
            ));
        }
        self.status_fault = written.is_err();
        notify::alive();
    }

    /// Has findings responded to as the configuration says now; by how many responses.
    fn respond(&self, daemon: &Daemon) -> usize {
        let responses = daemon.responses.as_ref().map_or(&[][..], |it| &it.responses[..]);
        match &self.responding {
            Some(responding) if responding.send(responses.to_vec()).is_err() => {
                output::say(format_args!(
                    "what responds to findings has ended: restart the daemon"
                ));
                0
            }
            Some(_) => responses.len(),
            None if responses.is_empty() => 0,
            None => {
                output::say(format_args!(
                    "there were no responses when the daemon was started: it is restarted for the first"
                ));
                0
            }
        }
    }

    /// Reads the configuration again. A bad one is refused, and all goes on as it was. Gives how often to look at what
    /// runs, and from which age on.
    fn reload(&mut self, before: &Daemon) -> Option<(Duration, Duration)> {
        let read = as_its_user(|| Request::from_args(layers::again()?));
        let (request, daemon) = match read {
            Ok(mut request) => {
                let Task::Daemon(daemon) = std::mem::replace(&mut request.task, Task::List) else {
                    return None;
                };
                (request, daemon)
            }
            Err(failure) => {
                output::say(format_args!(
                    "the configuration was not read again, and all goes on as before: {}",
                    one_line(&failure)
                ));
                return None;
            }
        };
        let alerts = match (&self.renewing, daemon.alerts.as_ref()) {
            (Some(renewing), Some(alerts)) => {
                let told = renewing.send(alerts.alerts.clone());
                if told.is_err() {
                    output::say(format_args!("what sends alerts has ended: restart the daemon"));
                }
                alerts.alerts.len()
            }
            _ => 0,
        };
        let responses = self.respond(&daemon);
        let is_fixed = before.state == daemon.state
            && before.off_file == daemon.off_file
            && before.metering == daemon.metering
            && before.dashboard == daemon.dashboard
            && before.exported.as_ref().map(|it| &it.asked)
                == daemon.exported.as_ref().map(|it| &it.asked);
        if !is_fixed {
            output::say(format_args!(
                "state, off-file, the dashboard, proof, and where metrics go are as they were until the daemon is restarted"
            ));
        }
        self.go_by(&request, &daemon);
        let sampling = Sampling::of(&request, &daemon).going_on(self.targets.sampling());
        self.targets.go_on(sampling, daemon.max_targets);
        let no_more = self.scanner.rule(daemon.rules.clone());
        self.targets.release(&no_more, &self.pool);
        let alerts = format::counted(alerts as u64, "alert", "alerts");
        let responses = format::counted(responses as u64, "response", "responses");
        output::say(format_args!("the configuration was read again: {alerts}, {responses}"));
        Some((daemon.scan, daemon.min_age))
    }
}

/// What became of requests by OTLP.
fn results(signal: &'static str, account: &Account) -> [([&'static str; 2], u64); 3] {
    let Tally { pushed, refused, dropped } = account.tally();
    [("sent", pushed), ("refused", refused), ("dropped", dropped)]
        .map(|(result, count)| ([signal, result], count))
}

/// What became of the sinks.
fn end(outcome: Vec<SinkOutcome>) -> Outcome {
    for SinkOutcome { name, end, .. } in outcome {
        match end {
            SinkEnd::Done => {}
            SinkEnd::LeftBehind => output::say(format_args!("{name} did not end in time")),
            SinkEnd::Failed(error) => {
                output::say(format_args!("{name} failed: {}", one_line(&error)));
            }
            SinkEnd::Panicked => return Err(Failure::Defect),
        }
    }
    Ok(Exit::Done)
}
