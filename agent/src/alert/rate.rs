//! How often messages may be sent: a bucket of them, which fills up again. It is told what time it is.

use std::time::{Duration, Instant};

/// Messages that may be sent at once after a pause.
const MAX_AT_ONCE: f64 = 10.0;

/// So many an hour, and a few at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    per_hour: f64,
    left: f64,
    since: Instant,
}

impl Rate {
    pub(super) fn new(per_hour: u32, now: Instant) -> Self {
        let per_hour = f64::from(per_hour);
        Self { per_hour, left: per_hour.min(MAX_AT_ONCE), since: now }
    }

    /// How long it takes until one more may be sent.
    pub(super) fn delay(&mut self, now: Instant) -> Duration {
        let hours = now.saturating_duration_since(self.since).as_secs_f64() / 3600.0;
        self.left = (self.left + hours * self.per_hour).min(self.per_hour.min(MAX_AT_ONCE));
        self.since = now;
        Duration::from_secs_f64(((1.0 - self.left) / self.per_hour * 3600.0).max(0.0))
    }

    /// One was sent.
    pub(super) const fn spend(&mut self) {
        self.left -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_go_at_once_and_then_so_many_an_hour() {
        let start = Instant::now();
        let mut rate = Rate::new(60, start);
        let sent = (0..100).take_while(|_| {
            let is_due = rate.delay(start).is_zero();
            rate.spend();
            is_due
        });
        assert_eq!(sent.count(), 10);
        let mut rate = Rate::new(2, start);
        for _ in 0..2 {
            assert!(rate.delay(start).is_zero());
            rate.spend();
        }
        assert_eq!(rate.delay(start).as_secs(), 1800);
        assert_eq!(rate.delay(start + Duration::from_secs(1801)), Duration::ZERO);
    }
}
