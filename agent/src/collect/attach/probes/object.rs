//! The eBPF object: embedded at build time, checked and loaded with a target's constants.

use std::borrow::Cow;

use aya::{Ebpf, EbpfLoader, include_bytes_aligned};
use leak_agent_common::ABI;
use object::{Object as _, ObjectSection};

use super::error::ProbeError;
use super::{Settings, Sizes, log};
use crate::golang::arch::Arch;

static AMD64: &[u8] =
    include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/ebpf/leak-agent-amd64.bpf.o"));
static ARM64: &[u8] =
    include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/ebpf/leak-agent-arm64.bpf.o"));

/// The programs, as the compiler left them.
#[derive(Clone)]
pub struct Object(Cow<'static, [u8]>);

impl Object {
    /// Those that this agent was built with, for a processor.
    #[must_use]
    pub const fn embedded(arch: Arch) -> Self {
        Self(Cow::Borrowed(match arch {
            Arch::Amd64 => AMD64,
            Arch::Arm64 => ARM64,
        }))
    }

    /// Others, built from the same source.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }

    /// Makes the maps and readies the programs; none of them is loaded yet.
    pub(super) fn load(&self, settings: Settings, sizes: Sizes) -> Result<Ebpf, ProbeError> {
        let found = self.abi();
        if found != ABI {
            return Err(ProbeError::Abi { found, expected: ABI });
        }
        let settings = settings.words();
        let log_level = log::level();
        let mut loader = EbpfLoader::new();
        if let Some(bytes) = log::ring_bytes(log_level) {
            loader.map_max_entries(log::RING, bytes);
        }
        loader
            .override_global("SETTINGS", &settings, true)
            .override_global(log::LEVEL, &log_level, true)
            .map_max_entries("SLOTS", sizes.slots)
            .map_max_entries("SLOT_INDEX", sizes.slots)
            .map_max_entries("SITES", sizes.sites)
            .map_max_entries("SITE_INDEX", sizes.sites)
            .map_max_entries("CALL_SITES", sizes.call_sites)
            .map_max_entries("CALL_SITE_INDEX", sizes.call_sites)
            .map_max_entries("DESCRIPTORS", sizes.descriptors)
            .map_max_entries("LARGE", sizes.large)
            .map_max_entries("LARGE_INDEX", sizes.large)
            .load(&self.0)
            .map_err(ProbeError::load)
    }

    /// Which version of the shared types it keeps to; 0 if it does not say.
    fn abi(&self) -> u32 {
        let file = object::File::parse(&*self.0).ok();
        let section = file.as_ref().and_then(|file| file.section_by_name("leak_agent_abi"));
        let bytes = section.and_then(|section| section.data().ok()?.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_objects_keep_to_the_shared_types() {
        for arch in [Arch::Amd64, Arch::Arm64] {
            assert_eq!(Object::embedded(arch).abi(), ABI, "{arch:?}: cargo xtask ebpf build");
        }
    }

    #[test]
    fn what_is_no_object_has_no_version() {
        assert_eq!(Object::from_bytes(vec![0; 100]).abi(), 0);
    }
}
