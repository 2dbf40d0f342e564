//! Which processes the flags mean, and attaching to them.

use std::path::Path;

use super::failure::Failure;
use super::output;
use super::request::{Request, Selection};
use crate::collect::attach::Options;
use crate::collect::saved::Recording;
use crate::collect::{CollectError, Source};
use crate::pipeline::{self, Observer};
use crate::report::words;

/// A process that is being looked at.
pub(super) struct Target {
    pub(super) pid: u32,
    pub(super) observer: Observer,
    /// Whether it was looked at before, so that nothing has to be waited for.
    pub(super) is_saved: bool,
}

/// The targets that could be attached to, and what is wrong with the others.
pub(super) struct Targets {
    pub(super) attached: Vec<Target>,
    pub(super) failures: Vec<Failure>,
    /// How many were asked for.
    pub(super) asked: usize,
}

/// Attaches to all that the flags name, or opens what was saved of them.
pub(super) fn attach(request: &Request) -> Result<Targets, Failure> {
    let observer =
        |source| Observer::new(source, request.settings.clone(), request.source_roots.clone());
    if let Selection::Saved(folder) = &request.selection {
        return saved(folder, observer);
    }
    let pids = pids(&request.selection)?;
    let objects: Vec<_> = pids.into_iter().flat_map(|pid| objects(pid, request)).collect();
    let asked = objects.len();
    let mut targets = Targets { attached: Vec::new(), failures: Vec::new(), asked };
    for (pid, object) in objects {
        let options = &Options { object, ..request.attach.clone() };
        let start = std::time::Instant::now();
        match open(pid, options, request.save.as_deref()) {
            Ok(source) => {
                if request.verbosity > 0 {
                    let took = words::duration(start.elapsed());
                    output::say(format_args!("attached to {pid} in {took}"));
                }
                let observer = observer(source);
                targets.attached.push(Target { pid, observer, is_saved: false });
            }
            Err(source) => targets.failures.push(Failure::of(pid, source)),
        }
    }
    Ok(targets)
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

fn open(pid: u32, options: &Options, save: Option<&Path>) -> Result<Box<dyn Source>, CollectError> {
    let source = pipeline::attach(pid, options)?;
    match save {
        Some(folder) => pipeline::record(source, folder),
        None => Ok(source),
    }
}

fn saved(
    folder: &Path,
    observer: impl Fn(Box<dyn Source>) -> Observer,
) -> Result<Targets, Failure> {
    // A wrong name is a matter of the command line.
    std::fs::metadata(folder)
        .map_err(|source| Failure::Unreadable { path: folder.to_owned(), source })?;
    let recordings =
        Recording::all(folder).map_err(|source| Failure::Saved { source: source.into() })?;
    let asked = recordings.len();
    let target = |recording: Recording| Target {
        pid: recording.pid,
        observer: observer(pipeline::replay(recording)),
        is_saved: true,
    };
    let attached = recordings.into_iter().map(target).collect();
    Ok(Targets { attached, failures: Vec::new(), asked })
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
