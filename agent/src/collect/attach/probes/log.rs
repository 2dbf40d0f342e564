//! What the programs in the kernel say of their own work: read from their ring buffer, handed to this process's log.

use aya::Ebpf;
use aya_log::EbpfLogger;
use log::{LevelFilter, Log};

/// The global of the object that decides what is said. It is constant once the programs are loaded.
pub(super) const LEVEL: &str = aya_log::LEVEL;
/// The ring buffer. It is there even where nothing is said.
pub(super) const RING: &str = "AYA_LOGS";

/// Where what is said arrives.
pub(super) struct KernelLog(EbpfLogger<&'static dyn Log>);

impl KernelLog {
    /// That of an object that was loaded; `None` when nobody listens to this process's log.
    pub(super) fn of(ebpf: &mut Ebpf) -> Option<Self> {
        if log::max_level() == LevelFilter::Off {
            return None;
        }
        // Without its log the object works as well.
        EbpfLogger::init(ebpf).ok().map(Self)
    }

    /// Hands on what was said since the last time.
    pub(super) fn pass_on(&mut self) {
        self.0.flush();
    }
}

/// What the programs are to say: as much as this process's log takes. Both sides count alike, from
/// 0 for nothing to 5 for everything.
pub(super) fn level() -> u8 {
    log::max_level() as u8
}

/// The smallest ring buffer that the kernel makes, where nothing is said.
pub(super) fn ring_bytes(level: u8) -> Option<u32> {
    let page = || nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    if level > 0 { None } else { page().and_then(|page| u32::try_from(page).ok()) }
}
