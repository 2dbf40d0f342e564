//! What one hit costs, on one instruction, in one run: a probe that does nothing, bpftrace keeping a
//! time by goroutine, and ours.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use leak_agent::collect::attach::probes::Event;
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::probed::{Probed, breakpoints};
use serde::Serialize;
use serde_json::{Value, json};

use crate::pingpong::{table_sizes, turn};
use crate::{place, table};

/// A turn.
const WINDOW: Duration = Duration::from_millis(500);
const ROUNDS: usize = 7;
/// bpftrace compiles first.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nanoseconds a hit.
#[derive(Debug, Default, Serialize)]
pub struct Hits {
    /// A BPF program that does nothing: the trap.
    pub empty_ns: Figure,
    /// bpftrace, which keeps the time of the last park by goroutine, and nothing else.
    pub bpftrace_ns: Figure,
    /// Our park probe.
    pub ours_ns: Figure,
    /// Ours over bpftrace's, round by round.
    pub of_bpftrace: Figure,
    /// Ours over the empty one.
    pub of_empty: Figure,
    /// Parks each time that the ball is passed.
    pub parks_a_pass: Figure,
}

/// Measures all.
pub fn measure() -> Result<Value> {
    table::title("one hit of the park probe (ns), a ping-pong without work");
    // Debian's bpftrace goes to a place within a function only where there are no symbols; and then
    // what it calls an address is an offset in the file.
    let mut target = place::target("stripped")?;
    target.command("pingpong 0")?;
    let mut probed = Probed::load(&target, table_sizes(), None)?;
    let place = probed.probes.place(Event::Park)?.file_offset();
    let mut hits = Hits::default();
    for _ in 0..ROUNDS {
        let base = pass_ns(&mut target)?;
        let before = probed.probes.counters()?.parks;
        probed.probes.attach(Event::Park)?;
        let start = Instant::now();
        let ours = pass_ns(&mut target)?;
        let took = start.elapsed().as_secs_f64() * 1e9;
        let parks = (probed.probes.counters()?.parks - before) as f64;
        probed.probes.detach(Event::Park)?;
        // A pass parks twice where nothing else does: but what was counted is what was hit.
        let parks_a_pass = (parks * ours / took).round().max(1.0);
        hits.parks_a_pass.add(parks_a_pass);
        hits.ours_ns.add((ours - base) / parks_a_pass);
        for (program, figure) in
            [("{ }", &mut hits.empty_ns), ("{ @[reg(\"r14\")] = nsecs; }", &mut hits.bpftrace_ns)]
        {
            let base = pass_ns(&mut target)?;
            let bpftrace = Bpftrace::start(&target, &probed, place, program)?;
            figure.add((pass_ns(&mut target)? - base) / parks_a_pass);
            drop(bpftrace);
            until(&target, &probed, "leaves", <[u64]>::is_empty)?;
        }
    }
    hits.of_bpftrace = hits.bpftrace_ns.ratios(&hits.ours_ns);
    hits.of_empty = hits.empty_ns.ratios(&hits.ours_ns);
    table::hits(&hits);
    Ok(json!(hits))
}

/// The target's processor time a pass.
fn pass_ns(target: &mut Target) -> Result<f64> {
    Ok(1e9 / turn(target, WINDOW)?.by_cpu)
}

/// A running bpftrace. It ends, and its probe with it, when this value is dropped.
struct Bpftrace(Child);

impl Bpftrace {
    fn start(target: &Target, probed: &Probed, offset: u64, program: &str) -> Result<Self> {
        let pid = target.pid().to_string();
        let script = format!("uprobe:/proc/{pid}/exe:{offset:#x} {program}");
        let child = Command::new("bpftrace")
            .args(["--unsafe", "-q", "-p", &pid, "-e", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start bpftrace")?;
        let running = Self(child);
        until(target, probed, "comes", |there| !there.is_empty())
            .with_context(|| format!("bpftrace -p {pid} -e '{script}'"))?;
        Ok(running)
    }
}

impl Drop for Bpftrace {
    fn drop(&mut self) {
        // Not killed: a probe that is being taken out at that moment would stay in the target.
        // Errors mean that it is gone already, which is what is wanted.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

fn until(target: &Target, probed: &Probed, what: &str, is: impl Fn(&[u64]) -> bool) -> Result<()> {
    let start = Instant::now();
    while !is(&breakpoints(target, &probed.code)?) {
        ensure!(start.elapsed() < PATIENCE, "the probe never {what}");
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
