//! The folder in which the daemon keeps some samples of each target's window, for the daemon after it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::output;
use crate::collect::saved::Shelf;
use crate::discover::Found;
use crate::error_chain::one_line;
use crate::model::Observation;
use crate::pipeline::KeepWindow;

/// The folder of all windows, in that of what outlives the agent.
const FOLDER: &str = "windows";

/// The windows of all targets.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    folder: PathBuf,
    /// Of this boot: process ids and starts begin anew with each.
    boot: String,
}

impl Windows {
    pub(super) fn new(state: &Path) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = boot.chars().take(8).filter(char::is_ascii_hexdigit).collect();
        Self { folder: state.join(FOLDER), boot }
    }

    /// What keeps one target's.
    pub(super) fn of(&self, found: &Found) -> Box<dyn KeepWindow> {
        let folder = self.folder.join(self.name(found));
        Box::new(Shelved {
            name: found.names.exe.clone(),
            shelf: Shelf::new(folder),
            failed: false,
        })
    }

    /// A target is there no more, and neither is its window.
    pub(super) fn forget(&self, found: &Found) {
        Shelf::new(self.folder.join(self.name(found))).clear();
    }

    /// Removes the windows of all that are none of these.
    pub(super) fn retain<'a>(&self, found: impl Iterator<Item = &'a Found>) {
        let known: BTreeSet<String> = found.map(|found| self.name(found)).collect();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| !known.contains(name)) {
                Shelf::new(entry.path()).clear();
            }
        }
    }

    /// `4711-123456-7ffc1234-1a2b3c4d`: process, start, program, boot; and which of several runtimes.
    fn name(&self, found: &Found) -> String {
        let Found { pid, started_ticks, image, object, .. } = found;
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
        let object: String =
            object.iter().flat_map(|name| name.chars().take(60)).map(plain).collect();
        let object = if object.is_empty() { object } else { format!("-{object}") };
        format!("{pid}-{started_ticks}-{image:x}-{}{object}", self.boot)
    }
}

/// One target's.
struct Shelved {
    name: String,
    shelf: Shelf,
    /// It was said that nothing can be kept.
    failed: bool,
}

impl KeepWindow for Shelved {
    fn recall(&mut self, first: &Observation) -> Vec<Observation> {
        let (mut kept, fault) = self.shelf.take();
        if let Some(fault) = fault {
            output::say(format_args!(
                "{}: its window begins later: {}",
                self.name,
                one_line(&fault)
            ));
        }
        let of = |sample: &Observation| {
            (sample.target.exe.clone(), sample.target.go_version.clone(), sample.target.pid())
        };
        if kept.iter().any(|sample| of(sample) != of(first)) {
            self.shelf.clear();
            return Vec::new();
        }
        for sample in &mut kept {
            sample.target = Arc::clone(&first.target);
        }
        kept
    }

    fn keep(&mut self, number: u64, sample: &Observation) {
        match self.shelf.put(number, sample) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                output::say(format_args!(
                    "{}: its window cannot be kept: {error}; after a restart it begins anew",
                    self.name
                ));
            }
            Err(_) => {}
        }
    }

    fn forget(&mut self, number: u64) {
        self.shelf.remove(number);
    }

    fn begin_anew(&mut self) {
        self.shelf.clear();
    }
}
