//! `accuracy`: runs the agent on the corpora that `cargo xtask accuracy` has built, several programs at a time, and
//! says how right it is: tables on standard output, JSON and every report in a folder. Ends with 1 below the goals.

use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use leak_agent_tests::accuracy::agent::Agent;
use leak_agent_tests::accuracy::run::{self, Corpus, Job, Run};
use leak_agent_tests::accuracy::source::Source;
use leak_agent_tests::accuracy::sums::{self, Sum};
use leak_agent_tests::accuracy::{proofs, soak, table};
use leak_agent_tests::server::Kind;
use serde::Serialize;

/// How long a server runs.
const SERVER_RUN: Duration = Duration::from_secs(600);

/// The Go that the servers are built with.
const SERVERS_GO: &str = "1.26.6";

#[derive(Parser)]
struct Args {
    /// The agent.
    #[arg(long)]
    agent: PathBuf,
    /// The sources of our own corpora.
    #[arg(long)]
    sources: PathBuf,
    /// The binaries: {ours,memory}/VERSION/BUILD/{leaking,healthy}/NAME, go/VERSION/BUILD/NAME.
    #[arg(long)]
    binaries: PathBuf,
    /// Where to write what came of it.
    #[arg(long)]
    output: PathBuf,
    /// Which corpora.
    #[arg(long, value_enum, value_delimiter = ',')]
    corpus: Vec<Which>,
    /// Programs built with which Go.
    #[arg(long, value_delimiter = ',')]
    go: Vec<String>,
    /// Programs built how.
    #[arg(long, value_delimiter = ',')]
    build: Vec<String>,
    /// How the agent sees them.
    #[arg(long, value_enum, default_value_t)]
    source: Source,
    /// Only the programs of these names.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How long the agent looks at a program, and how long a server runs. [default: the agent's own; 10 minutes]
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Whether the agent is to prove leaks, which is judged too.
    #[arg(long)]
    proof: bool,
    /// Programs at the same time.
    #[arg(long, default_value_t = 12)]
    jobs: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Ours,
    Memory,
    Go,
    Servers,
}

/// What is written.
#[derive(Serialize)]
struct Outcome<'a> {
    at_the_same_time: usize,
    sums: &'a [Sum],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    proofs: &'a [proofs::Sum],
    goals: &'a [sums::Goal],
    runs: &'a [Run],
}

