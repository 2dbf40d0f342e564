//! The target's own time: what passed while it could not run proves nothing about who waits in it.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::{Halt, Held, Observation};

/// A window in which the target could not run for less than this share of it is taken as it is.
const MIN_SHARE: f64 = 0.05;
/// One in which it could not run for more than this share shows nothing that moves.
const ALWAYS_SHARE: f64 = 0.95;
/// Spells that are kept; beyond it neighbours are joined.
const MAX_SPELLS: usize = 1024;

/// When the target could not run, as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Running {
    first: Option<Duration>,
    last: Duration,
    halt: Option<Halt>,
    /// Whether it was halted at the first observation, so that nobody knows since when.
    halted_at_first: bool,
    /// Whether it was halted at every observation.
    always_halted: bool,
    /// Times between two observations in which it was held for a part: their end, and how long it was
    /// held up to there in all.
    spells: Vec<Spell>,
    /// Of the time between the last two observations.
    held_now: Duration,
    /// Whether times are its own, from when it had first been held for more than a little. That stays so: a
    /// clock that changes back would jump, and waits that go on would look shorter than the step before.
    by_own_time: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Spell {
    from: Duration,
    until: Duration,
    held: Duration,
    /// Held within all spells before this one.
    before: Duration,
}

impl Running {
    /// Takes in the next observation.
    pub(super) fn add(&mut self, observation: &Observation) {
        self.add_interval(observation);
        self.by_own_time |= !self.is_free();
    }

    fn add_interval(&mut self, observation: &Observation) {
        let from = self.last;
        let until = observation.elapsed;
        let process = observation.coverage.process;
        self.halt = process.and_then(|process| process.halt);
        let is_first = self.first.is_none();
        self.first.get_or_insert(until);
        self.last = until;
        self.always_halted = self.halt.is_some() && (is_first || self.always_halted);
        if is_first {
            self.halted_at_first = self.halt.is_some();
            return;
        }
        let interval = until.saturating_sub(from);
        self.held_now = process.map_or(Duration::ZERO, |it| it.held()).min(interval);
        if self.held_now.is_zero() {
            return;
        }
        let before = self.total();
        self.spells.push(Spell { from, until, held: self.held_now, before });
        if self.spells.len() > MAX_SPELLS {
            self.spells = self.spells.chunks(2).map(join).collect();
        }
    }

    /// How long it was held within the window.
    fn total(&self) -> Duration {
        self.spells.last().map_or(Duration::ZERO, |last| last.before + last.held)
    }

    fn window(&self) -> Duration {
        self.last.saturating_sub(self.first.unwrap_or(self.last))
    }

    /// Whether it was held for so little that nothing changes.
    fn is_free(&self) -> bool {
        let held = self.total().as_secs_f64();
        self.halt.is_none() && held <= MIN_SHARE * self.window().as_secs_f64()
    }

    /// What is to be said of it; `None` where it ran.
    pub(super) fn held(&self) -> Option<Held> {
        (!self.is_free()).then(|| Held {
            halt: self.halt,
            held: self.total(),
            window: self.window(),
            always: self.never_ran(),
        })
    }

    /// Whether nothing in it could move at any time of the window.
    pub(super) fn never_ran(&self) -> bool {
        let held = self.total().as_secs_f64();
        self.always_halted
            || (!self.window().is_zero() && held >= ALWAYS_SHARE * self.window().as_secs_f64())
    }

    /// How much of the window it could run.
    pub(super) fn ran(&self) -> Duration {
        if self.is_free() { self.window() } else { self.window().saturating_sub(self.total()) }
    }

    /// Whether it could not run for most of the time between the last two observations, so that whoever
    /// was running or ready then still is.
    pub(super) fn held_back(&self) -> bool {
        let interval = self.spells.last().filter(|it| it.until == self.last);
        let most = interval.is_some_and(|it| it.held * 2 >= it.until.saturating_sub(it.from));
        self.halt.is_some() || most
    }

