//! One program of a corpus: started, looked at by the agent, judged, ended.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use leak_agent::model::finding::Verdict;
use serde::Serialize;

use super::agent::{Agent, Said, Way};
use super::expect::Expected;
use super::leaks;
use super::marker::Marked;
use super::matching::{Judged, Site, judge};
use super::proven::{self, Proof};
use super::report::Finding;
use super::source::Source;
use crate::target::Target;

/// How long a program runs before the agent comes.
const SETTLE: Duration = Duration::from_secs(1);

/// How much longer a program runs that one sample must find: by goroutine ids nothing is judged in the first
/// minute.
const AGE: Duration = Duration::from_secs(45);

/// Which corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corpus {
    /// Our own programs, whose goroutines leak.
    Ours,
    /// Our own programs, whose memory or resources leak.
    Memory,
    /// Go's.
    Go,
    /// Servers that nobody here wrote.
    Servers,
}

impl Corpus {
    /// Its name in arguments and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Memory => "memory",
            Self::Go => "go",
            Self::Servers => "servers",
        }
    }
}

/// A program, built with one Go in one way.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// Its corpus.
    pub corpus: Corpus,
    /// Its name.
    pub name: String,
    /// The Go that built it.
    pub go: String,
    /// How it was built: `exe` or `stripped`.
    pub build: String,
    /// How the agent sees it.
    pub source: Source,
    /// Whether nothing in it leaks.
    pub healthy: bool,
}

/// A program and all that it takes to run and judge it.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program.
    pub program: Program,
    /// Its binary.
    pub binary: PathBuf,
    /// What is known of it.
    pub known: Known,
}

/// What is known of a program.
#[derive(Clone, Debug)]
pub enum Known {
    /// What the markers in its source say.
    Marked(Marked),
    /// What Go's test expects of it.
    Expected(Expected),
}

/// How a run went.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The program.
    pub program: Program,
    /// Why there is nothing to judge.
    pub failed: Option<Failure>,
    /// Its sites, judged.
    pub sites: Vec<Judged>,
    /// Leaks that are expected, but have not come about this time.
    pub absent: Vec<String>,
    /// Findings that belong to no site.
    pub others: Vec<Finding>,
    /// What `check` found alone, where that is of interest.
    pub check: Option<Checked>,
    /// What was proven, where the agent was to prove.
    pub proof: Option<Proof>,
    /// From the agent's start to its end.
    pub seconds: f64,
    /// Its goroutines at the agent's last sample.
    pub goroutines: u64,
    /// What the agent thinks of its health.
    pub health: Option<u8>,
    /// The surest of all findings.
    pub verdict: Option<Verdict>,
}

/// What one sample showed.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The sites that one sample has to show, judged.
    pub sites: Vec<Judged>,
    /// Findings that belong to no site of the program.
    pub others: Vec<Finding>,
}

/// Why there is nothing to judge.
#[derive(Clone, Debug, Serialize)]
pub enum Failure {
    /// The program ended, or never became ready.
    Program(String),
    /// The agent failed.
    Agent(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(why) => write!(f, "the program: {why}"),
            Self::Agent(why) => write!(f, "the agent: {why}"),
        }
    }
}

impl Run {
    /// Of a program that could not be judged.
    #[must_use]
    pub const fn failed(program: Program, failure: Failure) -> Self {
        Self {
            program,
            failed: Some(failure),
            sites: Vec::new(),
            absent: Vec::new(),
            others: Vec::new(),
            check: None,
            proof: None,
            seconds: 0.0,
            goroutines: 0,
            health: None,
            verdict: None,
        }
    }

    /// Findings that belong to no site, and that the agent is sure of.
    pub fn false_findings(&self) -> impl Iterator<Item = &Finding> {
        self.others.iter().filter(|it| it.verdict >= Verdict::Likely)
    }

    /// Findings that belong to no site, and that the agent only suspects.
    pub fn suspects(&self) -> impl Iterator<Item = &Finding> {
        self.others.iter().filter(|it| it.verdict < Verdict::Likely)
    }

    /// Findings of `check` that belong to no site, and that the agent is sure of.
    pub fn check_alarms(&self) -> impl Iterator<Item = &Finding> {
        let others = self.check.iter().flat_map(|it| &it.others);
        others.filter(|it| it.verdict >= Verdict::Likely)
    }
}

