//! Writes a guest's first and only file system: busybox, an init script, the tests and their targets.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;

use super::Guest;
use super::build::Programs;
use super::cpio::Archive;
use super::packages::{Parts, folder};

/// The guest's process 1. It says when it begins and with what exit code the tests ended, so that
/// a guest that died is never taken for one that passed.
const INIT: &str = "#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t securityfs security /sys/kernel/security
mount -t debugfs debug /sys/kernel/debug
mount -t tracefs trace /sys/kernel/tracing
chmod 1777 /tmp
echo
echo GUEST BEGIN
/tests/guest /tests/targets </dev/null 2>&1
echo GUEST END $?
poweroff -f
";

/// Writes the file system and says where.
pub fn write(
    project: &Project,
    guest: Guest,
    parts: &Parts,
    programs: &Programs,
) -> Result<PathBuf> {
    let path = folder(project).join(format!("initrd-{}-{}", guest.kernel, guest.arch.name()));
    let file =
        fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::new(file));
    for folder in ["bin", "dev", "proc", "sys", "tmp", "tests", "tests/targets"] {
        archive.directory(folder)?;
    }
    // The kernel opens it for process 1, before that has mounted anything.
    archive.device("dev/console", 5, 1)?;
    archive.program("init", INIT.as_bytes())?;
    archive.program("bin/busybox", &content(&parts.busybox)?)?;
    archive.program("tests/guest", &content(&programs.driver)?)?;
    archive.program("bin/leak-agent", &content(&programs.agent)?)?;
    for (name, target) in &programs.targets {
        archive.program(&format!("tests/targets/{name}"), &content(target)?)?;
    }
    archive.finish()?;
    Ok(path)
}

fn content(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
