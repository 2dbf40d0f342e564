//! Boots a guest in qemu, shows its console, and collects what its tests say.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;
use crate::test::tally::Tally;

use super::console::{Line, Record, parse};
use super::packages::qemu;
use super::{Arch, Guest};

/// What a guest's tests said.
pub struct Outcome {
    /// Their counts.
    pub tally: Tally,
    /// From the start of the emulator to the guest's process 1.
    pub up_after: Duration,
    /// From the start of the emulator to its end.
    pub off_after: Duration,
}

/// Boots a guest and waits until it is off.
///
/// # Errors
/// When the guest does not end by itself in time, dies before its tests are through, or ran none.
pub fn boot(guest: Guest, kernel: &Path, initrd: &Path, time_out: Duration) -> Result<Outcome> {
    let started = Instant::now();
    let mut emulator = Emulator::start(guest, kernel, initrd)?;
    let stdout = emulator.0.stdout.take().context("qemu has no console")?;
    let (send, receive) = mpsc::channel();
    // Ends with the emulator, which dropping `emulator` makes sure of.
    thread::spawn(move || {
        let mut console = BufReader::new(stdout);
        let mut line = Vec::new();
        while console.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
            line.clear();
        }
    });

    let mut record = Record::default();
    let mut up_after = Duration::ZERO;
    loop {
        let left = time_out.saturating_sub(started.elapsed());
        let line = match receive.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => bail!(
                "the guest did not end within {} s: its last words are above",
                time_out.as_secs()
            ),
        };
        let line = parse(&line);
        record.note(&line);
        match line {
            Line::Begin => up_after = started.elapsed(),
            Line::Pass(name) => println!("  pass {name}"),
            Line::Fail(name, reason) => println!("  FAIL {name}: {reason}"),
            Line::End(_) | Line::Other("") => {}
            Line::Other(text) => println!("  | {text}"),
        }
    }
    let status = emulator.0.wait().context("cannot wait for qemu")?;
    let tally = record.verdict().with_context(|| format!("qemu ended with {status}"))?;
    Ok(Outcome { tally, up_after, off_after: started.elapsed() })
}

/// A running emulator, ended when it is dropped.
struct Emulator(Child);

impl Emulator {
    fn start(guest: Guest, kernel: &Path, initrd: &Path) -> Result<Self> {
        let (machine, cpu, console) = match guest.arch {
            Arch::Amd64 => ("q35", "max", "ttyS0"),
            Arch::Arm64 => ("virt", "cortex-a72", "ttyAMA0"),
        };
        let mut command = shell::command(qemu(guest.arch));
        command
            .args(["-machine", machine, "-cpu", cpu, "-accel", "tcg", "-m", "1024", "-smp", "2"])
            .args(["-display", "none", "-serial", "stdio", "-monitor", "none", "-net", "none"])
            // A panic reboots at once, and a reboot ends the emulator.
            .arg("-no-reboot")
            .args(["-append", &format!("console={console} panic=-1 quiet")])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initrd)
            .stdout(Stdio::piped());
        Ok(Self(command.spawn().with_context(|| format!("cannot start {}", qemu(guest.arch)))?))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
