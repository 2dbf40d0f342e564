//! A running Go target: started, asked through its standard input, ended by its pid.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::debug2::Dump;

/// A target that has not answered for so long never will: it hangs.
const SILENCE: Duration = Duration::from_secs(90);

/// A running Go target. It is killed when this value is dropped.
#[derive(Debug)]
pub struct Target {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<Answer>,
    path: PathBuf,
}

#[derive(Debug)]
enum Answer {
    Line(String),
    Dump(Vec<u8>),
}

impl Target {
    /// Starts the target `name` as built by Go `version` in `mode`, and waits until it is ready.
    ///
    /// # Errors
    /// When it was not built, does not start, or does not say READY.
    pub fn start(version: &str, mode: &str, name: &str) -> Result<Self> {
        Self::start_with(version, mode, name, &[] as &[&str])
    }

    /// As [`Target::start`], with arguments.
    ///
    /// # Errors
    /// As [`Target::start`].
    pub fn start_with(
        version: &str,
        mode: &str,
        name: &str,
        args: &[impl AsRef<OsStr>],
    ) -> Result<Self> {
        Self::start_at(path(version, mode, name)?, args)
    }

    /// As [`Target::start_with`], from a path of the caller's.
    ///
    /// # Errors
    /// As [`Target::start`].
    pub fn start_at(path: PathBuf, args: &[impl AsRef<OsStr>]) -> Result<Self> {
        let (target, pid) = Self::spawn(path, args)?;
        ensure!(
            pid == target.pid(),
            "{} says that its pid is {pid}, not {}",
            target.path.display(),
            target.pid()
        );
        Ok(target)
    }

    /// Starts a launcher that runs a target inside namespaces, where it has another pid; the pid of
    /// this value is the launcher's.
    ///
    /// # Errors
    /// As [`Target::start`].
    pub fn start_inside(launcher: PathBuf, args: &[impl AsRef<OsStr>]) -> Result<Self> {
        Ok(Self::spawn(launcher, args)?.0)
    }

    /// Starts a program with an environment, a standard error and so on of the caller's. It need not
    /// say its pid: READY is enough.
    ///
    /// # Errors
    /// As [`Target::start`].
    pub fn start_command(command: &mut Command) -> Result<Self> {
        let mut target = Self::pipe(command)?;
        let ready = target.line()?;
        let name = target.path.display();
        ensure!(ready.starts_with("READY"), "{name} said {ready:?} in place of READY");
        Ok(target)
    }

    /// Starts a target, and gives it with the pid that it says it has.
    fn spawn(path: PathBuf, args: &[impl AsRef<OsStr>]) -> Result<(Self, u32)> {
        let mut target = Self::pipe(Command::new(path).args(args))?;
        let ready = target.line()?;
        let pid = ready.strip_prefix("READY ").and_then(|pid| pid.parse().ok());
        let name = target.path.display();
        let pid =
            pid.with_context(|| format!("{name} said {ready:?} in place of READY and its pid"))?;
        Ok((target, pid))
    }

