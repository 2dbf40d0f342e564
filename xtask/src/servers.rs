//! `cargo xtask servers`: builds servers that nobody here wrote, for the tests to look at, and brings those that alerts
//! and metrics are sent to.

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
    version: &'static str,
    how: How,
    /// What one has to wait for it, on two cores.
    takes: &'static str,
}

/// How a server comes to be.
#[derive(Clone, Copy)]
enum How {
    /// Go installs it.
    Installed,
    /// Of a folder under tests/servers that is called as it is, whose few lines put a server together of modules that
    /// its go.sum pins.
    PutTogether,
}

/// All of them.
const SERVERS: [Server; 5] = [
    Server {
        name: "nats-server",
        package: "github.com/nats-io/nats-server/v2",
        version: "v2.15.2",
        how: How::Installed,
        takes: "a minute",
    },
    Server {
        name: "caddy",
        package: "github.com/caddyserver/caddy/v2/cmd/caddy",
        version: "v2.11.9",
        how: How::Installed,
        takes: "3 minutes",
    },
    Server {
        name: "coredns",
        package: "github.com/coredns/coredns",
        version: "v1.15.0",
        how: How::Installed,
        takes: "3 minutes",
    },
    Server {
        name: "node_exporter",
        package: "github.com/prometheus/node_exporter",
        version: "v1.12.1",
        how: How::Installed,
        takes: "a minute",
    },
    // Nothing is to be found in it: it is sent to.
    Server {
        name: "otelcol",
        package: "tests/servers/otelcol",
        version: "v0.165.0",
        how: How::PutTogether,
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
        let read = |file: &str| {
            std::fs::read_to_string(own(project, file))
                .with_context(|| format!("there is no tests/servers/{file}"))
        };
        let added = match self.how {
            How::Installed => String::new(),
            How::PutTogether => {
                let files = ["main.go", "go.mod", "go.sum"];
                let texts = files.map(|file| read(&format!("{}/{file}", self.name)));
                texts.into_iter().collect::<Result<Vec<String>>>()?.concat()
            }
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
        match self.how {
            How::Installed => self.install(project, go),
            How::PutTogether => self.put_together(project, go),
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

    /// Builds the folder of its name.
    fn put_together(&self, project: &Project, go: &Go) -> Result<()> {
        let mut build = polite(&go.command());
        build.current_dir(own(project, self.name)).args(["build", "-mod=readonly", "-ldflags"]);
        shell::output(build.args(["-s -w", "-o"]).arg(self.binary(project)).arg(".")).map(drop)
    }
}

/// Something under tests/servers.
fn own(project: &Project, file: &str) -> PathBuf {
    project.root().join("tests/servers").join(file)
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
