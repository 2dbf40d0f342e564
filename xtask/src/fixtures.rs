//! `cargo xtask fixtures`: makes tests/fixtures/dumps again, what each Go version says of one program.
//!
//! Addresses, ids and the order of goroutines differ from run to run, so that there is nothing to check them
//! against: the tests say what must be in them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::go::Toolchains;
use crate::project::Project;
use crate::shell::{self, say};
use crate::targets::{self, VERSIONS};

/// The program, in tests/targets.
const TARGET: &str = "profiles";

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
        let folder = project.root().join("tests/fixtures/dumps").join(version);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", project.shown(&folder)))?;
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", project.shown(&folder)))?;
        let go = toolchains.version(version)?;
        let goroot = shell::output(go.command().args(["env", "GOROOT"]))?;
        profiles(project, version, &folder)?;
        for end in &ENDS {
            let text = end.text(project, version)?;
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
    Ok(())
}

/// Has the program write its profiles.
fn profiles(project: &Project, version: &str, folder: &Path) -> Result<()> {
    // They have the executable's path: it is to be the same on every machine.
    let place = std::env::temp_dir().join("leak-agent-fixtures");
    fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let binary = place.join(TARGET);
    let built = project.go_targets().join(version).join("trimpath").join(TARGET);
    fs::copy(&built, &binary)
        .with_context(|| format!("cannot copy {} to {}", built.display(), binary.display()))?;
    let mut program = shell::command(&binary);
    // Labels in headings, in the versions that write them only if asked to.
    program.env("GODEBUG", "tracebacklabels=1").arg("write").arg(folder);
    shell::output(&mut program)?;
    fs::remove_dir_all(&place).with_context(|| format!("cannot remove {}", place.display()))
}

impl End {
    /// What the program says at this end.
    fn text(&self, project: &Project, version: &str) -> Result<String> {
        let binary = project.go_targets().join(version).join(self.mode).join(TARGET);
        let mut program = shell::command(&binary);
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