    /// Starts a program between pipes.
    fn pipe(command: &mut Command) -> Result<Self> {
        let path = PathBuf::from(command.get_program());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            start(command).with_context(|| format!("cannot start {}", path.display()))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (commands, stdout) = pipes.context("the target has no pipes")?;
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || listen(stdout, &sender));
        Ok(Self { child, commands, answers, path })
    }

    /// Its standard error, where the caller made that a pipe: once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The executable.
    #[must_use]
    pub const fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Asks for one line of answer, and gives what follows its OK.
    ///
    /// # Errors
    /// When the target does not answer, or not with OK.
    pub fn command(&mut self, command: &str) -> Result<String> {
        self.send(command)?;
        let answer = self.line()?;
        let Some(rest) = answer.strip_prefix("OK") else {
            bail!("{} answered {answer:?} to {command:?}", self.path.display());
        };
        Ok(rest.trim_start().to_owned())
    }

    /// What the target's own `runtime.Stack` says of all its goroutines.
    ///
    /// # Errors
    /// When it does not answer, or with something that is no dump.
    pub fn dump(&mut self) -> Result<Dump> {
        self.dump_of("dump")
    }

    /// A dump that another command asks for.
    ///
    /// # Errors
    /// As [`Target::dump`].
    pub fn dump_of(&mut self, command: &str) -> Result<Dump> {
        self.send(command)?;
        match self.answer()? {
            Answer::Dump(text) => {
                let text = String::from_utf8(text).context("a dump that is not UTF-8")?;
                Dump::parse(&text).context("a dump that cannot be read")
            }
            Answer::Line(line) => {
                bail!("{} answered {line:?} to {command:?}", self.path.display())
            }
        }
    }

    /// The counters behind the `OK` of `alive`.
    ///
    /// # Errors
    /// When the target has found something wrong with itself, or says nothing.
    pub fn alive(&mut self) -> Result<Vec<(String, u64)>> {
        let answer = self.command("alive")?;
        answer
            .split_whitespace()
            .map(|pair| {
                let (name, count) = pair.split_once('=').context("a counter without a value")?;
                Ok((name.to_owned(), count.parse().context("a counter that is no number")?))
            })
            .collect()
    }

    /// Gives a command that makes it another program of the kind, which says READY.
    ///
    /// # Errors
    /// When it answers something else, or nothing.
    pub fn renew(&mut self, command: &str) -> Result<()> {
        self.send(command)?;
        let answer = self.line()?;
        let name = self.path.display();
        ensure!(answer.starts_with("READY"), "{name} answered {answer:?} to {command:?}");
        Ok(())
    }

    /// Gives a command that is not answered.
    ///
    /// # Errors
    /// When it takes no commands any more.
    pub fn send(&mut self, command: &str) -> Result<()> {
        writeln!(self.commands, "{command}")
            .with_context(|| format!("{} takes no commands any more", self.path.display()))
    }

    fn line(&mut self) -> Result<String> {
        match self.answer()? {
            Answer::Line(line) => Ok(line),
            Answer::Dump(_) => bail!("{} sent a dump unasked", self.path.display()),
        }
    }

    fn answer(&mut self) -> Result<Answer> {
        match self.answers.recv_timeout(SILENCE) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => {
                bail!("{} has not answered for {SILENCE:?}", self.path.display())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let how = self.how_it_ended()?;
                bail!("{} says no more: {how}", self.path.display())
            }
        }
    }

    /// How one ended that closed its output, which it mostly does by ending.
    fn how_it_ended(&mut self) -> io::Result<String> {
        let start = Instant::now();
        while start.elapsed() < ENDING {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.to_string());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok("it has closed its output".to_owned())
    }
}

/// How long it is waited for one that closed its output.
const ENDING: Duration = Duration::from_secs(2);

/// Starts a program that this process may just have written: a child that another test forked at
/// that moment holds the file open for writing until it execs, and the kernel refuses to run it.
///
/// # Errors
/// When it cannot be started for any other reason, or not for two seconds.
pub fn start(command: &mut Command) -> io::Result<Child> {
    for _ in 0..100 {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(20));
            }
            started => return started,
        }
    }
    command.spawn()
}

impl Drop for Target {
    fn drop(&mut self) {
        // Errors mean that it is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the target `name`, built by Go `version` in `mode`, lies.
///
/// # Errors
/// When it was not built.
pub fn path(version: &str, mode: &str, name: &str) -> Result<PathBuf> {
    let folder = env::var_os("LEAK_AGENT_TARGETS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/targets")),
        PathBuf::from,
    );
    let path = folder.join(version).join(mode).join(name);
    ensure!(
        path.is_file(),
        "the Go target {name} was not built for Go {version} as {mode}: there is no {}; run: cargo xtask targets",
        path.display()
    );
    Ok(path)
}

/// Hands on what the target says, until its end.
fn listen(stdout: ChildStdout, answers: &Sender<Answer>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = String::new();
        if !matches!(stdout.read_line(&mut line), Ok(1..)) {
            return;
        }
        let line = line.trim_end();
        let answer = match line.strip_prefix("DUMP ").map(str::parse::<u64>) {
            Some(Ok(bytes)) => {
                let mut text = Vec::new();
                if stdout.by_ref().take(bytes).read_to_end(&mut text).is_err() {
                    return;
                }
                Answer::Dump(text)
            }
            _ => Answer::Line(line.to_owned()),
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// Waits until every counter of a target's `alive` has risen above what it was.
///
/// # Errors
/// When the target finds something wrong with itself, or a part of it no longer gets on.
pub fn until_all_parts_went_on(target: &mut Target, before: &[(String, u64)]) -> Result<()> {
    let start = Instant::now();
    loop {
        let now = target.alive()?;
        let stuck: Vec<&(String, u64)> = now
            .iter()
            .zip(before)
            .filter(|(now, before)| now <= before)
            .map(|(now, _)| now)
            .collect();
        if stuck.is_empty() {
            return Ok(());
        }
        ensure!(start.elapsed() < SILENCE, "these parts no longer get on: {stuck:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
