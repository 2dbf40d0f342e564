//! Capabilities by name: the parts of root's power that matter to an agent.

/// A capability, with its number in `linux/capability.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Capability {
    /// Write any file.
    DacOverride = 1,
    /// Read any file.
    DacReadSearch = 2,
    /// Do what only a file's owner may, such as replace it in a folder like /tmp.
    Fowner = 3,
    /// Read the memory of other users' processes.
    SysPtrace = 19,
    /// Most of root's powers; perf-event uprobes need it since the fix of CVE-2025-38466.
    SysAdmin = 21,
    /// Performance events (Linux 5.8).
    Perfmon = 38,
    /// Load BPF programs (Linux 5.8).
    Bpf = 39,
}

impl Capability {
    /// All that matter, the most important first.
    pub const ALL: [Self; 7] = [
        Self::SysPtrace,
        Self::Bpf,
        Self::Perfmon,
        Self::SysAdmin,
        Self::DacReadSearch,
        Self::DacOverride,
        Self::Fowner,
    ];

    /// Its name, as man pages spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::Fowner => "CAP_FOWNER",
            Self::SysPtrace => "CAP_SYS_PTRACE",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::Perfmon => "CAP_PERFMON",
            Self::Bpf => "CAP_BPF",
        }
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u64);

impl Capabilities {
    /// From the kernel's bit mask.
    #[must_use]
    pub const fn from_mask(mask: u64) -> Self {
        Self(mask)
    }

    /// Whether it holds a capability.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.has_number(capability as u8)
    }

    /// Whether it holds the capability with a number.
    pub(super) const fn has_number(self, number: u8) -> bool {
        number < 64 && self.0 & (1 << number) != 0
    }

    /// Those of it that are not in another set.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many it holds.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether it holds every capability of another set.
    #[must_use]
    pub const fn holds_all_of(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().fold(0, |mask, it| mask | 1 << it as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Capability};

    #[test]
    fn bits_are_the_kernels() {
        let set = Capabilities::from_mask(0x0000_00c0_0008_0000);
        let held: Vec<_> =
            Capability::ALL.iter().filter(|c| set.has(**c)).map(|c| c.name()).collect();
        assert_eq!(held, ["CAP_SYS_PTRACE", "CAP_BPF", "CAP_PERFMON"]);
        let again: Capabilities =
            [Capability::Bpf, Capability::Perfmon, Capability::SysPtrace].into_iter().collect();
        assert_eq!(again, set);
    }

    #[test]
    fn a_set_holds_its_subsets_only() {
        let few = Capabilities::from_mask(0b0100);
        let more = Capabilities::from_mask(0b0110);
        assert!(more.holds_all_of(few) && more.holds_all_of(more));
        assert!(!few.holds_all_of(more));
        assert_eq!((more.without(few).count(), few.without(more).count()), (1, 0));
        assert!(few.holds_all_of(Capabilities::default()));
    }
}
