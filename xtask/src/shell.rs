//! Running programs: a clean environment, live output, errors that name the command.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Tells what a chore does next.
pub fn say(text: impl std::fmt::Display) {
    println!("xtask: {text}");
}

/// A command with no stdin, and without what the cargo around us has set for us alone: a cargo
/// that is started within would take it for its own.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_outer_cargos) {
            command.env_remove(name);
        }
    }
    match library_path() {
        Some(path) if path.is_empty() => command.env_remove("LD_LIBRARY_PATH"),
        Some(path) => command.env("LD_LIBRARY_PATH", path),
        None => &mut command,
    };
    command
}

/// Runs to the end with output as it comes.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs to the end and gives what it printed. What it said on stderr is shown only if it failed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", line(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Where a program lies on PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_runnable(file))
}

fn is_runnable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// What cargo and rustup set for the program that they run.
fn is_outer_cargos(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "RUST_RECURSION_COUNT",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
    ];
    NAMES.contains(&name) || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// LD_LIBRARY_PATH without the folders that cargo put before it: the build's and the toolchain's.
fn library_path() -> Option<OsString> {
    let path = std::env::var_os("LD_LIBRARY_PATH")?;
    let build = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join("target"));
    let is_cargos = |folder: &Path| {
        build.as_ref().is_some_and(|build| folder.starts_with(build))
            || folder.components().any(|part| part.as_os_str() == "toolchains")
    };
    std::env::join_paths(std::env::split_paths(&path).filter(|folder| !is_cargos(folder))).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn commands_do_not_inherit_the_outer_cargo() {
        // `cargo test` sets CARGO and CARGO_PKG_NAME for this very test.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let seen = output(&mut command("env")).unwrap();
        assert!(!seen.lines().any(|line| line.starts_with("CARGO=")), "{seen}");
        assert!(!seen.lines().any(|line| line.starts_with("CARGO_PKG_NAME=")), "{seen}");
        assert!(seen.lines().any(|line| line.starts_with("PATH=")), "{seen}");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = output(command("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("sh -c"), "{text}");
        assert!(text.contains("why"), "{text}");
        let error = run(&mut command("no-such-program-anywhere")).unwrap_err();
        assert!(format!("{error:#}").contains("cannot start no-such-program-anywhere"));
    }
}
