//! How much of what the kernel keeps.

/// Return addresses kept of a creator's stack, innermost first.
pub const STACK_FRAMES: usize = 32;
/// Frames of the runtime that lie between a create probe and the `go` statement, at most: the walk
/// gives up when the statement has not come by then.
pub const SKIPPED_FRAMES: usize = 8;
/// Buckets of a lifetime histogram.
pub const LIFETIME_BUCKETS: usize = 40;
/// The first bucket holds lifetimes below two to this power, in nanoseconds (2 us); the last one
/// those of two to the power of 50 (13 days) and more.
pub const LIFETIME_FIRST_LOG2: u32 = 11;
/// Goroutine slots, at most: what a map may hold is memory of the host.
pub const MAX_SLOTS: u32 = 1 << 21;
/// Goroutine slots, at least.
pub const MIN_SLOTS: u32 = 1 << 10;
/// Creation sites, at most. Each is one `go` statement of the program's source.
pub const MAX_SITES: u32 = 1 << 14;
/// Stacks at which descriptors are opened and large objects allocated, at most.
pub const MAX_CALL_SITES: u32 = 1 << 11;
/// Descriptors whose birth is kept, at most: those with lower numbers.
pub const MAX_DESCRIPTORS: u32 = 1 << 16;
/// Large objects whose birth is kept, at most: 512 KiB of them.
pub const MAX_LARGE: u32 = 1 << 14;
