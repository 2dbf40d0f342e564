//! What the agent sees of the Go targets.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use leak_agent::collect::attach::{Attach, Options};
use leak_agent::host::{Access, Answer, access_to};
use leak_agent_tests::Observe;
use leak_agent_tests::{Target, compare};

/// The targets in a folder by name, in the order of their names. None at all is an error.
pub fn in_folder(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    ensure!(!found.is_empty(), "no target in {}", folder.display());
    Ok(found)
}

/// Whether the agent sees a target's goroutines as the target's own dump has them: all of them,
/// each with its stack, lines, wait reason and creation site.
pub fn are_seen_as_they_say(path: &Path) -> Result<()> {
    let mut target = Target::start_at(path.to_owned(), NO_ARGUMENTS)?;
    let access = access_to(target.pid());
    ensure!(access == Access::Granted { executable: Answer::Yes }, "{access:?}");
    let mut attach = Attach::open(target.pid(), &Options::default()).context("cannot attach")?;
    let before = target.dump()?;
    let seen = attach.next().context("cannot observe")?;
    let after = target.dump()?;

    let comparison = compare(&seen, &before, &after);
    ensure!(comparison.differences.is_empty(), "{comparison}");
    ensure!(comparison.strangers.is_empty(), "{comparison}");
    // All but the goroutine that wrote the dump.
    ensure!(comparison.compared + 1 == before.goroutines.len(), "{comparison}");
    ensure!(comparison.compared >= 95, "too few to mean anything: {comparison}");
    let coverage = &seen.coverage;
    let lost = (coverage.torn, coverage.not_unwound, coverage.unresolved_frames);
    ensure!(lost == (0, 0, 0), "{coverage:?}");
    Ok(())
}

/// Whether the agent's own program, as a user runs it, reports a target and finds nothing amiss.
pub fn are_reported(path: &Path) -> Result<()> {
    let target = Target::start_at(path.to_owned(), NO_ARGUMENTS)?;
    let report = agent(&["check", "--fail-on", "never"], target.pid())?;
    ensure!(report["schema"] == "leak-agent/report/v1", "{report}");
    let seen = report["totals"]["goroutines"].as_u64().unwrap_or(0);
    ensure!(seen >= 95, "{seen} goroutines: {report}");
    let found = agent(&["doctor"], target.pid())?;
    let state = &found["processes"][0]["program"]["state"];
    ensure!(state == "ready" && found["missing"] == serde_json::json!([]), "{found}");
    Ok(())
}

/// What a command of the agent says of a process. It must end well.
fn agent(command: &[&str], pid: u32) -> Result<serde_json::Value> {
    let pid = pid.to_string();
    let args = [command, &["--pid", &pid, "--format", "json"]].concat();
    let output = Command::new("leak-agent").args(&args).output().context("cannot run the agent")?;
    ensure!(output.status.success(), "{args:?} said {output:?}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{args:?} said {output:?}"))
}

const NO_ARGUMENTS: &[&str] = &[];
