//! What is measured with one target.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use anyhow::{Context, Result};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::bench::figure::{Figure, milliseconds};
use leak_agent_tests::bench::gap::worst;
use leak_agent_tests::bench::machine::compute;
use leak_agent_tests::bench::process::{run, run_weighed};
use leak_agent_tests::{Observe as _, Target};
use serde::Serialize;

use crate::holders;

/// The version of Go that the targets are built with: one that goref reads.
const GO: &str = "1.26.6";
/// Samples that are timed.
const SAMPLES: usize = 50;
/// Walks that are; of a large heap they take seconds.
const ROUNDS: (usize, usize) = (5, 3);
const LARGE: u32 = 4_000;
/// For how long the target is watched at a time.
const WATCHED: Duration = Duration::from_secs(2);
/// From one sample to the next while the target's work is counted, as `analyze` takes them.
const PAUSE: Duration = Duration::from_secs(1);
/// Holders that both must have in the same order.
const TOP: usize = 4;

/// `grf` of goref, and where it may write.
#[derive(Debug)]
pub struct Peer {
    grf: PathBuf,
    folder: PathBuf,
}

impl Peer {
    pub fn new(grf: PathBuf) -> Result<Self> {
        let folder = env::temp_dir().join(format!("leak-agent-bench-{}", process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { grf, folder })
    }

    fn out(&self) -> PathBuf {
        self.folder.join("grf.out")
    }

    fn walk(&self, pid: u32) -> Command {
        let mut walk = Command::new(&self.grf);
        walk.arg("attach").arg(pid.to_string()).arg("--out").arg(self.out());
        walk.stderr(Stdio::null());
        walk
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // What cannot be removed is the temporary folder's business.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One heap, and what it took to know it.
#[derive(Debug, Default, Serialize)]
pub struct Size {
    pub heap_bytes: u64,
    pub objects: u64,
    /// From opening the process to the end of the first sample.
    pub attach_ms: Figure,
    /// Each sample after that: goroutines, few here, and all figures of memory and resources.
    pub sample_ms: Figure,
    /// `memory --retained`, from exec to exit, ...
    pub walk_ms: Figure,
    pub walk_cpu_ms: Figure,
    /// ... and the most memory that it had, in percent of the target's.
    pub walk_rss_percent: Figure,
    /// The longest time for which a goroutine that always wants to run did not: while nobody reads, ...
    pub gap_idle_ms: Figure,
    /// ... while samples are taken again and again, ...
    pub gap_samples_ms: Figure,
    /// ... and during a walk.
    pub gap_walk_ms: Figure,
    /// The target's work during walks, as a share of what it does else, in turns.
    pub work_walk: Figure,
    /// The same beside a process that computes, and reads nothing of it: what sharing the machine costs.
    pub work_neighbour: Figure,
    /// The same with a sample a second.
    pub work_samples: Figure,
    pub goref: Option<Goref>,
}

/// The same process, walked by goref.
#[derive(Debug, Default, Serialize)]
pub struct Goref {
    pub walk_ms: Figure,
    /// How much longer it takes, round by round.
    pub ratios: Figure,
    pub gap_ms: Figure,
    pub ours: Vec<String>,
    pub theirs: Vec<String>,
}

impl Size {
    pub fn measure(agent: &Path, peer: Option<&Peer>, megabytes: u32) -> Result<Self> {
        let mut target = Target::start_with(GO, "exe", "stored", &[megabytes.to_string()])?;
        let mut size = Self::default();
        (size.heap_bytes, size.objects) = pair(&target.command("heap")?)?;
        let pid = target.pid();
        size.samples(pid)?;
        let rss = resident(pid)?;
        let rounds = if megabytes > LARGE { ROUNDS.1 } else { ROUNDS.0 };
        // A heap that takes goref minutes is not worth them.
        let peer = peer.filter(|_| megabytes <= LARGE);
        let mut goref = peer.map(|_| Goref::default());
        for _ in 0..rounds {
            let (run, peak) = run_weighed(&mut walk(agent, pid))?;
            size.walk_ms.add(milliseconds(run.wall));
            size.walk_cpu_ms.add(milliseconds(run.cpu));
            size.walk_rss_percent.add(100.0 * peak as f64 / rss);
            if let (Some(peer), Some(goref)) = (peer, &mut goref) {
                goref.walk_ms.add(milliseconds(run_once(&mut peer.walk(pid))?));
            }
        }
        size.gaps(agent, peer.zip(goref.as_mut()), &mut target, rounds)?;
        size.work(agent, &mut target, rounds)?;
        if let (Some(peer), Some(goref)) = (peer, &mut goref) {
            goref.ratios = size.walk_ms.ratios(&goref.walk_ms);
            goref.ours = holders::ours(agent, pid, TOP)?;
            goref.theirs = holders::theirs(&peer.out(), TOP)?;
        }
        size.goref = goref;
        Ok(size)
    }

    fn samples(&mut self, pid: u32) -> Result<()> {
        let start = Instant::now();
        let mut source = Attach::open(pid, &Options::default())?;
        source.next()?;
        self.attach_ms.add(milliseconds(start.elapsed()));
        for _ in 0..SAMPLES {
            let start = Instant::now();
            source.next()?;
            self.sample_ms.add(milliseconds(start.elapsed()));
        }
        Ok(())
    }

    fn gaps(
        &mut self,
        agent: &Path,
        mut goref: Option<(&Peer, &mut Goref)>,
        target: &mut Target,
        rounds: usize,
    ) -> Result<()> {
        let pid = target.pid();
        let mut source = Attach::open(pid, &Options::default())?;
        target.command("gap start")?;
        for _ in 0..rounds {
            self.gap_idle_ms.add(worst(target, || {
                thread::sleep(WATCHED);
                Ok(())
            })?);
            self.gap_samples_ms.add(worst(target, || {
                let start = Instant::now();
                while start.elapsed() < WATCHED {
                    source.next()?;
                }
                Ok(())
            })?);
            self.gap_walk_ms.add(worst(target, || run_once(&mut walk(agent, pid)).map(drop))?);
            if let Some((peer, goref)) = &mut goref {
                goref.gap_ms.add(worst(target, || run_once(&mut peer.walk(pid)).map(drop))?);
            }
        }
        target.command("gap stop")?;
        Ok(())
    }

    fn work(&mut self, agent: &Path, target: &mut Target, rounds: usize) -> Result<()> {
        let pid = target.pid();
        let mut source = Attach::open(pid, &Options::default())?;
        target.command("work start")?;
        for _ in 0..rounds {
            let walked = rate(target, || run_once(&mut walk(agent, pid)).map(drop))?;
            let alone = rate(target, || {
                thread::sleep(WATCHED);
                Ok(())
            })?;
            let beside = rate(target, || {
                let start = Instant::now();
                while start.elapsed() < WATCHED {
                    compute();
                }
                Ok(())
            })?;
            let sampled = rate(target, || {
                let start = Instant::now();
                while start.elapsed() < WATCHED {
                    source.next()?;
                    thread::sleep(PAUSE);
                }
                Ok(())
            })?;
            self.work_walk.add(walked / alone);
            self.work_neighbour.add(beside / alone);
            self.work_samples.add(sampled / alone);
        }
        target.command("work stop")?;
        Ok(())
    }
}

fn walk(agent: &Path, pid: u32) -> Command {
    let mut walk = Command::new(agent);
    walk.args(["memory", "--retained", "--format", "json", "--pid", &pid.to_string()]);
    walk
}

fn run_once(command: &mut Command) -> Result<Duration> {
    Ok(run(command)?.wall)
}

/// How often the target does its work in a second while something is done.
fn rate(target: &mut Target, action: impl FnOnce() -> Result<()>) -> Result<f64> {
    target.command("work")?;
    action()?;
    let (rounds, ns) = pair(&target.command("work")?)?;
    Ok(rounds as f64 / (ns as f64 / 1e9))
}

/// Two numbers of an answer.
fn pair(answer: &str) -> Result<(u64, u64)> {
    let numbers = answer
        .split_once(' ')
        .and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
    numbers.with_context(|| format!("{answer:?} is no pair of numbers"))
}

/// Memory of a process that is resident, in bytes.
fn resident(pid: u32) -> Result<f64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    Ok(pages.context("statm is not in the format of proc_pid_statm(5)")? * 4096.0)
}
