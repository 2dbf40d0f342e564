//! Whether the agent keeps to the memory that it may take, and what gives way where it does not: windows are kept by fewer
//! samples, and then targets go. It knows neither clock nor kernel.

use std::time::{Duration, Instant};

use crate::analyze::Window;

/// From this share of what it may take on nothing gives way any more, and nothing more is attached to.
const NEAR: f64 = 0.85;
/// From this share on something gives way.
const FULL: f64 = 0.95;
/// Below this share targets that went are taken again, and windows are kept by more samples.
const ROOMY: f64 = 0.7;
/// What is expected of a target that is being attached to, in bytes.
const OF_A_TARGET: u64 = 8 << 20;
/// So many targets are sampled, whatever they take.
pub(super) const LEAST_TARGETS: usize = 4;
/// Windows are kept by no fewer samples.
const LEAST_SAMPLES: usize = Window::MAX_SAMPLES / 8;
/// Something gives way no more often: what it frees shows later.
const STEP: Duration = Duration::from_secs(3);
/// Windows are kept by more samples once there was room for so long.
const CALM: Duration = Duration::from_mins(1);
/// Of all targets no more than this share goes at a time.
const AT_ONCE: f64 = 0.25;

/// What gives way now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relief {
    Nothing,
    /// Windows are kept by another number of samples.
    Windows,
    /// So many targets go.
    Targets(usize),
}

/// What the agent may take, what it took last, and what has given way.
#[derive(Debug)]
pub(super) struct Pressure {
    max_bytes: u64,
    taken_bytes: u64,
    samples: usize,
    changed: Option<Instant>,
    /// Since when there is room.
    roomy: Option<Instant>,
}

impl Pressure {
    pub(super) const fn new(max_bytes: u64) -> Self {
        let samples = Window::MAX_SAMPLES;
        Self { max_bytes, taken_bytes: 0, samples, changed: None, roomy: None }
    }

    pub(super) const fn limit(&mut self, max_bytes: u64) {
        self.max_bytes = max_bytes;
    }

    /// Samples that windows are kept by.
    pub(super) const fn samples(&self) -> usize {
        self.samples
    }

    /// Whether what was taken last is more than it may be.
    pub(super) const fn is_over(&self) -> bool {
        self.taken_bytes > self.max_bytes
    }

    /// Whether something gives way at such a size.
    pub(super) fn is_full(&self, taken_bytes: u64) -> bool {
        taken_bytes as f64 > FULL * self.max_bytes as f64
    }

    /// Whether one more target has room beside those that are being attached to.
    pub(super) fn has_room(&self, taken_bytes: u64, opening: usize) -> bool {
        let coming = OF_A_TARGET.saturating_mul(opening as u64);
        taken_bytes.saturating_add(coming) as f64 <= NEAR * self.max_bytes as f64
    }

    /// Whether those that went may come again.
    pub(super) fn is_roomy(&self) -> bool {
        (self.taken_bytes as f64) < ROOMY * self.max_bytes as f64
    }

    /// Takes in what the agent takes, with so many targets.
    pub(super) fn add(&mut self, now: Instant, taken_bytes: u64, targets: usize) -> Relief {
        self.taken_bytes = taken_bytes;
        if !self.is_roomy() {
            self.roomy = None;
        }
        let passed = |then: Option<Instant>, time| {
            then.is_none_or(|then| now.saturating_duration_since(then) >= time)
        };
        if !self.is_full(taken_bytes) {
            let since = self.is_roomy().then(|| *self.roomy.get_or_insert(now));
            if self.samples < Window::MAX_SAMPLES && since.is_some() && passed(since, CALM) {
                self.samples *= 2;
                self.roomy = Some(now);
                return Relief::Windows;
            }
            return Relief::Nothing;
        }
        if !passed(self.changed, STEP) {
            return Relief::Nothing;
        }
        self.changed = Some(now);
        if self.samples > LEAST_SAMPLES {
            self.samples /= 2;
            return Relief::Windows;
        }
        // As if all took the same.
        let excess = 1.0 - FULL * self.max_bytes as f64 / taken_bytes as f64;
        let share = excess.clamp(0.0, AT_ONCE);
        let count = ((targets as f64 * share).ceil() as usize).max(1);
        match count.min(targets.saturating_sub(LEAST_TARGETS)) {
            0 => Relief::Nothing,
            count => Relief::Targets(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn windows_give_way_first_then_targets_and_some_stay() {
        let (mut pressure, start) = (Pressure::new(100 * MIB), Instant::now());
        let mut at = |second: u64, taken: u64, targets| {
            pressure.add(start + Duration::from_secs(second), taken * MIB, targets)
        };
        assert_eq!(at(0, 90, 50), Relief::Nothing);
        let first: Vec<Relief> = (0..12).map(|second| at(second, 97, 50)).collect();
        let shortened = first.iter().filter(|it| **it == Relief::Windows).count();
        assert_eq!(shortened, 3, "{first:?}");
        assert!(first.contains(&Relief::Targets(2)), "{first:?}");
        assert_eq!(at(20, 200, 50), Relief::Targets(13), "a fourth at a time");
        assert_eq!(at(30, 200, 6), Relief::Targets(2));
        assert_eq!(at(40, 200, LEAST_TARGETS), Relief::Nothing);
        assert!(pressure.is_over());
    }

    #[test]
    fn what_gave_way_comes_back_once_there_is_room() {
        let (mut pressure, start) = (Pressure::new(100 * MIB), Instant::now());
        for second in 0..9 {
            pressure.add(start + Duration::from_secs(second), 99 * MIB, 0);
        }
        assert_eq!(pressure.samples(), LEAST_SAMPLES);
        let mut widened = 0;
        for second in 10..400 {
            let relief = pressure.add(start + Duration::from_secs(second), 50 * MIB, 0);
            widened += u32::from(relief == Relief::Windows);
            assert!(pressure.is_roomy());
        }
        assert_eq!((widened, pressure.samples()), (3, Window::MAX_SAMPLES));
        assert!(pressure.has_room(50 * MIB, 4) && !pressure.has_room(50 * MIB, 5));
        assert!(!pressure.has_room(86 * MIB, 0));
    }
}
