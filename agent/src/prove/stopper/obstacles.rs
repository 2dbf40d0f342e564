//! What stands in the way of holding a target still: found out before anything is done to it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::error::{MemoryOf, StopError};
use super::forecast::Forecast;
use super::messages::How;
use super::request::Request;
use crate::golang::task::living;
use crate::host::memory::Allowance;
use crate::host::process_memory::ProcessMemory;
use crate::host::processes::{ProcessesLeft, left_for};
use crate::host::status::Status;
use crate::host::{Seccomp, commit};

/// A target must be able to start that many threads more: a Go program that cannot ends.
const MIN_PROCESSES: u64 = 64;
/// What must be left beyond what the clone itself takes at once.
const MIN_BYTES: u64 = 32 << 20;
/// While a copy lives, each page that the target writes is copied. Of all its pages that part must fit in at the least.
const WRITTEN_PART: u64 = 8;

/// What is known of a target before it is touched.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) pid: u32,
    pub(super) memory: ProcessMemory,
    /// That of one thread, with the strictest filter of all.
    status: Status,
    has_async_reads: bool,
    processes: Option<ProcessesLeft>,
    group: Option<Allowance>,
    available_bytes: Option<u64>,
    commit_bytes: Option<u64>,
}

impl Target {
    /// Reads it from /proc.
    pub(super) fn of(pid: u32) -> Result<Self, StopError> {
        let gone = || StopError::Gone { pid };
        let thread = living(pid).ok_or_else(gone)?;
        let mut status = Status::of(thread).map_err(|_| gone())?;
        status.seccomp = any_filter(pid).or(status.seccomp);
        Ok(Self {
            pid,
            memory: ProcessMemory::read(Path::new(&format!("/proc/{thread}"))).ok_or_else(gone)?,
            status,
            has_async_reads: has_async_reads(pid, thread),
            processes: left_for(pid),
            group: Allowance::of_process_at_full_speed(pid),
            available_bytes: commit::available_bytes(),
            commit_bytes: commit::left_bytes(),
        })
    }

    /// Whether it stands by itself.
    pub(super) const fn is_stopped(&self) -> bool {
        self.status.state == 'T'
    }

    /// Whether its pids are others than those that it sees itself.
    pub(super) fn has_own_pids(&self) -> bool {
        self.status.ns_pids.len() > 1
    }

    /// Why it is not to be held in some way, if there is a reason.
    pub(super) fn obstacle(
        &self,
        how: How,
        request: &Request,
        forecast: &Forecast,
    ) -> Option<StopError> {
        let pid = self.pid;
        if self.status.tracer != 0 {
            return Some(StopError::Traced { pid, tracer: self.status.tracer });
        }
        if !matches!(self.status.seccomp, None | Some(Seccomp::Off)) {
            return Some(StopError::Filtered { pid });
        }
        match how {
            How::Clone => self
                .against_cloning()
                .or_else(|| self.too_long(how, forecast.clone(&self.memory), request.max_pause)),
            How::Freeze => {
                let predicted = forecast.freeze(&self.memory, request.reading);
                self.too_long(how, predicted, request.max_pause)
            }
        }
    }

    fn too_long(&self, how: How, predicted: Duration, allowed: Duration) -> Option<StopError> {
        let pid = self.pid;
        (predicted > allowed).then_some(StopError::TooLong { pid, how, predicted, allowed })
    }

    fn against_cloning(&self) -> Option<StopError> {
        let pid = self.pid;
        if self.is_stopped() {
            return Some(StopError::Stopped { pid });
        }
        if self.status.has_shadow_stack {
            return Some(StopError::ShadowStack { pid });
        }
        if self.has_async_reads {
            return Some(StopError::AsyncReads { pid });
        }
        if let Some(few) = self.processes.filter(|it| it.left < MIN_PROCESSES) {
            return Some(StopError::FewProcesses { pid, left: few.left, limit: few.limit });
        }
        let needed = self.needed_bytes();
        let limits = [
            (MemoryOf::Cgroup, self.group.map(|it| it.left_bytes()), needed),
            (MemoryOf::Machine, self.available_bytes, needed),
            (MemoryOf::Commit, self.commit_bytes, self.memory.private_bytes),
        ];
        limits.into_iter().find_map(|(where_, left, needed_bytes)| {
            let left_bytes = left.filter(|left| *left < needed_bytes)?;
            Some(StopError::LittleMemory { pid, where_, left_bytes, needed_bytes })
        })
    }

    /// Its page tables at once, and a part of its memory by and by.
    fn needed_bytes(&self) -> u64 {
        let written = self.memory.anonymous_bytes / WRITTEN_PART;
        self.memory.page_tables_bytes.saturating_add(written).saturating_add(MIN_BYTES)
    }
}

/// A filter of system calls that some thread of a process has.
fn any_filter(pid: u32) -> Option<Seccomp> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let statuses = threads
        .filter_map(|it| Status::parse(&fs::read(it.ok()?.path().join("status")).ok()?).ok());
    statuses.filter_map(|it| it.seccomp).find(|it| *it != Seccomp::Off)
}

/// Whether the kernel may read into a process's memory while all its threads stand.
fn has_async_reads(pid: u32, thread: u32) -> bool {
    let maps = fs::read(format!("/proc/{pid}/task/{thread}/maps")).unwrap_or_default();
    maps_async_reads(&maps)
}

