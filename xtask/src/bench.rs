//! `cargo xtask bench NAME`: measures the agent, built as it is released.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::apt::{self, Need, Shows};
use crate::go::{self, Toolchains};
use crate::project::Project;
use crate::shell::{self, say};
use crate::{accuracy, targets, toolchain};

/// One bench: a program of the tests package, and what it needs.
struct Bench {
    name: &'static str,
    /// The Go targets that it starts.
    targets: &'static [&'static str],
    /// The program, of package `leak-agent-tests`.
    program: &'static str,
    /// Debian packages that it measures against.
    needs: &'static [Need],
    /// Whether it needs the parsers of tests/peers.
    peers: bool,
    /// Whether it needs the programs of tests/corpus.
    corpus: bool,
    does: &'static str,
}

/// What the cost of a hit is measured beside.
const BPFTRACE: Need = Need { package: "bpftrace", shows: Shows::Program("bpftrace") };

/// The table of benches.
const BENCHES: [Bench; 8] = [
    Bench {
        name: "check",
        targets: &["blocked"],
        program: "bench_check",
        needs: &[],
        peers: false,
        corpus: false,
        does: "[GOROUTINES...]: `leak-agent check` from exec to exit against the target's own debug=1",
    },
    Bench {
        name: "snapshot",
        targets: &["blocked"],
        program: "bench_snapshot",
        needs: &[],
        peers: false,
        corpus: false,
        does: "[GOROUTINES[xFRAMES]...]: time, memory and scheduling gaps against the target's own pprof",
    },
    Bench {
        name: "analyze",
        targets: &[],
        program: "bench_analyze",
        needs: &[],
        peers: false,
        corpus: false,
        does: "a judgement of 10,000 to 1,000,000 goroutines: time, memory, and how both grow",
    },
    Bench {
        name: "parse",
        targets: &[],
        program: "bench_parse",
        needs: &[],
        peers: true,
        corpus: false,
        does: "dumps and counts, against the parsers that others use, and an endless dump (3 minutes)",
    },
    Bench {
        name: "memory",
        targets: &["stored"],
        program: "bench_memory",
        needs: &[],
        peers: false,
        corpus: false,
        does: "[--goref PATH] [MEGABYTES...]: samples and walks of heaps of 1 and 10 GB (10 minutes; 12 GB free)",
    },
    Bench {
        name: "proof",
        targets: &["leaked"],
        program: "bench_proof",
        needs: &[],
        peers: false,
        corpus: false,
        does: "[GOROUTINESxMEGABYTES...]: proofs against the target's own goroutineleak profile (5 minutes; 10 GB free)",
    },
    Bench {
        name: "daemon",
        targets: &[],
        program: "bench_daemon",
        needs: &[],
        peers: false,
        corpus: true,
        does: "[MINUTES]: the node agent beside 50 programs, 10 of which leak: what it tells of, and its cost (30 minutes)",
    },
    Bench {
        name: "overhead",
        targets: &["bench", "blocked"],
        program: "bench_overhead",
        needs: &[BPFTRACE],
        peers: false,
        corpus: false,
        does: "[--quick] [PART...]: what probes cost, the agent off and on in turns (7 minutes, quick 2)",
    },
];

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let named = flags.split_first().and_then(|(name, rest)| {
        BENCHES.iter().find(|bench| bench.name == name).map(|bench| (bench, rest))
    });
    let Some((bench, args)) = named else {
        for Bench { name, does, .. } in BENCHES {
            println!("  bench {name:<12} {does}");
        }
        bail!("which bench is it to be?");
    };
    let names: Vec<String> = bench.targets.iter().map(|&name| name.to_owned()).collect();
    // None named would be all.
    if !names.is_empty() {
        targets::run(project, &names)?;
    }
    if bench.corpus {
        let go = Toolchains::find(project).version(go::DEFAULT)?;
        accuracy::build_ours(project, accuracy::OURS, &go, "exe", &[])?;
    }
    apt::ensure(bench.needs, "to measure against")?;
    say("building the release agent and the bench (2 to 4 minutes the first time)");
    let rust = toolchain::ensure()?;
    let mut build = rust.cargo(project);
    build.args(["build", "--release", "--locked", "-p", "leak-agent", "-p", "leak-agent-tests"]);
    shell::run(build.args(["--bin", "leak-agent", "--bin", bench.program]))?;
    let mut program = shell::command(project.target().join("release").join(bench.program));
    if bench.peers {
        program.env("LEAK_AGENT_PEERS", peers(project)?);
    }
    shell::run(program.args(args).env("LEAK_AGENT_BIN", project.agent()))
}

/// Builds the parsers that others wrote, as tests/peers/go.sum pins them.
fn peers(project: &Project) -> Result<PathBuf> {
    say("building the peers");
    let binary = project.target().join("bench/peers");
    let mut go = Toolchains::find(project).version(go::DEFAULT)?.command();
    go.current_dir(project.root().join("tests/peers")).env("CGO_ENABLED", "0");
    shell::output(go.args(["build", "-trimpath", "-o"]).arg(&binary).arg("."))?;
    Ok(binary)
}
