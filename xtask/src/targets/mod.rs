//! `cargo xtask targets`: builds the Go programs of tests/targets, in the versions and modes that
//! each wants.

mod matrix;
mod mode;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::go::{Go, Toolchains};
use crate::project::Project;
use crate::shell::{self, say};

pub use mode::VERSIONS;

use mode::Mode;

/// One binary to be built.
struct Build {
    name: String,
    source: PathBuf,
    version: &'static str,
    mode: &'static Mode,
}

/// The chore.
pub fn run(project: &Project, names: &[String]) -> Result<()> {
    let wanted = wanted(project, names)?;
    let total = wanted.len();
    let stale: Vec<Build> = wanted.into_iter().filter(|build| build.is_stale(project)).collect();
    say(format_args!("Go targets: {} of {total} to build", stale.len()));
    if stale.iter().any(|build| build.mode.cgo) {
        apt::ensure(&apt::C, "to build Go targets with cgo")?;
    }
    let toolchains = Toolchains::find(project);
    let mut ready: BTreeMap<&str, Go> = BTreeMap::new();
    for (index, build) in stale.iter().enumerate() {
        let go = match ready.get(build.version) {
            Some(go) => go,
            None => ready.entry(build.version).or_insert(toolchains.version(build.version)?),
        };
        let started = Instant::now();
        build.make(project, go)?;
        say(format_args!(
            "[{}/{}] {} ({:.1} s)",
            index + 1,
            stale.len(),
            project.shown(&build.binary(project)),
            started.elapsed().as_secs_f64(),
        ));
    }
    Ok(())
}

/// Builds one program in one mode with some versions, and gives the binaries' paths in the
/// versions' order. What is up to date is not built again.
pub fn provide(
    project: &Project,
    name: &str,
    mode: &str,
    versions: &[&'static str],
) -> Result<Vec<PathBuf>> {
    let mode = Mode::named(mode).with_context(|| format!("there is no mode {mode}"))?;
    let source = project.go_sources().join(name);
    let toolchains = Toolchains::find(project);
    let mut binaries = Vec::new();
    for &version in versions {
        let build = Build { name: name.to_owned(), source: source.clone(), version, mode };
        if build.is_stale(project) {
            build.make(project, &toolchains.version(version)?)?;
        }
        binaries.push(build.binary(project));
    }
    Ok(binaries)
}

/// Builds one program with one Go as a plain executable, and gives its path.
pub fn build_plain(project: &Project, name: &str, go: &Go) -> Result<PathBuf> {
    let source = project.go_sources().join(name);
    let binary = project.target().join("demo").join(name);
    let plain = Mode::named("exe").context("there is no plain mode")?;
    go_build(go, plain, &source, &binary)?;
    Ok(binary)
}

/// Every build of the targets with these names, or of all.
fn wanted(project: &Project, names: &[String]) -> Result<Vec<Build>> {
    let sources = sources(&project.go_sources())?;
    if let Some(name) = names.iter().find(|name| !sources.contains_key(*name)) {
        let known: Vec<&str> = sources.keys().map(String::as_str).collect();
        bail!("there is no Go target `{name}`, only: {}", known.join(", "));
    }
    let mut builds = Vec::new();
    for (name, source) in sources {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let file = source.join("matrix.toml");
        let matrix = if file.exists() { std::fs::read_to_string(&file)? } else { String::new() };
        let pairs = matrix::builds(&matrix)
            .with_context(|| format!("cannot use {}", project.shown(&file)))?;
        for (version, mode) in pairs {
            builds.push(Build { name: name.clone(), source: source.clone(), version, mode });
        }
    }
    // By version, so that each Go is fetched right before it is used.
    builds.sort_by_key(|build| build.version);
    Ok(builds)
}

/// The folders that hold a program (a main.go), by name.
fn sources(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("there are no Go targets in {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.join("main.go").is_file() {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                found.insert(name.to_owned(), path.clone());
            }
        }
    }
    Ok(found)
}

impl Build {
    fn binary(&self, project: &Project) -> PathBuf {
        project.go_targets().join(self.version).join(self.mode.name).join(&self.name)
    }

    /// Where it is noted how the binary was built.
    fn note(&self, project: &Project) -> PathBuf {
        let notes = project.go_targets().join("recipes");
        notes.join(self.version).join(self.mode.name).join(&self.name)
    }

    /// Whether the binary is missing, older than its source, or built in another way.
    fn is_stale(&self, project: &Project) -> bool {
        let noted = std::fs::read_to_string(self.note(project)).ok();
        let built = self.binary(project).metadata().and_then(|meta| meta.modified()).ok();
        let changed = self.newest_source(project).ok();
        match (noted, built, changed) {
            (Some(noted), Some(built), Some(changed)) => {
                noted != self.mode.recipe() || built < changed
            }
            _ => true,
        }
    }

    /// When anything that goes into the binary was last changed: its own folder, or what lies
    /// beside it and is no program itself (go.mod, shared packages), or our own Go package.
    fn newest_source(&self, project: &Project) -> Result<SystemTime> {
        let mut latest = newest(&self.source)?.max(newest(&project.root().join("agent/go"))?);
        for entry in std::fs::read_dir(project.go_sources())? {
            let path = entry?.path();
            if !path.join("main.go").exists() {
                latest = latest.max(newest(&path)?);
            }
        }
        Ok(latest)
    }

    fn make(&self, project: &Project, go: &Go) -> Result<()> {
        let note = self.note(project);
        if note.exists() {
            std::fs::remove_file(&note)?;
        }
        go_build(go, self.mode, &self.source, &self.binary(project))?;
        let folder = note.parent().context("a note lies in a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&note, self.mode.recipe())
            .with_context(|| format!("cannot write {}", note.display()))
    }
}

/// Builds the program in `source`. What Go says is shown only when it fails.
fn go_build(go: &Go, mode: &Mode, source: &Path, binary: &Path) -> Result<()> {
    let mut command = go.command();
    command.current_dir(source).envs(mode.env()).arg("build").args(mode.args);
    shell::output(command.arg("-o").arg(binary).arg("."))
        .with_context(|| format!("Go {} cannot build {}", go.version(), source.display()))?;
    // Go leaves a binary that it finds unchanged alone, time and all.
    let file = std::fs::File::options().append(true).open(binary)?;
    file.set_modified(SystemTime::now())?;
    Ok(())
}

/// When a file, or anything in a folder, was last changed.
fn newest(path: &Path) -> Result<SystemTime> {
    let meta = path.metadata()?;
    let mut latest = meta.modified()?;
    if meta.is_dir() {
        for entry in std::fs::read_dir(path)? {
            latest = latest.max(newest(&entry?.path())?);
        }
    }
    Ok(latest)
}