impl Job {
    /// Runs it. What the agent says is kept in a file of the program's name in `folder`.
    #[must_use]
    pub fn run(&self, agent: &Agent, folder: &Path) -> Run {
        self.try_run(agent, folder)
            .unwrap_or_else(|failure| Run::failed(self.program.clone(), failure))
    }

    fn try_run(&self, agent: &Agent, folder: &Path) -> Result<Run, Failure> {
        let of_program = |error: anyhow::Error| Failure::Program(format!("{error:#}"));
        let keep = folder.join(format!("{}.json", self.program.name));
        let mut target = self.start(&keep).map_err(of_program)?;
        thread::sleep(SETTLE);
        if agent.proves && matches!(self.known, Known::Expected(_)) {
            target.command("plant").map_err(of_program)?;
        }
        let before = match &self.known {
            Known::Marked(_) => None,
            Known::Expected(_) => Some(target.dump().map_err(of_program)?),
        };
        let way = self.program.source.way(target.pid(), &address(&keep)).map_err(of_program)?;
        let started = SystemTime::now();
        let said = agent.analyze(&way, &keep);
        let proven = said.as_ref().ok().filter(|_| agent.proves);
        let proof = proven.map(|_| {
            let (mut proof, goids) = proven::of_analysis(started, &keep)?;
            if let (Known::Expected(expected), Some(before)) = (&self.known, &before) {
                let dumps = (expected, before);
                proven::compare(&mut target, (agent, &keep), dumps, &goids, &mut proof)?;
            }
            Ok(proof)
        });
        let checked = self.check(agent, &way, &keep);
        // An agent that fails because its target has gone is not to blame.
        match target.ended() {
            Ok(None) => {}
            Ok(Some(status)) => {
                return Err(Failure::Program(format!("it ended by itself: {status}")));
            }
            Err(error) => return Err(of_program(error)),
        }
        let of_agent = |error: anyhow::Error| Failure::Agent(format!("{error:#}"));
        let Said { report, took } = said.map_err(of_agent)?;
        let check = checked.map_err(of_agent)?;
        let proof = proof.transpose().map_err(of_agent)?;
        let (sites, absent) = match (&self.known, before) {
            (Known::Expected(expected), Some(before)) => {
                leaks::sites(expected, &before, &target.dump().map_err(of_program)?)
            }
            (Known::Marked(marked), _) => (marked.sites.clone(), Vec::new()),
            (Known::Expected(_), None) => (Vec::new(), Vec::new()),
        };
        let mut findings = report.findings;
        findings.retain(|it| !proven::is_planted(it));
        let (sites, others) = judge(&sites, &findings);
        Ok(Run {
            program: self.program.clone(),
            failed: None,
            sites,
            absent,
            others,
            check,
            proof,
            seconds: took.as_secs_f64(),
            goroutines: report.goroutines,
            health: report.health,
            verdict: findings.iter().map(|it| it.verdict).max(),
        })
    }

    /// What `check` says of a program that is to be found, or to raise no alarm, in one sample.
    fn check(&self, agent: &Agent, way: &Way, keep: &Path) -> Result<Option<Checked>> {
        let Known::Marked(Marked { sites, check }) = &self.known else { return Ok(None) };
        if check.is_none() && !self.program.healthy {
            return Ok(None);
        }
        if check.is_some() {
            thread::sleep(AGE);
        }
        let said = agent.check(way, &keep.with_extension("check.json"))?;
        // The healthy have no sites.
        let wanted = sites.iter().cloned().map(|site| {
            let verdict = check.unwrap_or(site.verdict);
            Site { verdict, ..site }
        });
        let (sites, others) = judge(&wanted.collect::<Vec<_>>(), &said.report.findings);
        Ok(Some(Checked { sites, others }))
    }

    fn start(&self, keep: &Path) -> Result<Target> {
        let mut command = Command::new(&self.binary);
        self.program.source.prepare(&mut command, &address(keep));
        if let Known::Expected(expected) = &self.known {
            command.arg(&expected.name);
            // As Go's own test has it.
            command.env("GODEBUG", "asyncpreemptoff=1");
            if !expected.flaky {
                command.env("GOMAXPROCS", "1");
            }
        }
        Target::start_command(command.stderr(File::create(keep.with_extension("stderr"))?))
    }
}

