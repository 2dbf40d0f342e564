//! Which program a process runs: tells one that has executed another program, or itself anew
//! (`execve`), from what it was. Its id and start time stay the same, and so may its executable.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::process::Process;
use super::task::Stat;

/// The memory of a process from one `execve` to the next.
#[derive(Debug)]
pub struct Image {
    pid: u32,
    /// `/proc/PID/mem`, opened for reading: the kernel binds it to the memory that the process had then
    /// (`fs/proc/base.c`, `mem_open`). `None` to whom may trace the process but not open its files.
    memory: Option<File>,
    /// Where the first thread's stack starts: a random address, chosen at each `execve`; 0 where that
    /// is not told.
    stack: u64,
}

impl Image {
    /// What a process runs now.
    #[must_use]
    pub fn of(process: &Process) -> Self {
        Self {
            pid: process.pid,
            memory: File::open(process.folder().join("mem")).ok(),
            stack: stack(process.pid),
        }
    }

    /// Whether the process has none of this memory any more: it has executed something, or has ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        // Of memory that is gone nothing is read; what is not mapped in it is an error.
        let is_gone = |memory: &File| matches!(memory.read_at(&mut [0], self.stack), Ok(0));
        let stack = stack(self.pid);
        self.memory.as_ref().is_some_and(is_gone)
            || (stack != 0 && self.stack != 0 && stack != self.stack)
    }
}

/// A process, and what it runs.
#[derive(Debug)]
pub struct Running {
    process: Process,
    image: Image,
}

impl Running {
    /// What runs under an id now; `None` where nothing does.
    #[must_use]
    pub fn find(pid: u32) -> Option<Self> {
        let process = Process::find(pid).ok()?;
        let image = Image::of(&process);
        Some(Self { process, image })
    }

    /// Whether it is that process still, and has executed nothing since.
    #[must_use]
    pub fn is_the_same(&self) -> bool {
        self.process.is_alive() && !self.image.is_gone()
    }
}

fn stack(pid: u32) -> u64 {
    Stat::read(pid).map_or(0, |stat| stat.stack)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_that_executes_itself_anew_is_another_image() {
        let shell = "echo 1; read x; exec sh -c 'echo 2; read x'";
        let mut child = Command::new("sh")
            .args(["-c", shell])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut input = child.stdin.take().expect("piped");
        let mut next = || said.next().expect("a line").expect("text");
        assert_eq!(next(), "1");
        let process = Process::find(child.id()).expect("it runs");
        let image = Image::of(&process);
        let without_file = Image { memory: None, ..Image::of(&process) };
        assert!(!image.is_gone() && !without_file.is_gone());
        let running = Running::find(child.id()).expect("it runs");
        assert!(running.is_the_same());
        writeln!(input).expect("it reads");
        assert_eq!(next(), "2");
        assert!(process.is_alive(), "by its id and start it is the same");
        assert!(image.is_gone() && !running.is_the_same());
        let anew = Image::of(&process);
        assert!(!anew.is_gone());
        assert!(without_file.is_gone() || without_file.stack == anew.stack, "no random addresses");
        writeln!(input).expect("it reads");
        child.wait().expect("it ends");
        assert!(anew.is_gone());
    }
}
