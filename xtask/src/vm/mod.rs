//! `cargo xtask vm`: boots emulated machines with other kernels and architectures, and runs the tests in them.
//!
//! Emulation (`-accel tcg`) needs neither /dev/kvm nor root in the guest's favour, so this works
//! wherever qemu does. Timings inside a guest mean nothing; answers do.

mod build;
mod console;
mod cpio;
mod image;
mod machine;
mod packages;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The machine's architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Arch {
    /// The name that Go and Debian give it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// Reads that name.
    ///
    /// # Errors
    /// When it is none of the two.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            _ => bail!("no guest of architecture {name:?}: there are amd64 and arm64"),
        }
    }
}

/// A machine to boot.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    /// Its architecture.
    pub arch: Arch,
    /// The series of Debian's cloud kernel that it boots.
    pub kernel: &'static str,
}

/// Every guest. 6.1 has perf-event uprobes only; 6.12 has uprobe_multi too.
const GUESTS: &[Guest] = &[
    Guest { arch: Arch::Amd64, kernel: "6.1" },
    Guest { arch: Arch::Arm64, kernel: "6.1" },
    Guest { arch: Arch::Arm64, kernel: "6.12" },
];

/// The Go versions whose targets run in the guests: the oldest, one in between, the newest.
const GO_VERSIONS: &[&str] = &["1.21.13", "1.24.11", "1.27.3"];

/// A guest run that takes longer than this hangs.
const TIME_OUT: Duration = Duration::from_secs(600);

/// What the tests in all guests said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
}

/// Runs the tests in every guest, or in those of one architecture.
///
/// # Errors
/// When a guest cannot be prepared or booted, ends without saying that it is done, or ran no
/// test. Failed tests are counted, not an error.
pub fn run(root: &Path, only: Option<Arch>) -> Result<Counts> {
    let mut counts = Counts::default();
    for guest in GUESTS.iter().filter(|guest| only.is_none_or(|arch| arch == guest.arch)) {
        let started = Instant::now();
        let label = format!("{} Linux {}", guest.arch.name(), guest.kernel);
        println!("vm: preparing {label}");
        let parts = packages::provide(root, *guest)?;
        let programs = build::provide(root, guest.arch, GO_VERSIONS)?;
        let initrd = image::write(root, *guest, &parts, &programs)?;
        let prepared = started.elapsed();

        println!("vm: booting {label} ({})", parts.release);
        let outcome = machine::boot(*guest, &parts.kernel, &initrd, TIME_OUT)?;
        println!(
            "vm: {label}: {} passed, {} failed (prepared in {:.1} s, up after {:.1} s, off after {:.1} s)",
            outcome.passed.len(),
            outcome.failed.len(),
            prepared.as_secs_f64(),
            outcome.up_after.as_secs_f64(),
            outcome.off_after.as_secs_f64(),
        );
        for (name, reason) in &outcome.failed {
            println!("vm: {label}: FAIL {name}: {reason}");
        }
        counts.passed += outcome.passed.len();
        counts.failed += outcome.failed.len();
    }
    Ok(counts)
}
