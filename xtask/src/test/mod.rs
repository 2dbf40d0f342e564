//! `cargo xtask test`: everything that CI runs, and one line at the end that says how it went.

pub mod tally;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use crate::deny::{self, Advisories};
use crate::fuzz::{self, Fuzzing};
use crate::go::Toolchains;
use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain::{self, Toolchain};
use crate::{browser, docs, ebpf, kubernetes, layers, servers, targets, vm};

use tally::{Reader, Tally};

/// Left out of what is built for this machine: it is built for the kernel.
const EBPF: &str = "leak-agent-ebpf";

/// Tests that wait for a minute and more and do little else: they run beside the others. Program and test.
const PATIENT: [(&str, &str); 2] = [
    ("accuracy", "servers_at_work_raise_no_alarm"),
    ("piles", "what_piles_up_over_a_life_is_told"),
];

/// The longest that one test program may take, in seconds: one that hangs fails, and the others are still run.
const PROGRAM_TIMEOUT: u32 = 900;

/// What a run covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Scope {
    /// Boots emulated machines too.
    vm: bool,
    /// Leaves out fuzzing.
    quick: bool,
}

/// The chore. Its last line is `N passed, N failed, N skipped`.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let scope = scope(flags)?;
    let mut run = Run { project, tally: Tally::default(), failures: Vec::new() };
    let started = Instant::now();
    run.steps(scope);
    println!();
    for failure in &run.failures {
        println!("FAILED {failure}");
    }
    say(format_args!("{} s in all", started.elapsed().as_secs()));
    println!("{}", run.tally);
    if run.tally.failed > 0 {
        // The closing line stays the last one: no error is printed behind it.
        std::process::exit(1);
    }
    Ok(())
}

fn scope(flags: &[String]) -> Result<Scope> {
    let mut scope = Scope::default();
    for flag in flags {
        match flag.as_str() {
            "--vm" => scope.vm = true,
            "--quick" => scope.quick = true,
            _ => bail!("test knows --vm and --quick, but no {flag}"),
        }
    }
    Ok(scope)
}

/// A run under way.
struct Run<'a> {
    project: &'a Project,
    tally: Tally,
    failures: Vec<String>,
}

