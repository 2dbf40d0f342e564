//! `pprof`: serve `/debug/pprof/` for processes that do not serve it themselves.

use std::fs;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::request::Request;
use crate::cli::session::Caught;
use crate::cli::target::{self, NamedTarget};
use crate::cli::{Outcome, output};
use crate::collect::Source;
use crate::collect::attach::Options;
use crate::collect::attach::allocated::sample;
use crate::error_chain::one_line;
use crate::golang::process::Process;
use crate::model::Instance;
use crate::pipeline::ProofDemand;
use crate::report::phrases;
use crate::serve::{Error, Heap, ListenAddress, Served, Server};

/// Serves until Ctrl-C, SIGTERM, or all processes have exited. One that cannot be attached to leaves the
/// others.
pub(in crate::cli) fn run(request: &Request, address: ListenAddress) -> Outcome {
    let targets = target::all(request)?;
    let asked = targets.len();
    let (mut served, mut failures) = (Vec::new(), Vec::new());
    for NamedTarget { target, object, demand, open, .. } in targets {
        match open() {
            Ok(source) => {
                let options = Options { object, ..request.attach.clone() };
                served.extend(serve(&target, source, demand, options, &served));
            }
            Err(source) => failures.push(Failure::of(target, source)),
        }
    }
    if served.is_empty() {
        return Err(target::sum(failures, asked).unwrap_or(Failure::NoTarget));
    }
    for failure in failures {
        failure.tell();
    }
    let several = served.len() > 1;
    let signals = Caught::new().map_err(Failure::Signals)?;
    let server = Server::start(address, served).map_err(Failure::Serve)?;
    let stop = server.stopper();
    signals.stop.on_request(stop);
    say_where(&server, several);
    server.join().map_err(|error| match error {
        Error::Panicked => Failure::Defect,
        other => Failure::Serve(other),
    })?;
    if !signals.stop.is_requested() {
        output::say(format_args!("all processes that were served have exited"));
    }
    Ok(Exit::Done)
}

fn say_where(server: &Server, several: bool) {
    let address = server.address();
    let path = if several { "" } else { "debug/pprof/" };
    output::say(format_args!("serving http://{address}/{path} until Ctrl-C"));
    if address.is_public() {
        output::say(format_args!(
            "warning: whoever reaches {address} can read the stacks and command lines of the processes, \
             without a password"
        ));
    }
}

/// How a source is served beside others; `None` for what is no process.
fn serve(
    target: &Instance,
    mut source: Box<dyn Source>,
    demand: Option<ProofDemand>,
    options: Options,
    others: &[Served],
) -> Option<Served> {
    let Instance::Process { pid, .. } = *target else { return None };
    // One that has exited since is found out by its first sample.
    let process = Process::find(pid).ok();
    let folder = process.as_ref().map(Process::folder);
    // A process may have several Go runtimes.
    let runtimes = others.iter().filter(|it| it.name.split('.').next() == Some(&pid.to_string()));
    let name = match runtimes.count() {
        0 => pid.to_string(),
        before => format!("{pid}.{}", before + 1),
    };
    Some(Served {
        name,
        title: process
            .as_ref()
            .map_or_else(|| target.to_string(), |process| format!("{} ({target})", process.exe)),
        sample: Box::new(move || source.observe().map_err(|error| one_line(&error))),
        proof: match demand {
            Some(demand) => Ok(Box::new(move || demand.ask())),
            None => Err("leak-agent was started with --proof off".to_owned()),
        },
        heap: heap(pid, options),
        has_ended: Box::new(move || process.as_ref().is_none_or(|process| !process.is_alive())),
        command_line: Box::new(move || match &folder {
            Some(folder) => fs::read(folder.join("cmdline")),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }),
    })
}

/// What reads the memory profile of a process; or why there is none.
fn heap(pid: u32, options: Options) -> Result<Heap, String> {
    match sample(pid, &options) {
        Ok(_) => Ok(Box::new(move || sample(pid, &options))),
        Err(why) => Err(phrases::not_allocated(&why)),
    }
}