/// Whether rings of requests are among what a process maps.
fn maps_async_reads(maps: &[u8]) -> bool {
    let rings = [&b" /[aio] (deleted)"[..], b" /[aio]", b" anon_inode:[io_uring]"];
    maps.split(|it| *it == b'\n').any(|line| rings.iter().any(|ring| line.ends_with(ring)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::processes::ProcessLimit;

    fn target() -> Target {
        let mut target = Target::of(std::process::id()).expect("we run");
        target.status.seccomp = Some(Seccomp::Off);
        target.status.tracer = 0;
        target.status.state = 'S';
        target.memory = ProcessMemory {
            anonymous_bytes: 80 << 20,
            private_bytes: 1 << 30,
            threads: 9,
            ..ProcessMemory::default()
        };
        (target.processes, target.group) = (None, None);
        (target.available_bytes, target.commit_bytes) = (None, None);
        target
    }

    fn obstacle(target: &Target, how: How) -> Option<StopError> {
        target.obstacle(how, &Request::new(1), &Forecast::default())
    }

    #[test]
    fn nothing_stands_in_the_way_of_most() {
        assert!(obstacle(&target(), How::Clone).is_none());
        let brief = Request { reading: Duration::from_millis(5), ..Request::new(1) };
        assert!(target().obstacle(How::Freeze, &brief, &Forecast::default()).is_none());
    }

    #[test]
    fn each_obstacle_is_named() {
        let mut traced = target();
        traced.status.tracer = 7;
        for how in [How::Clone, How::Freeze] {
            assert!(matches!(obstacle(&traced, how), Some(StopError::Traced { tracer: 7, .. })));
        }
        let mut filtered = target();
        filtered.status.seccomp = Some(Seccomp::Filter);
        for how in [How::Clone, How::Freeze] {
            assert!(matches!(obstacle(&filtered, how), Some(StopError::Filtered { .. })));
        }
        let mut reading = target();
        reading.has_async_reads = true;
        assert!(matches!(obstacle(&reading, How::Clone), Some(StopError::AsyncReads { .. })));
        let mut shadowed = target();
        shadowed.status.has_shadow_stack = true;
        assert!(matches!(obstacle(&shadowed, How::Clone), Some(StopError::ShadowStack { .. })));
        let mut few = target();
        few.processes = Some(ProcessesLeft { left: 63, limit: ProcessLimit::Cgroup });
        assert!(matches!(
            obstacle(&few, How::Clone),
            Some(StopError::FewProcesses { left: 63, .. })
        ));
        let mut stopped = target();
        stopped.status.state = 'T';
        assert!(matches!(obstacle(&stopped, How::Clone), Some(StopError::Stopped { .. })));
        let brief = Request { reading: Duration::ZERO, ..Request::new(1) };
        assert!(stopped.obstacle(How::Freeze, &brief, &Forecast::default()).is_none());
    }

    #[test]
    fn memory_must_be_left_wherever_it_is_limited() {
        let needed = (10 << 20) + MIN_BYTES;
        let short = |edit: &dyn Fn(&mut Target, u64), needed: u64| {
            let mut target = target();
            edit(&mut target, needed);
            assert!(obstacle(&target, How::Clone).is_none());
            edit(&mut target, needed - 1);
            match obstacle(&target, How::Clone) {
                Some(StopError::LittleMemory { where_, needed_bytes, .. }) => {
                    assert_eq!(needed_bytes, needed);
                    where_
                }
                other => panic!("{other:?}"),
            }
        };
        let group = |limit_bytes| Some(Allowance { limit_bytes, used_bytes: 0 });
        assert_eq!(short(&|it, left| it.group = group(left), needed), MemoryOf::Cgroup);
        assert_eq!(short(&|it, left| it.available_bytes = Some(left), needed), MemoryOf::Machine);
        assert_eq!(short(&|it, left| it.commit_bytes = Some(left), 1 << 30), MemoryOf::Commit);
    }

    #[test]
    fn what_would_take_too_long_is_refused_with_both_times() {
        let mut large = target();
        large.memory.anonymous_bytes = 64 << 30;
        match obstacle(&large, How::Clone) {
            Some(StopError::TooLong { how: How::Clone, predicted, allowed, .. }) => {
                assert!(predicted > allowed, "{predicted:?}");
            }
            other => panic!("{other:?}"),
        }
        let long = Request { reading: Duration::from_secs(1), ..Request::new(1) };
        let refused = target().obstacle(How::Freeze, &long, &Forecast::default());
        assert!(matches!(refused, Some(StopError::TooLong { how: How::Freeze, .. })));
    }

    #[test]
    fn rings_of_requests_are_seen_among_what_is_mapped() {
        let maps = b"7f00-7f01 rw-s 0 00:0e 11  anon_inode:[io_uring]\n7f02-7f03 rw-p 0 00:00 0 \n";
        assert!(maps_async_reads(maps));
        assert!(maps_async_reads(b"7f00-7f01 rw-s 0 00:0b 7     /[aio] (deleted)\n"));
        assert!(!maps_async_reads(b"7f00-7f01 rw-p 0 00:00 0   [heap]\n"));
        assert!(!has_async_reads(std::process::id(), std::process::id()));
    }

    #[test]
    fn who_is_not_there_is_gone() {
        assert!(matches!(Target::of(u32::MAX), Err(StopError::Gone { .. })));
    }
}
