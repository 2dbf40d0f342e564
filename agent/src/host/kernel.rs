//! The kernel: its release, and the settings that decide who may read whose memory.

use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use super::{Answer, sys};

/// A kernel setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting<T> {
    /// Its value.
    Is(T),
    /// This kernel has no such setting, so it restricts nothing.
    Absent,
    /// It could not be read, and why.
    Unreadable(String),
}

impl<T: Copy> Setting<T> {
    /// The value, if it is known.
    #[must_use]
    pub const fn value(&self) -> Option<T> {
        match self {
            Self::Is(value) => Some(*value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// How much the kernel is locked down against root (`kernel_lockdown(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// Not at all.
    None,
    /// Nobody may change the running kernel.
    Integrity,
    /// Nobody may read its secrets either: BPF programs that read kernel memory are refused.
    Confidentiality,
}

/// The kernel and its settings.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its release, as `uname -r` prints it; `None` when /proc does not say.
    pub release: Option<String>,
    /// The machine's architecture, as `uname -m` prints it.
    pub arch: Option<String>,
    /// Yama's restriction of ptrace: 0 none, 1 descendants only, 2 CAP_SYS_PTRACE only, 3 nobody.
    pub ptrace_scope: Setting<u8>,
    /// Lockdown mode.
    pub lockdown: Setting<Lockdown>,
    /// Who may use performance events: 2 and more restrict unprivileged users.
    pub perf_event_paranoid: Setting<i32>,
    /// Whether unprivileged users are kept from BPF: 0 no, 1 until reboot, 2 yes.
    pub unprivileged_bpf_disabled: Setting<u8>,
    /// Whether /sys shows the kernel.
    pub sys_is_mounted: bool,
    /// Whether the kernel carries its types (BTF), which BPF's tracing programs may need.
    pub btf: Answer,
}

impl Kernel {
    /// Reads it all.
    #[must_use]
    pub fn detect() -> Self {
        let sysctl = Path::new("/proc/sys/kernel");
        Self {
            release: fs::read_to_string(sysctl.join("osrelease"))
                .ok()
                .map(|text| text.trim().to_owned()),
            arch: sys::machine(),
            ptrace_scope: setting(&sysctl.join("yama/ptrace_scope"), number),
            lockdown: lockdown(),
            perf_event_paranoid: setting(&sysctl.join("perf_event_paranoid"), number),
            unprivileged_bpf_disabled: setting(&sysctl.join("unprivileged_bpf_disabled"), number),
            sys_is_mounted: sys_is_mounted(),
            btf: btf(),
        }
    }
}

/// Whether /sys shows the kernel: without it neither control groups nor what probes need can be seen.
#[must_use]
pub fn sys_is_mounted() -> bool {
    Path::new("/sys/kernel").exists()
}

/// Yama's restriction alone, for access checks.
pub(super) fn ptrace_scope() -> Setting<u8> {
    setting(Path::new("/proc/sys/kernel/yama/ptrace_scope"), number)
}

fn lockdown() -> Setting<Lockdown> {
    let folder = Path::new("/sys/kernel/security");
    match setting(&folder.join("lockdown"), bracketed) {
        // Without securityfs the file is missing on every kernel, which says nothing.
        Setting::Absent if fs::read_dir(folder).is_ok_and(|mut it| it.next().is_none()) => {
            Setting::Unreadable("securityfs is not mounted".to_owned())
        }
        other => other,
    }
}

fn btf() -> Answer {
    match fs::metadata("/sys/kernel/btf/vmlinux") {
        Ok(_) => Answer::Yes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if Path::new("/sys/kernel").exists() {
                Answer::No("the kernel was built without CONFIG_DEBUG_INFO_BTF".to_owned())
            } else {
                Answer::CannotTell("/sys is not mounted".to_owned())
            }
        }
        Err(error) => Answer::CannotTell(format!("/sys/kernel/btf/vmlinux: {error}")),
    }
}

fn setting<T>(path: &Path, parse: fn(&str) -> Option<T>) -> Setting<T> {
    match fs::read_to_string(path) {
        Ok(text) => parse(text.trim()).map_or_else(
            || Setting::Unreadable(format!("{} says {:?}", path.display(), text.trim())),
            Setting::Is,
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Setting::Absent,
        Err(error) => Setting::Unreadable(format!("{}: {error}", path.display())),
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// The choice in brackets: `none [integrity] confidentiality`.
fn bracketed(text: &str) -> Option<Lockdown> {
    match text.split_once('[')?.1.split_once(']')?.0 {
        "none" => Some(Lockdown::None),
        "integrity" => Some(Lockdown::Integrity),
        "confidentiality" => Some(Lockdown::Confidentiality),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kernel, Lockdown, bracketed};

    #[test]
    fn the_chosen_lockdown_is_the_one_in_brackets() {
        assert_eq!(bracketed("[none] integrity confidentiality"), Some(Lockdown::None));
        assert_eq!(bracketed("none [integrity] confidentiality"), Some(Lockdown::Integrity));
        assert_eq!(bracketed("none integrity"), None);
        assert_eq!(bracketed("]["), None);
        assert_eq!(bracketed("[paranoia]"), None);
    }

    #[test]
    fn this_kernel_has_a_release_and_an_architecture() {
        let kernel = Kernel::detect();
        assert!(kernel.release.is_some_and(|release| release.contains('.')));
        assert_eq!(kernel.arch.as_deref(), Some(std::env::consts::ARCH));
    }
}