    /// An observation by the target's own time: each wait without what passed while it was held, and
    /// the observation's own moment as well. Where it was halted at the first observation, nobody knows
    /// since when: of waits that are older only what the window showed counts.
    pub(super) fn by_its_own_time<'a>(&self, seen: Cow<'a, Observation>) -> Cow<'a, Observation> {
        if !self.by_own_time {
            return seen;
        }
        let mut seen = seen.into_owned();
        let window = self.window();
        for blocked in seen.goroutines.iter_mut().map(|goroutine| &mut goroutine.blocked) {
            let Some(wait) = blocked else { continue };
            if self.halted_at_first {
                wait.duration = wait.duration.min(window);
            }
            let began = self.last.saturating_sub(wait.duration);
            wait.duration = wait.duration.saturating_sub(self.held_since(began));
            // Of no time at all nothing can be said.
            if wait.duration.is_zero() && self.halt.is_some() {
                *blocked = None;
            }
        }
        seen.elapsed = seen.elapsed.saturating_sub(self.total());
        Cow::Owned(seen)
    }

    /// For how long it was held from a moment on; a spell under way then counts as a whole, as far as
    /// it reaches.
    fn held_since(&self, moment: Duration) -> Duration {
        let at = self.spells.partition_point(|spell| spell.until <= moment);
        let Some(spell) = self.spells.get(at) else { return Duration::ZERO };
        let behind = self.total().saturating_sub(spell.before + spell.held);
        behind + spell.held.min(spell.until.saturating_sub(moment.max(spell.from)))
    }
}

