//! Reads one file, if it is a regular Go file of bearable size.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::SystemTime;

/// The largest file read; generated Go files of several MiB exist, but nobody blocks in them.
const MAX_BYTES: u64 = 4 << 20;

/// The text and the time of the last change.
///
/// The path comes from the target, and the agent often runs as root: a link called `x.go` must
/// not show `/etc/shadow`, and a pipe must not make the agent wait.
pub(super) fn read(path: &Path) -> Option<(String, Option<SystemTime>)> {
    if !is_go(path) {
        return None;
    }
    let mut file = if fs::symlink_metadata(path).ok()?.is_symlink() {
        let real = fs::canonicalize(path).ok().filter(|real| is_go(real))?;
        open(&real)?
    } else {
        open(path)?
    };
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > MAX_BYTES {
        return None;
    }
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned());
    Some((text, metadata.modified().ok()))
}

/// The time of a file's last change.
pub(super) fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn is_go(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "go")
}

fn open(path: &Path) -> Option<File> {
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    // What was a regular file a moment ago may be something else now: do not follow, do not wait.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags).open(path).ok()
}
