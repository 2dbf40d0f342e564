//! How a Go version keeps the heap's objects: what differs between versions beside field offsets.

use crate::golang::arch::Arch;
use crate::golang::version::GoVersion;

/// How one build of the runtime keeps objects and their pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where the pointers of an object are told.
    pub pointers: Pointers,
    /// Whether `abi.TFlagGCMaskOnDemand` exists (Go 1.24): `_type.GCData` of such a type points to a pointer
    /// to the mask, which is made when it is first needed.
    pub masks_on_demand: bool,
    /// `_KindSpecialFinalizer` (`runtime/mheap.go`).
    pub finalizer_kind: u8,
    /// `_KindSpecialCleanup`; `None` before Go 1.24, which has no cleanups.
    pub cleanup_kind: Option<u8>,
    /// `_KindSpecialWeakHandle`; `None` before Go 1.24, where programs have no weak pointers of their own.
    pub weak_kind: Option<u8>,
    /// How many words a cleanup that is queued to run has; `None` where cleanups are queued with finalizers.
    pub queued_cleanup_words: Option<usize>,
    /// The offset of `cleanupQueue.all`, behind two cache lines (`internal/cpu.CacheLinePadSize`).
    pub all_cleanups: u64,
}

/// Where the pointers of an object are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointers {
    /// Up to Go 1.21: in a bitmap for each 64 MiB of addresses. Index 0 of the table of those is of this
    /// address.
    Arenas {
        /// `arenaBaseOffset` (`runtime/malloc.go`).
        base: u64,
    },
    /// Since Go 1.22: in a bitmap at the end of the span, of objects up to 512 bytes; else by a type, before
    /// the object, or in the span's structure if it has one alone.
    Spans {
        /// Bytes behind the bitmap of spans whose objects have 16 bytes or more: the marks of the collector
        /// called green tea (`spanInlineMarkBits`), 128 or 0.
        behind: u32,
    },
}

impl Form {
    /// Of a version.
    #[must_use]
    pub fn of(version: &GoVersion, arch: Arch) -> Self {
        let has = |name: &str| version.experiments.iter().any(|it| it == name);
        let minor = version.minor;
        let is_green = if minor < 26 { has("greenteagc") } else { !has("nogreenteagc") };
        let pointers = if minor < 22 {
            let base = if arch == Arch::Amd64 { 0xffff_8000_0000_0000 } else { 0 };
            Pointers::Arenas { base }
        } else {
            Pointers::Spans { behind: if is_green { 128 } else { 0 } }
        };
        Self {
            pointers,
            masks_on_demand: minor >= 24,
            finalizer_kind: if minor < 25 { 1 } else { 2 },
            cleanup_kind: match minor {
                ..24 => None,
                24 => Some(6),
                _ => Some(7),
            },
            weak_kind: match minor {
                ..24 => None,
                24 => Some(2),
                _ => Some(3),
            },
            // The closure alone, and then how it is called, the function and its argument.
            queued_cleanup_words: match minor {
                ..25 => None,
                25 => Some(1),
                _ => Some(3),
            },
            all_cleanups: match arch {
                Arch::Amd64 => 2 * 64,
                Arch::Arm64 => 2 * 128,
            },
        }
    }

    /// Whether objects with pointers and of more than 512 bytes have their type before them.
    #[must_use]
    pub const fn has_headers(&self) -> bool {
        matches!(self.pointers, Pointers::Spans { .. })
    }
}
