//! The chores of the project: `cargo xtask`.

mod accuracy;
mod apt;
mod bench;
mod browser;
mod demo;
mod deny;
mod docs;
mod ebpf;
mod fixtures;
mod fuzz;
mod go;
mod kubernetes;
mod layers;
mod layout;
mod package;
mod project;
mod receivers;
mod servers;
mod shell;
mod targets;
mod test;
mod toolchain;
mod tools;
mod vm;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use project::Project;

/// One chore: its name, its flags, what it does, and the function that does it.
struct Chore {
    name: &'static str,
    flags: &'static str,
    does: &'static str,
    run: fn(&Project, &[String]) -> Result<()>,
}

/// The table of chores. It doubles as help.
const CHORES: &[Chore] = &[
    Chore {
        name: "demo",
        flags: "",
        does: "build the agent, attach it to a leaking Go service, print its report",
        run: demo::run,
    },
    Chore {
        name: "test",
        flags: "[--vm] [--quick]",
        does: "everything that CI runs; --vm adds emulated machines, --quick leaves out fuzzing",
        run: test::run,
    },
    Chore {
        name: "targets",
        flags: "[NAME...]",
        does: "build the Go programs of tests/targets into target/targets/VERSION/MODE/NAME",
        run: targets::run,
    },
    Chore {
        name: "vm",
        flags: "[--arch amd64|arm64]",
        does: "boot emulated machines with other kernels, and run the tests in them",
        run: vm::run,
    },
    Chore {
        name: "servers",
        flags: "[NAME...]",
        does: "build nats-server, caddy, coredns and node_exporter into target/servers, and bring receivers of alerts, for the tests",
        run: servers::run,
    },
    Chore {
        name: "bench",
        flags: "NAME [ARG...]",
        does: "measure the release agent: `cargo xtask bench` names what there is",
        run: bench::run,
    },
    Chore {
        name: "accuracy",
        flags: "[--go 1.26.6,...|all] [--stripped] [--source attach|url|url-counts] [--corpus ours|go|servers,...] [--proof] [--only NAME,...] [--duration 30s] [--jobs N]",
        does: "what the release agent finds in programs of which it is known what leaks; fails below the goals",
        run: accuracy::run,
    },
    Chore {
        name: "package",
        flags: "[--arch amd64|arm64] | --deb PROGRAM FOLDER",
        does: "make what people install into target/package: .deb, .rpm, archives, an OCI image, SBOM and checksums",
        run: package::run,
    },
    Chore {
        name: "kubernetes",
        flags: "[--write]",
        does: "check the Helm chart by Helm's rendering and Kubernetes' types, or make deploy/kubernetes of it again",
        run: kubernetes::run,
    },
    Chore {
        name: "ebpf",
        flags: "build|check",
        does: "build what the kernel runs into agent/ebpf, or check that it is built from its source",
        run: ebpf::run,
    },
    Chore {
        name: "layers",
        flags: "",
        does: "check who imports whom against the table in docs/architecture.md",
        run: layers::run,
    },
    Chore {
        name: "layout",
        flags: "[--check] [VERSION...]",
        does: "make the table of the Go runtime's layouts again, or check it",
        run: layout::run,
    },
    Chore {
        name: "docs",
        flags: "[--check]",
        does: "make the reference of the agent's JSON (pages and JSON Schemas) from the types that write it, or check it",
        run: docs::run,
    },
    Chore {
        name: "fixtures",
        flags: "",
        does: "make the profiles and dumps of tests/fixtures/dumps again, with every Go version",
        run: fixtures::run,
    },
    Chore {
        name: "deny",
        flags: "",
        does: "check licences, sources, banned crates and advisories of all dependencies",
        run: deny::run,
    },
    Chore {
        name: "fuzz",
        flags: "[SECONDS]",
        does: "run each fuzz target of tests/fuzz for a bounded time (15 s)",
        run: fuzz::run,
    },
    Chore {
        name: "toolchain",
        flags: "",
        does: "bring the Rust that the agent is built with",
        run: |_, _| toolchain::ensure().map(drop),
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.split_first() {
        None => {
            print_chores();
            Ok(())
        }
        Some((name, rest)) => dispatch(name, rest),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(name: &str, rest: &[String]) -> Result<()> {
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        print_chores();
        bail!("there is no chore `{name}`");
    };
    let project = Project::find()?;
    (chore.run)(&project, rest).with_context(|| format!("cargo xtask {name}"))
}

fn print_chores() {
    println!("cargo xtask CHORE\n");
    for Chore { name, flags, does, .. } in CHORES {
        println!("  {:<26} {does}", format!("{name} {flags}"));
    }
    println!("\nEach installs what it needs, says so, and keeps it under target/.");
}
