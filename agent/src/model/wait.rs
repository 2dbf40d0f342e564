//! What a goroutine waits for, in the field's classes.

use serde::{Deserialize, Serialize};

/// The class of a goroutine's wait. The runtime's own string (`wait reason`) is kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum WaitClass {
    /// Sending on a channel.
    ChanSend,
    /// Receiving from a channel.
    ChanReceive,
    /// Sending on or receiving from a nil channel: for ever.
    NilChannel,
    /// In a select with cases.
    Select,
    /// In `select {}`: for ever.
    EmptySelect,
    /// In `sync.Mutex.Lock`.
    Mutex,
    /// In `sync.RWMutex.Lock` or `RLock`.
    RwMutex,
    /// In `sync.Cond.Wait`.
    Cond,
    /// In `sync.WaitGroup.Wait`.
    WaitGroup,
    /// On a runtime semaphore that is none of the above.
    Semaphore,
    /// In the network poller.
    IoWait,
    /// In `time.Sleep`.
    Sleep,
    /// In a system call.
    Syscall,
    /// In a call into C.
    Cgo,
    /// Waiting inside the garbage collector or another part of the runtime.
    Runtime,
    /// On a processor.
    Running,
    /// Ready to run.
    Runnable,
    /// The source does not say, or says something that this version does not know.
    Unknown,
}

impl WaitClass {
    /// The name that people read, as DESIGN and the report spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChanSend => "chan send",
            Self::ChanReceive => "chan receive",
            Self::NilChannel => "nil channel",
            Self::Select => "select",
            Self::EmptySelect => "empty select",
            Self::Mutex => "mutex",
            Self::RwMutex => "rwmutex",
            Self::Cond => "cond",
            Self::WaitGroup => "wait group",
            Self::Semaphore => "semaphore",
            Self::IoWait => "IO wait",
            Self::Sleep => "sleep",
            Self::Syscall => "syscall",
            Self::Cgo => "cgo",
            Self::Runtime => "runtime",
            Self::Running => "running",
            Self::Runnable => "runnable",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a goroutine of this class is blocked: neither running nor ready to run.
    #[must_use]
    pub const fn is_blocked(self) -> bool {
        !matches!(self, Self::Running | Self::Runnable | Self::Unknown)
    }
}
