//! What is probed.

/// Something that happens to a goroutine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// It is created.
    Create,
    /// It asks to be parked. The runtime may still decide against it.
    Park,
    /// It has ended.
    Exit,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Create, Self::Park, Self::Exit];

    /// Its name, as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Park => "park",
            Self::Exit => "exit",
        }
    }
}
