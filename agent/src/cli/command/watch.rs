//! No command: watch until told to stop, then report.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::cli::args::{Common, Format, Probes};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::target::{self, Target};
use crate::cli::{Outcome, output};
use crate::collect::CollectError;
use crate::collect::attach::probes::start_holding;
use crate::collect::attach::{Options, Probing};
use crate::model::{Assessment, Verdict};
use crate::pipeline::{End, Pace};
use crate::report::words;
use crate::watch::{Event, lines, live};

/// Looks that may wait to be shown; a source that is ahead by more waits.
const WAITING: usize = 4;

/// What became of a target.
struct Watched {
    pid: u32,
    last: Option<Arc<Assessment>>,
    end: Result<End, CollectError>,
}

/// Watches each target until `--duration` is over, Ctrl-C, SIGTERM, or all of them have exited.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    let pace = Pace { interval: common.interval, duration: common.duration };
    watch(common, pace, is_live(common))
}

/// Watches at a pace, in a live view or with a line a look, and writes the report.
pub(super) fn watch(common: &Common, pace: Pace, is_live: bool) -> Outcome {
    // While there is nothing yet that it would be a copy of. What fails here fails again, and is
    // said, when the first probe is to be attached.
    let _holding = (common.probes != Probes::Off).then(start_holding);
    let stop = stop_on_signals()?;
    let target::Targets { attached, mut failures, asked } =
        target::attach(common, &options(common))?;
    let (events, shown) = sync_channel(WAITING);
    let threads: Vec<_> = attached
        .into_iter()
        .map(|target| observe(target, pace, Arc::clone(&stop), events.clone()))
        .collect();
    // Only the threads hold senders now: their end is the end of the events.
    drop(events);

    let show = if is_live && !threads.is_empty() {
        live::run(&shown, &stop, output::colour_live(common)).map_err(Failure::Terminal)
    } else {
        show_lines(common, &shown)
    };
    stop.store(true, Ordering::Relaxed);
    drop(shown);

    let mut assessments = Vec::new();
    for thread in threads {
        let Watched { pid, last, end } = thread.join().map_err(|_| Failure::Defect)?;
        let mut last = last.map(|last| (*last).clone());
        match end {
            Ok(End::Stopped) => {}
            Ok(End::TargetExited) => {
                eprintln!("process {pid} has exited; the report shows what was seen last");
                if let Some(assessment) = &mut last {
                    let note = "the process has exited; this is what was seen last";
                    assessment.coverage.notes.push(note.to_owned());
                }
            }
            Err(source) => failures.push(Failure::Target { pid, source }),
        }
        assessments.extend(last);
    }
    show?;
    if common.verbose > 0 {
        for hit in assessments.iter().filter_map(|seen| seen.overhead.hit.as_ref()).take(1) {
            eprintln!("probes are taken to cost {}", words::hit_cost(hit));
        }
    }
    if asked > 1 || !assessments.is_empty() {
        output::write(common, &assessments, asked > 1)?;
    }
    let exit = exit(&assessments);
    target::sum(failures, asked).map_or(Ok(exit), Err)
}

/// 1 for a finding that is more than a suspect.
fn exit(assessments: &[Assessment]) -> Exit {
    let mut findings = assessments
        .iter()
        .filter_map(|assessment| assessment.judgement.as_ref())
        .flat_map(|judgement| &judgement.findings);
    if findings.any(|finding| finding.verdict >= Verdict::Likely) {
        Exit::Findings
    } else {
        Exit::Done
    }
}

fn options(common: &Common) -> Options {
    let probes = match common.probes {
        Probes::Auto => Probing::Auto,
        Probes::Off => Probing::Off,
        Probes::Create => Probing::Create,
        Probes::All => Probing::All,
    };
    Options { probes, budget: common.budget }
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
    thread::spawn(move || {
        let pid = target.pid;
        let mut last = None;
        let end = target.observer.watch(pace, &stop, |look| {
            last = Some(Arc::clone(&look.assessment));
            events.send(Event { pid, assessment: look.assessment, now: look.now }).is_ok()
        });
        Watched { pid, last, end }
    })
}

/// Whether there is somebody to look at a live view, and a terminal that can show one.
fn is_live(common: &Common) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    common.verbose < 2
        && !document_on_stdout(common)
        && !dumb
        && io::stdin().is_terminal()
        && io::stdout().is_terminal()
}

/// Whether standard output is for the report alone.
const fn document_on_stdout(common: &Common) -> bool {
    !matches!(common.format, Format::Terminal) && common.output.is_none()
}

/// A line a look, until there are no more.
fn show_lines(common: &Common, events: &Receiver<Event>) -> Result<(), Failure> {
    let mut out: Box<dyn Write> =
        if document_on_stdout(common) { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    let mut any = false;
    for event in events {
        any = true;
        let line = lines::line(&event.assessment, event.now);
        writeln!(out, "{line}").map_err(Failure::Stdout)?;
    }
    if any && !document_on_stdout(common) && common.output.is_none() {
        writeln!(out).map_err(Failure::Stdout)?;
    }
    Ok(())
}
