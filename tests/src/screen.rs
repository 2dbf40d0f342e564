//! The agent on a terminal: a pseudo terminal, and what a person would see on it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{self, Signal};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;

use crate::agent;
use crate::frames::Frames;

/// Whatever is not on the screen in this time never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// Milliseconds after which the reader looks whether it is to hang up.
const TICK_MS: u8 = 50;

/// The agent on a terminal of its own. It is killed when this value is dropped.
pub struct Screen {
    child: Child,
    keys: File,
    /// The terminal's settings can be read here after the agent has ended, too.
    terminal: File,
    seen: Arc<Mutex<vt100::Parser>>,
    /// Reads until this is set.
    hangs_up: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Screen {
    /// Starts the agent with these arguments on a terminal of this many columns and rows.
    ///
    /// # Errors
    /// When there is no pseudo terminal, or the agent cannot be built or started.
    pub fn start(args: &[&str], columns: u16, rows: u16) -> Result<Self> {
        // Closed in whatever is started: who holds this side keeps the terminal from hanging up.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let pty = posix_openpt(flags).context("no pseudo terminal")?;
        grantpt(&pty)?;
        unlockpt(&pty)?;
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(ptsname_r(&pty)?)?;
        let sized = Command::new("stty")
            .args(["rows", &rows.to_string(), "cols", &columns.to_string()])
            .stdin(terminal.try_clone()?)
            .status()
            .context("cannot run stty")?;
        ensure!(sized.success(), "stty: {sized}");
        // Without a controlling terminal: ours is none of its business, and nothing but this one says that
        // it is gone (no SIGHUP).
        let child = Command::new("setsid")
            .arg(agent::binary()?)
            .args(args)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(terminal.try_clone()?)
            .stdout(terminal.try_clone()?)
            .stderr(terminal.try_clone()?)
            .spawn()
            .context("cannot start the agent by setsid")?;
        let seen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 200)));
        let mut output = File::from(pty.as_fd().try_clone_to_owned()?);
        let keys = output.try_clone()?;
        let shown = Arc::clone(&seen);
        let hangs_up = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&hangs_up);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            let mut frames = Frames::default();
            while !stop.load(Ordering::Relaxed) {
                let mut ready = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
                if poll(&mut ready, TICK_MS) == Ok(0) {
                    continue;
                }
                // An error is the end: nobody has the terminal open any more.
                let Ok(length @ 1..) = output.read(&mut bytes) else { break };
                let whole = frames.whole(&bytes[..length]);
                shown.lock().unwrap_or_else(PoisonError::into_inner).process(&whole);
            }
        });
        Ok(Self { child, keys, terminal, seen, hangs_up, reader: Some(reader) })
    }

    /// What is on the screen, line by line.
    #[must_use]
    pub fn text(&self) -> String {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).screen().contents()
    }

    /// Waits until `is` says so of the screen, and gives the screen.
    ///
    /// # Errors
    /// When that does not come, with the screen.
    pub fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> Result<String> {
        let start = Instant::now();
        loop {
            let text = self.text();
            if is(&text) {
                return Ok(text);
            }
            if start.elapsed() > PATIENCE {
                bail!("never {what}:\n{text}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until all of these are on the screen, and gives the screen.
    ///
    /// # Errors
    /// As [`Screen::until`].
    pub fn shows(&self, parts: &[&str]) -> Result<String> {
        self.until(&format!("{parts:?}"), |text| parts.iter().all(|part| text.contains(part)))
    }

    /// Presses keys.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes()).context("the terminal is gone")
    }

    /// Clicks where a text is on the screen, as xterm says it (SGR 1006).
    ///
    /// # Errors
    /// When it is not there, or the terminal is gone.
    pub fn click(&mut self, text: &str) -> Result<()> {
        let screen = self.shows(&[text])?;
        let lines = screen.lines().enumerate();
        let at =
            lines.filter_map(|(row, line)| Some((row, line[..line.find(text)?].chars().count())));
        let (row, column) = at.last().context("it is gone again")?;
        let (row, column) = (row + 1, column + 1);
        self.press(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"))
    }

    /// Sends the agent a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        signal::kill(pid, signal).context("the agent is gone")
    }

    /// Closes the terminal, as a window that is closed or a connection that is lost does, and waits
    /// until the agent has ended.
    ///
    /// # Errors
    /// When it does not end.
    pub fn hang_up(mut self) -> Result<()> {
        self.hangs_up.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().map_err(|_| anyhow!("the reader has panicked"))?;
        }
        // The last who has it open on this side.
        self.keys = File::open("/dev/null")?;
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(start.elapsed() < PATIENCE, "it goes on without a terminal");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until the agent has ended, and gives how, with the last screen.
    ///
    /// # Errors
    /// When it does not end, or leaves the terminal in another state than it was in.
    pub fn end(mut self) -> Result<(ExitStatus, String)> {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                bail!("it does not end:\n{}", self.text());
            }
            thread::sleep(Duration::from_millis(20));
        };
        let lines = tcgetattr(&self.terminal)?.local_flags;
        let line_by_line = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        ensure!(lines.contains(line_by_line), "the terminal is still raw: {lines:?}");
        // What is still on its way to the screen comes before a mark of ours.
        (&self.terminal).write_all(b"END OF OUTPUT")?;
        let text = self.shows(&["END OF OUTPUT"])?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let screen = seen.screen();
        ensure!(!screen.alternate_screen(), "the screen is still the view's:\n{text}");
        ensure!(!screen.hide_cursor(), "the cursor is still hidden");
        let mouse = screen.mouse_protocol_mode();
        ensure!(mouse == vt100::MouseProtocolMode::None, "the mouse is still ours: {mouse:?}");
        drop(seen);
        Ok((status, text))
    }

    /// Whether the agent has the mouse.
    #[must_use]
    pub fn has_mouse(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It has ended, or its terminal and its target are of no use to anybody any more.
        _ = self.child.kill();
        _ = self.child.wait();
        // The reader ends with the last who has the terminal open, which may be us: it is not waited for.
        drop(self.reader.take());
    }
}
