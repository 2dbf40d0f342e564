//! An archive for machines without a package manager that is known here.

use std::path::Path;

use anyhow::Result;

use super::Making;
use crate::shell;
use crate::vm::Arch;

/// Makes `leak-agent-VERSION-linux-ARCH.tar.gz` of what is installed.
pub fn make(making: &Making<'_>, stage: &Path, arch: Arch) -> Result<()> {
    let name = format!("leak-agent-{}-linux-{}.tar", making.version, arch.name());
    let tar = making.folder.join(name);
    pack(making, stage, &tar, &["."])?;
    shell::run(shell::command("gzip").args(["-9n"]).arg(tar))
}

/// Packs what is in a folder, so that only what is packed decides the bytes.
pub fn pack(making: &Making<'_>, from: &Path, tar: &Path, what: &[&str]) -> Result<()> {
    let mut pack = shell::command("tar");
    pack.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"])
        .arg(format!("--mtime=@{}", making.epoch))
        .arg("-C")
        .arg(from)
        .arg("-cf")
        .arg(tar)
        .args(what);
    shell::run(&mut pack)
}
