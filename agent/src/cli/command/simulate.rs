//! `simulate`: a program that leaks on purpose.

use std::thread;
use std::time::Duration;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Caught;
use crate::cli::simulating::Simulation;
use crate::cli::{Outcome, output};
use crate::simulate::Program;

/// How often it is asked whether the program has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs it until it ends by itself, or Ctrl-C or SIGTERM ends it.
pub(in crate::cli) fn run(simulation: &Simulation) -> Outcome {
    let signals = Caught::new().map_err(Failure::Signals)?;
    let program = Program::find(simulation.go.as_deref()).map_err(Failure::Simulate)?;
    let mut child = program.start(&simulation.args).map_err(Failure::Simulate)?;
    let pid = child.id();
    output::say(format_args!("process {pid} leaks {}", simulation.said));
    output::say(format_args!("find it with: sudo leak-agent analyze {pid}"));
    let status = loop {
        if signals.stop.is_requested() {
            // That is its end.
            drop(child.stdin.take());
            child.wait().map_err(Failure::Child)?;
            return Ok(Exit::Done);
        }
        match child.try_wait().map_err(Failure::Child)? {
            Some(status) => break status,
            None => thread::sleep(PAUSE),
        }
    };
    if status.success() { Ok(Exit::Done) } else { Err(Failure::Simulated(status)) }
}
