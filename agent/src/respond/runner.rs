//! The process that runs commands and sends signals.
//!
//! It is started before the agent gives up its privileges, and keeps of them what the responses need: to become another
//! user, to signal other users' processes. It knows the responses of the configuration, and is told no more than which
//! of them is due: whoever takes over the agent can have nothing else run.

use std::io::{self, Read as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{self, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Command, Rule};
use crate::host::aside::{self, Aside};

/// How often it is looked whether a command has ended.
const PAUSE: u16 = 20;
/// Beyond its time, a command that was killed takes no longer than this to be told of.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of what a command writes that are kept.
const MAX_SAID: usize = 4096;
/// Bytes of a message.
const MAX_MESSAGE: u32 = 4 << 20;
/// Where programs that a command starts are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is due.
#[derive(Serialize, Deserialize)]
enum Order {
    /// The command of this response, with this on its standard input.
    Run { response: usize, input: String },
    /// The signal of this response, to a process by its id and start.
    Signal { response: usize, pid: u32, ticks: u64 },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    /// A command has ended with this status; and the first of what it wrote.
    Exited(i32, String),
    /// A command was ended by this signal.
    Killed(i32, String),
    /// A command took longer than it may, and was killed with all that it had started in its group.
    TimedOut(String),
    /// A signal was sent.
    Sent,
    /// It could not be done.
    Failed(String),
}

/// The process, from the agent's side.
#[derive(Debug)]
pub struct Runner {
    aside: Aside,
    patience: Duration,
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
        Ok(Self { aside, patience })
    }

    /// Runs the command of a response.
    ///
    /// # Errors
    /// When the process is not there any more.
    pub fn run(&mut self, response: usize, input: String) -> io::Result<Done> {
        self.order(&Order::Run { response, input })
    }

    /// Sends the signal of a response.
    ///
    /// # Errors
    /// When the process that does it is not there any more.
    pub fn signal(&mut self, response: usize, pid: u32, ticks: u64) -> io::Result<Done> {
        self.order(&Order::Signal { response, pid, ticks })
    }

    fn order(&mut self, order: &Order) -> io::Result<Done> {
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::other(format!("it did not answer within {} s", self.patience.as_secs()))
            }
            _ => error,
        };
        let mut socket = &self.aside.socket;
        put(&mut socket, order).and_then(|()| take(&mut socket)).map_err(gone)
    }
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
    while let Ok(order) = take::<Order>(&mut socket) {
        let done = match order {
            Order::Run { response, input } => {
                let command = rules.get(response).and_then(|rule| rule.command.as_ref());
                command.map(|command| run(command, input, &socket))
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
        if put(&mut socket, &done).is_err() {
            return;
        }
    }
}

fn run(command: &Command, input: String, agent: &UnixStream) -> Done {
    match started(command, input) {
        Ok((child, said)) => wait(child, &said, command.timeout, agent),
        Err(error) => Done::Failed(error.to_string()),
    }
}

/// What a command has written so far, cut off.
type Said = Arc<Mutex<Vec<u8>>>;

fn started(command: &Command, input: String) -> io::Result<(process::Child, Said)> {
    let (mut from, to) = io::pipe()?;
    let mut start = process::Command::new(&command.program);
    start.args(&command.args).env_clear().env("PATH", PATH).current_dir("/").process_group(0);
    start.stdin(Stdio::piped()).stdout(to.try_clone()?).stderr(to);
    if let Some((name, uid, gid)) = &command.user {
        start.uid(*uid).gid(*gid).env("USER", name);
    }
    let mut child = start.spawn()?;
    // Its end of the pipe is the command's own.
    drop(start);
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read it does not want it.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let said = Said::default();
    let kept = Arc::clone(&said);
    thread::spawn(move || {
        let mut piece = [0; 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MAX_SAID.saturating_sub(kept.len()).min(length);
            kept.extend_from_slice(&piece[..room]);
        }
    });
    Ok((child, said))
}

fn wait(mut child: process::Child, said: &Said, timeout: Duration, agent: &UnixStream) -> Done {
    let deadline = Instant::now() + timeout;
    let said = || {
        let said = said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).trim().to_owned()
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return match (status.code(), status.signal()) {
                    (Some(code), _) => Done::Exited(code, said()),
                    (None, signal) => Done::Killed(signal.unwrap_or(0), said()),
                };
            }
            Ok(None) => {}
            Err(error) => return Done::Failed(error.to_string()),
        }
        if Instant::now() >= deadline || is_gone(agent) {
            let group = i32::try_from(child.id()).map(Pid::from_raw);
            _ = group.map(|group| killpg(group, Signal::SIGKILL));
            _ = child.wait();
            return Done::TimedOut(said());
        }
    }
}

/// Whether the agent is gone; this is also the pause from one look to the next.
fn is_gone(agent: &UnixStream) -> bool {
    let mut watched = [PollFd::new(agent.as_fd(), PollFlags::empty())];
    // It says no more until it was answered: nothing but its end can come.
    matches!(poll(&mut watched, PollTimeout::from(PAUSE)), Ok(1..))
}
