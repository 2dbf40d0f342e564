//! What a package puts where.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Making;
use crate::shell;
use crate::vm::Arch;

/// Shells that completions are made for, and where they look for them.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/leak-agent"),
    ("zsh", "usr/share/zsh/vendor-completions/_leak-agent"),
    ("fish", "usr/share/fish/vendor_completions.d/leak-agent.fish"),
];

/// Files of the project, and where they go.
const FILES: [(&str, &str); 8] = [
    ("deploy/systemd/leak-agent.service", "usr/lib/systemd/system/leak-agent.service"),
    ("deploy/package/leak-agent.toml", "etc/leak-agent/leak-agent.toml"),
    ("deploy/package/prometheus.yml", "usr/share/doc/leak-agent/prometheus.yml"),
    ("deploy/prometheus/leak-agent.rules.yml", "usr/share/doc/leak-agent/leak-agent.rules.yml"),
    ("README.md", "usr/share/doc/leak-agent/README.md"),
    ("CHANGELOG.md", "usr/share/doc/leak-agent/CHANGELOG.md"),
    ("LICENSE-MIT", "usr/share/doc/leak-agent/LICENSE-MIT"),
    ("LICENSE-APACHE", "usr/share/doc/leak-agent/LICENSE-APACHE"),
];

/// The configuration, which an update must not overwrite.
pub const CONFIGURATION: &str = "/etc/leak-agent/leak-agent.toml";

/// Fills a folder as a machine's root is to be; `own`, which runs here, has the same commands and flags.
pub fn fill(making: &Making<'_>, binary: &Path, own: &Path, arch: Arch) -> Result<PathBuf> {
    let stage = making.stage.join(arch.name());
    let _ = fs::remove_dir_all(&stage);
    put(binary, &stage.join("usr/bin/leak-agent"), 0o755)?;
    for (from, to) in FILES {
        put(&making.project.root().join(from), &stage.join(to), 0o644)?;
    }
    let manuals = stage.join("usr/share/man/man1");
    fs::create_dir_all(&manuals)?;
    shell::output(shell::command(own).arg("man").arg(&manuals))
        .context("the manual pages could not be made")?;
    for entry in fs::read_dir(&manuals)? {
        shell::run(shell::command("gzip").args(["-9n"]).arg(entry?.path()))?;
    }
    for (name, to) in SHELLS {
        let script = shell::output(shell::command(own).args(["completions", name]))?;
        let to = stage.join(to);
        fs::create_dir_all(to.parent().context("it lies in a folder")?)?;
        fs::write(to, script)?;
    }
    Ok(stage)
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::create_dir_all(to.parent().context("it lies in a folder")?)?;
    fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}
