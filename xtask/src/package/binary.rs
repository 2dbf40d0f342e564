//! The agent as a static program with all features.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::Making;
use super::zig::Zig;
use crate::shell::{self, say};
use crate::toolchain::Toolchain;
use crate::vm::{Arch, provide_standard_library};

/// Builds it.
pub fn build(making: &Making<'_>, rust: Toolchain, zig: &Zig, arch: Arch) -> Result<PathBuf> {
    let triple = triple(arch);
    provide_standard_library(triple)?;
    say(format_args!("building the release agent for {triple} (some minutes)"));
    let root = making.project.root();
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))?;
    // No path of this machine is in what is built, so that it is the same everywhere.
    let flags = [
        "-Clinker=rust-lld".to_owned(),
        "-Ctarget-feature=+crt-static".to_owned(),
        format!("--remap-path-prefix={}=/leak-agent", root.display()),
        format!("--remap-path-prefix={home}=/cargo"),
    ];
    let under = triple.replace('-', "_");
    let mut cargo = rust.cargo(making.project);
    cargo
        .args(["build", "--locked", "--quiet", "--release", "--target", triple, "-p", "leak-agent"])
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_INCREMENTAL", "0")
        .env("SOURCE_DATE_EPOCH", &making.epoch)
        .env(format!("CC_{under}"), zig.tool(arch, "cc"))
        .env(format!("AR_{under}"), zig.tool(arch, "ar"))
        .env(format!("CFLAGS_{under}"), format!("-ffile-prefix-map={home}=/cargo"));
    shell::run(&mut cargo)?;
    let binary = making.project.target().join(triple).join("release/leak-agent");
    let needed = shell::output(shell::command("readelf").arg("-d").arg(&binary))?;
    ensure!(!needed.contains("NEEDED"), "it is not static: {needed}");
    Ok(binary)
}

const fn triple(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86_64-unknown-linux-musl",
        Arch::Arm64 => "aarch64-unknown-linux-musl",
    }
}
