//! The process that runs commands and sends signals.
//!
//! It is started before the agent gives up its privileges, and keeps of them what the responses need: to become another
//! user, to signal other users' processes. It knows the commands and signals of the configuration that the agent was started
//! with, and is told no more than which of them is due: whoever takes over the agent can have nothing else run.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Command, Done, Rule, execution};
use crate::host::aside::{self, Aside};
use crate::host::orphans;

/// Beyond its time, a command that was killed takes no longer than this to be told of.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of a message.
const MAX_MESSAGE: u32 = 4 << 20;

/// An order, or the answer to it, which has the same number.
#[derive(Serialize, Deserialize)]
struct Numbered<T> {
    number: u64,
    message: T,
}

/// What is due.
#[derive(Serialize, Deserialize)]
enum Order {
    /// The command of this response, with this on its standard input.
    Run { response: usize, input: String },
    /// The signal of this response, to a process by its id and start.
    Signal { response: usize, pid: u32, ticks: u64 },
}

/// The process, from the agent's side.
#[derive(Debug)]
pub struct Runner {
    aside: Aside,
    /// What it knows.
    rules: Vec<Rule>,
    patience: Duration,
    /// Of the last order.
    number: u64,
}

impl Runner {
    /// Starts it for these responses. To be called before there are threads, and before privileges are given up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(rules: Vec<Rule>) -> io::Result<Self> {
        let commands = rules.iter().filter_map(|rule| rule.command.as_ref());
        let patience = commands.clone().map(|it| it.timeout).max().unwrap_or_default() + GRACE;
        let mut keeps = 0;
        if commands.clone().any(|command| command.user.is_some()) {
            keeps |= aside::BECOME_OTHERS | aside::KILL;
        }
        if rules.iter().any(|rule| rule.signal.is_some()) {
            keeps |= aside::KILL;
        }
        let aside = Aside::start(keeps, |socket| serve(socket, &rules))?;
        aside.socket.set_read_timeout(Some(patience))?;
        aside.socket.set_write_timeout(Some(patience))?;
        Ok(Self { aside, rules, patience, number: 0 })
    }

    /// Whether it was started with this command.
    #[must_use]
    pub fn knows_command(&self, command: &Command) -> bool {
        self.with_command(command).is_some()
    }

    /// Whether it was started with a response that sends this signal.
    #[must_use]
    pub fn knows_signal(&self, signal: Signal) -> bool {
        self.with_signal(signal).is_some()
    }

    fn with_command(&self, command: &Command) -> Option<usize> {
        self.rules.iter().position(|rule| rule.command.as_ref() == Some(command))
    }

    fn with_signal(&self, signal: Signal) -> Option<usize> {
        self.rules.iter().position(|rule| rule.signal == Some(signal))
    }

    /// Runs a command.
    ///
    /// # Errors
    /// When it was not started with that, or the process is not there any more.
    pub fn run(&mut self, command: &Command, input: String) -> io::Result<Done> {
        let response = self.with_command(command).ok_or_else(unknown)?;
        self.order(Order::Run { response, input })
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When it was not started with that, or the process that does it is not there any more.
    pub fn signal(&mut self, signal: Signal, pid: u32, ticks: u64) -> io::Result<Done> {
        let response = self.with_signal(signal).ok_or_else(unknown)?;
        self.order(Order::Signal { response, pid, ticks })
    }

    fn order(&mut self, order: Order) -> io::Result<Done> {
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::other(format!("it did not answer within {} s", self.patience.as_secs()))
            }
            _ => error,
        };
        self.number += 1;
        let number = self.number;
        let mut socket = &self.aside.socket;
        if let Err(error) = put(&mut socket, &Numbered { number, message: order }) {
            // A part of it may be there, which what comes next could not be told from.
            self.aside.close();
            return Err(gone(error));
        }
        loop {
            let answer: Numbered<Done> = take(&mut socket).map_err(gone)?;
            // That to an order which was given up may come still.
            if answer.number == number {
                return Ok(answer.message);
            }
        }
    }
}

fn unknown() -> io::Error {
    io::Error::other("it was not started with that")
}

fn put(socket: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= MAX_MESSAGE);
    let length = length.ok_or_else(|| io::Error::other("too long a message"))?;
    // No signal for a socket that is closed: std ignores SIGPIPE.
    socket.write_all(&[&length.to_ne_bytes()[..], &bytes].concat())
}

fn take<T: DeserializeOwned>(socket: &mut impl io::Read) -> io::Result<T> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_ne_bytes(length);
    if length > MAX_MESSAGE {
        return Err(io::Error::other("too long a message"));
    }
    let mut bytes = vec![0; length as usize];
    socket.read_exact(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// What the process does: until the agent is gone.
fn serve(mut socket: UnixStream, rules: &[Rule]) {
    orphans::adopt();
    if socket.set_write_timeout(Some(GRACE)).is_err() {
        return;
    }
    while let Ok(Numbered { number, message }) = take(&mut socket) {
        let done = match message {
            Order::Run { response, input } => {
                let command = rules.get(response).and_then(|rule| rule.command.as_ref());
                command.map(|command| execution::run(command, input.as_bytes(), &socket))
            }
            Order::Signal { response, pid, ticks } => {
                let signal = rules.get(response).and_then(|rule| rule.signal);
                signal.map(|signal| match aside::signal(pid, ticks, signal) {
                    Ok(()) => Done::Sent,
                    Err(error) => Done::Failed(error.to_string()),
                })
            }
        };
        let done = done.unwrap_or_else(|| Done::Failed("no response does that".to_owned()));
        if put(&mut socket, &Numbered { number, message: done }).is_err() {
            return;
        }
    }
}
