//! No command: watch until told to stop, then report.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::analyze::view;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::request::Request;
use crate::cli::target::{self, Target};
use crate::cli::{Outcome, output};
use crate::collect::CollectError;
use crate::collect::attach::probes::start_holding;
use crate::model::Assessment;
use crate::pipeline::{End, Look, Pace};
use crate::report::words;
use crate::watch::{Event, lines, live};

/// Looks that may wait to be shown; a source that is ahead by more waits.
const WAITING: usize = 4;

/// What became of a target.
struct Watched {
    pid: u32,
    is_saved: bool,
    last: Option<Arc<Assessment>>,
    /// Of programs that it ran before, as far as something was found in them.
    earlier: Vec<Assessment>,
    end: Result<End, CollectError>,
}

/// What was seen of all targets, and what went wrong with some.
pub(super) struct Seen {
    pub(super) assessments: Vec<Assessment>,
    /// Of programs that the targets ran before they executed others: as far as something was found in
    /// them.
    pub(super) earlier: Vec<Assessment>,
    pub(super) failures: Vec<Failure>,
    /// How many targets were asked for.
    pub(super) asked: usize,
}

impl Seen {
    /// Writes the report, and ends in 1 for a finding at or above `--fail-on`.
    pub(super) fn report(self, request: &Request) -> Outcome {
        let seen = self.filtered(request);
        seen.matched()?;
        if seen.asked > 1 || !seen.assessments.is_empty() {
            output::write(&request.delivery, &seen.assessments, seen.asked > 1)?;
        }
        seen.end(request)
    }

    /// Keeps what the filters let pass.
    pub(super) fn filtered(mut self, request: &Request) -> Self {
        for assessment in self.assessments.iter_mut().chain(&mut self.earlier) {
            if let Some(left) = view::filtered(assessment, &request.settings.filter) {
                assessment.coverage.notes.push(format!(
                    "filtered: {} of {} analysed",
                    words::count(left),
                    words::counted(assessment.totals.goroutines, "goroutine")
                ));
            }
        }
        self
    }

    /// That something is left of what was seen: a view of nothing is no all-clear.
    fn matched(&self) -> Result<(), Failure> {
        let of: u64 = self.assessments.iter().map(|seen| seen.totals.goroutines).sum();
        let is_empty = self.assessments.iter().all(|seen| seen.groups.is_empty());
        if is_empty && of > 0 { Err(Failure::NoMatch { of }) } else { Ok(()) }
    }

    /// Ends in 1 for a finding at or above `--fail-on`, without a report.
    pub(super) fn end(self, request: &Request) -> Outcome {
        let fail_on = request.fail_on;
        let is_met = fail_on.is_met_by(&self.assessments) || fail_on.is_met_by(&self.earlier);
        let exit = if is_met { Exit::Findings } else { Exit::Done };
        let mut failures = self.failures;
        if !is_met {
            // Of a process that could not run, nothing found is no all-clear.
            failures.extend(self.assessments.iter().filter_map(Failure::held));
        }
        target::sum(failures, self.asked).map_or(Ok(exit), Err)
    }
}

/// Watches each target until `--duration` is over, Ctrl-C, SIGTERM, or all of them have exited.
pub(in crate::cli) fn run(request: &Request) -> Outcome {
    let is_live = is_live(request);
    watch(request, |events, stop| {
        if request.is_saved() {
            progress(request, events);
            Ok(())
        } else if is_live {
            live::run(events, stop, output::colour_live(&request.delivery))
                .map_err(Failure::Terminal)
        } else {
            show_lines(request, events)
        }
    })?
    .report(request)
}

