//! What a profile is of.

use std::fmt;

/// What a profile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// All goroutines.
    Goroutine,
    /// Goroutines that the runtime itself found leaked (Go 1.26+).
    GoroutineLeak,
    /// Live objects, and all that were ever allocated.
    Heap,
    /// The same, asked for as allocations.
    Allocs,
    /// Waits for channels and locks.
    Block,
    /// What made others wait for locks.
    Mutex,
    /// What created threads.
    ThreadCreate,
    /// Where CPU time went.
    Cpu,
    /// Something else.
    Unknown,
}

impl Kind {
    /// By the names of the sample types, as Go, Pyroscope, Parca and Datadog have them.
    ///
    /// The two profiles of contention have the same sample types: this gives [`Kind::Block`] for both, and
    /// their stacks tell them apart ([`is_release`]).
    pub(super) fn of_types<'a>(types: impl Iterator<Item = &'a str>, default_type: &str) -> Self {
        let known = |name: &str| match name {
            "goroutine" | "goroutines" => Some(Self::Goroutine),
            "goroutineleak" => Some(Self::GoroutineLeak),
            "inuse_objects" | "inuse_space" => Some(Self::Heap),
            // A store that splits a profile by type has them apart from those in use.
            "alloc_objects" | "alloc_space" => Some(Self::Allocs),
            "contentions" | "delay" => Some(Self::Block),
            "threadcreate" => Some(Self::ThreadCreate),
            "cpu" | "samples" => Some(Self::Cpu),
            _ => None,
        };
        let all: Vec<Self> = types.filter_map(known).collect();
        let has = |kind| all.contains(&kind);
        if has(Self::Heap) && default_type != "alloc_space" {
            return Self::Heap;
        }
        if has(Self::Allocs) {
            return Self::Allocs;
        }
        all.first().copied().unwrap_or(Self::Unknown)
    }

    /// By what somebody calls the profile: the last part of a URL's path, a file's name
    /// (`delta-mutex.pprof`), a store's type (`mutex:contentions:count:contentions:count`).
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let file = name.rsplit('/').next()?;
        let words = file.split(|c: char| !c.is_ascii_alphanumeric());
        words.into_iter().find_map(|word| {
            Some(match word.to_ascii_lowercase().as_str() {
                "goroutine" | "goroutines" | "goroutineswait" => Self::Goroutine,
                "goroutineleak" => Self::GoroutineLeak,
                "heap" | "memory" => Self::Heap,
                "allocs" => Self::Allocs,
                "block" => Self::Block,
                "mutex" => Self::Mutex,
                "threadcreate" => Self::ThreadCreate,
                "cpu" | "profile" => Self::Cpu,
                _ => return None,
            })
        })
    }

    /// Whether its samples count goroutines.
    #[must_use]
    pub const fn is_of_goroutines(self) -> bool {
        matches!(self, Self::Goroutine | Self::GoroutineLeak)
    }
}

/// With its article: `a goroutine`.
impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Goroutine => "a goroutine",
            Self::GoroutineLeak => "a goroutineleak",
            Self::Heap => "a heap",
            Self::Allocs => "an allocs",
            Self::Block => "a block",
            Self::Mutex => "a mutex",
            Self::ThreadCreate => "a threadcreate",
            Self::Cpu => "a CPU",
            Self::Unknown => "an unknown",
        })
    }
}

/// Whether the innermost function of a contention is one that lets others go on, as in a mutex profile,
/// and not one that waits (`runtime/sema.go`, `semrelease1` and `mutexevent`; Go 1.21 to 1.27).
pub(super) fn is_release(function: &str) -> bool {
    matches!(
        function,
        "sync.(*Mutex).Unlock"
            | "internal/sync.(*Mutex).Unlock"
            | "sync.(*RWMutex).Unlock"
            | "sync.(*RWMutex).RUnlock"
            | "sync.(*WaitGroup).Add"
            | "sync.(*WaitGroup).Done"
            | "runtime.unlock"
            | "runtime.unlock2"
            | "runtime._LostContendedRuntimeLock"
    )
}
