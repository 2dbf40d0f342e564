//! Who holds most, as we say it and as goref does.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The variables of the target's package that hold most, by our walk.
pub fn ours(agent: &Path, pid: u32, top: usize) -> Result<Vec<String>> {
    let output = Command::new(agent)
        .args(["memory", "--retained", "--format", "json", "--pid", &pid.to_string()])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let holders = report["retained"]["holders"].as_array().context("a report without holders")?;
    let names = holders.iter().filter_map(|holder| holder["name"].as_str());
    Ok(names.filter(|name| is_variable(name)).take(top).map(str::to_owned).collect())
}

/// The same of a profile that goref wrote: there the outermost frames are variables.
pub fn theirs(profile: &Path, top: usize) -> Result<Vec<String>> {
    let output = Command::new("go")
        .args(["tool", "pprof", "-top", "-cum", "-nodecount=1000"])
        .arg(profile)
        .output()
        .context("go tool pprof reads what goref writes")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    // flat, its share, their sum, cum, its share, and the name.
    let names = text.lines().filter_map(|line| line.split_whitespace().nth(5));
    Ok(names.filter(|name| is_variable(name)).take(top).map(str::to_owned).collect())
}

fn is_variable(name: &str) -> bool {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.strip_prefix("main.").is_some_and(plain)
}
