//! What goroutines wait on, as far as the source read it.

use serde::{Deserialize, Serialize};

/// A channel that somebody waits on (`runtime.hchan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its address, as goroutines' objects name it.
    pub address: u64,
    /// Elements in its buffer.
    pub len: u64,
    /// Room in its buffer; 0 for an unbuffered channel.
    pub cap: u64,
    /// The size of an element; 0 for `chan struct{}`.
    pub element_bytes: u16,
    /// Whether it is closed.
    pub closed: bool,
}

impl Channel {
    /// Whether it has the form of a timer's or ticker's channel: a buffer of one `time.Time`
    /// (three words; `time.NewTimer`, Go 1.21 to 1.27).
    #[must_use]
    pub const fn looks_like_timer(&self) -> bool {
        self.cap == 1 && self.element_bytes == 24
    }
}

/// A goroutine that has the address of a contended lock on its stack: it holds the lock, waits for
/// it, or only knows it. One that runs may have it there from calls that have returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The lock's address, as waiting goroutines' objects name it.
    pub object: u64,
    /// Who mentions it.
    pub goid: u64,
    /// How often it stands in the stack's frames outside the runtime and package sync.
    pub times: u32,
    /// How many of those stand in frames further out than the innermost of these, where a function
    /// keeps what it needs later (for a deferred Unlock, say): no arguments of calls.
    pub outer: u32,
}
