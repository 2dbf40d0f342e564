//! Probes in the target's Go runtime: loaded, attached and detached one event at a time, and read.
//!
//! The kernel keeps a table of goroutines and counts by creation site. What it sees stays there
//! until it is read: no hit wakes the agent.

mod attach;
mod error;
mod feature;
mod mapping;
mod object;
mod point;
mod table;

use std::fs::File;

use leak_agent_common::limits;
pub use leak_agent_common::{Counters, Event, Settings, Site, Slot, State};

use crate::golang::arch::Arch;
use crate::golang::{Program, probe_points as golang};
pub use attach::Method;
use attach::{Attacher, Reach};
pub use error::ProbeError;
pub use feature::{Answer, uprobe_multi};
pub use object::Object;
pub use point::{Kind, Point, PointError};
pub use table::Reading;
use table::Table;

/// Whom to probe, where, and how much to keep.
pub struct Spec {
    /// The process.
    pub pid: u32,
    /// The very file that the points were found in: probes go on this one, whatever stands under
    /// its path by now.
    pub executable: File,
    /// The processor that it runs on.
    pub arch: Arch,
    /// Where probes may be: at most one an event.
    pub points: Vec<Point>,
    /// What the programs must know of the target.
    pub settings: Settings,
    /// How much the kernel keeps.
    pub sizes: Sizes,
    /// The programs.
    pub object: Object,
    /// How to attach; `None` for the best that this kernel has.
    pub method: Option<Method>,
}

impl Spec {
    /// For a program that runs, with every point that was found in it.
    ///
    /// # Errors
    /// When it does not run, or its file cannot be held open.
    pub fn of(program: &Program, sizes: Sizes) -> Result<Self, ProbeError> {
        let pid = program.process().pid;
        let probing = program.probing().ok_or(ProbeError::Exited { pid })?;
        let found = |event| probing.points.get(event).ok().map(Point::of);
        // A goroutine of every kind, or, where that has no place, those of `go` statements.
        let create = found(golang::Event::CreateEvery).or_else(|| found(golang::Event::Create));
        let points = [create, found(golang::Event::Park), found(golang::Event::Exit)];
        let arch = program.binary().arch;
        Ok(Self {
            pid,
            executable: probing.executable.try_clone().map_err(ProbeError::Executable)?,
            arch,
            points: points.into_iter().flatten().collect::<Result<_, _>>()?,
            settings: settings(program),
            sizes,
            object: Object::embedded(arch),
            method: None,
        })
    }
}

/// What the programs must know of a Go program.
#[must_use]
pub fn settings(program: &Program) -> Settings {
    let binary = program.binary();
    let g = &binary.layout.layout.g;
    Settings {
        goid: g.goid,
        parent_goid: g.parent_goid,
        gopc: g.gopc,
        startpc: g.startpc,
        // Up to Go 1.23, newproc1 sets the id behind its last casgstatus.
        newproc1_sets_goid: u32::from(binary.version.minor >= 24),
    }
}

/// How many entries the kernel's tables have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Goroutine structs.
    pub slots: u32,
    /// Creation sites.
    pub sites: u32,
}

impl Sizes {
    /// Room for twice the goroutines that there are, within limits.
    #[must_use]
    pub fn for_goroutines(count: usize) -> Self {
        let slots = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(2);
        let slots = slots.clamp(limits::MIN_SLOTS, limits::MAX_SLOTS).next_power_of_two();
        Self { slots, sites: limits::MAX_SITES / 4 }
    }
}

/// Probes of one process, loaded. They are gone, from the kernel too, when this is dropped.
pub struct Probes {
    // Before the attacher: what is mapped is unmapped first.
    table: Table,
    attacher: Attacher,
}

impl Probes {
    /// Loads the programs into the kernel. Nothing is attached yet.
    ///
    /// # Errors
    /// When the kernel refuses, or a point does not stand on an instruction that bears a probe.
    pub fn load(spec: &Spec) -> Result<Self, ProbeError> {
        for point in &spec.points {
            point.inspect(spec.arch, &spec.executable)?;
        }
        let executable = spec.executable.try_clone().map_err(ProbeError::Executable)?;
        let mut ebpf = spec.object.load(spec)?;
        let table = Table::of(&mut ebpf, spec.sizes)?;
        let reach = Reach { pid: spec.pid, executable };
        Ok(Self { table, attacher: Attacher::new(ebpf, reach, &spec.points, spec.method) })
    }

    /// Attaches an event's probe. One that is attached stays so.
    ///
    /// # Errors
    /// When the event has no point, the kernel refuses, or the process is gone.
    pub fn attach(&mut self, event: Event) -> Result<(), ProbeError> {
        self.attacher.attach(event)
    }

    /// Detaches an event's probe. The target runs on at full speed at once; the kernel takes some
    /// tens of milliseconds to return. One that is not attached stays so.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn detach(&mut self, event: Event) -> Result<(), ProbeError> {
        self.attacher.detach(event)
    }

    /// Whether an event's probe is attached.
    #[must_use]
    pub fn is_attached(&self, event: Event) -> bool {
        self.attacher.is_attached(event)
    }

    /// The only places where probes are ever attached.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        self.attacher.points()
    }

    /// How probes are attached.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.attacher.method()
    }

    /// What the programs counted since they were loaded, over all processors.
    ///
    /// # Errors
    /// When the kernel refuses to read them.
    pub fn counters(&self) -> Result<Counters, ProbeError> {
        self.table.counters()
    }

    /// Appends every goroutine struct that the kernel has seen, dead ones too.
    pub fn goroutines(&self, into: &mut Vec<Slot>) -> Reading {
        self.table.goroutines(into)
    }

    /// Appends every creation site that the kernel has seen.
    pub fn sites(&self, into: &mut Vec<Site>) -> Reading {
        self.table.sites(into)
    }
}
