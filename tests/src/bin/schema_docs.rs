//! Makes the reference of the agent's JSON, and dashboards and rules for its metrics, in a project's folder, or checks them
//! with `--check`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use leak_agent_tests::{dashboards, schema_docs};

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let root = PathBuf::from(args.next().context("the project's folder is missing")?);
    let flag = args.next();
    let check = match flag {
        None => false,
        Some(flag) if flag == "--check" => true,
        Some(flag) => bail!("it knows --check, but no {}", flag.display()),
    };
    for file in schema_docs::files()?.into_iter().chain(dashboards::files()?) {
        let path = root.join(&file.path);
        if check {
            let there = fs::read_to_string(&path).unwrap_or_default();
            let advice = "is not what the types say: run `cargo xtask docs`";
            ensure!(there == file.text, "{} {advice}", file.path);
        } else {
            fs::write(&path, &file.text).with_context(|| format!("writing {}", file.path))?;
        }
    }
    Ok(())
}
