//! How those stand whom a wait group waits for: the value that `relatives` fills.

/// What is known of those whom the members of a group wait for, as counts of members that have waited for
/// most of the window. All are zero for a group that waits for anything but wait groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kin {
    /// Nobody is left that could call `Done`.
    pub(super) alone: u64,
    /// Somebody is left, and all of them stand still.
    pub(super) behind_stuck: u64,
    /// Somebody is left and at work.
    pub(super) attended: u64,
}

impl Kin {
    pub(super) const fn merge(&mut self, other: Self) {
        self.alone += other.alone;
        self.behind_stuck += other.behind_stuck;
        self.attended += other.attended;
    }

    /// Whether for most of those that wait nobody is left.
    pub(super) const fn are_gone(self) -> bool {
        self.alone > self.behind_stuck + self.attended
    }

    /// Whether everybody's wait may well end. Workers may stand still for want of work; they are not stuck
    /// where those who started them are at work.
    pub(super) const fn serve(self, is_rooted: bool) -> bool {
        let may_end = self.attended > 0 || (self.behind_stuck > 0 && is_rooted);
        self.alone == 0 && may_end && (self.behind_stuck == 0 || is_rooted)
    }
}
