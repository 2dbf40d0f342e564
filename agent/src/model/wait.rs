//! What a goroutine waits for, in the field's classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The class of a goroutine's wait. The runtime's own string (`wait reason`) is kept beside it.
// One spelling everywhere, the report's: where it is two words or an abbreviation, serde and strum are
// both told. Observations that were saved by an older agent have `chan-send` for `chan send`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[repr(u8)]
pub enum WaitClass {
    /// Sending on a channel.
    #[serde(rename = "chan send", alias = "chan-send")]
    #[strum(serialize = "chan send")]
    ChanSend,
    /// Receiving from a channel.
    #[serde(rename = "chan receive", alias = "chan-receive")]
    #[strum(serialize = "chan receive")]
    ChanReceive,
    /// Sending on or receiving from a nil channel: for ever.
    #[serde(rename = "nil channel", alias = "nil-channel")]
    #[strum(serialize = "nil channel")]
    NilChannel,
    /// In a select with cases.
    Select,
    /// In `select {}`: for ever.
    #[serde(rename = "empty select", alias = "empty-select")]
    #[strum(serialize = "empty select")]
    EmptySelect,
    /// In `sync.Mutex.Lock`.
    Mutex,
    /// In `sync.RWMutex.Lock` or `RLock`.
    #[serde(alias = "rw-mutex")]
    RwMutex,
    /// In `sync.Cond.Wait`.
    Cond,
    /// In `sync.WaitGroup.Wait`.
    #[serde(rename = "wait group", alias = "wait-group")]
    #[strum(serialize = "wait group")]
    WaitGroup,
    /// On a runtime semaphore that is none of the above.
    Semaphore,
    /// In the network poller.
    #[serde(rename = "IO wait", alias = "io-wait")]
    #[strum(serialize = "IO wait")]
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
    #[serde(other)]
    Unknown,
}

impl WaitClass {
    /// The name that people read, as DESIGN and the report spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether it ends only by what another goroutine does, on a channel, a lock or the like; or never.
    #[must_use]
    pub const fn is_for_others(self) -> bool {
        matches!(
            self,
            Self::ChanSend
                | Self::ChanReceive
                | Self::NilChannel
                | Self::Select
                | Self::EmptySelect
                | Self::Mutex
                | Self::RwMutex
                | Self::Cond
                | Self::WaitGroup
                | Self::Semaphore
        )
    }

    /// The class of what the runtime calls a wait, in any version (`runtime/runtime2.go`, Go 1.21 to 1.27).
    #[must_use]
    pub fn of_reason(reason: &str) -> Self {
        match reason {
            "chan send (nil chan)" | "chan receive (nil chan)" => Self::NilChannel,
            "select (no cases)" => Self::EmptySelect,
            "IO wait" => Self::IoWait,
            "sleep" => Self::Sleep,
            "semacquire" => Self::Semaphore,
            "sync.Mutex.Lock" => Self::Mutex,
            "sync.RWMutex.RLock" | "sync.RWMutex.Lock" => Self::RwMutex,
            "sync.Cond.Wait" => Self::Cond,
            "sync.WaitGroup.Wait" | "sync.WaitGroup.Wait (durable)" => Self::WaitGroup,
            // With and without the mark of a synctest bubble, (durable) or (synctest).
            _ if reason.starts_with("chan send") => Self::ChanSend,
            _ if reason.starts_with("chan receive") => Self::ChanReceive,
            _ if reason.starts_with("select") => Self::Select,
            _ if RUNTIME.iter().any(|known| reason.starts_with(known)) => Self::Runtime,
            _ => Self::Unknown,
        }
    }

    /// Whether a goroutine of this class is blocked: neither running nor ready to run.
    #[must_use]
    pub const fn is_blocked(self) -> bool {
        !matches!(self, Self::Running | Self::Runnable | Self::Unknown)
    }
}

/// What the functions on a stack say of a wait that its reason does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StackHints {
    /// It is in a call into C.
    pub cgo: bool,
    /// It is in `sync.(*WaitGroup).Wait`, which has a reason of its own only since Go 1.24.
    pub wait_group: bool,
}

impl StackHints {
    /// Takes in one more function of the stack.
    pub fn add(&mut self, function: &str) {
        self.cgo |= function == "runtime.cgocall";
        self.wait_group |= function == "sync.(*WaitGroup).Wait";
    }

    /// The class of a wait, with what the stack adds.
    #[must_use]
    pub fn refine(self, class: WaitClass) -> WaitClass {
        if class == WaitClass::Semaphore && self.wait_group { WaitClass::WaitGroup } else { class }
    }
}

/// How the runtime's reasons for its own waits start (`runtime/runtime2.go`, Go 1.21 to 1.27).
const RUNTIME: [&str; 17] = [
    "GC ",
    "GOMAXPROCS updater",
    "cleanup wait",
    "coroutine",
    "debug call",
    "dumping heap",
    "finalizer wait",
    "flushing proc caches",
    "force gc",
    "garbage collection",
    "page trace flush",
    "panicwait",
    "preempted",
    "stopping the world",
    "synctest.",
    "trace ",
    "wait for GC cycle",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling_and_the_old_one_is_still_read() {
        for (name, old, wait) in [
            ("chan send", "chan-send", WaitClass::ChanSend),
            ("chan receive", "chan-receive", WaitClass::ChanReceive),
            ("nil channel", "nil-channel", WaitClass::NilChannel),
            ("empty select", "empty-select", WaitClass::EmptySelect),
            ("rwmutex", "rw-mutex", WaitClass::RwMutex),
            ("wait group", "wait-group", WaitClass::WaitGroup),
            ("IO wait", "io-wait", WaitClass::IoWait),
            ("mutex", "mutex", WaitClass::Mutex),
        ] {
            let text = serde_json::to_string(&wait).expect("a name");
            assert_eq!((text, wait.name()), (format!("{name:?}"), name));
            let read: WaitClass = serde_json::from_str(&format!("{old:?}")).expect("an old name");
            assert_eq!(read, wait);
        }
    }
}
