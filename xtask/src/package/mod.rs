//! `cargo xtask package`: what people install: static programs, .deb, .rpm, archives and an OCI image, for amd64 and arm64,
//! with a list of what is in them and checksums. Two builds of one commit give the same bytes.

mod archive;
mod binary;
mod deb;
mod oci;
mod rpm;
mod stage;
mod zig;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain;
use crate::tools::{self, Tool};
use crate::vm::Arch;

/// What lists all crates that are built in, in CycloneDX's form.
const SBOM: Tool = Tool { name: "cargo-cyclonedx", version: "0.5.7", takes: "about two minutes" };

/// What packages are made of and called.
pub struct Making<'a> {
    pub project: &'a Project,
    /// The workspace's version.
    pub version: String,
    /// When the commit was made, in seconds since 1970: the time of all that is made.
    pub epoch: String,
    /// Where it goes.
    pub folder: PathBuf,
}

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let arches = arches(flags)?;
    let rust = toolchain::ensure()?;
    let mut ask = shell::command("git");
    ask.current_dir(project.root()).args(["log", "-1", "--format=%ct"]);
    let epoch = shell::output(&mut ask).context("packages carry the time of their commit")?;
    let folder = project.target().join("package");
    // What was there before may be of another commit.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let making =
        Making { project, version: version(project)?, epoch: epoch.trim().to_owned(), folder };
    let zig = zig::ensure(project)?;
    let mut images = Vec::new();
    for arch in arches {
        let binary = binary::build(&making, rust, &zig, arch)?;
        let stage = stage::fill(&making, &binary, arch)?;
        archive::make(&making, &stage, arch)?;
        deb::make(&making, &stage, arch)?;
        rpm::make(&making, &stage, arch)?;
        images.push(oci::layer(&making, &binary, arch)?);
    }
    oci::make(&making, &images)?;
    sbom(&making, rust)?;
    checksums(&making)?;
    say(format_args!("packages are in {}", project.shown(&making.folder)));
    Ok(())
}

fn arches(flags: &[String]) -> Result<Vec<Arch>> {
    match flags {
        [] => Ok(vec![Arch::Amd64, Arch::Arm64]),
        [flag, name] if flag == "--arch" => Ok(vec![Arch::parse(name)?]),
        _ => bail!("package takes --arch amd64 or --arch arm64, or nothing for both"),
    }
}

/// The workspace's version, as its manifest has it.
fn version(project: &Project) -> Result<String> {
    let manifest = std::fs::read_to_string(project.root().join("Cargo.toml"))?;
    let manifest: toml::Value = toml::from_str(&manifest).context("Cargo.toml")?;
    let version = manifest["workspace"]["package"]["version"].as_str();
    Ok(version.context("the workspace has no version")?.to_owned())
}

/// Lists what the program is built of.
fn sbom(making: &Making<'_>, rust: toolchain::Toolchain) -> Result<()> {
    let tool = tools::ensure(making.project, rust, SBOM)?;
    let name = format!("leak-agent-{}.cdx", making.version);
    let mut list = rust.around(making.project, tool);
    list.args(["cyclonedx", "--format", "json", "--manifest-path", "agent/Cargo.toml"])
        .args(["--override-filename", &name])
        .env("SOURCE_DATE_EPOCH", &making.epoch);
    shell::run(&mut list)?;
    let file = format!("{name}.json");
    std::fs::rename(making.project.root().join("agent").join(&file), making.folder.join(&file))?;
    // It writes one for each member of the workspace.
    for member in ["common", "tests", "xtask", "agent-ebpf"] {
        let _ = std::fs::remove_file(making.project.root().join(member).join(&file));
    }
    Ok(())
}

/// `SHA256SUMS` of all files.
fn checksums(making: &Making<'_>) -> Result<()> {
    let names = names(&making.folder)?;
    let sums = shell::output(
        shell::command("sha256sum").current_dir(&making.folder).arg("--").args(&names),
    )?;
    std::fs::write(making.folder.join("SHA256SUMS"), sums)?;
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
