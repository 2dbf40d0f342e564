//! `cargo xtask package`: what people install: static programs, .deb, .rpm, archives and an OCI image, for amd64 and arm64,
//! with a list of what is in them and checksums. Two builds of one commit give the same bytes.
//!
//! `cargo xtask package --deb PROGRAM FOLDER` makes the .deb alone, of a program that was built for this machine.

mod archive;
mod binary;
mod deb;
mod oci;
mod rpm;
mod sbom;
mod stage;
mod zig;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::shell::{self, say};
use crate::toolchain;
use crate::vm::Arch;

/// What packages are made of and called.
pub struct Making<'a> {
    pub project: &'a Project,
    /// The workspace's version.
    pub version: String,
    /// When the commit was made, in seconds since 1970: the time of all that is made.
    pub epoch: String,
    /// Where it goes.
    pub folder: PathBuf,
    /// Where a package's files are laid out, a folder for each architecture.
    pub stage: PathBuf,
    /// How `dpkg-deb` packs it.
    pub packed: &'static str,
}

impl Making<'_> {
    /// The time of the commit, as RFC 3339 in UTC.
    fn time(&self) -> Result<String> {
        let mut date = shell::command("date");
        date.args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).arg(format!("-d@{}", self.epoch));
        Ok(shell::output(&mut date)?.trim().to_owned())
    }
}

/// The chore.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    if let [flag, program, folder] = flags
        && flag == "--deb"
    {
        return deb_of(project, Path::new(program), Path::new(folder));
    }
    let arches = arches(flags)?;
    let rust = toolchain::ensure()?;
    let folder = project.target().join("package");
    // What was there before may be of another commit.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let making = making(project, folder, project.target().join("stage"), "xz")?;
    let zig = zig::ensure(project)?;
    let own = own_program(&making, rust, &arches)?;
    let mut images = Vec::new();
    for arch in arches {
        let binary = binary::build(&making, rust, &zig, arch)?;
        let stage = stage::fill(&making, &binary, own.as_deref().unwrap_or(&binary), arch)?;
        archive::make(&making, &stage, arch)?;
        deb::make(&making, &stage, arch)?;
        rpm::make(&making, &stage, arch)?;
        images.push(oci::layer(&making, &binary, arch)?);
    }
    oci::make(&making, &images)?;
    sbom::make(&making, rust)?;
    checksums(&making)?;
    say(format_args!("packages are in {}", project.shown(&making.folder)));
    Ok(())
}

/// The .deb alone, of a program that runs here.
fn deb_of(project: &Project, program: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    // To be installed here, at once.
    let making = making(project, folder.to_path_buf(), folder.join("stage"), "none")?;
    let stage = stage::fill(&making, program, program, Arch::own())?;
    deb::make(&making, &stage, Arch::own())
}

fn making<'a>(
    project: &'a Project,
    folder: PathBuf,
    stage: PathBuf,
    packed: &'static str,
) -> Result<Making<'a>> {
    let mut ask = shell::command("git");
    ask.current_dir(project.root()).args(["log", "-1", "--format=%ct"]);
    let epoch = shell::output(&mut ask).context("packages carry the time of their commit")?;
    let epoch = epoch.trim().to_owned();
    Ok(Making { project, version: version(project)?, epoch, folder, stage, packed })
}

/// A program that runs here and says what all say of themselves, where none of those to come does.
fn own_program(
    making: &Making<'_>,
    rust: toolchain::Toolchain,
    arches: &[Arch],
) -> Result<Option<PathBuf>> {
    if arches == [Arch::own()] {
        return Ok(None);
    }
    say("building the agent for this machine, to write the manual pages");
    let mut cargo = rust.cargo(making.project);
    shell::run(cargo.args(["build", "--locked", "--quiet", "-p", "leak-agent"]))?;
    Ok(Some(making.project.target().join("debug/leak-agent")))
}

fn arches(flags: &[String]) -> Result<Vec<Arch>> {
    match flags {
        [] => Ok(vec![Arch::Amd64, Arch::Arm64]),
        [flag, name] if flag == "--arch" => Ok(vec![Arch::parse(name)?]),
        _ => bail!(
            "package takes --arch amd64 or --arch arm64, or nothing for both; or --deb PROGRAM FOLDER"
        ),
    }
}

/// The workspace's version, as its manifest has it.
fn version(project: &Project) -> Result<String> {
    let manifest = std::fs::read_to_string(project.root().join("Cargo.toml"))?;
    let manifest: toml::Value = toml::from_str(&manifest).context("Cargo.toml")?;
    let version = manifest["workspace"]["package"]["version"].as_str();
    Ok(version.context("the workspace has no version")?.to_owned())
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
