//! A real server for minutes: from its start through load, rest, a burst and quiet, with the agent looking again and
//! again. Nothing leaks in it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::agent::{Agent, Said, Way};
use super::report::Finding;
use super::run::{Corpus, Failure, Program, Run};
use super::source::Source;
use crate::server::load::{Clients, Load};
use crate::server::{Kind, Server};

/// Clients of a part may not have the numbers of the one before, whose connections may be still there.
const NUMBERS: usize = 1000;

/// How often the clients are watched after.
const TICK: Duration = Duration::from_millis(200);

/// One part of a run.
struct Part {
    name: &'static str,
    /// How much of the whole, in parts of a hundred.
    share: u32,
    /// Busy clients, what each waits between two questions, and idle ones.
    busy: usize,
    pause_ms: u64,
    idle: usize,
}

/// A run. All servers run at once, so that they leave something of two cores to each other.
const PARTS: [Part; 5] = [
    Part { name: "start", share: 5, busy: 0, pause_ms: 0, idle: 0 },
    Part { name: "load", share: 30, busy: 4, pause_ms: 50, idle: 40 },
    Part { name: "idle", share: 15, busy: 0, pause_ms: 0, idle: 40 },
    Part { name: "burst", share: 20, busy: 40, pause_ms: 200, idle: 200 },
    Part { name: "quiet", share: 30, busy: 0, pause_ms: 0, idle: 0 },
];

/// Runs a server for so long. What the agent says is kept in files of the server's name in `folder`.
#[must_use]
pub fn run(kind: Kind, go: &str, whole: Duration, agent: &Agent, folder: &Path) -> Run {
    let program = Program {
        corpus: Corpus::Servers,
        name: kind.name().to_owned(),
        go: go.to_owned(),
        build: "exe".to_owned(),
        source: Source::Attach,
        healthy: true,
    };
    match watch(kind, whole, agent, folder, &program) {
        Ok(run) => run,
        Err(failure) => Run::failed(program, failure),
    }
}

fn watch(
    kind: Kind,
    whole: Duration,
    agent: &Agent,
    folder: &Path,
    program: &Program,
) -> Result<Run, Failure> {
    let of_program = |error: anyhow::Error| Failure::Program(format!("{error:#}"));
    let server = Server::start(kind).map_err(of_program)?;
    let (part, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut run = Run::failed(program.clone(), Failure::Program("nobody watched".to_owned()));
    thread::scope(|scope| {
        let clients = scope.spawn(|| serve(&server, whole, &part, &stop));
        let watched = observe(&server, &part, || clients.is_finished(), agent, folder, &mut run);
        // Whoever failed first takes the other along.
        stop.store(true, Ordering::Relaxed);
        let served = clients.join();
        watched.map_err(|error| Failure::Agent(format!("{error:#}")))?;
        match served {
            Ok(served) => served.map_err(of_program),
            Err(_) => Err(Failure::Program("its clients have panicked".to_owned())),
        }
    })?;
    run.failed = None;
    Ok(run)
}

/// Plays the parts through.
fn serve(server: &Server, whole: Duration, at: &AtomicUsize, stop: &AtomicBool) -> Result<()> {
    for (index, part) in PARTS.iter().enumerate() {
        at.store(index, Ordering::Relaxed);
        let until = Instant::now() + whole * part.share / 100;
        let clients = Clients {
            busy: part.busy,
            pause: Duration::from_millis(part.pause_ms),
            idle: part.idle,
            first: index * NUMBERS,
        };
        let mut load = Load::start_with(server, clients).context(part.name)?;
        while Instant::now() < until && !stop.load(Ordering::Relaxed) {
            load.check().context(part.name)?;
            thread::sleep(TICK);
        }
    }
    Ok(())
}

/// Has the agent look till the end, at least once.
fn observe(
    server: &Server,
    part: &AtomicUsize,
    is_over: impl Fn() -> bool,
    agent: &Agent,
    folder: &Path,
    run: &mut Run,
) -> Result<()> {
    let name = server.kind().name();
    let way = Way::Pid(server.pid());
    let started = Instant::now();
    for number in 1.. {
        let from = PARTS[part.load(Ordering::Relaxed)].name;
        let keep = folder.join(format!("{name}-{number:03}-{from}.json"));
        let Said { report, took } =
            agent.analyze(&way, &keep).with_context(|| format!("look {number}, {from}"))?;
        let to = PARTS[part.load(Ordering::Relaxed)].name;
        let (goroutines, findings) = (report.goroutines, report.findings.len());
        eprintln!("{name}, {from} to {to}: {goroutines} goroutines, {findings} findings");
        for finding in &report.findings {
            eprintln!("  {finding}");
            keep_surest(&mut run.others, finding);
        }
        run.seconds = run.seconds.max(took.as_secs_f64());
        run.goroutines = run.goroutines.max(goroutines);
        run.health = run.health.into_iter().chain(report.health).min();
        if is_over() {
            eprintln!("{name}: {number} looks in {} s", started.elapsed().as_secs());
            break;
        }
    }
    run.verdict = run.others.iter().map(|it| it.verdict).max();
    Ok(())
}

/// Adds a finding, unless a surer one of the same class and place is there.
fn keep_surest(kept: &mut Vec<Finding>, new: &Finding) {
    let place = |it: &Finding| {
        it.blocked_at.as_ref().map(|at| (at.function.clone(), at.file.clone(), at.line))
    };
    let same = |it: &&mut Finding| it.class == new.class && place(it) == place(new);
    match kept.iter_mut().find(same) {
        Some(it) if it.verdict >= new.verdict => {}
        Some(it) => *it = new.clone(),
        None => kept.push(new.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::report::Frame;
    use leak_agent::model::{CauseClass, Verdict};

    #[test]
    fn the_parts_are_the_whole() {
        assert_eq!(PARTS.iter().map(|it| it.share).sum::<u32>(), 100);
        assert!(PARTS.iter().all(|it| it.busy + it.idle < NUMBERS));
    }

    #[test]
    fn of_the_same_finding_the_surest_stays() {
        let finding = |line, verdict, count| Finding {
            class: CauseClass::Select,
            verdict,
            count,
            pattern: None,
            shape: None,
            held_by: None,
            resources: Vec::new(),
            blocked_at: Some(Frame { function: Some("f".into()), file: None, line: Some(line) }),
            caused_at: None,
            parts: Vec::new(),
            stack: Vec::new(),
        };
        let mut kept = Vec::new();
        for it in [
            finding(1, Verdict::Suspect, 1),
            finding(1, Verdict::Likely, 2),
            finding(1, Verdict::Suspect, 3),
            finding(2, Verdict::Suspect, 4),
        ] {
            keep_surest(&mut kept, &it);
        }
        assert_eq!(kept.iter().map(|it| it.count).collect::<Vec<_>>(), [2, 4]);
    }
}
