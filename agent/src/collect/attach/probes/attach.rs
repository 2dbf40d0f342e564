//! The one place where anything is attached to a target.

use std::fmt;
use std::fs::File;
use std::num::NonZeroU32;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use aya::Ebpf;
use aya::programs::uprobe::{UProbeAttachLocation, UProbeLinkId, UProbeScope};
use aya::programs::{ProgramError, UProbe};

use super::error::{ProbeError, is_denied};
use super::feature::{self, Answer};
use super::{Event, Kind, Point};
use crate::golang::process::Process;

/// How the kernel holds a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A `uprobe_multi` link: kernel 6.6, CAP_BPF and CAP_PERFMON, quick to detach.
    UprobeMulti,
    /// A perf event: every kernel that is supported, mostly with CAP_SYS_ADMIN.
    PerfEvent,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UprobeMulti => "uprobe_multi",
            Self::PerfEvent => "perf event",
        })
    }
}

impl Method {
    /// The best that this kernel has. Where it cannot tell, the newer one is tried: it needs less.
    fn best() -> Self {
        match feature::uprobe_multi() {
            Answer::Yes | Answer::CannotTell { .. } => Self::UprobeMulti,
            Answer::No => Self::PerfEvent,
        }
    }

    const fn program(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::PerfEvent, Kind::CreateGo) => "create_go",
            (Self::PerfEvent, Kind::CreateAny) => "create_any",
            (Self::PerfEvent, Kind::Park) => "park",
            (Self::PerfEvent, Kind::Exit) => "exit",
            (Self::UprobeMulti, Kind::CreateGo) => "create_go_multi",
            (Self::UprobeMulti, Kind::CreateAny) => "create_any_multi",
            (Self::UprobeMulti, Kind::Park) => "park_multi",
            (Self::UprobeMulti, Kind::Exit) => "exit_multi",
        }
    }

    const fn capabilities(self) -> &'static str {
        match self {
            Self::UprobeMulti => "cap_bpf,cap_perfmon,cap_sys_ptrace",
            Self::PerfEvent => "cap_sys_admin,cap_bpf,cap_perfmon,cap_sys_ptrace",
        }
    }
}

/// Whom probes reach.
pub(super) struct Reach {
    /// One process.
    pub pid: u32,
    /// Its executable.
    pub executable: File,
}

/// Attaches and detaches the probes of one process.
pub(super) struct Attacher {
    ebpf: Ebpf,
    reach: Reach,
    method: Method,
    points: Vec<Point>,
    links: Vec<(Event, &'static str, UProbeLinkId)>,
}

impl Attacher {
    /// Nothing is attached yet.
    pub(super) fn new(ebpf: Ebpf, reach: Reach, points: &[Point], method: Option<Method>) -> Self {
        let method = method.unwrap_or_else(Method::best);
        Self { ebpf, reach, method, points: points.to_vec(), links: Vec::new() }
    }

    pub(super) const fn method(&self) -> Method {
        self.method
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    pub(super) fn is_attached(&self, event: Event) -> bool {
        self.links.iter().any(|(attached, ..)| *attached == event)
    }

    pub(super) fn attach(&mut self, event: Event) -> Result<(), ProbeError> {
        if self.is_attached(event) {
            return Ok(());
        }
        let of_event = |point: &&Point| point.kind().event() == event;
        let point = *self.points.iter().find(of_event).ok_or(ProbeError::NoPoint { event })?;
        let name = self.method.program(point.kind());
        let program = loaded(&mut self.ebpf, name)?;
        // The one request that there is: at a point, never by a symbol's name.
        let link = program.attach(
            [UProbeAttachLocation::AbsoluteOffset(point.offset())],
            self.reach.path(),
            self.reach.scope()?,
        );
        let link = link.map_err(|error| self.refused(point, error))?;
        self.links.push((event, name, link));
        Ok(())
    }

    pub(super) fn detach(&mut self, event: Event) -> Result<(), ProbeError> {
        let Some(at) = self.links.iter().position(|(attached, ..)| *attached == event) else {
            return Ok(());
        };
        let (_, name, link) = self.links.swap_remove(at);
        let detached = loaded(&mut self.ebpf, name)?.detach(link);
        detached.map_err(|error| ProbeError::Detach { event, source: Box::new(error) })
    }

    fn refused(&self, point: Point, error: ProgramError) -> ProbeError {
        let pid = self.reach.pid;
        if Process::find(pid).is_err() {
            return ProbeError::Exited { pid };
        }
        if is_denied(&error) {
            return ProbeError::Permission {
                action: format!("attach a probe to process {pid}"),
                capabilities: self.method.capabilities(),
            };
        }
        ProbeError::Attach {
            pid,
            kind: point.kind(),
            offset: point.offset(),
            method: self.method,
            source: Box::new(error),
        }
    }
}

impl Reach {
    /// A path that names the open file and no other.
    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.executable.as_raw_fd()))
    }

    fn scope(&self) -> Result<UProbeScope, ProbeError> {
        let pid = NonZeroU32::new(self.pid).ok_or(ProbeError::Exited { pid: self.pid })?;
        Ok(UProbeScope::OneProcess(pid))
    }
}

/// A program, loaded at its first use: those that are never attached are never verified.
fn loaded<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut UProbe, ProbeError> {
    let program = ebpf.program_mut(name).ok_or(ProbeError::NoProgram { program: name })?;
    let failed = |error| ProbeError::program(name, error);
    let program: &mut UProbe = program.try_into().map_err(failed)?;
    if program.fd().is_err() {
        program.load().map_err(failed)?;
    }
    Ok(program)
}
