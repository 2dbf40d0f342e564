//! What this machine can do and what this process may do on it, and giving up what it need not:
//! /proc, /sys and system calls, nothing of Go.

pub(crate) mod access;
#[allow(unsafe_code)]
pub(crate) mod aside;
#[allow(unsafe_code)]
pub(crate) mod bare;
pub(crate) mod capability;
pub(crate) mod cgroup;
pub(crate) mod commit;
pub(crate) mod container;
#[allow(unsafe_code)]
pub(crate) mod forked;
pub(crate) mod kernel;
pub(crate) mod limits;
pub(crate) mod memory;
pub(crate) mod namespace;
pub(crate) mod orphans;
pub(crate) mod pods;
pub mod privileges;
pub mod probes;
pub(crate) mod process_memory;
pub(crate) mod processes;
pub(crate) mod processors;
pub(crate) mod service;
pub(crate) mod status;
#[allow(unsafe_code)]
mod sys;
#[allow(unsafe_code)]
pub(crate) mod trace;
#[allow(unsafe_code)]
pub(crate) mod uprobe;

pub use access::{Access, Denial, Obstacle, Remedy, access_to};
pub use capability::{Capabilities, Capability};
pub use kernel::{Kernel, Lockdown, Setting};
pub use memory::Allowance;
pub use namespace::Confinement;
pub use probes::Probes;

/// Whether something is so. "No" is an answer, "cannot tell" is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is.
    Yes,
    /// It is not, and why.
    No(String),
    /// Nobody could find out, and why.
    CannotTell(String),
}

impl Answer {
    /// Whether it certainly is so.
    #[must_use]
    pub const fn is_yes(&self) -> bool {
        matches!(self, Self::Yes)
    }

    /// Whether it certainly is not so.
    #[must_use]
    pub const fn is_no(&self) -> bool {
        matches!(self, Self::No(_))
    }
}

/// Seccomp's hold on a process (`Seccomp:` in /proc/PID/status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seccomp {
    /// None.
    Off,
    /// Only read, write and exit.
    Strict,
    /// A filter decides.
    Filter,
}

/// The host as this process sees it.
#[derive(Clone, Debug)]
pub struct Host {
    /// The kernel and its settings.
    pub kernel: Kernel,
    /// What of probes the kernel has, and which this process may use.
    pub probes: Probes,
    /// The effective user of this process.
    pub uid: Option<u32>,
    /// The effective capabilities of this process; `None` when /proc does not say.
    pub capabilities: Option<Capabilities>,
    /// Seccomp's hold on this process; `None` when /proc does not say.
    pub seccomp: Option<Seccomp>,
    /// Containers and namespaces around this process.
    pub confinement: Confinement,
    /// What memory its control groups leave this process; `None` where no limit can be seen.
    pub memory: Option<Allowance>,
}

impl Host {
    /// Examines everything once. Takes a few milliseconds and leaves nothing behind.
    #[must_use]
    pub fn detect() -> Self {
        let status = status::Status::of_self().ok();
        Self {
            kernel: Kernel::detect(),
            probes: Probes::detect(),
            uid: status.as_ref().map(|status| status.uid.effective),
            capabilities: status.as_ref().map(|status| status.effective),
            seccomp: status.as_ref().and_then(|status| status.seccomp),
            confinement: Confinement::detect(),
            memory: Allowance::read(),
        }
    }
}
