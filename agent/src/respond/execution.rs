//! A command from its start to its end: what it reads, what it writes, for how long it runs.

use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{self, Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::{Command, Done};
use crate::host::{aside, orphans};

/// Milliseconds from one time that it is looked whether a command has ended to the next.
const PAUSE: u16 = 20;
/// For how long the rest of what a command wrote is read behind its end, where somebody outside its group can write still.
const REST: Duration = Duration::from_secs(1);
/// Bytes of what a command writes that are kept.
const MAX_SAID: usize = 4096;
/// Bytes that a pipe takes at once where it takes any (`PIPE_BUF`).
const PIECE: usize = 4096;
/// Where programs that a command starts are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs a command to its end, or until its time is over or the agent gone.
pub(super) fn run(command: &Command, input: &[u8], agent: &UnixStream) -> Done {
    match Execution::start(command) {
        Ok(started) => started.finish(input, command.timeout, agent),
        Err(error) => Done::Failed(error.to_string()),
    }
}

/// A command that runs.
struct Execution {
    child: Child,
    group: Pid,
    /// Where it reads, until it has all or wants no more.
    input: Option<ChildStdin>,
    /// What it writes, until nobody can write there any more.
    output: Option<PipeReader>,
    said: Vec<u8>,
}

impl Execution {
    fn start(command: &Command) -> io::Result<Self> {
        let (output, to) = io::pipe()?;
        let mut start = process::Command::new(&command.program);
        start.args(&command.args).env_clear().env("PATH", PATH).current_dir("/").process_group(0);
        start.stdin(Stdio::piped()).stdout(to.try_clone()?).stderr(to);
        if let Some((name, uid, gid)) = &command.user {
            start.uid(*uid).gid(*gid).env("USER", name);
        }
        aside::block_no_signal_in(&mut start);
        let mut child = start.spawn()?;
        let group = Pid::from_raw(child.id().cast_signed());
        let input = child.stdin.take();
        Ok(Self { child, group, input, output: Some(output), said: Vec::new() })
    }

    fn finish(mut self, mut input: &[u8], timeout: Duration, agent: &UnixStream) -> Done {
        let deadline = Instant::now() + timeout;
        let is_late = loop {
            if self.has_ended() {
                break false;
            }
            if !self.exchange(&mut input, agent) || Instant::now() >= deadline {
                break true;
            }
        };
        // Before it is waited for: until then its group cannot be somebody else's.
        _ = killpg(self.group, Signal::SIGKILL);
        let ended = self.child.wait();
        // And who left that group: one command runs at a time, so that all children here are of this one.
        let is_left = !orphans::end_all(REST);
        self.input = None;
        let rest = Instant::now() + REST;
        while self.output.is_some() && Instant::now() < rest && self.exchange(&mut input, agent) {}
        let mut said = String::from_utf8_lossy(&self.said).trim().to_owned();
        if is_left {
            said.push_str(" (processes that it started could not be ended)");
        }
        match ended {
            Err(error) => Done::Failed(error.to_string()),
            Ok(_) if is_late => Done::TimedOut(said),
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Done::Exited(code, said),
                (None, signal) => Done::Killed(signal.unwrap_or(0), said),
            },
        }
    }

    /// Whether it has ended; it is still to be waited for.
    fn has_ended(&self) -> bool {
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.group), how), Ok(WaitStatus::StillAlive))
    }

    /// Waits a little, gives what is read and takes what is written meanwhile. Whether the agent is there still.
    fn exchange(&mut self, input: &mut &[u8], agent: &UnixStream) -> bool {
        // The agent says no more until it was answered, or gave up waiting: only its end matters.
        let mut watched = vec![PollFd::new(agent.as_fd(), PollFlags::empty())];
        watched.extend(self.output.as_ref().map(|it| PollFd::new(it.as_fd(), PollFlags::POLLIN)));
        watched.extend(self.input.as_ref().map(|it| PollFd::new(it.as_fd(), PollFlags::POLLOUT)));
        if poll(&mut watched, PollTimeout::from(PAUSE)).is_err() {
            return false;
        }
        let events: Vec<bool> = watched.iter().map(|it| it.any().unwrap_or(true)).collect();
        let mut events = events.into_iter();
        let is_gone = events.next() == Some(true);
        if let Some(output) = self.output.as_mut().filter(|_| events.next() == Some(true)) {
            let mut piece = [0; PIECE];
            match output.read(&mut piece) {
                Ok(length @ 1..) => {
                    let room = MAX_SAID.saturating_sub(self.said.len()).min(length);
                    self.said.extend_from_slice(&piece[..room]);
                }
                Ok(0) | Err(_) => self.output = None,
            }
        }
        if let Some(to) = self.input.as_mut().filter(|_| events.next() == Some(true)) {
            // Who does not read it does not want it.
            let length = to.write(&input[..input.len().min(PIECE)]).unwrap_or(input.len());
            *input = &input[length..];
            if input.is_empty() {
                self.input = None;
            }
        }
        !is_gone
    }
}
