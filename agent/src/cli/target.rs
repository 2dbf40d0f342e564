//! Which processes, endpoints and recordings the flags mean, and how to observe each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::failure::Failure;
use super::input::find;
use super::output;
use super::proving::{self, Proofs};
use super::remembering::Remembering;
use super::request::{Request, Selection, Task};
use super::starting;
use crate::collect::attach::Options;
use crate::collect::datadog::{self, Downloaded, Query};
use crate::collect::endpoint::Forcing;
use crate::collect::files::{self, Series};
use crate::collect::saved::Recording;
use crate::collect::stores::{self, Found};
use crate::collect::{CollectError, Source};
use crate::error_chain::one_line;
use crate::http::{Address, Settings};
use crate::model::{InStore, Instance, Subjects};
use crate::pipeline::{self, Observer, Open, ProofDemand};
use crate::report::format;

/// A process or an endpoint that is to be sampled, or a recording.
pub(super) struct NamedTarget {
    /// As it was asked for.
    pub(super) target: Instance,
    /// Which of several Go runtimes of a process is meant.
    pub(super) object: Option<String>,
    /// Whether it was sampled before, so that nothing has to be waited for.
    pub(super) is_saved: bool,
    /// What else is known of it, such as its version: sorted by name.
    pub(super) labels: Vec<(String, String)>,
    /// What asks for a proof with the next sample, where that is how proofs are made.
    pub(super) demand: Option<ProofDemand>,
    /// Attaches to it, or finds what it serves. Nothing is done before that is called.
    pub(super) open: Open,
}

/// All that the flags name, or what was saved of them.
pub(super) fn all(request: &Request) -> Result<Vec<NamedTarget>, Failure> {
    if let Selection::Saved(named) = &request.selection {
        return saved(named);
    }
    if let Selection::Datadog(query) = &request.selection {
        warn(&query.settings);
        return downloaded(query);
    }
    if let Selection::Urls(addresses) = &request.selection {
        warn(&request.asking);
        warn_of_collections(request.forcing);
        return Ok(addresses.iter().map(|address| endpoint(address, request)).collect());
    }
    if let Selection::Stored(query) = &request.selection {
        return stored(query, request);
    }
    let pids = pids(&request.selection)?;
    let objects = pids.into_iter().flat_map(|pid| objects(pid, request));
    let target = |(pid, object): (u32, Option<String>)| {
        let options = Options { object: object.clone(), ..request.attach.clone() };
        let (save, verbosity) = (request.save.clone(), request.verbosity);
        let demand = request.proofs.as_ref().and_then(Proofs::demand);
        let prove =
            proving::proving(request.proofs.as_ref(), (pid, object.clone()), demand.clone());
        let open = move || open(pid, &options, &prove, save.as_deref(), verbosity);
        let open: Open = match request.task {
            Task::Run { .. } => Box::new(move || starting::opened(open)),
            _ => Box::new(open),
        };
        let target = Instance::Process { pid, library: None };
        NamedTarget { target, object, is_saved: false, labels: Vec::new(), demand, open }
    };
    Ok(objects.map(target).collect())
}

/// What observes a source as it was asked for.
pub(super) fn observer(
    request: &Request,
) -> impl FnOnce(Box<dyn Source>) -> Observer + Send + 'static {
    let (settings, roots) = (request.settings.clone(), request.source_roots.clone());
    move |source| Observer::new(source, settings, roots)
}

/// The same, of a target of which is to be remembered what is usual where it was asked for.
pub(super) fn remembering(
    request: &Request,
    target: &Instance,
) -> impl FnOnce(Box<dyn Source>) -> Observer + Send + 'static {
    let keeper = match (&request.task, target) {
        (Task::Monitor(meanwhile), Instance::Process { pid, .. }) => {
            meanwhile.state.clone().map(|folder| Remembering::new(folder, *pid))
        }
        _ => None,
    };
    let observer = observer(request);
    move |source| match keeper {
        Some(keeper) => observer(source).remembering(Box::new(keeper)),
        None => observer(source),
    }
}

