//! Gives up every power that a command does not need: capabilities, new privileges, system calls.
//!
//! To be done before anything is read that a hostile process could have written, and before there
//! are threads: capabilities belong to threads, one by one.

mod filter;
mod holdings;

use std::{fs, io};

use thiserror::Error;

use super::capability::{Capabilities, Capability};
use super::status::Status;
pub use holdings::{Holding, Holdings};

/// What a command keeps of the power it was started with, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    rights: Vec<Right>,
    /// The only other process that it may signal: a child that it started.
    child: Option<u32>,
}

/// A capability, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Right {
    capability: Capability,
    why: &'static str,
}

impl Plan {
    /// For a command that reads other processes.
    #[must_use]
    pub fn reading() -> Self {
        let rights = vec![
            Right {
                capability: Capability::SysPtrace,
                why: "reads the memory of other users' processes",
            },
            Right {
                capability: Capability::DacReadSearch,
                why: "reads executables that only their owner may read",
            },
        ];
        Self { rights, child: None }
    }

    /// For one that also puts probes into them: through uprobe_multi links, or else perf events.
    #[must_use]
    pub fn probing(mut self, through_links: bool) -> Self {
        self.rights.extend([
            Right {
                capability: Capability::Bpf,
                why: "loads eBPF programs and makes their tables",
            },
            Right { capability: Capability::Perfmon, why: "lets eBPF programs trace" },
        ]);
        if !through_links {
            self.rights.push(Right {
                capability: Capability::SysAdmin,
                why: "attaches probes as perf events: this kernel has no uprobe_multi for processes",
            });
        }
        self
    }

    /// For one that also writes a file where only somebody else may.
    #[must_use]
    pub fn writing_anywhere(mut self) -> Self {
        let why = "writes the report where only another user may";
        self.rights.extend(WRITING.map(|capability| Right { capability, why }));
        self
    }

    /// For one that ends a program which it has started.
    #[must_use]
    pub const fn ending(mut self, child: u32) -> Self {
        self.child = Some(child);
        self
    }

    /// What it keeps, if it has it.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.rights.iter().map(|right| right.capability).collect()
    }

    /// What a capability is kept for, if it is.
    #[must_use]
    pub fn why(&self, capability: Capability) -> Option<&'static str> {
        self.rights.iter().find(|right| right.capability == capability).map(|right| right.why)
    }

    /// Gives up all else, for good. As much as can be is given up, whatever fails.
    ///
    /// # Errors
    /// When something could not be given up.
    pub fn apply(&self) -> Result<(), PrivilegeError> {
        let alone = be_alone();
        let given_up = give_up(self.capabilities());
        let sealed = nix::sys::prctl::set_no_new_privs().map_err(PrivilegeError::NewPrivileges);
        let filtered = filter::install(self.child).map_err(PrivilegeError::Filter);
        alone.and(given_up).and(sealed).and(filtered)
    }
}

/// What writing to other users' files and folders takes: the folder, and a file in one where each
/// may remove only their own.
const WRITING: [Capability; 2] = [Capability::DacOverride, Capability::Fowner];

/// Does something as if it could not write to other users' files, and is itself again after it.
pub fn without_writing_anywhere<T>(what: impl FnOnce() -> T) -> T {
    let held = caps::read(None, caps::CapSet::Effective).unwrap_or_default();
    let less: caps::CapsHashSet = except(&held, WRITING.into_iter().collect());
    // Should one of these fail, then something is written with more or less power than meant, and
    // the plan that is applied later holds all the same.
    let _ = caps::set(None, caps::CapSet::Effective, &less);
    let outcome = what();
    let _ = caps::set(None, caps::CapSet::Effective, &held);
    outcome
}

/// Does something with what its user may do, and is itself again after it. Capabilities of the agent's
/// file are for the processes that it reads: whoever may run it must not read other files through them.
pub fn as_its_user<T>(what: impl FnOnce() -> T) -> T {
    if nix::unistd::getuid().is_root() {
        return what();
    }
    let held = caps::read(None, caps::CapSet::Effective).unwrap_or_default();
    // What fails here leaves it as it was, which is no more than it has.
    let _ = caps::set(None, caps::CapSet::Effective, &caps::CapsHashSet::new());
    let outcome = what();
    let _ = caps::set(None, caps::CapSet::Effective, &held);
    outcome
}