impl Run<'_> {
    fn steps(&mut self, scope: Scope) {
        // Without the toolchain nothing else can be told.
        let Some(rust) = self.step("toolchain", toolchain::ensure) else { return };
        let cargo = |words: &str| {
            let mut cargo = rust.cargo(self.project);
            cargo.args(words.split_whitespace());
            cargo
        };
        let fmt = cargo("fmt --all --check");
        let clippy = cargo(&format!(
            "clippy --locked --workspace --exclude {EBPF} --all-targets -- -D warnings"
        ));
        let mut rustdoc = cargo(&format!(
            "doc --locked --workspace --exclude {EBPF} --no-deps --document-private-items"
        ));
        rustdoc.env("RUSTDOCFLAGS", "-D warnings");
        // Every target is waited for.
        let test =
            format!("test --locked --workspace --exclude {EBPF} --exclude xtask --no-fail-fast");
        let built = cargo(&format!("{test} --no-run"));
        let bounded = |words: &str| {
            let mut cargo = rust.cargo(self.project);
            cargo.args(["--config", &bounds()]).args(words.split_whitespace());
            cargo
        };
        // What skipped tests say is shown.
        let mut patient = bounded(&format!(
            "{test} {} -- --show-output",
            PATIENT.map(|(program, _)| format!("--test {program}")).join(" ")
        ));
        let mut tests = bounded(&format!(
            "{test} -- --show-output {}",
            PATIENT.map(|(_, name)| format!("--skip {name}")).join(" ")
        ));

        self.gate("fmt", || run_in(fmt));
        self.gate("clippy", || run_in(clippy));
        self.gate("clippy of the eBPF programs", || ebpf::clippy(self.project, rust));
        self.tests("tests of xtask itself", own_tests(self.project));
        self.gate("layers", || layers::run(self.project, &[]));
        self.gate("deny", || deny::policy(self.project, rust));
        self.advisories(rust);
        self.gate("docs", || run_in(rustdoc));
        self.gate("docs of the JSON", || docs::run(self.project, &["--check".into()]));
        self.gate("Go targets", || targets::run(self.project, &[]));
        // Many tests wait most of their time.
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get) + 1;
        tests.env("RUST_TEST_THREADS", threads.to_string());
        // Some tests use Go's own tools.
        if let Some(go) = self.step("Go", || Toolchains::find(self.project).any()) {
            for tests in [&mut tests, &mut patient] {
                tests.env("GO", go.command().get_program());
            }
        }
        self.gate("servers", || servers::run(self.project, &[]));
        self.gate("kubernetes", || kubernetes::run(self.project, &[]));
        println!("\n== browser");
        browser::ensure();
        self.gate("ebpf", || ebpf::run(self.project, &["check".into()]));
        self.gate("build of the tests", || run_in(built));
        let beside = std::thread::spawn(move || {
            let mut said = Vec::new();
            (watch(&mut patient, &mut said), said)
        });
        self.tests("tests of the workspace", tests);
        self.tests_beside("tests that wait", beside);
        if !scope.quick {
            self.fuzz(rust);
        }
        if scope.vm {
            self.vm(rust);
        }
    }

    /// Runs a step that the rest stands on, and counts it only if it fails.
    fn step<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("\n== {name}");
        match step() {
            Ok(value) => Some(value),
            Err(error) => {
                eprintln!("error: {error:#}");
                self.tally.failed += 1;
                self.failures.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// Runs a step that counts as one, passed or failed.
    fn gate(&mut self, name: &str, gate: impl FnOnce() -> Result<()>) {
        let started = Instant::now();
        if self.step(name, gate).is_some() {
            say(format_args!("{name}: ok ({} s)", started.elapsed().as_secs()));
            self.tally.passed += 1;
        }
    }

    /// Runs a `cargo test`, shows what it prints as it comes, and counts its tests.
    fn tests(&mut self, name: &str, mut cargo: Command) {
        println!("\n== {name}");
        self.count(name, watch(&mut cargo, &mut std::io::stdout()));
    }

    /// Shows and counts what ran meanwhile.
    fn tests_beside(&mut self, name: &str, beside: JoinHandle<(Result<Tally>, Vec<u8>)>) {
        println!("\n== {name}");
        let (result, said) =
            beside.join().unwrap_or_else(|_| (Err(anyhow!("panicked")), Vec::new()));
        print!("{}", String::from_utf8_lossy(&said));
        self.count(name, result);
    }

    fn count(&mut self, name: &str, result: Result<Tally>) {
        match result {
            Ok(counts) => {
                say(format_args!("{name}: {counts}"));
                if counts.failed > 0 {
                    self.failures.push(format!("{name}: {counts}"));
                }
                self.tally.add(counts);
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                self.tally.failed += 1;
                self.failures.push(format!("{name}: {error}"));
            }
        }
    }

    fn advisories(&mut self, rust: Toolchain) {
        match self.step("advisories", || deny::advisories(self.project, rust)) {
            Some(Advisories::Clear) => self.tally.passed += 1,
            // Not a test of this tree: what it would find changes from day to day.
            Some(Advisories::OutOfReach) => {
                say("advisories: their database cannot be reached from here")
            }
            None => {}
        }
    }

    fn vm(&mut self, rust: Toolchain) {
        for guest in vm::GUESTS {
            let name = format!("vm {}", guest.name());
            let Some(tally) = self.step(&name, || guest.test(self.project, rust)) else { continue };
            if tally.failed > 0 {
                self.failures.push(format!("{name}: {tally}"));
            }
            self.tally.add(tally);
        }
    }

    fn fuzz(&mut self, rust: Toolchain) {
        let built = self.step("fuzz", || Fuzzing::build(self.project, rust));
        let Some(fuzzing) = built else { return };
        for name in fuzzing.names() {
            self.gate(&format!("fuzz {name}"), || fuzzing.target(name, fuzz::DEFAULT_SECONDS));
        }
    }
}

/// Has cargo bound the time of what it runs by coreutils' `timeout`.
fn bounds() -> String {
    let words = format!(r#"["timeout", "--foreground", "--verbose", "{PROGRAM_TIMEOUT}"]"#);
    format!("target.'cfg(unix)'.runner = {words}")
}

fn run_in(mut command: Command) -> Result<()> {
    shell::run(&mut command)
}

/// The chores' own tests, by the cargo that built them: they must do without the pinned one.
fn own_tests(project: &Project) -> Command {
    let outer = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = shell::command(outer);
    cargo.current_dir(project.root()).args(["test", "--locked", "-p", "xtask"]);
    cargo
}

/// Runs a command, passes its output on line by line, and counts the tests in it.
fn watch(command: &mut Command, shown: &mut impl Write) -> Result<Tally> {
    let line = shell::line(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {line}"))?;
    let stdout = child.stdout.take().context("the tests have no output")?;
    let mut reader = Reader::default();
    let mut lines = BufReader::new(stdout);
    let mut bytes = Vec::new();
    // Tests may print anything, valid UTF-8 or not.
    while lines.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        shown.write_all(text.as_bytes())?;
        reader.line(text.trim_end());
        bytes.clear();
    }
    Ok(reader.finish(child.wait()?.success()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn output_is_counted_as_it_passes_through() {
        let script = "printf '\\377 no text\\nrunning 1 test\\ntest result: ok. 1 passed; 0 failed; 0 ignored\\n'";
        let passed = watch(shell::command("sh").args(["-c", script]), &mut Vec::new()).unwrap();
        assert_eq!(passed, Tally { passed: 1, failed: 0, skipped: 0 });
        let crashed = watch(
            shell::command("sh").args(["-c", "echo running 2 tests; exit 9"]),
            &mut Vec::new(),
        )
        .unwrap();
        assert_eq!(crashed, Tally { passed: 0, failed: 1, skipped: 0 });
    }

    #[test]
    fn unknown_flags_are_refused() {
        let both = scope(&["--vm".into(), "--quick".into()]).unwrap();
        assert_eq!(both, Scope { vm: true, quick: true });
        assert!(scope(&["--vn".into()]).is_err());
    }
}
