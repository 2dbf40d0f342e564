//! The one place where anything is attached to a target.

use std::fmt;
use std::fs::File;
use std::num::NonZeroU32;
use std::os::fd::AsRawFd;

use aya::Ebpf;
use aya::programs::uprobe::{UProbeAttachLocation, UProbeLinkId, UProbeScope};
use aya::programs::{ProgramError, UProbe};

use super::Event;
use super::error::{ProbeError, is_denied};
use super::feature::{self, Answer};
use super::places::Places;
use crate::golang::probe_points::{self, ProbePoint};
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
    pub(super) fn best() -> Self {
        match feature::uprobe_multi() {
            Answer::Yes | Answer::CannotTell { .. } => Self::UprobeMulti,
            Answer::No => Self::PerfEvent,
        }
    }

    const fn program(self, at: probe_points::Event) -> &'static str {
        use probe_points::Event::{Create, CreateEvery, Exit, Park};
        match (self, at) {
            (Self::PerfEvent, Create) => "create_go",
            (Self::PerfEvent, CreateEvery) => "create_any",
            (Self::PerfEvent, Park) => "park",
            (Self::PerfEvent, Exit) => "exit",
            (Self::UprobeMulti, Create) => "create_go_multi",
            (Self::UprobeMulti, CreateEvery) => "create_any_multi",
            (Self::UprobeMulti, Park) => "park_multi",
            (Self::UprobeMulti, Exit) => "exit_multi",
        }
    }

    /// The program that watches parks.
    pub(super) const fn park(self) -> &'static str {
        self.program(probe_points::Event::Park)
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
    pub process: Process,
    /// The very file that the places were found in. Under its path, and behind `/proc/PID/exe`
    /// after an exec, there may be another by now.
    pub executable: File,
}

/// Attaches and detaches the probes of one process.
pub(super) struct Attacher {
    ebpf: Ebpf,
    reach: Reach,
    method: Method,
    places: Places,
    links: Vec<(Event, &'static str, UProbeLinkId)>,
}

impl Attacher {
    /// Nothing is attached yet.
    pub(super) fn new(ebpf: Ebpf, reach: Reach, places: Places, method: Option<Method>) -> Self {
        let method = method.unwrap_or_else(Method::best);
        Self { ebpf, reach, method, places, links: Vec::new() }
    }

    pub(super) const fn method(&self) -> Method {
        self.method
    }

    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    pub(super) fn is_attached(&self, event: Event) -> bool {
        self.links.iter().any(|(attached, ..)| *attached == event)
    }

    pub(super) fn attach(&mut self, event: Event) -> Result<(), ProbeError> {
        if self.is_attached(event) {
            return Ok(());
        }
        let point = self.places.get(event)?;
        let name = self.method.program(point.event());
        let program = loaded(&mut self.ebpf, name)?;
        // The one request that there is: at a probe point, never by a symbol's name.
        let link = program.attach(
            [UProbeAttachLocation::AbsoluteOffset(point.file_offset())],
            format!("/proc/self/fd/{}", self.reach.executable.as_raw_fd()),
            self.reach.scope()?,
        );
        let link = link.map_err(|error| self.refused(event, point, error))?;
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

    fn refused(&self, event: Event, point: &ProbePoint, error: ProgramError) -> ProbeError {
        let pid = self.reach.process.pid;
        if !self.reach.process.is_alive() {
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
            event,
            function: point.function(),
            offset: point.offset(),
            method: self.method,
            source: Box::new(error),
        }
    }
}

impl Reach {
    fn scope(&self) -> Result<UProbeScope, ProbeError> {
        let pid = self.process.pid;
        let pid = NonZeroU32::new(pid).ok_or(ProbeError::Exited { pid })?;
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
