//! Programs of the corpus, each under a name of its own: some for as long as they are wanted, and one that comes and goes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use leak_agent_tests::{Scratch, Target};

/// What all their names begin with.
pub(crate) const PREFIX: &str = "soak-";
/// The healthy one that comes and goes.
pub(crate) const SHORT: &str = "short";

/// The Go that they are built with.
const GO: &str = "1.26.6";
/// Of each kind one.
const LEAKING: [&str; 10] = [
    "unclosed-body",
    "lost-cancel",
    "timed-out-quote",
    "lock-early-return",
    "unstopped-worker",
    "first-error",
    "silent-peer",
    "rows-not-closed",
    "missing-done",
    "never-unsubscribed",
];
const HEALTHY: usize = 40;
/// How long one that comes and goes is there, and how often one comes.
const SHORT_LIFE: Duration = Duration::from_secs(8);
const SHORT_EVERY: Duration = Duration::from_secs(20);

/// Those that run, and the folder with all.
pub(crate) struct Programs {
    scratch: Scratch,
    leaking: Vec<String>,
    running: BTreeMap<String, (Target, Instant)>,
    /// When each was started, of those that have ended too.
    started: BTreeMap<String, Instant>,
    short: Option<Target>,
    short_started: Instant,
    short_lived: u64,
}

impl Programs {
    /// Starts the healthy ones.
    pub(crate) fn start() -> Result<Self> {
        let scratch = Scratch::new("bench-daemon");
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/corpus/ours");
        let built = corpus.join(GO).join("exe");
        for name in LEAKING {
            link(&built.join("leaking").join(name), &scratch, name)?;
        }
        let folder = built.join("healthy");
        let read = || format!("{}: `cargo xtask bench daemon` builds it", folder.display());
        let mut healthy = Vec::new();
        for entry in fs::read_dir(&folder).with_context(read)? {
            let name = entry?.file_name().into_string().ok().context("a name that is no text")?;
            // What is mended of one that leaks has its name.
            if !LEAKING.contains(&&*name) {
                healthy.push(name);
            }
        }
        healthy.sort();
        ensure!(healthy.len() >= HEALTHY, "only {} healthy programs", healthy.len());
        // From all over the alphabet.
        let step = healthy.len() as f64 / HEALTHY as f64;
        let chosen = (0..HEALTHY).map(|at| healthy[(at as f64 * step) as usize].clone());
        let chosen: Vec<String> = chosen.collect();
        let mut programs = Self {
            scratch,
            leaking: LEAKING.map(str::to_owned).to_vec(),
            running: BTreeMap::new(),
            started: BTreeMap::new(),
            short: None,
            short_started: Instant::now(),
            short_lived: 0,
        };
        for name in &chosen {
            link(&folder.join(name), &programs.scratch, name)?;
        }
        link(&folder.join(&chosen[0]), &programs.scratch, SHORT)?;
        programs.run(&chosen)?;
        Ok(programs)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.scratch.0.clone()
    }

    /// The names of those that leak.
    pub(crate) fn leaking(&self) -> &[String] {
        &self.leaking
    }

    /// How many there are at most, but for what comes and goes.
    pub(crate) const fn count(&self) -> usize {
        HEALTHY + LEAKING.len()
    }

    /// How many came and went.
    pub(crate) const fn short_lived(&self) -> u64 {
        self.short_lived
    }

    /// When one was started.
    pub(crate) fn started(&self, name: &str) -> Option<Instant> {
        self.started.get(name).copied()
    }

    pub(crate) fn run(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            let target = start(&place(&self.scratch, name))?;
            let now = Instant::now();
            self.started.insert(name.clone(), now);
            self.running.insert(name.clone(), (target, now));
        }
        Ok(())
    }

    pub(crate) fn end(&mut self, names: &[String]) {
        for name in names {
            self.running.remove(name);
        }
    }

    /// Sees to the one that comes and goes, and that all others are there.
    pub(crate) fn come_and_go(&mut self) -> Result<()> {
        for (name, (target, started)) in &mut self.running {
            if let Some(status) = target.ended()? {
                let seconds = started.elapsed().as_secs();
                bail!("{name} ended by itself after {seconds} s: {status}");
            }
        }
        let age = self.short_started.elapsed();
        if self.short.is_some() && age > SHORT_LIFE {
            self.short = None;
        }
        if self.short.is_none() && age > SHORT_EVERY {
            self.short = Some(start(&place(&self.scratch, SHORT))?);
            self.short_started = Instant::now();
            self.short_lived += 1;
        }
        Ok(())
    }
}

fn start(path: &Path) -> Result<Target> {
    Target::start_command(Command::new(path).stderr(Stdio::null()))
}

fn place(scratch: &Scratch, name: &str) -> PathBuf {
    scratch.0.join(format!("{PREFIX}{name}"))
}

/// A program under its name here: one that is a file of its own, not one that leads to another.
fn link(from: &Path, scratch: &Scratch, name: &str) -> Result<()> {
    let to = place(scratch, name);
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
