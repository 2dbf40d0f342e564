//! `cargo xtask fuzz`: runs each fuzz target of tests/fuzz for a bounded time.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::apt;
use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain::{self, Toolchain};
use crate::tools::{self, Tool};

const CARGO_FUZZ: Tool =
    Tool { name: "cargo-fuzz", version: "0.13.2", takes: "about a minute, once" };

/// How long each target runs, in seconds, when nothing else is asked for.
pub const DEFAULT_SECONDS: u32 = 10;

/// Memory that a target may take, in MB: what it reads must not make it ask for more.
const MEMORY_MB: u32 = 2048;

/// An input that takes longer, in seconds, is a finding.
const INPUT_SECONDS: u32 = 10;

/// The fuzz targets, built.
pub struct Fuzzing<'a> {
    project: &'a Project,
    rust: Toolchain,
    binary: PathBuf,
    names: Vec<String>,
}

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let seconds = match flags {
        [] => DEFAULT_SECONDS,
        [seconds] => {
            seconds.parse().with_context(|| format!("{seconds} is no number of seconds"))?
        }
        _ => bail!("fuzz takes one number of seconds"),
    };
    let rust = toolchain::ensure()?;
    let fuzzing = Fuzzing::build(project, rust)?;
    let mut failed = Vec::new();
    for name in fuzzing.names() {
        if let Err(error) = fuzzing.target(name, seconds) {
            eprintln!("error: {error:#}");
            failed.push(name.as_str());
        }
    }
    ensure!(failed.is_empty(), "fuzz targets failed: {}", failed.join(", "));
    Ok(())
}

impl<'a> Fuzzing<'a> {
    /// Builds every target, with the sanitizer's help.
    pub fn build(project: &'a Project, rust: Toolchain) -> Result<Self> {
        apt::ensure(&apt::CXX, "to build libFuzzer")?;
        let binary = tools::ensure(project, rust, CARGO_FUZZ)?;
        let mut this = Self { project, rust, binary, names: Vec::new() };
        let listed = shell::output(&mut this.cargo_fuzz("list"))?;
        this.names = listed.lines().map(str::to_owned).collect();
        ensure!(!this.names.is_empty(), "tests/fuzz has no targets");
        say(format_args!("building {} fuzz targets", this.names.len()));
        let mut build = this.cargo_fuzz("build");
        shell::run(build.arg("--target-dir").arg(this.work()))?;
        Ok(this)
    }

    /// The targets' names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Runs one target. What it learns is kept under target/fuzz, for the next run to start from;
    /// inputs that are worth keeping for good lie in tests/fuzz/seeds.
    pub fn target(&self, name: &str, seconds: u32) -> Result<()> {
        say(format_args!("fuzzing {name} for {seconds} s"));
        let corpus = self.made("corpus", name)?;
        let artifacts = self.made("artifacts", name)?;
        let seeds = self.folder().join("seeds").join(name);
        let mut run = self.cargo_fuzz("run");
        run.arg("--target-dir").arg(self.work()).arg(name).arg(&corpus);
        if seeds.is_dir() {
            run.arg(&seeds);
        }
        run.arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY_MB}"))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            // Inputs are lists of edits: long ones are worth as much as short ones.
            .arg("-len_control=0")
            .args(["-print_final_stats=1", "-verbosity=0"])
            .arg(format!("-artifact_prefix={}/", artifacts.display()));
        shell::run(&mut run).with_context(|| {
            format!("{name} failed; the input lies in {}", self.project.shown(&artifacts))
        })
    }

    fn folder(&self) -> PathBuf {
        self.project.root().join("tests/fuzz")
    }

    fn work(&self) -> PathBuf {
        self.project.target().join("fuzz")
    }

    fn made(&self, kind: &str, name: &str) -> Result<PathBuf> {
        let folder = self.work().join(kind).join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// A call of cargo-fuzz. Sanitizers are an unstable option of the compiler, which the pinned
    /// stable one takes under RUSTC_BOOTSTRAP: no nightly is needed.
    fn cargo_fuzz(&self, command: &str) -> Command {
        let mut cargo_fuzz = self.rust.around(self.project, &self.binary);
        cargo_fuzz.env("RUSTC_BOOTSTRAP", "1").arg(command).arg("--fuzz-dir").arg(self.folder());
        // In place of one unit, which takes a single processor some ten minutes for the agent.
        cargo_fuzz.env("RUSTFLAGS", "-Ccodegen-units=16");
        cargo_fuzz
    }
}
