//! The agent on a terminal: a pseudo terminal, and what a person would see on it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{self, Signal};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;

use crate::agent;

/// Whatever is not on the screen in this time never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// The agent on a terminal of its own. It is killed when this value is dropped.
pub struct Screen {
    child: Child,
    keys: File,
    /// The terminal's settings can be read here after the agent has ended, too.
    terminal: File,
    seen: Arc<Mutex<vt100::Parser>>,
    reader: Option<JoinHandle<()>>,
}

impl Screen {
    /// Starts the agent with these arguments on a terminal of this many columns and rows.
    ///
    /// # Errors
    /// When there is no pseudo terminal, or the agent cannot be built or started.
    pub fn start(args: &[&str], columns: u16, rows: u16) -> Result<Self> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).context("no pseudo terminal")?;
        let terminal = File::from(pty.slave);
        // Its controlling terminal too: that is where a size is asked for, and never ours.
        let child = Command::new("setsid")
            .arg("--ctty")
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
        let mut output = File::from(pty.master);
        let keys = output.try_clone()?;
        let shown = Arc::clone(&seen);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // An error is the end: nobody has the terminal open any more.
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..length]);
            }
        });
        Ok(Self { child, keys, terminal, seen, reader: Some(reader) })
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
