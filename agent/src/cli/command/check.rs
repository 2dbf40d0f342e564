//! `check`: look once, report, end.

use crate::cli::args::Common;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{Outcome, output, target};
use crate::collect::attach::Options;

/// Looks once at each target. One look leaves probes nothing to watch: there are none.
pub(in crate::cli) fn run(common: &Common) -> Outcome {
    let mut targets = target::attach(common, &Options::default())?;
    let several = targets.several();
    let mut assessments = Vec::new();
    for target in &mut targets.attached {
        match target.observer.look() {
            Ok(look) => assessments.push((*look.assessment).clone()),
            Err(source) => {
                targets.failures.push(Failure::Target { pid: target.pid, source });
            }
        }
    }
    if several || !assessments.is_empty() {
        output::write(common, &assessments, several)?;
    }
    target::sum(targets.failures, targets.asked).map_or(Ok(Exit::Done), Err)
}
