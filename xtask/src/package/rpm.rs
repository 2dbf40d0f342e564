//! A package for Fedora, RHEL, SUSE and their kin.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Making;
use super::stage::CONFIGURATION;
use crate::apt::{self, Need, Shows};
use crate::shell;
use crate::vm::Arch;

const NEEDS: [Need; 1] = [Need { package: "rpm", shows: Shows::Program("rpmbuild") }];

/// Makes `leak-agent-VERSION-1.ARCH.rpm` of what is to be installed.
pub fn make(making: &Making<'_>, stage: &Path, arch: Arch) -> Result<()> {
    apt::ensure(&NEEDS, "to make a package for Fedora and its kin")?;
    let machine = match arch {
        Arch::Amd64 => "x86_64",
        Arch::Arm64 => "aarch64",
    };
    let folder = stage.with_file_name(format!("{}-rpm", arch.name()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let spec = folder.join("leak-agent.spec");
    fs::write(&spec, text(making, stage)?)?;
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    let mut build = shell::command("rpmbuild");
    build.args(["-bb", "--quiet", "--target", machine]);
    for (name, value) in [
        ("_topdir", folder.display().to_string().as_str()),
        ("_stage", stage.display().to_string().as_str()),
        ("_buildhost", "localhost"),
        ("use_source_date_epoch_as_buildtime", "1"),
        ("clamp_mtime_to_source_date_epoch", "1"),
        ("source_date_epoch_from_changelog", "0"),
        ("_build_id_links", "none"),
        ("debug_package", "%{nil}"),
        ("__os_install_post", "%{nil}"),
        ("_binary_payload", "w9.gzdio"),
    ] {
        build.args(define(name, value));
    }
    shell::output(build.arg(&spec).env("SOURCE_DATE_EPOCH", &making.epoch))?;
    let name = format!("leak-agent-{}-1.{machine}.rpm", making.version);
    let built = folder.join("RPMS").join(machine).join(&name);
    fs::copy(&built, making.folder.join(&name))
        .with_context(|| format!("{} was not built", built.display()))?;
    Ok(())
}

/// The specification: files as they are, nothing is built.
fn text(making: &Making<'_>, stage: &Path) -> Result<String> {
    let mut ask = shell::command("find");
    ask.current_dir(stage).args([".", "-type", "f", "-printf", "/%P\n"]);
    let files = shell::output(&mut ask)?;
    let mut files: Vec<&str> = files.lines().collect();
    files.sort_unstable();
    let attributes = |file: &str| match file {
        CONFIGURATION => "%config(noreplace) ",
        "/usr/bin/leak-agent" => "%attr(0755,root,root) ",
        _ => "",
    };
    let files: String = files.iter().map(|file| format!("{}{file}\n", attributes(file))).collect();
    Ok(format!(
        "Name: leak-agent\nVersion: {}\nRelease: 1\nSummary: Find goroutine and memory leaks of running Go programs\n\
         License: MIT OR Apache-2.0\nAutoReqProv: no\n\n%description\nAttaches to Go programs from outside, with eBPF probes and \
         snapshots of memory, and says\nwhich goroutines, memory, descriptors and connections leak, at which line, why, and how\n\
         to fix it. Nothing in the program has to be changed or restarted.\n\n%install\ncp -a %{{_stage}}/. %{{buildroot}}/\n\n\
         %post\n[ -d /run/systemd/system ] && systemctl daemon-reload || :\n\n%preun\n[ $1 = 0 ] && [ -d /run/systemd/system ] && \
         systemctl disable --now leak-agent.service || :\n\n%files\n%defattr(0644,root,root,0755)\n{files}",
        making.version.replace('-', "~"),
    ))
}
