//! The program that `run` starts: with what the user has, before the agent gives anything up.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::SIGINT;

use super::failure::Failure;
use super::output;
use super::session::Caught;
use crate::report::format;

/// How often it is asked whether the program has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a program may take to end once it was asked to, as container runtimes have it.
const GRACE: Duration = Duration::from_secs(10);

/// A program that was started here. When the agent is gone, it runs on.
pub(super) struct Started {
    name: String,
    child: Child,
}

impl Started {
    /// Starts it. It has the agent's standard input, output and error.
    pub(super) fn start(program: &OsStr, args: &[OsString]) -> Result<Self, Failure> {
        if Path::new(program).file_name() == Some(OsStr::new("go")) {
            return Err(Failure::Toolchain);
        }
        let name = program.to_string_lossy().into_owned();
        match Command::new(program).args(args).spawn() {
            Ok(child) => Ok(Self { name, child }),
            Err(source) => Err(Failure::Run { command: name, source }),
        }
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself, the time is up, or a signal asks the agent to stop.
    pub(super) fn wait(&mut self, until: Option<Instant>, signals: &Caught) -> Result<(), Failure> {
        loop {
            let ended = self.child.try_wait().map_err(Failure::Child)?;
            let is_over = until.is_some_and(|until| Instant::now() >= until);
            if ended.is_some() || is_over || signals.stop.is_requested() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Asks it to end, if it has not: by SIGTERM, unless Ctrl-C has asked it before, with the agent.
    pub(super) fn ask_to_end(&mut self, signals: &Caught) -> Result<Ending, Failure> {
        if let Some(status) = self.child.try_wait().map_err(Failure::Child)? {
            return Ok(Ending::ByItself(status));
        }
        let was_asked = signals.first() == Some(SIGINT);
        if !was_asked {
            self.signal(Signal::SIGTERM);
        }
        Ok(Ending::Asked { since: Instant::now(), by_terminal: was_asked })
    }

    /// Waits for the end of one that was asked to.
    pub(super) fn end(&mut self, ending: Ending) -> Result<ExitStatus, Failure> {
        let Ending::Asked { mut since, mut by_terminal } = ending else {
            return self.child.wait().map_err(Failure::Child);
        };
        loop {
            if let Some(status) = self.child.try_wait().map_err(Failure::Child)? {
                return Ok(status);
            }
            if since.elapsed() > GRACE {
                let grace = format::duration(GRACE);
                let signal = if by_terminal { Signal::SIGTERM } else { Signal::SIGKILL };
                output::say(format_args!("{} has not ended in {grace}: {signal}", self.name));
                self.signal(signal);
                (since, by_terminal) = (Instant::now(), false);
            }
            thread::sleep(PAUSE);
        }
    }

    /// That it ended by itself, and not well, as a failure.
    pub(super) fn failed(&self, status: ExitStatus) -> Failure {
        Failure::Program { name: self.name.clone(), status }
    }

    /// It has not been waited for, so that its id is its own.
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).map(Pid::from_raw);
        // One that has just ended needs none.
        let _ = pid.map(|pid| kill(pid, signal));
    }
}

/// How it comes to an end.
pub(super) enum Ending {
    ByItself(ExitStatus),
    Asked {
        since: Instant,
        /// By Ctrl-C, which goes to all that a terminal runs.
        by_terminal: bool,
    },
}
