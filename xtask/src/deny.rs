//! `cargo xtask deny`: licences, sources, banned crates and advisories of all dependencies.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain::{self, Toolchain};
use crate::tools::{self, Tool};

const CARGO_DENY: Tool =
    Tool { name: "cargo-deny", version: "0.20.2", takes: "2 to 3 minutes, once" };

/// What came of the check for advisories.
#[derive(Debug, PartialEq, Eq)]
pub enum Advisories {
    /// No dependency has one that is not allowed for.
    Clear,
    /// The database of advisories cannot be reached from here.
    OutOfReach,
}

/// The chore.
pub fn run(project: &Project, _flags: &[String]) -> Result<()> {
    let rust = toolchain::ensure()?;
    policy(project, rust)?;
    match advisories(project, rust)? {
        Advisories::Clear => say("deny: no advisories"),
        Advisories::OutOfReach => {
            say("deny: the database of advisories cannot be reached, so they were not checked")
        }
    }
    Ok(())
}

/// Checks licences, sources and banned crates, as deny.toml has them.
pub fn policy(project: &Project, rust: Toolchain) -> Result<()> {
    let binary = tools::ensure(project, rust, CARGO_DENY)?;
    let mut check = cargo_deny(project, rust, &binary);
    shell::run(check.args(["check", "licenses", "bans", "sources"]))
}

/// Checks for advisories, if their database can be had.
pub fn advisories(project: &Project, rust: Toolchain) -> Result<Advisories> {
    let binary = tools::ensure(project, rust, CARGO_DENY)?;
    let fetched = shell::output(cargo_deny(project, rust, &binary).args(["fetch", "db"]));
    let Err(unfetched) = fetched else {
        let mut check = cargo_deny(project, rust, &binary);
        shell::run(check.args(["check", "--disable-fetch", "advisories"]))?;
        return Ok(Advisories::Clear);
    };
    // An older copy of the database is better than none.
    let mut check = cargo_deny(project, rust, &binary);
    match shell::output(check.args(["check", "--disable-fetch", "advisories"])) {
        Ok(_) => Ok(Advisories::Clear),
        Err(error) if format!("{error:#}").contains("error[") => bail!(error),
        Err(_) => {
            say(format_args!("{unfetched:#}"));
            Ok(Advisories::OutOfReach)
        }
    }
}

fn cargo_deny(project: &Project, rust: Toolchain, binary: &Path) -> Command {
    let mut command = rust.around(project, binary);
    command.arg("--locked");
    command
}
