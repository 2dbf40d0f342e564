//! Mistakes with locks, wait groups and conditions.

/// A lock that is not released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockMistake {
    /// One path takes it twice.
    TakenTwice {
        /// The lock.
        lock: String,
        /// Where it is taken first.
        first: u32,
        /// Where it is taken again.
        again: u32,
        /// Whether it is held for reading, and taken for reading again: that waits only for a writer.
        reading: bool,
    },
    /// `Lock` while the same path holds it by `RLock`.
    Upgraded {
        /// The lock.
        lock: String,
        /// The `RLock`.
        read: u32,
        /// The `Lock`.
        write: u32,
    },
    /// The same lock of another value is held.
    HeldOfAnother {
        /// The lock.
        lock: String,
        /// Where it is taken.
        taken: u32,
        /// The lock that is held.
        held: String,
        /// Where that was taken.
        held_since: u32,
    },
    /// The caller holds it.
    HeldByCaller {
        /// The lock.
        lock: String,
        /// The function that takes it again.
        function: String,
        /// The call of that function.
        call: u32,
        /// Where the caller took the lock.
        held_since: u32,
        /// Where it is taken again.
        again: u32,
        /// Whether it is held for reading, and taken for reading again: that waits only for a writer.
        reading: bool,
    },
    /// Two locks are taken in both orders.
    BothOrders {
        /// The lock.
        lock: String,
        /// Where it is taken while another is held.
        one: u32,
        /// Where that other is taken while it is held.
        other: u32,
    },
    /// The function that takes it never releases it.
    NeverReleased {
        /// The lock.
        lock: String,
        /// Where it is taken.
        taken: u32,
    },
    /// A return or `continue` leaves with it held.
    LeftHeld {
        /// The lock.
        lock: String,
        /// Where it is taken.
        taken: u32,
        /// The return or `continue`.
        skip: u32,
        /// Whether the function waits afterwards, so that a deferred `Unlock` comes too late.
        waits_after: bool,
    },
}

/// A wait group or condition that is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitMistake {
    /// `Done` is called on a copy of the wait group.
    Copied {
        /// The parameter that is the copy.
        parameter: String,
        /// The `Done`.
        done: u32,
    },
    /// Nothing calls `Done`.
    NoDone {
        /// The wait group.
        group: String,
        /// The `Wait`.
        wait: u32,
    },
    /// A return skips the `Done`.
    DoneSkipped {
        /// The wait group.
        group: String,
        /// The return.
        skip: u32,
        /// The `Done`.
        done: u32,
        /// Whether the goroutine waits after the `Done`, so that a deferred one comes too late.
        waits_after: bool,
    },
    /// `Add` without a goroutine.
    NothingStarted {
        /// The `Add`.
        add: u32,
        /// The `continue` or return that comes before the `go` statement.
        jump: u32,
    },
    /// `Add` counts more than `Done`.
    TooFewDones {
        /// What all `Add`s come to.
        added: u64,
        /// How many calls of `Done` there are.
        dones: u64,
        /// The last `Add`.
        add: u32,
    },
    /// `Wait` is in a loop, and `Add` before the loop counts all of its turns.
    WaitInLoop {
        /// The `Add`.
        add: u32,
        /// The `Wait`.
        wait: u32,
    },
    /// Not every path reaches the `Done`.
    DoneOnSomePaths {
        /// The wait group.
        group: String,
        /// The `Done`.
        done: u32,
    },
    /// A condition is waited for without a check in a loop, so that an earlier signal is lost.
    LostSignal {
        /// The `sync.Cond`.
        cond: String,
        /// The `Wait`.
        wait: u32,
        /// The `Signal` or `Broadcast`.
        signal: u32,
    },
}