/// Watches at a pace, and hands each look to `show` as it comes. What was saved is shown without
/// waiting.
pub(super) fn watch(
    request: &Request,
    show: impl FnOnce(&Receiver<Event>, &AtomicBool) -> Result<(), Failure>,
) -> Result<Seen, Failure> {
    // While there is nothing yet that it would be a copy of. What fails here fails again, and is
    // said, when the first probe is to be attached.
    let _holding = request.has_probes().then(start_holding);
    let stop = stop_on_signals()?;
    let target::Targets { attached, mut failures, asked } = target::attach(request)?;
    let (events, shown) = sync_channel(WAITING);
    let threads: Vec<_> = attached
        .into_iter()
        .map(|target| observe(target, request.pace, Arc::clone(&stop), events.clone()))
        .collect();
    // Only the threads hold senders now: their end is the end of the events.
    drop(events);

    let show = if threads.is_empty() { Ok(()) } else { show(&shown, &stop) };
    stop.store(true, Ordering::Relaxed);
    drop(shown);

    let (mut assessments, mut earlier) = (Vec::new(), Vec::new());
    for thread in threads {
        let Watched { pid, is_saved, last, earlier: before, end } =
            thread.join().map_err(|_| Failure::Defect)?;
        let mut last = last.map(|last| (*last).clone());
        match end {
            Ok(End::TargetExited) if !is_saved => {
                output::say(format_args!(
                    "process {pid} has exited; the report shows what was seen last"
                ));
                if let Some(assessment) = &mut last {
                    let note = "the process has exited; this is what was seen last";
                    assessment.coverage.notes.push(note.to_owned());
                }
            }
            Ok(End::Stopped | End::TargetExited) => {}
            Err(source) => {
                if let Some(assessment) = &mut last {
                    let note = format!("{source}; this is what was seen last");
                    assessment.coverage.notes.push(note);
                }
                failures.push(Failure::of(pid, source));
            }
        }
        assessments.extend(last);
        earlier.extend(before);
    }
    output::unless_closed(show)?;
    if request.verbosity > 0 {
        for hit in assessments.iter().filter_map(|seen| seen.overhead.hit.as_ref()).take(1) {
            output::say(format_args!("probes are taken to cost {}", words::hit_cost(hit)));
        }
    }
    Ok(Seen { assessments, earlier, failures, asked })
}

/// Set by the first signal; a second one ends the process at once.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(Failure::Signals)?;
    }
    Ok(stop)
}

fn observe(
    mut target: Target,
    pace: Pace,
    stop: Arc<AtomicBool>,
    events: SyncSender<Event>,
) -> JoinHandle<Watched> {
    // What was saved is not waited for, and shown whole.
    let pace =
        if target.is_saved { Pace { interval: Duration::ZERO, duration: None } } else { pace };
    thread::spawn(move || {
        let pid = target.pid;
        target.observer = target.observer.until(Arc::clone(&stop));
        let mut last = None;
        let end = target.observer.watch(pace, &stop, |look| {
            last = Some(Arc::clone(&look.assessment));
            let Look { assessment, now, replaced } = look;
            events.send(Event { pid, assessment, now, replaced }).is_ok()
        });
        let earlier = target.observer.earlier().cloned().collect();
        Watched { pid, is_saved: target.is_saved, last, earlier, end }
    })
}

/// Whether there is somebody to look at a live view, and a terminal that can show one.
fn is_live(request: &Request) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    request.verbosity < 2
        && !request.is_saved()
        && !document_on_stdout(request)
        && !dumb
        && io::stdin().is_terminal()
        && io::stdout().is_terminal()
}

/// Whether standard output is for the report alone.
fn document_on_stdout(request: &Request) -> bool {
    request.delivery.format.kind != Kind::Text && !request.delivery.has_file()
}

/// A line a look, where there is room for them.
fn show_lines(request: &Request, events: &Receiver<Event>) -> Result<(), Failure> {
    let mut out = lines_out(request);
    let mut any = false;
    for event in events {
        any = true;
        write_replaced(&event, &mut out).map_err(Failure::Stdout)?;
        let line = lines::line(&event.assessment, event.now);
        writeln!(out, "{line}").map_err(Failure::Stdout)?;
    }
    if any && !document_on_stdout(request) && !request.delivery.has_file() {
        writeln!(out).map_err(Failure::Stdout)?;
    }
    Ok(())
}

/// A line of its own for a process that has executed another program.
pub(super) fn write_replaced(event: &Event, out: &mut dyn Write) -> io::Result<()> {
    let Some(note) = &event.replaced else { return Ok(()) };
    writeln!(out, "{}", lines::replaced(&event.assessment, note))
}

/// Where lines go: standard output, unless the report needs it for itself.
pub(super) fn lines_out(request: &Request) -> Box<dyn Write> {
    if document_on_stdout(request) { Box::new(io::stderr()) } else { Box::new(io::stdout()) }
}

/// A line a look on standard error, where only the report matters. Looks of long ago are no
/// progress: no lines.
pub(super) fn progress(request: &Request, events: &Receiver<Event>) {
    for event in events {
        if let Some(note) = &event.replaced {
            output::say(format_args!("{}", lines::replaced(&event.assessment, note)));
        }
        if !request.is_saved() {
            output::say(format_args!("{}", lines::line(&event.assessment, event.now)));
        }
    }
}
