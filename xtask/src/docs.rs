//! `cargo xtask docs`: makes the reference of the agent's JSON (a page in `docs` for each schema, and `docs/*.schema.json`) of the
//! types that write it, and in `deploy` the dashboards and rules for its metrics; or checks them.

use anyhow::Result;

use crate::project::Project;
use crate::shell;
use crate::toolchain;

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let rust = toolchain::ensure()?;
    let mut build = rust.cargo(project);
    // With the packages that `cargo test` builds: alone, it would be built of crates with other features, all anew.
    build.args(["build", "--quiet", "--locked", "--package", "leak-agent"]);
    build.args(["--package", "leak-agent-tests", "--bin", "schema_docs"]);
    shell::run(&mut build)?;
    let mut maker = shell::command(project.target().join("debug/schema_docs"));
    shell::run(maker.arg(project.root()).args(flags))
}
