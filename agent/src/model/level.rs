//! How much there is of something, by thresholds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// How many goroutines there are, by thresholds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Level {
    /// Below all thresholds.
    #[default]
    Normal,
    /// From the first threshold.
    Moderate,
    /// From the second.
    High,
    /// From the third.
    Critical,
}

impl Level {
    /// The level of so many goroutines.
    #[must_use]
    pub const fn of(goroutines: u64, [moderate, high, critical]: [u64; 3]) -> Self {
        if goroutines >= critical {
            Self::Critical
        } else if goroutines >= high {
            Self::High
        } else if goroutines >= moderate {
            Self::Moderate
        } else {
            Self::Normal
        }
    }

    /// The level of what is used of a limit, by thresholds in percent of it.
    #[must_use]
    pub fn of_use(used: u64, limit: u64, thresholds: [u64; 3]) -> Self {
        let percent = u128::from(used) * 100 / u128::from(limit.max(1));
        Self::of(u64::try_from(percent).unwrap_or(u64::MAX), thresholds)
    }

    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
