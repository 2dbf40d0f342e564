//! Containers and namespaces around this process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Answer;

/// Inode numbers of the first namespaces, fixed since Linux 3.8 (`include/linux/proc_ns.h`,
/// `PROC_PID_INIT_INO` and `PROC_USER_INIT_INO`).
const FIRST_PID_NAMESPACE: u64 = 0xeffffffc;
const FIRST_USER_NAMESPACE: u64 = 0xeffffffd;

/// What is around this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Whether it sees every process of the machine, by the host's pids.
    pub host_pids: Answer,
    /// Whether its capabilities count for the whole machine.
    pub host_users: Answer,
    /// The container it runs in, by its engine's name, where it leaves a sign.
    pub container: Option<String>,
}

impl Confinement {
    /// Finds out.
    #[must_use]
    pub fn detect() -> Self {
        Self {
            host_pids: is_first("pid", FIRST_PID_NAMESPACE),
            host_users: is_first("user", FIRST_USER_NAMESPACE),
            container: container(),
        }
    }

    /// Whether anything is around it.
    #[must_use]
    pub const fn is_container(&self) -> bool {
        self.container.is_some() || matches!(self.host_pids, Answer::No(_))
    }
}

fn is_first(kind: &str, inode: u64) -> Answer {
    let path = format!("/proc/self/ns/{kind}");
    match fs::metadata(&path) {
        Ok(namespace) if namespace.ino() == inode => Answer::Yes,
        Ok(_) => Answer::No(format!("this process is in a {kind} namespace of its own")),
        Err(error) => Answer::CannotTell(format!("{path}: {error}")),
    }
}

/// The signs that container engines leave.
fn container() -> Option<String> {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("kubernetes".to_owned());
    }
    for (sign, engine) in [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")] {
        if Path::new(sign).exists() {
            return Some(engine.to_owned());
        }
    }
    // systemd's convention for container engines.
    let named = fs::read_to_string("/run/systemd/container").ok()?;
    Some(named.trim().to_owned()).filter(|name| !name.is_empty())
}
