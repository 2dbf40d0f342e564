//! `cargo xtask demo`: the agent attached to a leaking Go service, from nothing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::go::Toolchains;
use crate::project::Project;
use crate::shell::{self, say};
use crate::targets;
use crate::toolchain;

/// The Go target that leaks.
const SERVICE: &str = "demo";

/// The agent's arguments. The service's pid takes the place of `PID`.
const AGENT_ARGS: [&str; 4] = ["--pid", "PID", "--duration", "10s"];

/// A service that has not leaked by then has failed.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long the agent may take to print its report once it was asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// The chore.
pub fn run(project: &Project, _flags: &[String]) -> Result<()> {
    say("1/4 building the release agent (2 to 4 minutes the first time)");
    let rust = toolchain::ensure()?;
    shell::run(rust.cargo(project).args(["build", "--release", "--locked", "-p", "leak-agent"]))?;

    say("2/4 building a Go service with a leak in it, tests/targets/demo (10 s the first time)");
    let go = Toolchains::find(project).any()?;
    let service = targets::build_plain(project, SERVICE, &go)?;
    say(format_args!("    with Go {}, into {}", go.version(), project.shown(&service)));

    let interrupted = catch_signals()?;
    say("3/4 starting it and waiting until it leaks");
    let service = Service::start(&service, &interrupted)?;

    say(
        "4/4 attaching to it for 10 s: it is neither changed nor told, and a proof stops it for a moment",
    );
    let pid = service.child.id().to_string();
    let agent = project.agent();
    let mut agent = shell::command(agent);
    agent.args(AGENT_ARGS.map(|arg| if arg == "PID" { pid.as_str() } else { arg }));
    println!("$ {}", shell::line(&agent).replace(&format!("{}/", project.root().display()), ""));
    let mut running =
        agent.spawn().with_context(|| format!("cannot run {}", shell::line(&agent)))?;
    let status = wait(&mut running, &interrupted)?;
    drop(service);
    // 1 says that there are findings, which is what a demonstration is for.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("the agent failed ({status})");
    }
    say(
        "the service is ended; try it on a Go program of yours: sudo target/release/leak-agent --pid N",
    );
    Ok(())
}

/// Has Ctrl-C and SIGTERM set a flag, so that what was started is ended on the way out.
fn catch_signals() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("cannot catch signals")?;
    }
    Ok(flag)
}

/// The running service. It is killed when this value is dropped.
struct Service {
    child: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when it is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Starts it, out of reach of the terminal's Ctrl-C, and waits until it says READY.
    fn start(path: &Path, interrupted: &AtomicBool) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = shell::command(path);
        let child = command
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", path.display()))?;
        let mut service = Self { child };
        let stdout = service.child.stdout.take().context("the service has no output")?;
        let (sender, ready) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.starts_with("READY") {
                    // Nobody listens any more once the wait is over; the pipe is drained on.
                    let _ = sender.send(());
                }
            }
        });
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if interrupted.load(Ordering::Relaxed) {
                bail!("interrupted");
            }
            match ready.recv_timeout(Duration::from_millis(100)) {
                Ok(()) => return Ok(service),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    bail!("the service ended ({}) before it was READY", service.child.wait()?);
                }
            }
        }
        bail!("the service did not say READY within {} s", READY_WITHIN.as_secs())
    }
}

/// Waits for the agent. Ctrl-C reaches it too, and it reports then: it gets time to do so.
fn wait(agent: &mut Child, interrupted: &AtomicBool) -> Result<std::process::ExitStatus> {
    let mut asked = None;
    loop {
        if let Some(status) = agent.try_wait()? {
            return Ok(status);
        }
        if interrupted.load(Ordering::Relaxed) {
            let since = *asked.get_or_insert_with(Instant::now);
            if since.elapsed() > GRACE {
                agent.kill()?;
            }
        }
        thread::sleep(Duration::from_millis(50));
    }
}
