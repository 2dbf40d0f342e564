//! A package for Debian, Ubuntu and their kin.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;

use super::Making;
use super::stage::CONFIGURATION;
use crate::shell;
use crate::vm::Arch;

/// Makes `leak-agent_VERSION_ARCH.deb` of what is to be installed.
pub fn make(making: &Making<'_>, stage: &Path, arch: Arch) -> Result<()> {
    let folder = stage.with_file_name(format!("{}-deb", arch.name()));
    let _ = fs::remove_dir_all(&folder);
    shell::run(shell::command("cp").arg("-a").arg(stage).arg(&folder))?;
    let control = folder.join("DEBIAN");
    fs::create_dir_all(&control)?;
    let (version, arch) = (&making.version, arch.name());
    fs::write(
        control.join("control"),
        format!(
            "Package: leak-agent\nVersion: {version}\nArchitecture: {arch}\nMaintainer: leak-agent <leak-agent@localhost>\n\
             Section: admin\nPriority: optional\nDescription: find goroutine and memory leaks of running Go programs\n \
             Attaches to Go programs from outside, with eBPF probes and snapshots of memory, and says\n \
             which goroutines, memory, descriptors and connections leak, at which line, why, and how\n \
             to fix it. Nothing in the program has to be changed or restarted.\n"
        ),
    )?;
    fs::write(control.join("conffiles"), format!("{CONFIGURATION}\n"))?;
    let scripts = making.project.root().join("deploy/package/debian");
    for name in ["postinst", "prerm", "postrm"] {
        let path = control.join(name);
        fs::copy(scripts.join(name), &path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    let deb = making.folder.join(format!("leak-agent_{version}_{arch}.deb"));
    let mut build = shell::command("dpkg-deb");
    build
        .arg("--root-owner-group")
        .arg(format!("-Z{}", making.packed))
        .arg("--build")
        .arg(&folder)
        .arg(deb);
    shell::output(build.env("SOURCE_DATE_EPOCH", &making.epoch)).map(drop)
}
