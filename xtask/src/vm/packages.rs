//! Brings what a guest boots from: qemu through apt, kernel and busybox unpacked under `target/vm`.
//!
//! Neither a kernel nor a foreign architecture is installed on the host: apt is given lists and an
//! architecture of its own, and what it downloads is only unpacked. Once there, nothing is fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt::{self, Need, Shows};
use crate::project::Project;
use crate::shell::{self, say};

use super::{Arch, Guest};

/// What a guest boots from.
pub struct Parts {
    /// The kernel's image.
    pub kernel: PathBuf,
    /// The kernel's release.
    pub release: String,
    /// A static busybox of the guest's architecture.
    pub busybox: PathBuf,
}

/// Where everything about guests lies.
pub fn folder(project: &Project) -> PathBuf {
    project.target().join("vm")
}

/// Provides a guest's parts, from the cache or from Debian.
pub fn provide(project: &Project, guest: Guest) -> Result<Parts> {
    provide_qemu(guest.arch)?;
    let cache = folder(project);
    let arch = guest.arch.name();
    let busybox = cache.join(format!("busybox-{arch}"));
    if !busybox.exists() {
        let unpacked = Apt::at(&cache)?.unpack("busybox-static", guest.arch)?;
        keep(&unpacked.join("bin/busybox"), &busybox)?;
        fs::remove_dir_all(unpacked)?;
    }
    let named = format!("vmlinuz-{}-{arch}", guest.kernel);
    let kernel = cache.join(&named);
    let release_file = cache.join(format!("{named}.release"));
    if !kernel.exists() || !release_file.exists() {
        let apt = Apt::at(&cache)?;
        let package = apt.newest_kernel(guest)?;
        let unpacked = apt.unpack(&package, guest.arch)?;
        let release = package.trim_start_matches("linux-image-").to_owned();
        keep(&unpacked.join(format!("boot/vmlinuz-{release}")), &kernel)?;
        fs::write(&release_file, release)?;
        fs::remove_dir_all(unpacked)?;
    }
    Ok(Parts { kernel, release: fs::read_to_string(release_file)?, busybox })
}

/// The emulator's program.
pub const fn qemu(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "qemu-system-x86_64",
        Arch::Arm64 => "qemu-system-aarch64",
    }
}

fn provide_qemu(arch: Arch) -> Result<()> {
    let package = match arch {
        Arch::Amd64 => "qemu-system-x86",
        Arch::Arm64 => "qemu-system-arm",
    };
    let need = Need { package, shows: Shows::Program(qemu(arch)) };
    apt::ensure(&[need], "to emulate machines")
}

/// apt with state of its own, so that the host's stays as it is.
struct Apt {
    cache: PathBuf,
    options: Vec<String>,
}

impl Apt {
    /// Sets up lists and caches under `cache`, and brings the lists up to date.
    fn at(cache: &Path) -> Result<Self> {
        let state = cache.join("apt");
        for folder in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(state.join(folder))?;
        }
        let state = state.display();
        let mut options = Vec::new();
        for option in [
            format!("Dir::State::Lists={state}/lists"),
            format!("Dir::Cache={state}"),
            "APT::Architectures::=amd64".to_owned(),
            "APT::Architectures::=arm64".to_owned(),
            // The state is the caller's, not the _apt user's.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            options.extend(["-o".to_owned(), option]);
        }
        let apt = Self { cache: cache.to_owned(), options };
        shell::run(apt.command("apt-get").args(["-qq", "update"]))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = shell::command(program);
        command.args(&self.options).current_dir(&self.cache);
        command
    }

    /// The newest cloud kernel of the guest's series, or of any when Debian has none of that.
    fn newest_kernel(&self, guest: Guest) -> Result<String> {
        let arch = guest.arch.name();
        let pattern = format!("^linux-image-[0-9].*-cloud-{arch}$");
        let output =
            self.command("apt-cache").args(["search", "--names-only", &pattern]).output()?;
        let listed = String::from_utf8_lossy(&output.stdout);
        let names: Vec<&str> =
            listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
        if let Some(name) = newest(&names, Some(guest.kernel)) {
            return Ok(name.to_owned());
        }
        let Some(name) = newest(&names, None) else {
            bail!(
                "apt offers no linux-image-*-cloud-{arch}: is this host's apt set up for Debian?"
            );
        };
        say(format_args!("apt offers no Linux {} for {arch}: taking {name}", guest.kernel));
        Ok(name.to_owned())
    }

    /// Downloads a package and unpacks it into a folder of its own.
    fn unpack(&self, package: &str, arch: Arch) -> Result<PathBuf> {
        let arch = arch.name();
        say(format_args!("downloading {package} for {arch}"));
        let folder = self.cache.join(format!("unpack-{package}-{arch}"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let download = format!("{package}:{arch}");
        shell::run(
            self.command("apt-get").current_dir(&folder).args(["-qq", "download", &download]),
        )?;
        let mut entries = fs::read_dir(&folder)?;
        let archive = entries.next().with_context(|| format!("apt brought no {package}"))??.path();
        shell::run(shell::command("dpkg").arg("-x").arg(&archive).arg(&folder))?;
        fs::remove_file(archive)?;
        Ok(folder)
    }
}

/// The newest of the kernel packages, of one series (`6.1`) or of all. Meta packages, which name no
/// exact release, do not count.
fn newest<'a>(names: &[&'a str], series: Option<&str>) -> Option<&'a str> {
    let numbers = |name: &str| -> Vec<u64> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
    };
    let wanted = series.map(numbers).unwrap_or_default();
    names
        .iter()
        .copied()
        .filter(|name| {
            let version = name.trim_start_matches("linux-image-");
            let version = version.split_once("-cloud-").map_or("", |(version, _)| version);
            numbers(version).len() > 2 && numbers(version).starts_with(&wanted)
        })
        .max_by_key(|name| numbers(name))
}

/// Moves a file to where it is kept: last of all, so that a half one is never taken for whole.
fn keep(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to)
        .with_context(|| format!("cannot move {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::newest;

    const NAMES: &[&str] = &[
        "linux-image-6.1.0-9-cloud-arm64",
        "linux-image-6.1.0-56-cloud-arm64",
        "linux-image-6.12-cloud-arm64",
        "linux-image-6.12.101+deb12-cloud-arm64",
        "linux-image-6.12.117+deb12-cloud-arm64",
    ];

    #[test]
    fn the_newest_of_a_series_is_taken_by_number() {
        assert_eq!(newest(NAMES, Some("6.1")), Some("linux-image-6.1.0-56-cloud-arm64"));
        assert_eq!(newest(NAMES, Some("6.12")), Some("linux-image-6.12.117+deb12-cloud-arm64"));
    }

    #[test]
    fn without_a_series_the_newest_of_all_is_taken() {
        assert_eq!(newest(NAMES, Some("6.6")), None);
        assert_eq!(newest(NAMES, None), Some("linux-image-6.12.117+deb12-cloud-arm64"));
        assert_eq!(newest(&[], None), None);
    }
}
