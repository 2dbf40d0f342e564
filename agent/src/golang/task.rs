//! The threads of a process, as /proc shows them.
//!
//! A process whose first thread has ended (`pthread_exit` in C's `main`) lives on: /proc calls it a
//! zombie and no longer shows its memory under its own id, only under those of its other threads.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::error::Error;

/// The fields of `/proc/PID/stat` that are needed (proc_pid_stat(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The thread's name.
    pub name: String,
    /// What it does: `R`, `S`, `D`, `T`, `t`, `Z`, ...
    pub state: char,
    /// `PF_` flags (`include/linux/sched.h`).
    pub flags: u64,
    /// User and system time, in clock ticks: of a process's first thread, that of all its threads.
    pub cpu_ticks: Option<u64>,
    /// When it started, in clock ticks since boot.
    pub start: u64,
    /// Where the first thread's stack starts; 0 to whom may not trace the process.
    pub stack: u64,
}

impl Stat {
    /// Of a process's first thread.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn read(pid: u32) -> Result<Self, Error> {
        Self::at(pid, PathBuf::from(format!("/proc/{pid}/stat")))
    }

    /// Of one thread of a process.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn of_thread(pid: u32, thread: u32) -> Result<Self, Error> {
        Self::at(pid, thread_file(pid, thread, "stat"))
    }

    fn at(pid: u32, path: PathBuf) -> Result<Self, Error> {
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NoSuchProcess { pid },
            // ESRCH: it went away between open and read.
            _ if source.raw_os_error() == Some(libc::ESRCH) => Error::NoSuchProcess { pid },
            _ => Error::Proc { path: path.display().to_string(), source },
        })?;
        Self::parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| Error::Proc {
            path: path.display().to_string(),
            source: io::Error::new(
                io::ErrorKind::InvalidData,
                "not in the format of proc_pid_stat(5)",
            ),
        })
    }

    /// The name stands in parentheses and may hold any character, parentheses too.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (head, tail) = text.rsplit_once(')')?;
        let name = head.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
        // Field 3 (state) is the first behind the name; 9 is flags, 14 utime, 15 stime, 22
        // starttime, 28 startstack.
        let number = |field: usize| fields.get(field - 3)?.parse().ok();
        Some(Self {
            name,
            state: fields.first()?.chars().next()?,
            flags: number(9)?,
            cpu_ticks: number(14).and_then(|user| Some(user.saturating_add(number(15)?))),
            start: number(22)?,
            stack: number(28).unwrap_or(0),
        })
    }

    /// Whether it has ended, and only waits to be reaped.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// The ids of a process's threads, those that have ended and wait for others to end too.
///
/// # Errors
/// When /proc cannot be read, or the process is gone.
pub fn threads(pid: u32) -> io::Result<impl Iterator<Item = u32>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
}

/// When the oldest thread of a process other than the first started, in clock ticks since boot.
#[must_use]
pub fn second_start(pid: u32) -> Option<u64> {
    let others = threads(pid).ok()?.filter(|thread| *thread != pid);
    others.filter_map(|thread| Some(Stat::of_thread(pid, thread).ok()?.start)).min()
}

/// A thread of a process through which it can be read: the first one, or another that lives if that
/// has ended; `None` if all have, or the process is gone.
#[must_use]
pub fn living(pid: u32) -> Option<u32> {
    let lives = |thread: &u32| Stat::of_thread(pid, *thread).is_ok_and(|stat| !stat.has_ended());
    if lives(&pid) { Some(pid) } else { threads(pid).ok()?.find(lives) }
}

/// The folder of a process in /proc under which its memory, root and so on are: that of a thread that
/// lives. /proc has one for each thread, though it lists only those of first threads.
#[must_use]
pub fn folder(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{}", living(pid).unwrap_or(pid)))
}

/// A file of a thread in /proc.
#[must_use]
pub fn thread_file(pid: u32, thread: u32, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/task/{thread}/{file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_no_trap() {
        let stat = "42 (a) S (b) R 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987 0 0";
        let stat = Stat::parse(stat).expect("it is well formed");
        assert_eq!((stat.name.as_str(), stat.state), ("a) S (b", 'R'));
        assert_eq!((stat.flags, stat.start, stat.cpu_ticks), (4_194_304, 987, Some(11)));
    }

    #[test]
    fn our_own_threads_are_listed_and_the_first_one_lives() {
        let me = std::process::id();
        assert!(threads(me).expect("we run").any(|thread| thread == me));
        assert_eq!(living(me), Some(me));
        assert_eq!(living(0), None);
    }
}
