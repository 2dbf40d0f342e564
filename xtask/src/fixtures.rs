//! `cargo xtask fixtures`: makes tests/fixtures/dumps again, what each Go version says of one program.
//!
//! Addresses, ids and the order of goroutines differ from run to run, so that there is nothing to check them
//! against: the tests say what must be in them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::go::{Go, Toolchains};
use crate::project::Project;
use crate::shell::{self, say};
use crate::targets::{self, VERSIONS};

/// The program, in tests/targets.
const TARGET: &str = "profiles";

/// Versions whose dumps are read, and whose programs are not attached to.
const OLDER: [&str; 3] = ["1.18.10", "1.19.13", "1.20.14"];

/// What is kept of those.
const OF_OLDER: [&str; 3] = ["goroutine.dump", "panic.txt", "quit.txt"];

/// One text that the program leaves on its standard error when it ends.
struct End {
    file: &'static str,
    /// How the program is built.
    mode: &'static str,
    /// How it ends.
    argument: &'static str,
    env: &'static [(&'static str, &'static str)],
}

/// Every way to end.
const ENDS: [End; 6] = [
    End { file: "panic.txt", mode: "trimpath", argument: "panic", env: &[("GOTRACEBACK", "all")] },
    End { file: "deadlock.txt", mode: "trimpath", argument: "deadlock", env: &[] },
    End { file: "quit.txt", mode: "trimpath", argument: "quit", env: &[] },
    End { file: "crash.txt", mode: "trimpath", argument: "quit", env: &[("GOTRACEBACK", "crash")] },
    End {
        file: "ancestors.txt",
        mode: "trimpath",
        argument: "panic",
        env: &[("GOTRACEBACK", "all"), ("GODEBUG", "tracebackancestors=3")],
    },
    End { file: "race.txt", mode: "race", argument: "race", env: &[("GOTRACEBACK", "all")] },
];

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    ensure!(flags.is_empty(), "fixtures takes no flags");
    targets::run(project, &[TARGET.to_owned()])?;
    let toolchains = Toolchains::find(project);
    for version in VERSIONS {
        let folder = emptied(project, version)?;
        let go = toolchains.version(version)?;
        let goroot = shell::output(go.command().args(["env", "GOROOT"]))?;
        let built = |mode: &str| project.go_targets().join(version).join(mode).join(TARGET);
        profiles(&built("trimpath"), &folder)?;
        for end in &ENDS {
            let text = end.text(&built(end.mode))?;
            // What is built with the race detector has the paths of the machine that it was built on.
            let text = text
                .replace(&project.root().display().to_string(), "/leak-agent")
                .replace(goroot.trim(), "/usr/local/go");
            let path = folder.join(end.file);
            fs::write(&path, text)
                .with_context(|| format!("cannot write {}", project.shown(&path)))?;
        }
        say(format_args!("{}: {} files", project.shown(&folder), fs::read_dir(&folder)?.count()));
    }
    OLDER.iter().try_for_each(|version| older(project, &toolchains.version(version)?))
}

/// The folder of a version's fixtures, with nothing in it.
fn emptied(project: &Project, version: &str) -> Result<PathBuf> {
    let folder = project.root().join("tests/fixtures/dumps").join(version);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", project.shown(&folder)))?;
    }
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", project.shown(&folder)))?;
    Ok(folder)
}

/// The dumps of a version that is too old for the module of all targets: of a copy in one of its own.
fn older(project: &Project, go: &Go) -> Result<()> {
    let copy = project.go_targets().join(go.version()).join("older");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    fs::create_dir_all(&copy).with_context(|| format!("cannot make {}", copy.display()))?;
    for entry in fs::read_dir(project.root().join("tests/targets").join(TARGET))? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "go") {
            fs::copy(&path, copy.join(path.file_name().context("it has a name")?))?;
        }
    }
    let module = format!("module example.org/leak-agent/targets/{TARGET}\n\ngo 1.18\n");
    fs::write(copy.join("go.mod"), module)?;
    let binary = copy.join("built");
    let mut command = go.command();
    command.current_dir(&copy).env("CGO_ENABLED", "0").args(["build", "-trimpath", "-o"]);
    shell::output(command.arg(&binary).arg("."))?;
    let folder = emptied(project, go.version())?;
    let all = copy.join("profiles");
    fs::create_dir_all(&all)?;
    profiles(&binary, &all)?;
    for end in &ENDS {
        if OF_OLDER.contains(&end.file) {
            fs::write(all.join(end.file), end.text(&binary)?)?;
        }
    }
    for file in OF_OLDER {
        fs::copy(all.join(file), folder.join(file))
            .with_context(|| format!("cannot make {}", project.shown(&folder.join(file))))?;
    }
    say(format_args!("{}: {} files", project.shown(&folder), OF_OLDER.len()));
    Ok(())
}

/// Has a program write its profiles.
fn profiles(built: &Path, folder: &Path) -> Result<()> {
    // They have the executable's path: it is to be the same on every machine.
    let place = std::env::temp_dir().join("leak-agent-fixtures");
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let binary = place.join(TARGET);
    fs::copy(built, &binary)
        .with_context(|| format!("cannot copy {} to {}", built.display(), binary.display()))?;
    let mut program = shell::command(&binary);
    // Labels in headings, in the versions that write them only if asked to.
    program.env("GODEBUG", "tracebacklabels=1").arg("write").arg(folder);
    shell::output(&mut program)?;
    fs::remove_dir_all(&place).with_context(|| format!("cannot remove {}", place.display()))
}

impl End {
    /// What the program says at this end.
    fn text(&self, binary: &Path) -> Result<String> {
        let mut program = shell::command(binary);
        program.arg(self.argument).envs(self.env.iter().copied());
        let output =
            program.output().with_context(|| format!("cannot start {}", shell::line(&program)))?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            !output.status.success() && text.contains("\ngoroutine "),
            "{} ended without a trace ({}): {text}",
            shell::line(&program),
            output.status
        );
        Ok(text)
    }
}
