//! The Rust that the agent is built with: brought by rustup when it is missing.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::shell::{self, say};

/// The pinned compiler. Its LLVM is the one that Debian has too, which the eBPF side needs.
pub const VERSION: &str = "1.98.0";

const COMPONENTS: [&str; 3] = ["rust-src", "clippy", "rustfmt"];

/// The pinned toolchain, known to be there.
#[derive(Clone, Copy, Debug)]
pub struct Toolchain(());

/// Makes sure that the pinned toolchain is there. Needs no network when it is.
pub fn ensure() -> Result<Toolchain> {
    if shell::which("rustup").is_none() {
        bail!(
            "rustup is not on PATH, and Rust {VERSION} comes through it: \
             install it as https://rustup.rs says, then run this again"
        );
    }
    if missing()?.is_empty() {
        return Ok(Toolchain(()));
    }
    say(format_args!("installing Rust {VERSION} through rustup (about 30 s, 100 MB)"));
    let mut install = shell::command("rustup");
    install.args(["toolchain", "install", VERSION, "--profile", "minimal", "--no-self-update"]);
    for component in COMPONENTS {
        install.args(["-c", component]);
    }
    shell::run(&mut install).context("rustup could not bring the toolchain")?;
    let missing = missing()?;
    if !missing.is_empty() {
        bail!("rustup installed Rust {VERSION}, but without {}", missing.join(", "));
    }
    Ok(Toolchain(()))
}

impl Toolchain {
    /// The pinned cargo in the project, building into the project's target folder.
    pub fn cargo(self, project: &Project) -> Command {
        let mut cargo = shell::command("rustup");
        cargo.args(["run", VERSION, "cargo"]);
        cargo.current_dir(project.root()).env("CARGO_TARGET_DIR", project.target());
        cargo
    }

    /// Another program, for which `cargo` and `rustc` on PATH are the pinned ones.
    pub fn around(self, project: &Project, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = shell::command(program);
        command.current_dir(project.root()).env("RUSTUP_TOOLCHAIN", VERSION);
        command
    }
}

/// What of the toolchain is not installed.
fn missing() -> Result<Vec<&'static str>> {
    let toolchains = shell::output(shell::command("rustup").args(["toolchain", "list"]))?;
    if !toolchains.lines().any(|line| line.starts_with(&format!("{VERSION}-"))) {
        return Ok(vec!["the compiler"]);
    }
    let installed = shell::output(shell::command("rustup").args([
        "component",
        "list",
        "--installed",
        "--toolchain",
        VERSION,
    ]))?;
    Ok(COMPONENTS.into_iter().filter(|component| !has(&installed, component)).collect())
}

/// Whether rustup's list names a component, alone or for this machine's architecture.
fn has(installed: &str, component: &str) -> bool {
    let for_this = format!("{component}-{}-", std::env::consts::ARCH);
    installed.lines().any(|line| line == component || line.starts_with(&for_this))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_with_and_without_a_host() {
        let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let list = format!("cargo-{host}\nclippy-{host}\nrust-src\nrustfmt-other-linux-gnu\n");
        assert!(has(&list, "rust-src"));
        assert!(has(&list, "clippy"));
        assert!(!has(&list, "rustfmt"), "another machine's");
        assert!(!has(&list, "rust"), "a longer name is another component");
    }
}