/// The Go runtimes of a process that are meant: the one that is named, or each.
fn objects(pid: u32, request: &Request) -> Vec<(u32, Option<String>)> {
    if let Some(name) = &request.object {
        return vec![(pid, Some(name.clone()))];
    }
    match pipeline::runtimes(pid) {
        Ok(found) if found.len() > 1 => found.into_iter().map(|it| (pid, it.library)).collect(),
        // Attaching says why there is none.
        _ => vec![(pid, None)],
    }
}

fn open(
    pid: u32,
    options: &Options,
    prove: &dyn Fn(Box<dyn Source>) -> Box<dyn Source>,
    save: Option<&Path>,
    verbosity: u8,
) -> Result<Box<dyn Source>, CollectError> {
    let start = Instant::now();
    let source = prove(pipeline::attach(pid, options)?);
    if verbosity > 0 {
        output::say(format_args!("attached to {pid} in {}", format::duration(start.elapsed())));
    }
    match save {
        Some(folder) => pipeline::record(source, folder),
        None => Ok(source),
    }
}

/// Says what was asked for and is better not done.
pub(super) fn warn(settings: &Settings) {
    if settings.insecure {
        output::say(format_args!(
            "warning: --insecure: certificates are not checked, so that anybody in between can read \
             what is sent, credentials too, and answer in the server's place"
        ));
    }
}

/// Says that a program is changed by what was asked for.
fn warn_of_collections(forcing: Option<Forcing>) {
    if let Some(Forcing { cycles, .. }) = forcing {
        output::say(format_args!(
            "warning: --force-gc: where something piles up, the program is made to collect garbage {} \
             times, which takes its processor time and changes what it would have done",
            cycles + 1
        ));
    }
}

fn endpoint(address: &Address, request: &Request) -> NamedTarget {
    let target = Instance::Endpoint { url: address.url.to_string() };
    let (address, settings) = (address.clone(), request.asking.clone());
    let (save, verbosity) = (request.save.clone(), request.verbosity);
    let Subjects { goroutines, memory } = request.settings.subjects;
    // Where nobody looks at goroutines, they are counted, which costs least: the program does not stand still for that.
    let max_dumped = if goroutines { request.max_dumped } else { 0 };
    let asks_for_leaks = request.asks_for_leaks && goroutines;
    let (forcing, asks_for_heap) = (request.forcing, memory);
    let open = Box::new(move || {
        let start = Instant::now();
        let endpoint = pipeline::endpoint(address, settings, max_dumped)?;
        let endpoint = if asks_for_leaks { endpoint } else { endpoint.without_leaks() };
        let endpoint = if asks_for_heap { endpoint } else { endpoint.without_heap() };
        if verbosity > 0 {
            let found = format::duration(start.elapsed());
            output::say(format_args!("found {} in {found}", endpoint.base()));
        }
        let source: Box<dyn Source> = Box::new(match forcing {
            Some(forcing) => endpoint.forcing(forcing),
            None => endpoint,
        });
        match save {
            Some(folder) => pipeline::record(source, &folder),
            None => Ok(source),
        }
    });
    NamedTarget { target, object: None, is_saved: false, labels: Vec::new(), demand: None, open }
}

/// The recordings and the series of profiles and dumps that were named.
fn saved(named: &[PathBuf]) -> Result<Vec<NamedTarget>, Failure> {
    let files::Found { series, observations } = find(named)?;
    let recorded = |recording: Recording| NamedTarget {
        target: Instance::Files { path: recording.to_string() },
        object: None,
        is_saved: true,
        labels: Vec::new(),
        demand: None,
        open: Box::new(move || Ok(pipeline::replay(recording))),
    };
    let profiled = |series: Series| NamedTarget {
        target: Instance::Files { path: series.path.clone() },
        object: None,
        is_saved: true,
        labels: Vec::new(),
        demand: None,
        open: Box::new(move || Ok(pipeline::files(series))),
    };
    let recordings = Recording::of(&observations).into_iter().map(recorded);
    Ok(recordings.chain(series.into_iter().map(profiled)).collect())
}

