//! The resources part of a sample: descriptors, threads, mappings and children, from /proc.
//!
//! Every sample counts; what each thing is costs more, and is read as often as a bounded part of one
//! processor allows. A crate that reads whole files of /proc (procfs) would have no such bounds.

mod children;
mod descriptors;
mod groups;
mod limits;
mod link;
mod mappings;
mod opened;
mod pattern;
mod sockets;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::probes::CallSite;
use crate::golang::process::Process;
use crate::model::{
    Coverage, CoverageNote, FrameId, Opened, ResourceDetails, ResourceKey, ResourcePart, Resources,
    StackId, Usage,
};
use descriptors::Descriptors;
use groups::{Groups, Member};
use limits::Limits;
pub(super) use opened::DescriptorBirths;
use opened::Openings;

/// After details that took so long nothing is looked at one by one for this many times that.
const REST: u32 = 50;
/// Nor for longer than this.
const MAX_REST: Duration = Duration::from_secs(60);

/// Follows what one process holds.
#[derive(Default)]
pub(super) struct Holdings {
    /// When details may be read again, by the monotonic clock.
    next: Duration,
    descriptors: Descriptors,
    groups: Groups,
    limits: Limits,
    openings: Openings,
    /// What there is to say of the last details.
    notes: Vec<CoverageNote>,
}

impl Holdings {
    /// What the process holds at `now`, by the monotonic clock. `births` says what the kernel knows of
    /// descriptors with these numbers, and `None` where it was not asked to watch.
    pub(super) fn read(
        &mut self,
        process: &Process,
        now: Duration,
        births: impl FnOnce(&[u64]) -> Option<DescriptorBirths>,
        coverage: &mut Coverage,
    ) -> Resources {
        let folder = process.folder();
        let mut seen = Resources::default();
        let status = Status::read(&folder);
        if now >= self.next {
            let start = cpu_time();
            self.notes.clear();
            self.limits = Limits::read(process.pid, &folder);
            let found = self.details(process, &folder, status, &mut seen);
            if let Some(details) = &seen.details {
                let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
                let births = births(&numbers);
                let told = (&self.groups, details.one_in);
                self.openings.read(now, &found, births.as_ref(), told);
                self.notes.extend(self.openings.note());
            }
            let took = cpu_time().saturating_sub(start);
            self.next = now + (took * REST).min(MAX_REST);
        } else {
            let count = descriptors::count(&folder);
            seen.descriptors = count.map(|count| Usage::within(count, self.limits.descriptors));
        }
        seen.threads =
            status.threads.map(|count| Usage { count, limit: self.limits.threads(count) });
        if process.is_alive() {
            coverage.notes.extend(self.notes.iter().cloned());
        }
        seen
    }

    /// How many descriptors were opened at which stack, by name, as of the last details. `name` keeps a
    /// stack once; `None` where there is no room for it.
    pub(super) fn opened(
        &self,
        mut name: impl FnMut(&CallSite) -> Option<(StackId, Option<FrameId>)>,
    ) -> Vec<Opened> {
        let opened = self.openings.counts().filter_map(|(key, site, count)| {
            let (stack, created_by) = name(site)?;
            Some(Opened { key: key.clone(), stack, created_by, count })
        });
        opened.collect()
    }

    /// Reads what each thing is; the descriptors that were looked at.
    fn details(
        &mut self,
        process: &Process,
        folder: &Path,
        status: Status,
        seen: &mut Resources,
    ) -> Vec<(u64, Member)> {
        self.groups.begin();
        let (mut one_in, mut found) = (1, Vec::new());
        match self.descriptors.read(folder, status.table, &mut self.groups) {
            Ok(read) => {
                (one_in, found) = (read.one_in, read.found);
                seen.descriptors = Some(Usage::within(read.count, self.limits.descriptors));
                self.notes.extend(read.notes);
            }
            Err(error) => self.unread(ResourcePart::Descriptors, &error),
        }
        match mappings::read(folder, &mut self.groups) {
            Ok((count, note)) => {
                seen.mappings = Some(Usage::within(count, self.limits.mappings));
                self.notes.extend(note);
            }
            Err(error) => self.unread(ResourcePart::Mappings, &error),
        }
        match children::read(process.pid, &mut self.groups) {
            Ok((count, note)) => {
                seen.children = Some(Usage { count, limit: None });
                self.notes.extend(note);
            }
            Err(error) => self.unread(ResourcePart::Children, &error),
        }
        seen.details = Some(ResourceDetails { groups: self.groups.end(one_in), one_in });
        found
    }

    fn unread(&mut self, part: ResourcePart, error: &io::Error) {
        self.notes.push(CoverageNote::ResourcesUnread { part, why: error.to_string() });
    }
}

/// An open descriptor.
pub(super) struct OpenDescriptor {
    /// What it leads to.
    pub(super) key: ResourceKey,
    /// It is a connection that the other end has closed.
    pub(super) is_closed_by_peer: bool,
}

/// The open descriptors of a process, by their numbers, and how many each stands for: of very many an even sample.
///
/// # Errors
/// When they cannot be listed.
pub(super) fn descriptors(process: &Process) -> io::Result<(HashMap<u64, OpenDescriptor>, u64)> {
    let folder = process.folder();
    let mut groups = Groups::default();
    groups.begin();
    let table = Status::read(&folder).table;
    let read = Descriptors::default().read(&folder, table, &mut groups)?;
    let _ = groups.end(read.one_in);
    let opened = |(number, member): &(u64, Member)| {
        let is_closed_by_peer = groups.is_closed_by_peer(*member);
        Some((*number, OpenDescriptor { key: groups.key(*member)?.clone(), is_closed_by_peer }))
    };
    Ok((read.found.iter().filter_map(opened).collect(), read.one_in))
}

/// What of `/proc/PID/status` is needed (proc_pid_status(5)).
#[derive(Clone, Copy, Default)]
struct Status {
    threads: Option<u64>,
    /// Places in the table of descriptors: no open one has a higher number.
    table: Option<u64>,
}

impl Status {
    fn read(folder: &Path) -> Self {
        // A process's name may hold any byte.
        let text = fs::read(folder.join("status")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let number = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key))?;
            value.trim().parse().ok()
        };
        Self { threads: number("Threads:"), table: number("FDSize:") }
    }
}

/// Processor time of this thread.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
