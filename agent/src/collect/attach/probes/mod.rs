//! Probes in the target's Go runtime: loaded, attached and detached one event at a time, and read.
//!
//! The kernel keeps a table of goroutines, counts by creation site, and when and at which stack each
//! descriptor was opened and each large object allocated. What it sees stays there until it is read: no hit wakes the agent.

mod attach;
pub(super) mod calibration;
mod error;
mod holder;
mod log;
mod mapping;
mod method;
mod object;
mod places;
mod table;

use leak_agent_common::limits;
pub use leak_agent_common::{Birth, CallSite, Counters, Event, Large, Settings, Site, Slot, State};

use crate::golang::Program;
use crate::golang::heap::Heap;
use crate::golang::probe_points::{self, ProbePoint};
use crate::host::kernel::sys_is_mounted;
use attach::{Attacher, Reach};
pub use error::ProbeError;
pub use holder::{HolderError, Holding, start as start_holding};
pub use method::Method;
pub use object::Object;
use places::Places;
pub use table::Reading;
use table::Table;

/// What to load for a program.
pub struct Spec<'a> {
    /// The program.
    pub program: &'a Program,
    /// How much the kernel keeps.
    pub sizes: Sizes,
    /// What runs in the kernel.
    pub object: Object,
    /// How to attach; `None` for the best that this kernel has.
    pub method: Option<Method>,
}

impl<'a> Spec<'a> {
    /// For a program with this many goroutines, what is best on this host.
    #[must_use]
    pub fn of(program: &'a Program, goroutines: usize) -> Self {
        Self {
            program,
            sizes: Sizes::for_goroutines(goroutines),
            object: Object::embedded(program.binary().arch),
            method: None,
        }
    }

    /// What the programs must know of the target.
    fn settings(&self, places: &Places) -> Settings {
        let layout = &self.program.binary().layout.layout;
        let g = &layout.g;
        let create = places.get(Event::Create);
        Settings {
            goid: g.goid,
            parent_goid: g.parent_goid,
            gopc: g.gopc,
            startpc: g.startpc,
            m: g.m,
            curg: layout.m.curg,
            // `gobuf` ends with lr and bp, in every version.
            sched_bp: g.sched_lr + 8,
            newproc1_sets_goid: u32::from(create.is_ok_and(ProbePoint::goid_is_set)),
            sysfd: probe_points::SYSFD,
            // Without it the programs read something else there, and none of them is attached.
            span_start: self.program.heap().ok().and_then(Heap::span_start).unwrap_or(0),
        }
    }
}

/// How many entries the kernel's tables have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Goroutine structs.
    pub slots: u32,
    /// Creation sites.
    pub sites: u32,
    /// Stacks that descriptors are opened at, and large objects allocated.
    pub call_sites: u32,
    /// Descriptors, by their numbers.
    pub descriptors: u32,
    /// Objects with a span of their own.
    pub large: u32,
}

impl Sizes {
    /// Room for twice the goroutines that there are, within limits.
    #[must_use]
    pub fn for_goroutines(count: usize) -> Self {
        let slots = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(2);
        let slots = slots.clamp(limits::MIN_SLOTS, limits::MAX_SLOTS).next_power_of_two();
        Self {
            slots,
            sites: limits::MAX_SITES / 4,
            call_sites: limits::MAX_CALL_SITES,
            descriptors: limits::MAX_DESCRIPTORS,
            large: limits::MAX_LARGE,
        }
    }
}

/// Probes of one process, loaded. They are gone, from the kernel too, when this is dropped.
pub struct Probes {
    log: Option<log::KernelLog>,
    // Before the attacher: what is mapped is unmapped first.
    table: Table,
    attacher: Attacher,
}

impl Probes {
    /// Loads the programs into the kernel. Nothing is attached yet.
    ///
    /// # Errors
    /// When the kernel refuses, or a place does not hold the instruction that it is to hold.
    pub fn load(spec: &Spec<'_>) -> Result<Self, ProbeError> {
        let pid = spec.program.process().pid;
        if spec.program.process().has_lost_first_thread() {
            return Err(ProbeError::NoFirstThread { pid });
        }
        if !sys_is_mounted() {
            return Err(ProbeError::NoSys);
        }
        let probing = spec.program.probing().ok_or(ProbeError::NotLive { pid })?;
        let places = Places::choose(spec.program, &probing.points);
        for point in places.all() {
            places::inspect(point, spec.program.binary().arch, &probing.executable)?;
        }
        let mut ebpf = spec.object.load(spec.settings(&places), spec.sizes)?;
        let log = log::KernelLog::of(&mut ebpf);
        let table = Table::of(&mut ebpf, spec.sizes)?;
        let executable = probing.executable.try_clone();
        let executable = executable.map_err(|source| ProbeError::Executable { source })?;
        let reach = Reach { process: spec.program.process().clone(), executable };
        Ok(Self { log, table, attacher: Attacher::new(ebpf, reach, places, spec.method) })
    }

    /// Attaches an event's probe. One that is attached stays so.
    ///
    /// # Errors
    /// When the event has no place, the kernel refuses, or the process is gone.
    pub fn attach(&mut self, event: Event) -> Result<(), ProbeError> {
        self.attacher.attach(event)
    }

    /// Detaches an event's probe. The target runs on at full speed at once; the kernel takes some
    /// tens of milliseconds to return. One that is not attached stays so.
    ///
    /// # Errors
    /// When the probe may still be there.
    pub fn detach(&mut self, event: Event) -> Result<(), ProbeError> {
        self.attacher.detach(&[event])
    }

    /// As [`Probes::detach`], several at once, which takes no longer than one.
    ///
    /// # Errors
    /// When any of them may still be there.
    pub fn detach_all(&mut self, events: &[Event]) -> Result<(), ProbeError> {
        self.attacher.detach(events)
    }

    /// The events whose probes are gone though they were not detached: somebody ended the processes
    /// that held them. They count as attached until they are detached.
    pub fn lost(&self) -> impl Iterator<Item = Event> {
        self.attacher.lost()
    }

    /// Whether an event's probe is attached.
    #[must_use]
    pub fn is_attached(&self, event: Event) -> bool {
        self.attacher.is_attached(event)
    }

    /// Where an event would be probed.
    ///
    /// # Errors
    /// When this program has no place for it.
    pub fn place(&self, event: Event) -> Result<&ProbePoint, ProbeError> {
        self.attacher.places().get(event)
    }

    /// The only places where probes are ever attached.
    pub fn points(&self) -> impl Iterator<Item = &ProbePoint> {
        self.attacher.places().all()
    }

    /// How probes are attached.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.attacher.method()
    }

    /// Hands what the programs said since the last time to this process's log, if it takes anything.
    pub fn pass_on_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.pass_on();
        }
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

    /// Every stack at which the kernel saw descriptors being opened or objects allocated, by the places that births name.
    #[must_use]
    pub fn call_sites(&self) -> Vec<CallSite> {
        self.table.call_sites()
    }

    /// When and where the descriptor with a number was opened last; `None` where that was not seen.
    #[must_use]
    pub fn birth(&self, descriptor: u64) -> Option<Birth> {
        self.table.birth(descriptor)
    }

    /// The large objects that the kernel saw, freed ones too.
    #[must_use]
    pub fn large(&self) -> Vec<Large> {
        self.table.large()
    }

    /// Appends every creation site that the kernel has seen.
    pub fn sites(&self, into: &mut Vec<Site>) -> Reading {
        self.table.sites(into)
    }
}
