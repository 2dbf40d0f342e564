//! Servers that nobody here wrote, started on loopback with their own pprof, and ended by their pid.

pub mod load;
mod setup;

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use anyhow::{Context, Result, ensure};

use crate::endpoint::Endpoint;

/// A server that does not answer by then has failed.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nats-server: messages by a text protocol over TCP.
    Nats,
    /// caddy: HTTP, with a proxy before a second server in the same process.
    Caddy,
    /// coredns: DNS over UDP and TCP.
    Coredns,
    /// node_exporter: the machine's metrics over HTTP.
    NodeExporter,
}

/// A running server. It is killed, and its folder removed, when this value is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    kind: Kind,
    folder: PathBuf,
    address: String,
    pprof: Endpoint,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nats, Self::Caddy, Self::Coredns, Self::NodeExporter];

    /// The name of its program.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Caddy => "caddy",
            Self::Coredns => "coredns",
            Self::NodeExporter => "node_exporter",
        }
    }

    /// Where its program lies.
    ///
    /// # Errors
    /// When it was not built.
    pub fn path(self) -> Result<PathBuf> {
        path(self.name())
    }
}

/// Where the program of this name lies, which `cargo xtask servers` builds.
///
/// # Errors
/// When it was not built.
pub fn path(name: &str) -> Result<PathBuf> {
    let folder = env::var_os("LEAK_AGENT_SERVERS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/servers")),
        PathBuf::from,
    );
    let path = folder.join(name);
    let shown = path.display();
    ensure!(path.is_file(), "{name} was not built: there is no {shown}; run: cargo xtask servers");
    Ok(path)
}

impl Server {
    /// Starts a server, and waits until it serves.
    ///
    /// # Errors
    /// When it was not built, ends at once, or does not answer.
    pub fn start(kind: Kind) -> Result<Self> {
        let binary = kind.path()?;
        let folder = env::temp_dir().join(format!("{}-{}", kind.name(), std::process::id()));
        fs::create_dir_all(&folder)?;
        let [address, mut profile, behind] = free_addresses()?;
        if kind == Kind::NodeExporter {
            // It has one listener for everything.
            profile.clone_from(&address);
        }
        let place = setup::Place { folder: &folder, address: &address, profile: &profile };
        let mut command = Command::new(&binary);
        setup::configure(kind, &place, &behind, &mut command)?;
        let log = File::create(folder.join("log"))?;
        let child = command
            // Nothing of the user's own settings, and nothing left behind.
            .env("HOME", &folder)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut server = Self { child, kind, folder, address, pprof: Endpoint::pprof(&profile) };
        server.wait().with_context(|| format!("its last words: {}", server.last_words()))?;
        Ok(server)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Which server it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it tells of itself.
    #[must_use]
    pub const fn pprof(&self) -> &Endpoint {
        &self.pprof
    }

    fn wait(&mut self) -> Result<()> {
        let name = self.kind.name();
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("{name} ended at once: {status}");
            }
            let answers = self
                .pprof
                .read("cmdline", &mut io::sink())
                .and_then(|_| Ok(TcpStream::connect(&self.address).map(drop)?));
            match answers {
                Ok(()) => return Ok(()),
                Err(error) if start.elapsed() > READY_WITHIN => {
                    return Err(error.context(format!("{name} does not answer")));
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn last_words(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(2000)..]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors mean that it is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Addresses on loopback that nobody listens on. All are held until all are known.
fn free_addresses() -> Result<[String; 3]> {
    let listener = || TcpListener::bind("127.0.0.1:0");
    let held = [listener()?, listener()?, listener()?];
    let [a, b, c] = held.each_ref().map(|held| held.local_addr().map(|it| it.to_string()));
    Ok([a?, b?, c?])
}
