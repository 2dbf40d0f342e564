//! `cargo xtask kubernetes`: checks the Helm chart by Helm's own rendering and Kubernetes' own types, and keeps the manifest that is
//! made of it: tests/kubernetes.

use anyhow::{Result, bail};

use crate::go::{self, Toolchains};
use crate::project::Project;
use crate::shell::{self, say};

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    if !matches!(flags, [] | [_]) || flags.iter().any(|flag| flag != "--write") {
        bail!("kubernetes takes --write or nothing");
    }
    let checker = project.target().join("kubernetes");
    let go = Toolchains::find(project).version(go::DEFAULT)?;
    if !checker.is_file() {
        say("building what checks the Helm chart (a minute)");
    }
    let mut build = go.command();
    build.current_dir(project.root().join("tests/kubernetes")).env("CGO_ENABLED", "0");
    shell::run(build.args(["build", "-mod=readonly", "-o"]).arg(&checker).arg("."))?;
    let mut check = shell::command(&checker);
    let deploy = project.root().join("deploy");
    check.arg(deploy.join("helm/leak-agent")).arg(deploy.join("kubernetes/leak-agent.yaml"));
    shell::run(check.args(flags))
}
