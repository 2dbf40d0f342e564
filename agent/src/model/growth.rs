//! How a number goes over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The shape of a count over time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum GrowthPattern {
    /// It does not change.
    Flat,
    /// So many more each second.
    Linear,
    /// So many per cent more each second.
    Exponential,
    /// Many at once, and again.
    Stepped,
    /// Up and down.
    Oscillating,
    /// It grew, and has stopped.
    Plateau,
    /// Ever fewer.
    Shrinking,
}

impl GrowthPattern {
    /// Whether it becomes more, and goes on to.
    #[must_use]
    pub const fn rises(self) -> bool {
        matches!(self, Self::Linear | Self::Exponential | Self::Stepped)
    }

    /// The name that people and programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How a count, or a number of bytes, grows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// Change by the second: the median of the slopes between all pairs of samples (Theil-Sen).
    pub per_second: f64,
    /// With 95 % confidence it is at least this.
    pub low: f64,
    /// With 95 % confidence it is at most this.
    pub high: f64,
    /// Its shape.
    pub pattern: GrowthPattern,
    /// How much of the variance the shape's curve explains, 0 to 1.
    pub r2: f64,
    /// Where it leads.
    pub forecast: Option<Forecast>,
}

/// How many goroutines there will be if nothing changes. Findings about memory have none: the limits say
/// where that leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// In an hour.
    pub in_1h: u64,
    /// With 95 % confidence at least this.
    pub low: u64,
    /// With 95 % confidence at most this.
    pub high: u64,
}
