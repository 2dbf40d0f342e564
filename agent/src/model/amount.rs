//! Objects and their bytes.

use serde::{Deserialize, Serialize};

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Amount {
    /// Bytes, each object as large as its size class.
    pub bytes: u64,
    /// How many objects.
    pub objects: u64,
}

impl Amount {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            objects: self.objects.saturating_add(other.objects),
        }
    }

    /// This without another.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            objects: self.objects.saturating_sub(other.objects),
        }
    }

    /// What sampled objects stand for where one of `rate_bytes` bytes is sampled on average: an estimate, by the very
    /// formula of `runtime/pprof` (`scaleHeapSample`, `protomem.go`).
    #[must_use]
    pub fn scaled(self, rate_bytes: u64) -> Self {
        let Self { objects, bytes } = self;
        if objects == 0 || bytes == 0 {
            return Self::default();
        }
        // Then everything is sampled.
        if rate_bytes <= 1 {
            return self;
        }
        let size = bytes as f64 / objects as f64;
        let scale = 1.0 / (1.0 - (-size / rate_bytes as f64).exp());
        // Go truncates too. A cast keeps within bounds.
        let times = |value: u64| (value as f64 * scale) as u64;
        Self { objects: times(objects), bytes: times(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go makes of the same numbers.
    #[test]
    fn samples_are_scaled_as_go_does() {
        let scaled = |objects, bytes, rate| {
            let Amount { objects, bytes } = Amount { objects, bytes }.scaled(rate);
            (objects, bytes)
        };
        assert_eq!(scaled(3, 48, 1), (3, 48));
        assert_eq!(scaled(3, 48, 524_288), (98_305, 1_572_888));
        assert_eq!(scaled(7, 7 * 1_048_576, 524_288), (8, 8_488_876));
        assert_eq!(scaled(0, 0, 524_288), (0, 0));
        assert_eq!(scaled(5, 0, 524_288), (0, 0));
        // Hostile counts stay within bounds.
        assert_eq!(scaled(u64::MAX, 1, 524_288).0, u64::MAX);
    }
}