/// Whether this thread may replace other users' files in a folder where each may remove only their
/// own (`CAP_FOWNER`).
#[must_use]
pub fn may_replace_any_file() -> bool {
    caps::has_cap(None, caps::CapSet::Effective, caps::Capability::CAP_FOWNER).unwrap_or(false)
}

/// Why something could not be given up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PrivilegeError {
    /// Other threads keep what they have.
    #[error("{count} threads run already, and each keeps its own capabilities")]
    Threads {
        /// How many.
        count: usize,
    },
    /// The kernel does not take capabilities back, or does not say which there are.
    #[error("capabilities cannot be dropped")]
    Capabilities(#[source] caps::errors::CapsError),
    /// The kernel has no `no_new_privs`.
    #[error("programs could still gain privileges (prctl PR_SET_NO_NEW_PRIVS)")]
    NewPrivileges(#[source] nix::Error),
    /// The kernel takes no filter.
    #[error("system calls cannot be refused (seccomp)")]
    Filter(#[source] seccompiler::Error),
    /// The kernel does not say how many threads there are.
    #[error("cannot count this process's threads")]
    Proc(#[source] io::Error),
}

fn be_alone() -> Result<(), PrivilegeError> {
    let count = fs::read_dir("/proc/self/task").map_err(PrivilegeError::Proc)?.count();
    if count == 1 { Ok(()) } else { Err(PrivilegeError::Threads { count }) }
}

fn give_up(plan: Capabilities) -> Result<(), PrivilegeError> {
    use caps::CapSet::{Ambient, Bounding, Effective, Inheritable, Permitted};
    let permitted = caps::read(None, Permitted).map_err(PrivilegeError::Capabilities)?;
    let keep: caps::CapsHashSet =
        permitted.iter().copied().filter(|it| plan.has_number(it.index())).collect();
    // The bounding set first: that takes CAP_SETPCAP, which goes with the rest. Without it the set
    // stays, and means nothing where no program is started and none may gain privileges.
    for capability in except(&caps::read(None, Bounding).unwrap_or_default(), plan) {
        let _ = caps::drop(None, Bounding, capability);
    }
    // Kernels from 4.3 on have ambient ones; those that have not have nothing to clear.
    let _ = caps::clear(None, Ambient);
    [(Effective, &keep), (Permitted, &keep), (Inheritable, &caps::CapsHashSet::new())]
        .into_iter()
        .try_for_each(|(set, to)| caps::set(None, set, to))
        .map_err(PrivilegeError::Capabilities)
}

fn except(set: &caps::CapsHashSet, without: Capabilities) -> caps::CapsHashSet {
    set.iter().copied().filter(|it| !without.has_number(it.index())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_keeps_what_it_needs_and_no_more() {
        let names = |plan: &Plan| -> Vec<&str> {
            let kept = plan.capabilities();
            Capability::ALL.iter().filter(|it| kept.has(**it)).map(|it| it.name()).collect()
        };
        assert_eq!(names(&Plan::default()), [""; 0]);
        assert_eq!(names(&Plan::reading()), ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"]);
        let links = Plan::reading().probing(true);
        assert_eq!(
            names(&links),
            ["CAP_SYS_PTRACE", "CAP_BPF", "CAP_PERFMON", "CAP_DAC_READ_SEARCH"]
        );
        let events = Plan::reading().probing(false);
        assert!(events.why(Capability::SysAdmin).is_some_and(|why| why.contains("perf events")));
        assert!(links.why(Capability::SysAdmin).is_none());
        assert!(names(&links.writing_anywhere()).contains(&"CAP_DAC_OVERRIDE"));
    }

    #[test]
    fn threads_are_counted() {
        // The test runs beside its runner's first thread.
        assert!(matches!(be_alone(), Err(PrivilegeError::Threads { count: 2.. })));
    }
}
