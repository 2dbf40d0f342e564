//! Which findings are to be responded to now: those that reach what a response is for, and not more often than it says.
//! It knows no clock: it is told what time it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::{TargetId, Timestamp};

/// What is counted within.
const HOUR: Duration = Duration::from_secs(3600);

/// How often something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one time to the next for the same program.
    pub cool_down: Duration,
    /// Times an hour, for all programs.
    pub per_hour: u32,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing has come that was not responded to.
    Nothing,
    /// These findings are responded to now.
    Act(Vec<String>),
    /// These would be, but for the pause that the program has.
    CoolsDown(Vec<String>),
    /// These would be, but there were as many in an hour as may be.
    TooMany(Vec<String>),
}

/// What was done, and for which findings, for each response by its place.
#[derive(Debug, Default)]
pub struct Account {
    /// When something was done last, for each program.
    last: BTreeMap<(usize, String), Timestamp>,
    /// When something was done in the last hour.
    hour: BTreeMap<usize, VecDeque<Timestamp>>,
    /// Findings that were responded to, and are there since.
    done: BTreeMap<(usize, TargetId), BTreeSet<String>>,
}

impl Account {
    /// Takes in what was done before, by an earlier agent too.
    pub fn remember(&mut self, response: usize, program: &str, at: Timestamp) {
        let last = self.last.entry((response, program.to_owned())).or_insert(at);
        *last = at.max(*last);
        self.hour.entry(response).or_default().push_back(at);
    }

    /// Decides about a process of a program, in which these findings are what the response is for.
    pub fn decide(
        &mut self,
        (response, limits): (usize, Limits),
        (program, process): (&str, &TargetId),
        found: &BTreeSet<String>,
        now: Timestamp,
    ) -> Decision {
        let done = self.done.entry((response, process.clone())).or_default();
        done.retain(|id| found.contains(id));
        let new: Vec<String> = found.difference(done).cloned().collect();
        if new.is_empty() {
            return Decision::Nothing;
        }
        let since = |then: Timestamp| now.unix_ns().saturating_sub(then.unix_ns());
        let within = |then: Timestamp, time: Duration| {
            u128::try_from(since(then)).is_ok_and(|it| it < time.as_nanos())
        };
        let key = (response, program.to_owned());
        // A clock that was set back would put it off for as long.
        let hour = self.hour.entry(response).or_default();
        for then in hour.iter_mut().chain(self.last.get_mut(&key)) {
            *then = now.min(*then);
        }
        if self.last.get(&key).is_some_and(|last| within(*last, limits.cool_down)) {
            return Decision::CoolsDown(new);
        }
        hour.retain(|then| within(*then, HOUR));
        if hour.len() as u64 >= u64::from(limits.per_hour) {
            return Decision::TooMany(new);
        }
        done.extend(new.iter().cloned());
        self.remember(response, program, now);
        Decision::Act(new)
    }

    /// What was decided was not done: it is due again when the pause is over.
    pub fn take_back<'a>(
        &mut self,
        response: usize,
        process: &TargetId,
        findings: impl Iterator<Item = &'a String>,
    ) {
        if let Some(done) = self.done.get_mut(&(response, process.clone())) {
            findings.for_each(|id| _ = done.remove(id));
        }
    }

    /// A process has ended, or is watched no more.
    pub fn forget(&mut self, process: &TargetId) {
        self.done.retain(|(_, other), _| other != process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Instance;

    const LIMITS: Limits = Limits { cool_down: Duration::from_secs(60), per_hour: 3 };

    fn process(pid: u32) -> TargetId {
        let instance = Instance::Process { pid, library: None };
        TargetId { instance, started: None, generation: 0, recording: None }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ns(seconds * 1_000_000_000)
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    fn decide(account: &mut Account, program: &str, found: &[&str], seconds: i64) -> Decision {
        let found = ids(found).into_iter().collect();
        account.decide((0, LIMITS), (program, &process(1)), &found, at(seconds))
    }

    #[test]
    fn a_finding_is_responded_to_once_until_it_comes_again() {
        let mut account = Account::default();
        assert_eq!(decide(&mut account, "a", &["f-1"], 0), Decision::Act(ids(&["f-1"])));
        assert_eq!(decide(&mut account, "a", &["f-1"], 500), Decision::Nothing);
        assert_eq!(decide(&mut account, "a", &[], 600), Decision::Nothing);
        assert_eq!(decide(&mut account, "a", &["f-1"], 700), Decision::Act(ids(&["f-1"])));
    }

    #[test]
    fn within_the_pause_of_a_program_nothing_is_done_and_nothing_is_forgotten() {
        let mut account = Account::default();
        assert_eq!(decide(&mut account, "a", &["f-1"], 0), Decision::Act(ids(&["f-1"])));
        let both = ["f-1", "f-2"];
        assert_eq!(decide(&mut account, "a", &both, 30), Decision::CoolsDown(ids(&["f-2"])));
        assert_eq!(decide(&mut account, "a", &both, 61), Decision::Act(ids(&["f-2"])));
        // Of an earlier agent, and another process of the program.
        let mut later = Account::default();
        later.remember(0, "a", at(0));
        assert_eq!(decide(&mut later, "a", &["f-1"], 30), Decision::CoolsDown(ids(&["f-1"])));
        assert_eq!(decide(&mut later, "b", &["f-1"], 30), Decision::Act(ids(&["f-1"])));
    }

    #[test]
    fn no_more_is_done_in_an_hour_than_may_be() {
        let mut account = Account::default();
        for (seconds, program) in [(0, "a"), (1, "b"), (2, "c")] {
            account.forget(&process(1));
            assert!(matches!(decide(&mut account, program, &["f"], seconds), Decision::Act(_)));
        }
        account.forget(&process(1));
        assert_eq!(decide(&mut account, "d", &["f"], 3), Decision::TooMany(ids(&["f"])));
        assert_eq!(decide(&mut account, "d", &["f"], 3601), Decision::Act(ids(&["f"])));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_put_it_off_for_as_long() {
        let mut account = Account::default();
        assert!(matches!(decide(&mut account, "a", &["f"], 100_000), Decision::Act(_)));
        assert!(matches!(decide(&mut account, "a", &["f", "g"], 0), Decision::CoolsDown(_)));
        assert!(matches!(decide(&mut account, "a", &["f", "g"], 61), Decision::Act(_)));
        // Nor does it allow more in an hour.
        assert!(matches!(decide(&mut account, "b", &["f", "g", "h"], 62), Decision::Act(_)));
        assert!(matches!(decide(&mut account, "c", &["i"], 63), Decision::TooMany(_)));
    }

    #[test]
    fn what_was_not_done_is_due_again_after_the_pause() {
        let mut account = Account::default();
        assert!(matches!(decide(&mut account, "a", &["f"], 0), Decision::Act(_)));
        account.take_back(0, &process(1), ids(&["f"]).iter());
        assert_eq!(decide(&mut account, "a", &["f"], 30), Decision::CoolsDown(ids(&["f"])));
        assert_eq!(decide(&mut account, "a", &["f"], 61), Decision::Act(ids(&["f"])));
    }
}