/// The profiles that Datadog has of what is meant: each series of them is a target.
fn downloaded(query: &Query) -> Result<Vec<NamedTarget>, Failure> {
    let target = || Instance::Files { path: format!("datadog {}", query.text) };
    let fault = |error: datadog::Error| Failure::of(target(), error.into());
    let folder = datadog::folder().map_err(fault)?;
    let Downloaded { instances, failed, why } =
        datadog::download(query, folder.path()).map_err(fault)?;
    if let Some(why) = why {
        let failed = format::counted(failed, "profile", "profiles");
        output::say(format_args!("warning: {failed} not downloaded, the last: {}", one_line(&why)));
    }
    let folder = Arc::new(folder);
    let mut targets = Vec::new();
    for (name, path) in instances {
        let place = path.display().to_string();
        for mut series in find(&[path])?.series {
            // It lies there no longer than until it is read.
            series.path = series.path.replacen(&place, &name, 1);
            let folder = Arc::clone(&folder);
            targets.push(NamedTarget {
                target: Instance::Files { path: series.path.clone() },
                object: None,
                is_saved: true,
                labels: Vec::new(),
                demand: None,
                open: Box::new(move || Ok(pipeline::downloaded(series, folder))),
            });
        }
    }
    Ok(targets)
}

/// The instances that a store has profiles of.
fn stored(query: &stores::Query, request: &Request) -> Result<Vec<NamedTarget>, Failure> {
    warn(&query.settings);
    let found = pipeline::stored_instances(query).map_err(|source| {
        let target = Instance::Stored(Box::new(InStore {
            store: query.store,
            url: query.address.url.to_string(),
            labels: query.selector.to_string(),
        }));
        Failure::Target { target, source }
    })?;
    if request.verbosity > 0 {
        let instances = format::counted(found.len() as u64, "instance", "instances");
        output::say(format_args!("found {instances} at {}", query.address.url));
    }
    let target = |found: Found| {
        let (target, labels) = (found.instance.clone(), found.labels.clone());
        let (query, save) = (query.clone(), request.save.clone());
        let open = Box::new(move || {
            let source = pipeline::stored(&query, found)?;
            match save {
                Some(folder) => pipeline::record(source, &folder),
                None => Ok(source),
            }
        });
        NamedTarget { target, object: None, is_saved: true, labels, demand: None, open }
    };
    Ok(found.into_iter().map(target).collect())
}

/// One failure for all: the only one itself, or a sum of those that were told one by one.
pub(super) fn sum(mut failures: Vec<Failure>, asked: usize) -> Option<Failure> {
    if asked == 1 || failures.is_empty() {
        return failures.pop();
    }
    for failure in &failures {
        failure.tell();
    }
    Some(Failure::Targets { failed: failures.len(), asked })
}

/// The processes that are selected, each once.
pub(super) fn pids(selection: &Selection) -> Result<Vec<u32>, Failure> {
    let mut pids = match selection {
        Selection::Nobody
        | Selection::Saved(_)
        | Selection::Stored(_)
        | Selection::Urls(_)
        | Selection::Datadog(_) => Vec::new(),
        Selection::Pids(pids) => pids.clone(),
        Selection::All => {
            let listing = pipeline::processes().map_err(Failure::Processes)?;
            listing.processes.iter().map(|process| process.pid).collect()
        }
        Selection::Exe(name) => {
            let listing = pipeline::processes().map_err(Failure::Processes)?;
            let named = listing.processes.iter().filter(|process| process.exe == *name);
            let pids: Vec<u32> = named.map(|process| process.pid).collect();
            if pids.is_empty() {
                return Err(Failure::NoSuchExe { name: name.clone(), refused: listing.refused });
            }
            pids
        }
    };
    if pids.is_empty() {
        return Err(Failure::NoTarget);
    }
    // Each once, in the order they were named.
    let mut seen = std::collections::HashSet::new();
    pids.retain(|&pid| seen.insert(pid));
    Ok(pids)
}