/// Where a program writes the address of the profiles that it serves.
fn address(keep: &Path) -> PathBuf {
    keep.with_extension("address")
}

/// The programs of a corpus of our own, to be seen by a source: their code in `sources` and in its modules, binaries in
/// `binaries`.
///
/// # Errors
/// When they cannot be listed, a marker is wrong, or a healthy one has markers.
pub fn ours(
    corpus: Corpus,
    sources: &Path,
    binaries: &Path,
    (go, build): (&str, &str),
    seen: Source,
) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for (folder, healthy) in [("leaking", false), ("healthy", true)] {
        let homes = homes(sources, folder)?;
        for name in programs(&binaries.join(folder))? {
            let mut its = homes.iter().map(|home| home.join(&name)).filter(|it| it.is_dir());
            // Built once, but gone since.
            let Some(source) = its.next() else { continue };
            if let Some(other) = its.next() {
                bail!(
                    "two programs are named {name}: {} and {}",
                    source.display(),
                    other.display()
                );
            }
            let mut marked = super::marker::of_program(&source, go)?;
            if build == "stripped" {
                // Variables have no names there.
                marked.sites.iter_mut().for_each(|site| site.held = None);
            }
            // What an older Go leaks a newer one may not.
            if healthy && !marked.sites.is_empty() {
                bail!("{} has markers, but lies among the {folder}", source.display());
            }
            let binary = binaries.join(folder).join(&name);
            // A leak and its fixed twin have one name.
            let name = if healthy { format!("{name}+") } else { name };
            let healthy = healthy || marked.sites.is_empty();
            let program = Program {
                corpus,
                name,
                go: go.to_owned(),
                build: build.to_owned(),
                source: seen,
                healthy,
            };
            jobs.push(Job { program, binary, known: Known::Marked(seen.wants(marked)) });
        }
    }
    Ok(jobs)
}

/// The folders that hold our programs of a kind: the corpus' own, and one in each module.
fn homes(sources: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    let modules = sources.join("modules");
    let entries = std::fs::read_dir(&modules)
        .with_context(|| format!("there are no modules in {}", modules.display()))?;
    let mut homes = vec![sources.join(folder)];
    for entry in entries {
        homes.push(entry?.path().join(folder));
    }
    Ok(homes)
}

/// The programs of Go's: its test in `test`, and in `binaries` each binary with a list of the programs in it.
///
/// # Errors
/// When they cannot be read.
pub fn of_go(test: &Path, binaries: &Path, go: &str, build: &str) -> Result<Vec<Job>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let expected = super::expect::read(&read(test)?)?;
    let mut jobs = Vec::new();
    for name in programs(binaries)? {
        let binary = binaries.join(&name);
        let listed = Command::new(&binary).output()?.stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        for expected in expected.iter().filter(|it| listed.lines().any(|line| line == it.name)) {
            let program = Program {
                corpus: Corpus::Go,
                name: expected.name.clone(),
                go: go.to_owned(),
                build: build.to_owned(),
                source: Source::Attach,
                healthy: expected.leaks.is_empty(),
            };
            let known = Known::Expected(expected.clone());
            jobs.push(Job { program, binary: binary.clone(), known });
        }
    }
    Ok(jobs)
}

/// The files of a folder, in the order of their names.
fn programs(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("there are no programs in {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names
        .iter()
        .map(|name: &std::ffi::OsString| OsStr::to_string_lossy(name).into_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_program_of_the_corpus_says_what_leaks_in_it_and_no_healthy_one_does() {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        for sources in [ours.clone(), ours.join("memory")] {
            for (folder, healthy) in [("leaking", false), ("healthy", true)] {
                let mut names = std::collections::BTreeSet::new();
                for home in homes(&sources, folder).unwrap() {
                    for entry in std::fs::read_dir(home).unwrap() {
                        let path = entry.unwrap().path();
                        let marked = super::super::marker::of_program(&path, "1.21.13").unwrap();
                        assert_eq!(marked.sites.is_empty(), healthy, "{}", path.display());
                        let name = path.file_name().unwrap().to_owned();
                        assert!(names.insert(name), "two programs are named {}", path.display());
                    }
                }
            }
        }
    }
}
