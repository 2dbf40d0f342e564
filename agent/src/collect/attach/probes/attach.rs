//! The one place where anything is attached to a target.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use aya::Ebpf;
use aya::programs::UProbe;

use super::Event;
use super::error::{ProbeError, is_denied};
use super::holder::{Holder, HolderError, Order};
use super::method::Method;
use super::places::Places;
use crate::golang::probe_points::{self, ProbePoint};
use crate::golang::process::Process;

impl Method {
    const fn program(self, at: probe_points::Event) -> &'static str {
        use probe_points::Event::{Allocate, Create, CreateEvery, Exit, Open, Park};
        match (self, at) {
            (Self::PerfEvent, Create) => "create_go",
            (Self::PerfEvent, CreateEvery) => "create_any",
            (Self::PerfEvent, Park) => "park",
            (Self::PerfEvent, Exit) => "exit",
            (Self::PerfEvent, Open) => "open",
            (Self::PerfEvent, Allocate) => "allocate",
            (Self::UprobeMulti, Create) => "create_go_multi",
            (Self::UprobeMulti, CreateEvery) => "create_any_multi",
            (Self::UprobeMulti, Park) => "park_multi",
            (Self::UprobeMulti, Exit) => "exit_multi",
            (Self::UprobeMulti, Open) => "open_multi",
            (Self::UprobeMulti, Allocate) => "allocate_multi",
        }
    }

    /// The program that watches parks.
    pub(super) const fn park(self) -> &'static str {
        self.program(probe_points::Event::Park)
    }

    /// The number by which uprobes are asked for among perf events; 0 where they are not.
    fn pmu(self) -> Result<u32, ProbeError> {
        if self == Self::UprobeMulti {
            return Ok(0);
        }
        let number = fs::read_to_string(PMU).and_then(|text| {
            text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        });
        number.map_err(|source| ProbeError::Pmu { path: PMU, source })
    }

    const fn capabilities(self) -> &'static str {
        match self {
            Self::UprobeMulti => "cap_bpf,cap_perfmon,cap_sys_ptrace",
            Self::PerfEvent => "cap_sys_admin,cap_bpf,cap_perfmon,cap_sys_ptrace",
        }
    }
}

/// Where the kernel says by which number uprobes are asked for among perf events.
const PMU: &str = "/sys/bus/event_source/devices/uprobe/type";

/// Whom probes reach.
pub(super) struct Reach {
    /// One process.
    pub process: Process,
    /// The very file that the places were found in. Under its path, and behind `/proc/PID/exe`
    /// after an exec, there may be another by now.
    pub executable: File,
}

/// Attaches and detaches the probes of one process. When this is dropped they are gone.
pub(super) struct Attacher {
    ebpf: Ebpf,
    reach: Reach,
    method: Method,
    places: Places,
    holders: Vec<(Event, Holder)>,
}

impl Attacher {
    /// Nothing is attached yet.
    pub(super) fn new(ebpf: Ebpf, reach: Reach, places: Places, method: Option<Method>) -> Self {
        let method = method.unwrap_or_else(Method::best);
        Self { ebpf, reach, method, places, holders: Vec::new() }
    }

    pub(super) const fn method(&self) -> Method {
        self.method
    }

    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    pub(super) fn is_attached(&self, event: Event) -> bool {
        self.holders.iter().any(|(attached, _)| *attached == event)
    }

    /// Events whose probes somebody else took out, by ending their holders.
    pub(super) fn lost(&self) -> impl Iterator<Item = Event> {
        self.holders.iter().filter(|(_, holder)| !holder.is_alive()).map(|(event, _)| *event)
    }

    pub(super) fn attach(&mut self, event: Event) -> Result<(), ProbeError> {
        if self.is_attached(event) {
            return Ok(());
        }
        let point = self.places.get(event)?;
        let program = loaded(&mut self.ebpf, self.method.program(point.event()))?;
        // The one request that there is: at a probe point, never by a symbol's name.
        let order = Order {
            pmu: self.method.pmu()?,
            pid: self.reach.process.pid,
            offset: point.file_offset(),
        };
        let program = program.fd().map_err(|error| ProbeError::program("uprobe", error))?;
        let held = Holder::hold(order, program.as_fd(), self.reach.executable.as_fd());
        let holder = held.map_err(|error| self.refused(event, point, error))?;
        self.holders.push((event, holder));
        Ok(())
    }

    pub(super) fn detach(&mut self, events: &[Event]) -> Result<(), ProbeError> {
        let released = self.holders.extract_if(.., |(event, _)| events.contains(event));
        Holder::release(released.map(|(_, holder)| holder))
            .map_err(|source| ProbeError::Detach { pid: self.reach.process.pid, source })
    }

    fn refused(&self, event: Event, point: &ProbePoint, source: HolderError) -> ProbeError {
        let pid = self.reach.process.pid;
        if !self.reach.process.is_alive() {
            return ProbeError::Exited { pid };
        }
        if is_denied(&source) {
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
            source,
        }
    }
}

impl Drop for Attacher {
    fn drop(&mut self) {
        // A holder that does not end in time does so later: it was let go.
        let _ = self.detach(&Event::ALL);
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
