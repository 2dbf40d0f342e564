//! `cargo xtask docs`: makes the reference of the agent's JSON (a page in `docs` for each schema, and `docs/*.schema.json`) of the
//! types that write it, and in `deploy` the dashboards and rules for its metrics; or checks them.

use anyhow::Result;

use crate::project::Project;
use crate::shell;
use crate::toolchain;

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let rust = toolchain::ensure()?;
    let mut maker = rust.cargo(project);
    maker.args(["run", "--quiet", "--locked", "--package", "leak-agent-tests"]);
    maker.args(["--bin", "schema_docs", "--"]).arg(project.root()).args(flags);
    shell::run(&mut maker)
}
