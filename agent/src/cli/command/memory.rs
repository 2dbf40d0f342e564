//! `memory`: the memory of one program, who allocated what is in use, and who holds its heap.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::analyze::allocated::{by_line, of_last_sample};
use crate::analyze::since::since;
use crate::analyze::would_free;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::request::{Request, Walked};
use crate::cli::switch::{self, Switch};
use crate::cli::{Outcome, output, session, target};
use crate::collect::CollectError;
use crate::collect::attach::Options;
use crate::collect::attach::allocated::allocated;
use crate::collect::attach::retained::retained;
use crate::collect::attach::sampling::Sampling;
use crate::golang::image::Running;
use crate::model::{Allocated, Assessment, Instance, NotAllocated, NotSampled, Retained, Subjects};
use crate::profile::write::{self, HeapValue};
use crate::report::html::write_html;
use crate::report::memory::{MemoryReport, read, stacks, write_json, write_text};
use crate::report::{format, json, phrases};

/// How soon it is seen that a process has ended.
const PULSE: Duration = Duration::from_millis(100);
/// A report is no larger than this.
const MAX_BYTES: u64 = 1 << 30;

/// Takes one sample, reads the memory profile, and walks the heap if that is asked for. Where allocations are to be
/// sampled, they are for some time before.
pub(in crate::cli) fn run(
    request: &Request,
    walked: Option<&Walked>,
    sampled: Option<(Duration, Switch)>,
) -> Outcome {
    let as_profile = walked.is_some_and(|walked| walked.as_profile);
    if as_profile && !request.delivery.has_file() && io::stdout().is_terminal() {
        return Err(Failure::Binary);
    }
    // Before anything is asked of the program.
    let before = walked.and_then(|walked| walked.baseline.as_deref()).map(baseline).transpose()?;
    let mut assessment = one(request)?;
    let sampling = match sampled {
        Some((time, switch)) => {
            of_process(request, &assessment, |pid, options| Ok(watch(pid, options, time, &switch)))?
        }
        None => None,
    };
    if matches!(sampling, Some(Ok(_))) {
        assessment = one(request)?;
    }
    let allocated = of_process(request, &assessment, |pid, options| Ok(allocated(pid, options)))?
        .or_else(|| of_last_sample(&assessment).map(Ok));
    assessment.coverage.notes.extend(sampling.and_then(switch::end));
    let lines = match &allocated {
        Some(Ok(profile)) => by_line(profile),
        _ => Vec::new(),
    };
    let held = match walked {
        Some(walked) => {
            of_process(request, &assessment, |pid, options| retained(pid, options, walked.limit))?
        }
        None => None,
    };
    if let Some((exe, _)) = &before
        && *exe != assessment.target.exe.as_deref().unwrap_or_default()
    {
        let (before, now) = (format::clean(exe), assessment.target.name());
        let now = format::clean(&now);
        output::say(format_args!("warning: different programs: {before} before, {now} now"));
    }
    let since = before.as_ref().zip(held.as_ref()).map(|((_, before), now)| since(before, now));
    let would_free = held.as_ref().and_then(|held| would_free(held, None));
    let report = MemoryReport {
        assessment: &assessment,
        retained: held.as_ref(),
        would_free: would_free.as_ref(),
        since: since.as_ref(),
        allocated: allocated.as_ref().map(|it| it.as_ref().map(|profile| (profile, &lines[..]))),
    };
    let top = request.delivery.top;
    output::put(&request.delivery, |out| match (&held, request.delivery.format.kind) {
        (Some(held), _) if as_profile => {
            let stacks = stacks(held);
            let stacks = stacks.iter().map(|stack| {
                (stack.frames.iter().map(|frame| &*frame.name).collect(), stack.holds)
            });
            write::held(&assessment.target, assessment.window.last, stacks, out)
        }
        (_, Kind::Json) => write_json(&report, out),
        (_, Kind::Document) => write_html(&report, out),
        (_, Kind::Text) => write_text(&report, top, out),
    })?;
    if let (Some(path), Some(allocated)) = (request.profile(), &allocated) {
        save(path, allocated, &assessment)?;
    }
    Ok(Exit::Done)
}

/// One sample of the one target.
fn one(request: &Request) -> Result<Assessment, Failure> {
    let mut seen = session::sample_once(request)?;
    if seen.asked > 1 {
        return Err(Failure::OneTarget { command: "memory", count: seen.asked });
    }
    let Some(assessment) = seen.assessments.pop() else {
        return Err(target::sum(seen.failures, seen.asked).unwrap_or(Failure::NoTarget));
    };
    if assessment.known().memory {
        return Ok(assessment);
    }
    for note in phrases::notes(&assessment) {
        output::say(format_args!("note: {}", format::clean(&note)));
    }
    let target = assessment.target.id.clone();
    Err(Failure::NothingKnown { target, subjects: Subjects::MEMORY })
}

/// Has a process sample allocations, for some time or until it ends. A signal ends the agent meanwhile, as it ends every
/// program; the process is set back all the same.
fn watch(
    pid: u32,
    options: &Options,
    time: Duration,
    switch: &Switch,
) -> Result<Sampling, NotSampled> {
    let running = Running::find(pid).ok_or(NotSampled::Gone)?;
    let sampling = switch.on(pid, options)?;
    output::say(format_args!("sampling the allocations of {pid} for {}", format::duration(time)));
    let start = Instant::now();
    while running.is_the_same() {
        let left = time.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(PULSE));
    }
    Ok(sampling)
}

/// The program, and what a walk before found, as it was reported.
fn baseline(path: &Path) -> Result<(String, Retained), Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text))
        .map_err(unreadable)?;
    read(&text).map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// What is found out of a process; `None` for what is none.
fn of_process<T>(
    request: &Request,
    assessment: &Assessment,
    find: impl FnOnce(u32, &Options) -> Result<T, CollectError>,
) -> Result<Option<T>, Failure> {
    let instance = &assessment.target.id.instance;
    let Instance::Process { pid, library } = instance else { return Ok(None) };
    let options = Options { object: library.clone(), ..request.attach.clone() };
    find(*pid, &options).map(Some).map_err(|source| Failure::of(instance.clone(), source))
}

/// Saves a memory profile, and says where.
fn save(
    path: &Path,
    allocated: &Result<Allocated, NotAllocated>,
    assessment: &Assessment,
) -> Result<(), Failure> {
    let allocated = allocated
        .as_ref()
        .map_err(|why| Failure::NoProfile { why: phrases::not_allocated(why) })?;
    let at = assessment.window.last;
    let path = output::profile_file(path, &json::time(at).unwrap_or_default());
    output::write_file(&path, |out| {
        write::heap(allocated, &assessment.target, at, HeapValue::InUse, out)
    })
    .map_err(|source| Failure::ProfileFile { path: path.clone(), source })?;
    output::say(format_args!("memory profile: {}", path.display()));
    Ok(())
}
