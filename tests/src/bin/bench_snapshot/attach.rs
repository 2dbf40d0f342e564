//! How long it takes to attach, with symbols and without, to small executables and large ones.

use std::time::Instant;

use anyhow::Result;
use leak_agent::collect::attach::{Attach, Options};
use leak_agent_tests::Target;
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::server::{Kind, Server};
use serde::Serialize;

use crate::rounds::GO;

/// How often each is attached to.
const TURNS: usize = 15;

/// Attaching to one executable.
#[derive(Debug, Serialize)]
pub struct AttachTime {
    /// Which.
    pub executable: String,
    /// Its size.
    pub bytes: u64,
    /// How long it took.
    pub ms: Figure,
}

/// Measures all.
pub fn measure() -> Result<Vec<AttachTime>> {
    let mut measured = Vec::new();
    for mode in ["exe", "stripped"] {
        let target = Target::start_with(GO, mode, "blocked", &["10000", "5"])?;
        let bytes = target.path().metadata()?.len();
        measured.push(time(format!("blocked, {mode}"), bytes, target.pid())?);
    }
    // Large executables, where `cargo xtask servers` has built them.
    for kind in [Kind::Caddy, Kind::Coredns] {
        if let Ok(path) = kind.path() {
            let server = Server::start(kind)?;
            measured.push(time(kind.name().to_owned(), path.metadata()?.len(), server.pid())?);
        }
    }
    Ok(measured)
}

fn time(executable: String, bytes: u64, pid: u32) -> Result<AttachTime> {
    let mut ms = Figure::default();
    for _ in 0..TURNS {
        let start = Instant::now();
        let attach = Attach::open(pid, &Options::default())?;
        ms.add(start.elapsed().as_secs_f64() * 1e3);
        drop(attach);
    }
    Ok(AttachTime { executable, bytes, ms })
}
