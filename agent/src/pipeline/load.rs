//! Whether the agent keeps to what it may take of the host, and how much its samples give way where it does not.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time over which what it takes is held against what it may.
const SPAN: Duration = Duration::from_secs(60);
/// All intervals become longer by at most this.
const MAX_STRETCH: f64 = 50.0;
/// Intervals become shorter again by at most this factor at a time.
const BACK: f64 = 0.9;
/// They are changed no more often than this: what a change does shows later.
const STEP: Duration = Duration::from_secs(10);

/// What the agent took in the last minute.
#[derive(Debug)]
pub(super) struct Load {
    /// Processor time in all, at some moments.
    points: VecDeque<(Instant, Duration)>,
    stretch: f64,
    changed: Option<Instant>,
}

impl Default for Load {
    fn default() -> Self {
        Self { points: VecDeque::new(), stretch: 1.0, changed: None }
    }
}

impl Load {
    /// Takes in what processor time the agent has taken so far. `allowed` is in processors.
    pub(super) fn add(&mut self, now: Instant, cpu: Duration, allowed: f64) {
        self.points.push_back((now, cpu));
        while self.points.len() > 2 && now.saturating_duration_since(self.points[1].0) >= SPAN {
            self.points.pop_front();
        }
        let Some(share) = self.share() else { return };
        let is_due = self.changed.is_none_or(|then| now.saturating_duration_since(then) >= STEP);
        if !is_due || allowed <= 0.0 {
            return;
        }
        let excess = share / allowed;
        let stretch = if excess > 1.0 {
            self.stretch * excess.min(2.0)
        } else {
            self.stretch * excess.max(BACK)
        };
        self.stretch = stretch.clamp(1.0, MAX_STRETCH);
        self.changed = Some(now);
    }

    /// How much longer all intervals are, at least 1.
    pub(super) const fn stretch(&self) -> f64 {
        self.stretch
    }

    /// What it took in the last minute, in processors; `None` before there is time to tell.
    pub(super) fn share(&self) -> Option<f64> {
        let ((from, before), (until, after)) = (self.points.front()?, self.points.back()?);
        let passed = until.saturating_duration_since(*from);
        (passed >= STEP).then(|| after.saturating_sub(*before).as_secs_f64() / passed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_give_way_while_too_much_is_taken_and_no_longer() {
        let (mut load, start) = (Load::default(), Instant::now());
        let mut cpu = Duration::ZERO;
        let mut run = |seconds: std::ops::Range<u64>, share: f64| {
            for second in seconds {
                cpu += Duration::from_secs_f64(share);
                load.add(start + Duration::from_secs(second), cpu, 0.02);
            }
            load.stretch()
        };
        assert!((run(0..100, 0.01) - 1.0).abs() < 1e-9);
        let stretched = run(100..200, 0.08);
        assert!(stretched > 4.0, "{stretched}");
        assert!(run(200..2_000, 0.08) <= MAX_STRETCH);
        assert!((run(2_000..4_000, 0.001) - 1.0).abs() < 1e-9);
        let share = load.share().expect("a minute has passed");
        assert!((share - 0.001).abs() < 1e-4, "{share}");
    }
}
