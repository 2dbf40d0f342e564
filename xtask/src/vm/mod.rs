//! `cargo xtask vm`: boots emulated machines with other kernels and architectures, and runs the tests in them.
//!
//! Emulation (`-accel tcg`) needs no /dev/kvm, so this works wherever qemu does. Timings inside a guest mean nothing; answers do.

mod build;
mod console;
mod cpio;
mod image;
mod machine;
mod packages;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::shell::say;
use crate::test::tally::Tally;
use crate::toolchain::{self, Toolchain};
pub use build::provide_standard_library;

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

    /// This machine's.
    pub const fn own() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Arm64 } else { Self::Amd64 }
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
pub const GUESTS: &[Guest] = &[
    Guest { arch: Arch::Amd64, kernel: "6.1" },
    Guest { arch: Arch::Arm64, kernel: "6.1" },
    Guest { arch: Arch::Arm64, kernel: "6.12" },
];

/// A guest run that takes longer than this hangs.
const TIME_OUT: Duration = Duration::from_secs(600);

/// The chore: `[--arch amd64|arm64]`.
pub fn run(project: &Project, flags: &[String]) -> Result<()> {
    let only = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => None,
        ["--arch", name] => Some(Arch::parse(name)?),
        _ => bail!("vm knows only --arch amd64 or --arch arm64"),
    };
    let rust = toolchain::ensure()?;
    let mut tally = Tally::default();
    for guest in GUESTS.iter().filter(|guest| only.is_none_or(|arch| arch == guest.arch)) {
        tally.add(guest.test(project, rust).with_context(|| format!("guest {}", guest.name()))?);
    }
    println!("{tally}");
    if tally.failed > 0 {
        bail!("{} tests in guests failed", tally.failed);
    }
    Ok(())
}

impl Guest {
    /// How people call it.
    pub fn name(self) -> String {
        format!("{} Linux {}", self.arch.name(), self.kernel)
    }

    /// Prepares it, boots it and counts what its tests say.
    ///
    /// # Errors
    /// When it cannot be prepared or booted, ends without saying that it is done, or ran no test.
    /// Failed tests are counted, not an error.
    pub fn test(self, project: &Project, rust: Toolchain) -> Result<Tally> {
        let started = Instant::now();
        let parts = packages::provide(project, self)?;
        let programs = build::provide(project, rust, self.arch)?;
        let initrd = image::write(project, self, &parts, &programs)?;
        let prepared = started.elapsed();
        say(format_args!("booting {} ({})", self.name(), parts.release));
        let machine::Outcome { tally, up_after, off_after } =
            machine::boot(self, &parts.kernel, &initrd, TIME_OUT)?;
        say(format_args!(
            "{}: {tally} (prepared in {:.1} s, up after {:.1} s, off after {:.1} s)",
            self.name(),
            prepared.as_secs_f64(),
            up_after.as_secs_f64(),
            off_after.as_secs_f64(),
        ));
        Ok(tally)
    }
}