/// Two spells as one.
fn join(pair: &[Spell]) -> Spell {
    let (first, last) = (pair[0], pair[pair.len() - 1]);
    Spell {
        from: first.from,
        until: last.until,
        held: last.before + last.held - first.before,
        before: first.before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{CodeFiles, Settings, Window, judge};
    use crate::model::{Assessment, Running as Process, Verdict, WaitClass};
    use crate::sample::Sample;

    const LOCK: u64 = 0x00c0_0000_7000;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Three goroutines that have waited for a lock since an hour before the window, which is sampled
    /// once a second. `process` says how the process runs at each.
    fn waiting(samples: u32, process: impl Fn(u32) -> Process) -> Assessment {
        let mut window = Window::default();
        for now in 0..samples {
            let mut sample = Sample::new();
            for goid in 10..13 {
                let waited = 3600 + u64::from(now);
                sample.wants(goid, (WaitClass::Mutex, LOCK), waited, &[(LOCK, 2)]).seen_for =
                    Some(seconds(now.into()));
            }
            sample.wants(20, (WaitClass::NilChannel, 0), 9, &[]);
            let mut observation = sample.observe(now);
            observation.coverage.process = Some(process(now));
            window.push(&observation);
        }
        judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("it was observed")
    }

    fn halted(now: u32) -> Process {
        let held_seconds = (now > 0).then_some(1.0);
        Process { halt: Some(Halt::Stopped), held_seconds, cpu_seconds: None }
    }

    fn runs(now: u32) -> Process {
        Process { halt: None, held_seconds: (now > 0).then_some(0.0), cpu_seconds: None }
    }

    fn lock_findings(assessment: &Assessment) -> Vec<(Verdict, Duration)> {
        let judgement = assessment.judgement.as_ref().expect("it is judged");
        let of_lock = |group: usize| assessment.groups[group].wait == WaitClass::Mutex;
        let findings = judgement
            .findings
            .iter()
            .filter(|finding| of_lock(finding.goroutines().expect("goroutines").group));
        findings.map(|it| (it.verdict, it.oldest().expect("it waits"))).collect()
    }

    #[test]
    fn nothing_is_stuck_in_a_process_that_is_stopped() {
        for samples in [1, 30] {
            let assessment = waiting(samples, halted);
            assert_eq!(lock_findings(&assessment), [], "{samples} samples");
            assert_eq!(assessment.health(), None);
            let held = assessment.held.expect("it is halted");
            assert!(held.always && held.halt == Some(Halt::Stopped), "{held:?}");
            // A nil channel is one for good, whoever stands still.
            let judgement = assessment.judgement.expect("it is judged");
            assert_eq!(judgement.findings.len(), 1, "{:?}", judgement.findings);
        }
    }

    #[test]
    fn an_idle_process_is_not_halted_and_its_deadlock_is_found() {
        let assessment = waiting(30, runs);
        assert_eq!(lock_findings(&assessment).len(), 3, "one in each function");
        assert_eq!(lock_findings(&assessment)[0].1, seconds(3629));
        assert!(assessment.held.is_none() && assessment.health().is_some());
    }

    #[test]
    fn waits_count_the_time_in_which_the_process_could_run() {
        // Let go after 18 s: what it stood before says nothing, and 11 s of its own do.
        let assessment = waiting(30, |now| if now < 19 { halted(now) } else { runs(now) });
        assert_eq!(lock_findings(&assessment)[0], (Verdict::Likely, seconds(11)));
        let held = assessment.held.expect("for a part");
        assert_eq!((held.always, held.held, held.halt), (false, seconds(18), None));
        // Stopped for its second half: it stood for an hour while it ran.
        let assessment = waiting(30, |now| if now < 15 { runs(now) } else { halted(now) });
        assert_eq!(lock_findings(&assessment)[0], (Verdict::Likely, seconds(3614)));
        // Throttled: a fifth of 29 s is too little to call anything stuck that began then.
        let starved = |now| Process { held_seconds: Some(0.8), ..runs(now) };
        let held = waiting(30, starved).held.expect("for the most part");
        assert_eq!((held.always, held.held), (false, Duration::from_millis(23_200)));
    }

    #[test]
    fn a_lock_does_not_pass_because_the_time_held_becomes_little_of_the_window() {
        let mut window = Window::default();
        for now in 0..30 {
            let mut sample = Sample::new();
            // One more waits each second, and has for a fifth of a second when it is first seen.
            for goid in 10..=u64::from(now) + 10 {
                let waited = now - u32::try_from(goid - 10).expect("a small sample");
                let waiter = sample.wants(goid, (WaitClass::Mutex, LOCK), 0, &[(LOCK, 2)]);
                if let Some(blocked) = &mut waiter.blocked {
                    blocked.duration = seconds(waited.into()) + Duration::from_millis(200);
                }
            }
            let mut observation = sample.observe(now);
            let held_seconds = (now > 0).then_some(if now == 1 { 0.5 } else { 0.0 });
            observation.coverage.process = Some(Process { held_seconds, ..runs(now) });
            window.push(&observation);
        }
        let lock = window.lock_graph().and_then(|graph| graph.lock(LOCK)).expect("it is contended");
        assert!(!lock.passes);
    }

    #[test]
    fn who_was_running_when_the_process_was_stopped_is_not_busy() {
        let mut window = Window::default();
        for now in 0..30 {
            let mut sample = Sample::new();
            let stack = sample.stack(&[("main.work", "/src/a.go", 3)]);
            for goid in 10..13 {
                let goroutine =
                    sample.add(goid, WaitClass::Runnable, crate::model::StackView::Read(stack));
                goroutine.seen_for = Some(seconds(now.into()));
            }
            let mut observation = sample.observe(now);
            observation.coverage.process = Some(if now < 2 { runs(now) } else { halted(now) });
            window.push(&observation);
        }
        let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let judgement = assessment.and_then(|it| it.judgement).expect("it is judged");
        assert!(judgement.findings.is_empty(), "{:?}", judgement.findings);
    }

    #[test]
    fn a_long_run_keeps_its_sums_in_bounded_memory() {
        let mut running = Running::default();
        for now in 0..5000 {
            let mut observation = Sample::new().observe(now);
            observation.coverage.process =
                Some(Process { held_seconds: Some(0.5), ..Process::default() });
            running.add(&observation);
        }
        assert!(running.spells.len() <= MAX_SPELLS, "{}", running.spells.len());
        assert_eq!(running.total(), Duration::from_millis(2_499_500));
        // A wait of the last thousand seconds was held for half of them, to a joined spell's length.
        let held = running.held_since(seconds(3999));
        assert!(held.abs_diff(seconds(500)) <= seconds(8), "{held:?}");
    }
}
