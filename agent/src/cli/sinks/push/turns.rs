//! When it is a target's turn to be pushed, by the times of its samples.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{TargetId, Timestamp};

/// How often each target is pushed.
pub(super) struct Turns {
    every_ns: i64,
    /// What a sample may come early: those of one pace are not equally far apart, and one that is a moment early
    /// is not to wait for the next. In the mean nothing is pushed more often.
    slack_ns: i64,
    /// When each is due next.
    next: BTreeMap<TargetId, i64>,
}

impl Turns {
    pub(super) fn new(every: Duration) -> Self {
        let every_ns = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX);
        Self { every_ns, slack_ns: every_ns / 10, next: BTreeMap::new() }
    }

    /// Whether a sample is one to push; the next is due after the time has passed again.
    pub(super) fn is_due(&mut self, target: &TargetId, at: Timestamp) -> bool {
        let at = at.unix_ns();
        let early = at.saturating_add(self.slack_ns);
        let due = self.next.get(target).copied().unwrap_or(at);
        // A clock that was set back would put it off for as long.
        let is_set_back = due.saturating_sub(at) > self.every_ns;
        if early < due && !is_set_back {
            return false;
        }
        let is_in_time = !is_set_back && at.saturating_sub(due) <= self.slack_ns;
        let last = if is_in_time { due } else { at };
        self.next.insert(target.clone(), last.saturating_add(self.every_ns));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Instance;

    /// Which of these samples, in milliseconds, are pushed at most every ten seconds.
    fn pushed(turns: &mut Turns, pid: u32, times: &[i64]) -> Vec<i64> {
        let instance = Instance::Process { pid, library: None };
        let id = TargetId { instance, started: None, generation: 0, recording: None };
        let is_due = |ms: &&i64| turns.is_due(&id, Timestamp::from_unix_ns(**ms * 1_000_000));
        times.iter().filter(is_due).copied().collect()
    }

    #[test]
    fn each_target_has_its_own_turns() {
        let mut turns = Turns::new(Duration::from_secs(10));
        assert_eq!(pushed(&mut turns, 1, &[0, 4000, 8000, 12_000]), [0, 12_000]);
        assert_eq!(pushed(&mut turns, 2, &[5000, 9000]), [5000]);
        assert_eq!(pushed(&mut turns, 1, &[20_900, 21_100]), [21_100]);
    }

    #[test]
    fn a_pace_of_the_same_time_is_kept_and_none_is_faster() {
        let mut turns = Turns::new(Duration::from_secs(10));
        let uneven: Vec<i64> =
            (0..20).map(|at| at * 10_000 + if at % 2 == 0 { 40 } else { 0 }).collect();
        assert_eq!(pushed(&mut turns, 1, &uneven), uneven);
        // Samples that are all a little too early do not all come to be pushed.
        let early: Vec<i64> = (0..200).map(|at| at * 9100).collect();
        let count = pushed(&mut turns, 2, &early).len() as i64;
        assert!(count <= 1820 / 10 + 1 && count > 90, "{count}");
    }

    #[test]
    fn after_a_gap_or_a_clock_that_is_set_back_it_goes_on_at_once() {
        let mut turns = Turns::new(Duration::from_secs(10));
        assert_eq!(pushed(&mut turns, 1, &[0, 60_000, 61_000, 70_000]), [0, 60_000, 70_000]);
        assert_eq!(pushed(&mut turns, 1, &[5000, 6000, 15_000]), [5000, 15_000]);
        let mut never = Turns::new(Duration::MAX);
        assert_eq!(pushed(&mut never, 1, &[0, i64::MAX / 2_000_000]), [0]);
    }
}
