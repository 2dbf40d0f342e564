//! What the agent tells the programs about the target before they are loaded.

/// Constants of one target. The verifier sees their values, so that what they rule out costs nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Offset of `runtime.g.goid`, in bytes.
    pub goid: u32,
    /// Offset of `runtime.g.parentGoid`.
    pub parent_goid: u32,
    /// Offset of `runtime.g.gopc`.
    pub gopc: u32,
    /// Offset of `runtime.g.startpc`.
    pub startpc: u32,
    /// Offset of `runtime.g.m`.
    pub m: u32,
    /// Offset of `runtime.m.curg`.
    pub curg: u32,
    /// Offset of `runtime.g.sched.bp`.
    pub sched_bp: u32,
    /// Whether `goid` holds the new goroutine's id already where `newproc1` is probed (0 or 1).
    /// Where it does not, the id is taken at its first park or at its exit.
    pub newproc1_sets_goid: u32,
    /// Offset of `internal/poll.FD.Sysfd`.
    pub sysfd: u32,
    /// Offset of `runtime.mspan.startAddr`, which `npages` follows.
    pub span_start: u32,
}

impl Settings {
    /// How many 32-bit words it has.
    pub const WORDS: usize = size_of::<Self>() / 4;

    /// Its words, in the order of its fields.
    #[must_use]
    pub const fn words(self) -> [u32; Self::WORDS] {
        [
            self.goid,
            self.parent_goid,
            self.gopc,
            self.startpc,
            self.m,
            self.curg,
            self.sched_bp,
            self.newproc1_sets_goid,
            self.sysfd,
            self.span_start,
        ]
    }
}
