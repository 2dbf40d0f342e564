//! `export`: one sample, as a goroutine profile of Go.

use std::io::{self, IsTerminal as _, Write};

use crate::analyze::finding_of;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::Form;
use crate::cli::request::Request;
use crate::cli::target::{self, NamedTarget};
use crate::cli::{Outcome, output};
use crate::pipeline::Last;
use crate::profile::write::{self, Judged};

/// Writes one sample of a process, or the last that was saved of one, whole or not at all.
pub(in crate::cli) fn run(request: &Request, form: Form) -> Outcome {
    if form == Form::Pprof && !request.delivery.has_file() && io::stdout().is_terminal() {
        return Err(Failure::Binary);
    }
    let NamedTarget { target, is_saved, open, .. } = one(request)?;
    let failed = |source| Failure::of(target.clone(), source);
    let observer = target::observer(request)(open().map_err(failed)?);
    let last = observer.last(is_saved).map_err(failed)?;
    if form == Form::Dump && !write::tells_apart(&last.observation) {
        return Err(Failure::NotTold(target));
    }
    output::put(&request.delivery, |out| render(&last, form, out))?;
    Ok(Exit::Done)
}

/// The one that is meant.
fn one(request: &Request) -> Result<NamedTarget, Failure> {
    let mut targets = target::all(request)?;
    match targets.len() {
        0 | 1 => targets.pop().ok_or(Failure::NoTarget),
        count => Err(Failure::OneTarget { command: "export", count }),
    }
}

fn render(last: &Last, form: Form, out: &mut dyn Write) -> io::Result<()> {
    let Last { observation, assessment } = last;
    match form {
        Form::Pprof => {
            let finding_of = finding_of(observation, assessment);
            let judgement = assessment.judgement.as_ref();
            let judged = judgement.map(|judgement| Judged { judgement, finding_of: &finding_of });
            write::pprof(observation, judged, out)
        }
        Form::Counts => write::counts(observation, out),
        Form::Dump => write::dump(observation, out).map_err(io::Error::from),
    }
}
