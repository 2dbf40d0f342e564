//! A process, as /proc shows it: whether it is there, what it runs, where that is loaded.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use super::error::Error;
use super::live::LiveMemory;
use super::memory::Memory;
use super::task::{self, Stat, living};

/// `AT_ENTRY` of the auxiliary vector: where the program's execution starts (`elf.h`).
const AT_ENTRY: u64 = 9;
/// No process has more arguments, environment and auxiliary vector that we would search.
const MAX_START_WORDS: u64 = 1 << 16;
/// `PF_KTHREAD` (`include/linux/sched.h`).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// A process that was there when it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id, as our own pid namespace counts.
    pub pid: u32,
    /// The file name of its executable, or its command name where that cannot be read.
    pub exe: String,
    /// The file name of the shared library whose Go runtime is meant; `None` for the executable.
    pub library: Option<String>,
    /// When it started, in clock ticks since boot: tells it from a later process with its id.
    start: u64,
}

impl Process {
    /// Finds the process with an id.
    ///
    /// # Errors
    /// When there is none, it is a zombie or a thread of the kernel.
    pub fn find(pid: u32) -> Result<Self, Error> {
        let stat = Stat::read(pid)?;
        if stat.flags & KERNEL_THREAD != 0 {
            return Err(Error::KernelThread { pid, name: stat.name });
        }
        // A process whose first thread has ended is none as long as another lives.
        let thread = living(pid).ok_or(Error::Zombie { pid })?;
        let exe =
            fs::read_link(PathBuf::from(format!("/proc/{thread}/exe"))).ok().and_then(file_name);
        let exe = exe.unwrap_or(stat.name);
        Ok(Self { pid, exe, library: None, start: stat.start })
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Stat::read(self.pid).is_ok_and(|stat| stat.start == self.start)
            && living(self.pid).is_some()
    }

    /// Whether its first thread has ended while others live on, so that nothing under its own id shows
    /// its memory. Probes reach no such process: the kernel finds it by its first thread.
    #[must_use]
    pub fn has_lost_first_thread(&self) -> bool {
        living(self.pid).is_some_and(|thread| thread != self.pid)
    }

    /// Its folder in /proc: that of a thread that lives.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        task::folder(self.pid)
    }

    /// A file of it in /proc, by a thread that lives.
    fn path(&self, file: &str) -> PathBuf {
        self.folder().join(file)
    }

    /// When it started (its `fork`), in clock ticks since boot; the same for all programs that it executes.
    #[must_use]
    pub const fn forked_ticks(&self) -> u64 {
        self.start
    }

    /// When its program started, in clock ticks since boot. The process's own `starttime`
    /// (proc_pid_stat(5)) is older where it has executed another program since; no thread but the first
    /// outlives that, and the Go runtime has others from its very start (`sysmon`).
    #[must_use]
    pub fn started_ticks(&self) -> u64 {
        task::second_start(self.pid).map_or(self.start, |second| second.max(self.start))
    }

    /// Its executable, also when that was deleted or replaced since, or lies in another mount
    /// namespace: the kernel's own reference to it is opened, not a path.
    ///
    /// # Errors
    /// When the process is gone or access is refused.
    pub fn executable(&self) -> Result<File, Error> {
        let path = self.path("exe");
        File::open(&path).map_err(|source| self.proc_error(path, source, "open the executable"))
    }

    /// How far from its link addresses the executable was loaded.
    ///
    /// # Errors
    /// When the auxiliary vector cannot be read or names no entry point.
    pub fn load_bias(&self, entry: u64) -> Result<u64, Error> {
        let path = self.path("auxv");
        let words: Vec<u64> = match fs::read(&path) {
            Ok(auxv) => auxv.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect(),
            // The file is its owner's alone, whatever we may trace. The process has the same words.
            Err(source) => self.auxiliary_vector().ok_or_else(|| {
                self.proc_error(path.clone(), source, "read the auxiliary vector")
            })?,
        };
        let loaded =
            words.as_chunks().0.iter().find(|[tag, _]| *tag == AT_ENTRY).map(|[_, it]| *it);
        loaded.map(|loaded| loaded.wrapping_sub(entry)).ok_or_else(|| Error::Proc {
            path: path.display().to_string(),
            source: io::Error::new(io::ErrorKind::InvalidData, "it names no entry point"),
        })
    }

    /// The auxiliary vector from where the kernel laid it: at the start of the first thread's
    /// stack, behind the arguments and the environment.
    fn auxiliary_vector(&self) -> Option<Vec<u64>> {
        let start = Stat::of_thread(self.pid, living(self.pid)?).ok()?.stack;
        let memory = LiveMemory::new(self.pid);
        let mut words = (0..MAX_START_WORDS)
            .map_while(|at| memory.read_u64(start.wrapping_add(at.wrapping_mul(8))).ok());
        let arguments = usize::try_from(words.next()?).ok()?;
        // They and the environment end with a zero each, the vector with a pair that begins with one.
        words.by_ref().nth(arguments).filter(|&end| end == 0)?;
        words.by_ref().find(|&end| end == 0)?;
        let mut vector = Vec::new();
        while let (Some(tag @ 1..), Some(value)) = (words.next(), words.next()) {
            vector.extend([tag, value]);
        }
        Some(vector)
    }

    pub(super) fn proc_error(
        &self,
        path: PathBuf,
        source: io::Error,
        action: &'static str,
    ) -> Error {
        let pid = self.pid;
        match source.kind() {
            io::ErrorKind::PermissionDenied => Error::Permission { pid, action },
            _ if !self.is_alive() => Error::Exited { pid },
            _ => Error::Proc { path: path.display().to_string(), source },
        }
    }
}

/// The kernel marks an executable that was unlinked since.
fn file_name(path: PathBuf) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some(name.strip_suffix(" (deleted)").map_or(name.clone(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_holds_the_same_auxiliary_vector_as_the_file() {
        let me = Process::find(std::process::id()).expect("we run");
        let file = fs::read("/proc/self/auxv").expect("our own");
        let mut file: Vec<u64> =
            file.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect();
        // Its end is a pair of zeroes.
        file.truncate(file.len() - 2);
        assert_eq!(me.auxiliary_vector(), Some(file));
    }

    #[test]
    fn we_are_a_process_and_pid_zero_is_none() {
        let me = Process::find(std::process::id()).expect("we run");
        assert!(me.is_alive());
        assert!(matches!(Process::find(0), Err(Error::NoSuchProcess { pid: 0 })));
    }
}
