//! `cargo xtask layout`: makes the agent's table of the Go runtime's layouts, or checks it.

use std::fs;

use anyhow::{Context, Result};

use crate::go::Toolchains;
use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain;

/// Where the table lies in the project.
const TABLE: &str = "agent/src/golang/layout/table.txt";

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let rust = toolchain::ensure()?;
    let go = Toolchains::find(project).any()?;
    let mut maker = rust.cargo(project);
    maker.args(["run", "--quiet", "--package", "leak-agent-tests", "--bin", "layout_table", "--"]);
    maker.args(flags);
    // It asks this Go for each release that it needs (GOTOOLCHAIN), 70 MB each unless there.
    maker.env("GO", go.command().get_program());
    if flags.iter().any(|flag| flag == "--check") {
        return shell::run(&mut maker);
    }
    say("building with each Go release; what is built is kept under target/layout");
    let table = shell::output(&mut maker)?;
    fs::write(project.root().join(TABLE), table).with_context(|| format!("writing {TABLE}"))?;
    say(format_args!("{TABLE} is made: look at its difference"));
    Ok(())
}
