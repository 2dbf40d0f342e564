//! The command line: what was typed, what it asks for, and how it ends.

use std::process::ExitCode;

mod accepted;
mod alerting;
mod allocated;
mod args;
mod asking;
mod boarding;
mod command;
mod config;
mod daemon;
mod datadog;
mod difference;
mod entry;
mod exit;
mod failure;
mod forcing;
mod format;
mod held;
mod input;
mod judging;
mod keeping;
mod layers;
mod log;
mod metering;
mod moment;
mod off;
mod otlp;
mod output;
mod privileges;
mod project;
mod proving;
mod pushing;
mod remembering;
mod request;
mod responding;
mod sampling;
mod section;
mod seen;
mod session;
mod shelving;
mod simulating;
mod sinks;
mod size;
mod started;
mod starting;
mod storing;
mod switch;
mod target;
mod time;
mod value;
mod watching;

use crate::collect::attach::probes::start_holding;
use crate::host::limits::{raise_open_files, survive_file_size_limit};
use crate::host::privileges::as_its_user;
use failure::Failure;
use privileges::Touch;
use request::{Comparison, Request, Selection, Task, Until};
use started::Started;
use switch::Switch;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.tell();
            failure.exit().into()
        }
    }
}

fn run() -> Outcome {
    // clap itself answers --help, --version and what it cannot parse (exit code 2).
    let mut request = as_its_user(|| Request::from_args(layers::args()?))?;
    log::start(request.verbosity);
    // Where it cannot be caught, all is as it was.
    let _ = survive_file_size_limit();
    if request.attaches() {
        Failure::address_space()?;
    }
    let mut started = None;
    if let Task::Run { program, args, .. } = &request.task {
        output::try_first(&request)?;
        // With what the user has: what the agent gives up, it need not.
        let program = Started::start(program, args)?;
        request.selection = Selection::Pids(vec![program.pid()]);
        started = Some(program);
    }
    // What it starts keeps the power to write to targets, which this process never uses.
    let switch = request.sample_rate().map(Switch::start);
    // Before the others, to whom it must have no socket.
    if let Some(responses) = request.responses_mut() {
        responses.start()?;
    }
    // Before the filter, which refuses holders to give up capabilities, and to end by a signal; and while there is nothing
    // yet that they would be copies of. What fails here fails again, and is said, when the first probe is to be attached.
    let _holding = request.has_probes().then(start_holding);
    if let Some(proofs) = &mut request.proofs {
        proofs.start();
    }
    if let Some(touch) = touch(&request) {
        // What cannot be raised is said by whatever fails for it.
        let _ = raise_open_files();
        privileges::give_up(&request, touch, started.as_ref().map(Started::pid));
    }
    if !matches!(request.task, Task::List) {
        output::try_first(&request)?;
    }
    match &request.task {
        Task::List => command::list::run(&request),
        Task::Watch => command::watch::run(&request),
        Task::Check => command::check::run(&request),
        Task::Analyze { walks, .. } => command::analyze::run(&request, *walks, switch),
        Task::Monitor(meanwhile) => command::monitor::run(&request, meanwhile),
        Task::Run { walks, .. } => match &mut started {
            Some(started) => command::run::run(&request, started, *walks),
            None => Err(Failure::NoTarget),
        },
        Task::Compare(what) => command::compare::run(&request, what),
        Task::Patterns { threshold } => command::patterns::run(&request, *threshold),
        Task::Channels { threshold } => command::channels::run(&request, *threshold),
        Task::Fleet { threshold, parallel } => command::fleet::run(&request, *threshold, *parallel),
        Task::Memory { walked, sampled, .. } => {
            let sampled = sampled.map(|it| it.time).zip(switch);
            command::memory::run(&request, walked.as_ref(), sampled)
        }
        Task::Filter => command::filter::run(&request),
        Task::Report => command::report::run(&request),
        Task::Export(form) => command::export::run(&request, *form),
        Task::Pprof(address) => command::pprof::run(&request, *address),
        Task::Dashboard { listen, entrance } => {
            command::dashboard::run(&request, *listen, entrance.clone())
        }
        Task::Doctor => command::doctor::run(&request),
        Task::Simulate(simulation) => command::simulate::run(simulation),
        Task::TestAlert(alert) => command::alert::run(alert),
        Task::Daemon(daemon) => command::daemon::run(&request, daemon),
        Task::Tell(order) => command::daemon::tell(&request, order),
        Task::Completions(shell) => command::completions::run(*shell),
        Task::Man(folder) => command::man::run(folder.as_deref()),
    }
}

/// What a command touches; `None` where it keeps its privileges for now.
const fn touch(request: &Request) -> Option<Touch> {
    match request.task {
        // Somebody else's program is run with what the user has.
        Task::Compare(Comparison::Live(Until::Command { .. })) | Task::Simulate(_) => None,
        // It says what there was before it gives up the rest itself.
        Task::Doctor => None,
        _ if request.has_probes() => Some(Touch::Probes),
        _ => Some(Touch::Nothing),
    }
}

/// What a command ends in.
type Outcome = Result<exit::Exit, Failure>;
