//! `memory`: the memory of one program, and who holds its heap.

use std::time::Duration;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Kind;
use crate::cli::request::Request;
use crate::cli::{Outcome, output, session, target};
use crate::collect::attach::Options;
use crate::collect::attach::retained::retained;
use crate::model::{Assessment, Instance, Retained};
use crate::report::memory::{MemoryReport, write_json, write_text};

/// Takes one sample, and walks the heap if that is asked for.
pub(in crate::cli) fn run(request: &Request, walk: Option<Duration>) -> Outcome {
    let mut seen = session::sample_once(request)?;
    if seen.asked > 1 {
        return Err(Failure::OneTarget { command: "memory", count: seen.asked });
    }
    let Some(assessment) = seen.assessments.pop() else {
        return Err(target::sum(seen.failures, seen.asked).unwrap_or(Failure::NoTarget));
    };
    let retained = match walk {
        Some(time) => held(request, &assessment, time)?,
        None => None,
    };
    let report = MemoryReport { assessment: &assessment, retained: retained.as_ref() };
    let top = request.delivery.top;
    output::put(&request.delivery, |out| match request.delivery.format.kind {
        Kind::Json => write_json(&report, out),
        Kind::Text | Kind::Document => write_text(&report, top, out),
    })?;
    Ok(Exit::Done)
}

/// Who holds the heap of a process; `None` for what is none.
fn held(
    request: &Request,
    assessment: &Assessment,
    time: Duration,
) -> Result<Option<Retained>, Failure> {
    let instance = &assessment.target.id.instance;
    let Instance::Process { pid, library } = instance else { return Ok(None) };
    let options = Options { object: library.clone(), ..request.attach.clone() };
    let held = retained(*pid, &options, time);
    held.map(Some).map_err(|source| Failure::of(instance.clone(), source))
}