fn main() -> ExitCode {
    match accuracy(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the goals are met.
fn accuracy(args: &Args) -> Result<bool> {
    let jobs = jobs(args)?;
    let servers = servers(args);
    ensure!(
        !jobs.is_empty() || !servers.is_empty(),
        "there is no program of these names in these corpora: {}",
        args.only.join(", ")
    );
    let agent = Agent { binary: args.agent.clone(), duration: args.duration, proves: args.proof };
    let mut runs = Vec::new();
    if !jobs.is_empty() {
        runs.extend(all(&jobs, args, &agent)?);
    }
    if !servers.is_empty() {
        runs.extend(soaks(&servers, args)?);
    }
    let (sums, goals) = (sums::by_build(&runs), sums::goals(&runs));
    let proven = proofs::by_build(&runs);
    let mut out = stdout().lock();
    writeln!(out)?;
    table::programs(&mut out, &runs)?;
    writeln!(out)?;
    table::details(&mut out, &runs)?;
    writeln!(out)?;
    table::sums(&mut out, &sums)?;
    writeln!(out)?;
    table::proofs(&mut out, &proven)?;
    table::goals(&mut out, &goals)?;
    for corpus in [Corpus::Ours, Corpus::Memory, Corpus::Go, Corpus::Servers] {
        let its = runs.iter().filter(|it| it.program.corpus == corpus).cloned().collect::<Vec<_>>();
        if its.is_empty() {
            continue;
        }
        let outcome = Outcome {
            at_the_same_time: args.jobs,
            sums: &sums::by_build(&its),
            proofs: &proofs::by_build(&its),
            goals: &sums::goals(&its),
            runs: &its,
        };
        let path = output(args).join(format!("{}.json", corpus.name()));
        let mut file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        serde_json::to_writer_pretty(&mut file, &outcome)?;
        writeln!(out, "written: {}", path.display())?;
    }
    Ok(goals.iter().all(|it| it.met))
}

/// The programs that are wanted, of our own corpora and of Go's.
fn jobs(args: &Args) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for go in &args.go {
        for build in &args.build {
            let place = |corpus: &str| args.binaries.join(corpus).join(go).join(build);
            for (which, corpus, sources) in [
                (Which::Ours, Corpus::Ours, args.sources.clone()),
                (Which::Memory, Corpus::Memory, args.sources.join("memory")),
            ] {
                if args.corpus.contains(&which) {
                    let place = place(corpus.name());
                    jobs.extend(run::ours(corpus, &sources, &place, (go, build), args.source)?);
                }
            }
            // Older ones have no such test.
            let test = args.binaries.join("go").join(go).join("expected.go");
            if args.corpus.contains(&Which::Go) && test.is_file() {
                jobs.extend(run::of_go(&test, &place("go"), go, build)?);
            }
        }
    }
    jobs.retain(|job| is_wanted(args, job.program.name.trim_end_matches('+')));
    Ok(jobs)
}

fn servers(args: &Args) -> Vec<Kind> {
    let all = Kind::ALL.into_iter();
    all.filter(|kind| args.corpus.contains(&Which::Servers) && is_wanted(args, kind.name()))
        .collect()
}

fn is_wanted(args: &Args, name: &str) -> bool {
    args.only.is_empty() || args.only.iter().any(|it| it == name)
}

/// Runs programs, so many at a time, and gives the runs in the programs' order.
fn all(jobs: &[Job], args: &Args, agent: &Agent) -> Result<Vec<Run>> {
    for job in jobs {
        fs::create_dir_all(kept(args, job))?;
    }
    let workers = args.jobs.clamp(1, jobs.len());
    eprintln!("{} programs, {workers} at a time: the agent mostly waits", jobs.len());
    let started = Instant::now();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let runs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(job) = jobs.get(index)
                {
                    let run = job.run(agent, &kept(args, job));
                    eprintln!(
                        "[{}/{} {:.0} s] {} {} {}: {}",
                        done.fetch_add(1, Ordering::Relaxed) + 1,
                        jobs.len(),
                        started.elapsed().as_secs_f64(),
                        run.program.name,
                        run.program.go,
                        run.program.build,
                        in_short(&run)
                    );
                    if let Ok(mut runs) = runs.lock() {
                        runs.push((index, run));
                    }
                }
            });
        }
    });
    let mut runs = runs.into_inner().ok().context("a run has panicked")?;
    runs.sort_by_key(|(index, _)| *index);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// Runs servers, all at once.
fn soaks(kinds: &[Kind], args: &Args) -> Result<Vec<Run>> {
    let whole = args.duration.unwrap_or(SERVER_RUN);
    // The agent's own default, unless the whole is too short for it.
    let agent = Agent { binary: args.agent.clone(), duration: None, proves: false };
    let folder = args.output.join("reports").join("servers");
    fs::create_dir_all(&folder)?;
    eprintln!("{} servers at once, each for {} s", kinds.len(), whole.as_secs());
    thread::scope(|scope| {
        let (agent, folder) = (&agent, &folder);
        let runs: Vec<_> = kinds
            .iter()
            .map(|&kind| scope.spawn(move || soak::run(kind, SERVERS_GO, whole, agent, folder)))
            .collect();
        runs.into_iter().map(|it| it.join().ok().context("a run has panicked")).collect()
    })
}

/// Where to write what came of programs that the agent attaches to, or, in a folder there, sees otherwise.
fn output(args: &Args) -> PathBuf {
    match args.source {
        Source::Attach if args.proof => args.output.join("proof"),
        Source::Attach => args.output.clone(),
        source => args.output.join(source.name()),
    }
}

/// Where what the agent said of a program is kept.
fn kept(args: &Args, job: &Job) -> PathBuf {
    let program = &job.program;
    let place: [&Path; 3] =
        [program.corpus.name().as_ref(), program.go.as_ref(), program.build.as_ref()];
    output(args).join("reports").join(place.iter().collect::<PathBuf>())
}

fn in_short(run: &Run) -> String {
    if let Some(failure) = &run.failed {
        return failure.to_string();
    }
    let Sum { sure, suspect, false_findings, suspects, .. } = Sum::over("", [run]);
    let (right, of) = (sure.right + suspect.right, sure.of + suspect.of);
    format!("{right} of {of} sites, {false_findings} false, {suspects} other suspects")
}

fn duration(text: &str) -> Result<Duration> {
    let parsed: jiff::SignedDuration = text.parse()?;
    Ok(parsed.try_into()?)
}
