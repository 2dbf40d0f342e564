//! Which processes the flags mean, and attaching to them.

use super::args::Common;
use super::failure::Failure;
use crate::analyze::Settings;
use crate::collect::attach::Options;
use crate::pipeline::{self, Observer};
use crate::report::words;

/// A process that is being looked at.
pub(super) struct Target {
    pub(super) pid: u32,
    pub(super) observer: Observer,
}

/// The targets that could be attached to, and what is wrong with the others.
pub(super) struct Targets {
    pub(super) attached: Vec<Target>,
    pub(super) failures: Vec<Failure>,
    /// How many were asked for.
    pub(super) asked: usize,
}

/// Attaches to all that the flags name.
pub(super) fn attach(common: &Common, options: &Options) -> Result<Targets, Failure> {
    let pids = pids(common)?;
    let asked = pids.len();
    let mut targets = Targets { attached: Vec::new(), failures: Vec::new(), asked };
    for pid in pids {
        let start = std::time::Instant::now();
        match pipeline::attach(pid, options) {
            Ok(source) => {
                if common.verbose > 0 {
                    eprintln!("attached to {pid} in {}", words::duration(start.elapsed()));
                }
                targets.attached.push(Target {
                    pid,
                    observer: Observer::new(
                        source,
                        Settings::default(),
                        common.source_root.clone(),
                    ),
                });
            }
            Err(source) => targets.failures.push(Failure::Target { pid, source }),
        }
    }
    Ok(targets)
}

impl Targets {
    /// Whether several were asked for, so that output has to be for several.
    pub(super) const fn several(&self) -> bool {
        self.asked > 1
    }
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

/// The processes that the flags name, each once.
pub(super) fn pids(common: &Common) -> Result<Vec<u32>, Failure> {
    let mut pids = match &common.exe {
        None => common.pid.clone(),
        Some(name) => {
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
