//! Why a process could not be read as a Go program.

use thiserror::Error;

use super::memory::ReadError;
use super::pclntab::PclntabError;
use super::version::GoVersion;

/// Why a process could not be read as a Go program. Each says what to do, where something can be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No process has this id.
    #[error("there is no process with pid {pid}")]
    NoSuchProcess {
        /// The id.
        pid: u32,
    },
    /// The process ended while it was read.
    #[error("process {pid} has exited")]
    Exited {
        /// Whose end.
        pid: u32,
    },
    /// The process runs another program than the one that was located.
    #[error("process {pid} now runs another program than the one attached to; attach again")]
    Replaced {
        /// Which process.
        pid: u32,
    },
    /// The process has executed another program, or itself anew, which is not ready yet.
    #[error("process {pid} has executed another program, which is still starting; try again")]
    Starting {
        /// Which process.
        pid: u32,
    },
    /// The process has executed another program, which cannot be read.
    #[error("process {pid} has executed another program, which cannot be read")]
    ReplacedBy {
        /// Which process.
        pid: u32,
        /// Why not.
        #[source]
        source: Box<Self>,
    },
    /// A thread of the kernel.
    #[error("pid {pid} ({name}) is a kernel thread, not a program")]
    KernelThread {
        /// The id.
        pid: u32,
        /// Its name.
        name: String,
    },
    /// Dead, but not yet reaped.
    #[error("process {pid} is a zombie: it has exited and waits for its parent to notice")]
    Zombie {
        /// The id.
        pid: u32,
    },
    /// The kernel does not let us.
    #[error("no permission to {action} of process {pid}")]
    Permission {
        /// Whose.
        pid: u32,
        /// What was tried: `read the memory`, `open the executable`.
        action: &'static str,
    },
    /// Something of /proc could not be read.
    #[error("cannot read {path}")]
    Proc {
        /// What.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not an ELF file, or a broken one.
    #[error("{exe} is not an executable that can be read: {why}")]
    BadElf {
        /// The file.
        exe: String,
        /// What is wrong with it.
        why: String,
    },
    /// A whole executable, but not of Go.
    #[error("{exe} is not a Go program: {why}")]
    NotGo {
        /// The file.
        exe: String,
        /// What was searched for and not found.
        why: &'static str,
    },
    /// Packed: what runs is not what the file says.
    #[error(
        "{exe} is packed with UPX, so its symbol tables cannot be read; unpack it (upx -d) and start it again"
    )]
    Packed {
        /// The file.
        exe: String,
    },
    /// Not amd64 or arm64, not 64 bits or not little-endian.
    #[error("{exe} is built for {machine}; leak-agent reads amd64 and arm64 programs on Linux")]
    Machine {
        /// The file.
        exe: String,
        /// What it is built for.
        machine: String,
    },
    /// Go's own version cannot be read or is out of the window.
    #[error("cannot read {exe}: {why}")]
    Version {
        /// The file.
        exe: String,
        /// Why its version is no good.
        why: String,
    },
    /// Built by a Go that is too old.
    #[error("{exe} was built by {version}; Go 1.21 or later is needed")]
    TooOld {
        /// The file.
        exe: String,
        /// Which Go.
        version: GoVersion,
    },
    /// Go, but nothing tells which.
    #[error(
        "{exe} is a Go program, but obfuscated so that neither Go's version nor the names of the \
         runtime's functions are left (garble -tiny); without them nothing in it can be located: \
         build it without -tiny"
    )]
    NoVersion {
        /// The file.
        exe: String,
    },
    /// Go is in the process several times, and which one is meant was not said.
    #[error("process {pid} holds several Go runtimes ({}); name one (--object)", .names.join(", "))]
    Several {
        /// The process.
        pid: u32,
        /// The libraries.
        names: Vec<String>,
    },
    /// No library of this name with a Go runtime.
    #[error(
        "process {pid} has no Go runtime in a file called {name}; leak-agent --list shows which it has"
    )]
    NoObject {
        /// The process.
        pid: u32,
        /// What was searched for.
        name: String,
    },
    /// Code that is not where the file says.
    #[error("cannot tell how {exe} was loaded: its code is mapped from another part of the file")]
    Mapping {
        /// The file.
        exe: String,
    },
    /// The function table is broken.
    #[error("the function table (pclntab) of {exe} cannot be read")]
    Pclntab {
        /// The file.
        exe: String,
        /// Why.
        #[source]
        source: PclntabError,
    },
    /// Something of the runtime could not be found.
    #[error("cannot locate {what} in process {pid} ({version}): {why}")]
    Locate {
        /// Whose.
        pid: u32,
        /// Which Go.
        version: String,
        /// What.
        what: &'static str,
        /// What was tried.
        why: String,
    },
    /// What was located does not behave as the runtime's data must.
    #[error(
        "what was located in process {pid} ({version}, layout {layout}) does not look like the Go \
         runtime's data: {why}; nothing was reported, since it could not be trusted"
    )]
    SelfCheck {
        /// Whose.
        pid: u32,
        /// Which Go.
        version: String,
        /// Where the layout came from.
        layout: String,
        /// Which check failed.
        why: String,
    },
    /// The target's memory could not be read.
    #[error("cannot read {what} of process {pid}")]
    Read {
        /// Whose.
        pid: u32,
        /// What was being read.
        what: &'static str,
        /// Why.
        #[source]
        source: ReadError,
    },
}

impl Error {
    /// Sorts a failed read of `what` into the error that says most about it.
    #[must_use]
    pub fn read(pid: u32, what: &'static str, source: ReadError) -> Self {
        match source {
            ReadError::Exited => Self::Exited { pid },
            ReadError::Denied => Self::Permission { pid, action: "read the memory" },
            ReadError::Unmapped { .. } | ReadError::Os { .. } => Self::Read { pid, what, source },
        }
    }
}
