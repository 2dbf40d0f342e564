//! What is probed.

/// Something that happens in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A goroutine is created.
    Create,
    /// A goroutine asks to be parked. The runtime may still decide against it.
    Park,
    /// A goroutine has ended.
    Exit,
    /// A descriptor is opened: a file, a connection.
    Open,
    /// An object of the heap is allocated that is so large that it has a span of its own.
    Allocate,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Park, Self::Exit, Self::Open, Self::Allocate];

    /// Its name, as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Park => "park",
            Self::Exit => "exit",
            Self::Open => "open",
            Self::Allocate => "allocate",
        }
    }
}
