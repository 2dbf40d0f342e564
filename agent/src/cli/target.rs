//! Which processes and recordings the flags mean, and how to attach to each.

use std::path::Path;
use std::time::Instant;

use super::failure::Failure;
use super::output;
use super::request::{Request, Selection};
use crate::collect::attach::Options;
use crate::collect::saved::Recording;
use crate::collect::{CollectError, Source};
use crate::model::Instance;
use crate::pipeline::{self, Observer, Open};
use crate::report::format;

/// A process that is to be sampled, or a recording.
pub(super) struct NamedTarget {
    /// As it was asked for.
    pub(super) target: Instance,
    /// Whether it was sampled before, so that nothing has to be waited for.
    pub(super) is_saved: bool,
    /// Attaches to it. Nothing is done before that is called.
    pub(super) open: Open,
}

/// All that the flags name, or what was saved of them.
pub(super) fn all(request: &Request) -> Result<Vec<NamedTarget>, Failure> {
    if let Selection::Saved(folder) = &request.selection {
        return saved(folder);
    }
    let pids = pids(&request.selection)?;
    let objects = pids.into_iter().flat_map(|pid| objects(pid, request));
    let target = |(pid, object)| {
        let options = Options { object, ..request.attach.clone() };
        let (save, verbosity) = (request.save.clone(), request.verbosity);
        let open = Box::new(move || open(pid, &options, save.as_deref(), verbosity));
        NamedTarget { target: Instance::Process { pid, library: None }, is_saved: false, open }
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
    save: Option<&Path>,
    verbosity: u8,
) -> Result<Box<dyn Source>, CollectError> {
    let start = Instant::now();
    let source = pipeline::attach(pid, options)?;
    if verbosity > 0 {
        output::say(format_args!("attached to {pid} in {}", format::duration(start.elapsed())));
    }
    match save {
        Some(folder) => pipeline::record(source, folder),
        None => Ok(source),
    }
}

fn saved(folder: &Path) -> Result<Vec<NamedTarget>, Failure> {
    // A wrong name is a matter of the command line.
    std::fs::metadata(folder)
        .map_err(|source| Failure::Unreadable { path: folder.to_owned(), source })?;
    let recordings =
        Recording::all(folder).map_err(|source| Failure::Saved { source: source.into() })?;
    let target = |recording: Recording| NamedTarget {
        target: Instance::Files { path: recording.to_string() },
        is_saved: true,
        open: Box::new(move || Ok(pipeline::replay(recording))),
    };
    Ok(recordings.into_iter().map(target).collect())
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
        Selection::Nobody | Selection::Saved(_) => Vec::new(),
        Selection::Pids(pids) => pids.clone(),
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
