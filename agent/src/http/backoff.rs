//! When to try again what a server has not taken. It knows no clock: it is told what time it is.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, Instant};

/// From one failure to the next attempt: at first, and at most.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// A server that asks for a longer pause than this is tried before.
const MAX_ASKED: Duration = Duration::from_secs(3600);

/// How long to wait after failures: each time twice as long, less up to half of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
    /// Nothing is tried before this.
    due: Option<Instant>,
}

impl Backoff {
    /// How long it takes until the next attempt is due.
    #[must_use]
    pub fn delay(&self, now: Instant) -> Duration {
        self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now))
    }

    /// The server could not be reached, or is not well. `chance` (0 to 1) says how much of the pause is left
    /// out, so that agents that lost a server at the same time do not come back at the same time. A pause that
    /// the server asked for (`Retry-After`) is kept.
    pub fn failed(&mut self, now: Instant, chance: f64, asked: Option<Duration>) {
        let delay = FIRST_DELAY.saturating_mul(1 << self.failures.min(16)).min(MAX_DELAY);
        let delay = delay.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        let asked = asked.map_or(Duration::ZERO, |asked| asked.min(MAX_ASKED));
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + delay.max(asked));
    }

    /// The server has answered as it should.
    pub const fn is_well(&mut self) {
        (self.failures, self.due) = (0, None);
    }
}

/// Anything from 0 to 1: each hasher is seeded anew.
#[must_use]
pub fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_delay_until_all_is_well() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.delay(now), Duration::ZERO);
        let mut delays = Vec::new();
        for _ in 0..40 {
            backoff.failed(now, 0.0, None);
            delays.push(backoff.delay(now).as_secs());
        }
        assert_eq!(delays[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(delays[39], 60);
        backoff.failed(now, 1.0, None);
        assert_eq!(backoff.delay(now), Duration::from_secs(30));
        backoff.is_well();
        backoff.failed(now, 1.0, None);
        assert_eq!(backoff.delay(now), Duration::from_millis(500));
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept_within_reason() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        backoff.failed(now, 1.0, Some(Duration::from_secs(120)));
        assert_eq!(backoff.delay(now), Duration::from_secs(120));
        backoff.failed(now, 1.0, Some(Duration::from_secs(86_400)));
        assert_eq!(backoff.delay(now), MAX_ASKED);
    }

    #[test]
    fn chance_is_a_share() {
        assert!((0..100).map(|_| chance()).all(|it| (0.0..=1.0).contains(&it)));
    }
}
