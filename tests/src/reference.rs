//! Builds the smallest Go program with any Go release, and reads the runtime's layout from its DWARF.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use leak_agent::golang::arch::Arch;
use leak_agent::golang::layout::{Layout, dwarf};

/// One release of each minor version that the agent reads, as CI tests them.
pub const TESTED: [&str; 7] =
    ["1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3"];

/// The architectures by Go's names.
pub const ARCHES: [(Arch, &str); 2] = [(Arch::Amd64, "amd64"), (Arch::Arm64, "arm64")];

/// Builds `func main() {}` with a Go release, unless that was done before.
///
/// Go brings the toolchain through its own `GOTOOLCHAIN`. What is built stays in `target/layout`.
///
/// # Errors
/// When there is no `go`, or it can neither find nor download the release.
pub fn build(version: &str, arch: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/layout");
    let built = folder.join(format!("go{version}-{arch}"));
    if built.exists() {
        return Ok(built);
    }
    let source = folder.join("source");
    fs::create_dir_all(&source).with_context(|| format!("creating {}", source.display()))?;
    fs::write(source.join("go.mod"), "module reference\n\ngo 1.21\n")?;
    fs::write(source.join("main.go"), "package main\n\nfunc main() {}\n")?;

    // Tests may build the same at once: each writes a file of its own and puts it in place whole.
    let unfinished = folder.join(format!("go{version}-{arch}.{}", std::process::id()));
    let go = env::var_os("GO").unwrap_or_else(|| "go".into());
    let status = Command::new(&go)
        .args(["build", "-o"])
        .arg(&unfinished)
        .current_dir(&source)
        .env("GOTOOLCHAIN", format!("go{version}"))
        .env("GOARCH", arch)
        .envs([("GOOS", "linux"), ("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "")])
        .status()
        .with_context(|| format!("running {}: is Go installed?", go.display()))?;
    ensure!(status.success(), "go{version} could not build for {arch}: {status}");
    fs::rename(&unfinished, &built)?;
    Ok(built)
}

/// The layout that the DWARF of an executable tells.
///
/// # Errors
/// When the file cannot be read, is no executable or has no usable DWARF.
pub fn layout_of(path: &Path) -> Result<Layout> {
    let read = || -> Result<Layout> {
        let bytes = fs::read(path)?;
        Ok(dwarf::layout(&object::File::parse(bytes.as_slice())?)?)
    };
    read().with_context(|| format!("reading the layout of {}", path.display()))
}
