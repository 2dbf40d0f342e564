//! `cargo xtask servers`: builds servers that nobody here wrote, for the tests to look at, and brings those that alerts
//! are sent to.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::go::{self, Go, Toolchains};
use crate::project::Project;
use crate::receivers;
use crate::shell::{self, say};

/// A server, as its module's checksums pin it.
struct Server {
    /// The program's name, as Go gives it too.
    name: &'static str,
    package: &'static str,
    module: &'static str,
    version: &'static str,
    /// A file under tests/servers that is added to the main package, which lies in the module's
    /// own folder.
    added: Option<&'static str>,
    /// What one has to wait for it, on two cores.
    takes: &'static str,
}

/// All of them.
const SERVERS: [Server; 5] = [
    Server {
        name: "nats-server",
        package: "github.com/nats-io/nats-server/v2",
        module: "github.com/nats-io/nats-server/v2",
        version: "v2.15.2",
        added: None,
        takes: "a minute",
    },
    Server {
        name: "caddy",
        package: "github.com/caddyserver/caddy/v2/cmd/caddy",
        module: "github.com/caddyserver/caddy/v2",
        version: "v2.11.9",
        added: None,
        takes: "3 minutes",
    },
    Server {
        name: "coredns",
        package: "github.com/coredns/coredns",
        module: "github.com/coredns/coredns",
        version: "v1.15.0",
        added: None,
        takes: "3 minutes",
    },
    Server {
        name: "minio",
        package: "github.com/minio/minio",
        module: "github.com/minio/minio",
        version: "v0.0.0-20260212201848-7aac2a2c5b7c",
        added: Some("minio/pprof.go"),
        takes: "4 minutes",
    },
    Server {
        name: "node_exporter",
        package: "github.com/prometheus/node_exporter",
        module: "github.com/prometheus/node_exporter",
        version: "v1.12.1",
        added: None,
        takes: "a minute",
    },
];

/// The chore.
pub fn run(project: &Project, names: &[String]) -> Result<()> {
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        bail!("there is no server `{name}`, only: {}", SERVERS.map(|it| it.name).join(", "));
    }
    let wanted = SERVERS.iter().filter(|it| names.is_empty() || names.iter().any(|n| n == it.name));
    let mut stale = Vec::new();
    for server in wanted {
        if !server.is_built(project)? {
            stale.push(server);
        }
    }
    if names.is_empty() {
        receivers::ensure();
    }
    say(format_args!("servers: {} to build", stale.len()));
    if stale.is_empty() {
        return Ok(());
    }
    let go = Toolchains::find(project).version(go::DEFAULT)?;
    for server in stale {
        server.build(project, &go)?;
    }
    Ok(())
}

/// Whether there is a server of this name.
pub fn is_known(name: &str) -> bool {
    SERVERS.iter().any(|it| it.name == name)
}

impl Server {
    fn binary(&self, project: &Project) -> PathBuf {
        project.servers().join(self.name)
    }

    /// The file that says what the binary was built from.
    fn note(&self, project: &Project) -> PathBuf {
        project.servers().join(format!("{}.built", self.name))
    }

    /// Everything that makes the binary what it is.
    fn recipe(&self, project: &Project) -> Result<String> {
        let added = match self.added {
            Some(file) => std::fs::read_to_string(added(project, file))
                .with_context(|| format!("there is no tests/servers/{file}"))?,
            None => String::new(),
        };
        Ok(format!("{}@{} by Go {}\n{added}", self.package, self.version, go::DEFAULT))
    }

    fn is_built(&self, project: &Project) -> Result<bool> {
        let noted = std::fs::read_to_string(self.note(project)).unwrap_or_default();
        Ok(self.binary(project).is_file() && noted == self.recipe(project)?)
    }

    fn build(&self, project: &Project, go: &Go) -> Result<()> {
        let Self { name, version, takes, .. } = self;
        say(format_args!("building {name} {version} with Go {} ({takes})", go.version()));
        let started = Instant::now();
        let folder = project.servers();
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        match self.added {
            None => self.install(project, go),
            Some(file) => self.build_with(project, go, file),
        }
        .with_context(|| format!("cannot build {name}"))?;
        std::fs::write(self.note(project), self.recipe(project)?)?;
        say(format_args!(
            "{} ({} s)",
            project.shown(&self.binary(project)),
            started.elapsed().as_secs()
        ));
        Ok(())
    }

    fn install(&self, project: &Project, go: &Go) -> Result<()> {
        let mut install = polite(&go.command());
        // In a folder without a module, none of ours may have a say in which versions are taken.
        install.current_dir(project.servers()).env("GOBIN", project.servers()).arg("install");
        shell::output(install.arg(format!("{}@{}", self.package, self.version))).map(drop)
    }

    /// Builds a copy of the module with one file more in its main package: Go lets nobody add to
    /// the modules that it keeps.
    fn build_with(&self, project: &Project, go: &Go, file: &str) -> Result<()> {
        let mut download = go.command();
        download.current_dir(project.servers()).args(["mod", "download", "-json"]);
        let said = shell::output(download.arg(format!("{}@{}", self.module, self.version)))?;
        let home = field(&said, "Dir").with_context(|| format!("go said: {said}"))?;
        let copy = project.servers().join(format!("{}-source", self.name));
        if copy.exists() {
            std::fs::remove_dir_all(&copy)?;
        }
        // What Go keeps is read-only.
        let mut cp = shell::command("cp");
        shell::output(cp.args(["-r", "--no-preserve=mode", home]).arg(&copy))?;
        let source = added(project, file);
        let name = source.file_name().context("a file has a name")?;
        std::fs::copy(&source, copy.join(name))
            .with_context(|| format!("cannot copy {}", source.display()))?;
        let mut build = polite(&go.command());
        build.current_dir(&copy).args(["build", "-mod=readonly", "-o"]);
        shell::output(build.arg(self.binary(project)).arg("."))?;
        std::fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {}", copy.display()))
    }
}

fn added(project: &Project, file: &str) -> PathBuf {
    project.root().join("tests/servers").join(file)
}

/// A text field of an object in Go's own JSON, which has one field a line.
fn field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("\"{name}\": \"");
    json.lines().find_map(|line| line.trim().strip_prefix(&start)?.split('"').next())
}

/// The same command, behind everybody else who wants the processor: this takes minutes.
fn polite(command: &Command) -> Command {
    let mut polite = Command::new("nice");
    polite.args(["-n", "10"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => polite.env(name, value),
            None => polite.env_remove(name),
        };
    }
    // The same on machines with a C compiler and without one.
    polite.env("CGO_ENABLED", "0").stdin(std::process::Stdio::null());
    polite
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_gos_json_is_found() {
        let json = "{\n\t\"Path\": \"a.b/c\",\n\t\"Dir\": \"/go/pkg/mod/a.b/c@v1\",\n}";
        assert_eq!(field(json, "Dir"), Some("/go/pkg/mod/a.b/c@v1"));
        assert_eq!(field(json, "Sum"), None);
    }
}
