//! How the quantities of a process go over a window, where that leads, and which of them go together.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::growth::Growth;

/// What is followed over a window.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Quantity {
    /// How many goroutines there are.
    Goroutines,
    /// Goroutines created, by the second.
    Created,
    /// Bytes that collections find reachable.
    LiveHeap,
    /// Bytes of resident memory.
    Resident,
    /// How many descriptors are open.
    Descriptors,
    /// Processors that the process keeps busy.
    Cpu,
}

impl Quantity {
    /// The name that programs read.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether it is of the time between two samples, and nothing that piles up.
    #[must_use]
    pub const fn is_rate(self) -> bool {
        matches!(self, Self::Created | Self::Cpu)
    }

    /// Whether it is a number of bytes.
    #[must_use]
    pub const fn is_bytes(self) -> bool {
        matches!(self, Self::LiveHeap | Self::Resident)
    }
}

/// How a quantity goes over the window. Values are in its own unit.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantityTrend {
    /// Which.
    pub quantity: Quantity,
    /// Samples that it is told by, outliers included. Of the live heap: collections.
    pub samples: u64,
    /// At first.
    pub from: f64,
    /// At last.
    pub to: f64,
    /// How it goes since `turn`, or since the first sample where there is none, without outliers. It has no
    /// forecast: `outlook` has it.
    pub growth: Growth,
    /// When its rate changed last; `None` where it did not for sure.
    pub turn: Option<Turn>,
    /// Samples that stand apart, and count for nothing here.
    pub outliers: Vec<Outlier>,
    /// The wave that it goes in.
    pub season: Option<Season>,
    /// Where it leads, or why that is not known.
    pub outlook: Result<Outlook, NoOutlook>,
}

/// A change of a quantity's rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// When, in seconds since the first sample.
    pub at_seconds: f64,
    /// The change by the second before.
    pub before_per_second: f64,
    /// And after.
    pub after_per_second: f64,
}

/// A sample that stands apart from those before and after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier {
    /// When, in seconds since the first sample.
    pub at_seconds: f64,
    /// What there was.
    pub value: f64,
    /// What the line between its neighbours makes of it.
    pub expected: f64,
}

/// A wave: what comes back after the same time, three times at least in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Season {
    /// After this time.
    pub period: Duration,
    /// From its lowest to its highest.
    pub height: f64,
    /// The change by the second from period to period.
    pub beneath: Estimate,
}

/// What is likely, and within which bounds it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// What is likely.
    pub likely: f64,
    /// At least this.
    pub low: f64,
    /// At most this.
    pub high: f64,
}

/// Where a quantity leads that rises for sure, if nothing changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// How much there is in an hour.
    pub in_1h: Estimate,
    /// The next threshold that it reaches; `None` where it has none above, or that is more than a month away. (What
    /// has a limit has it in the account of memory or resources.)
    pub threshold: Option<Threshold>,
    /// How far off a forecast would have been; `None` where there are too few samples to hold some back.
    pub hindsight: Option<Hindsight>,
}

/// A threshold, and when it is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// So much.
    pub at: u64,
    /// When.
    pub reached: Reached,
}

/// When a limit is reached if the growth goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// At the earliest, with 95 % confidence.
    pub earliest: Duration,
    /// Most likely; `None` where that is more than a month away.
    pub likely: Option<Duration>,
    /// At the latest, with 95 % confidence; `None` where that is more than a month away, or it may never be.
    pub latest: Option<Duration>,
}

/// What the first part of the samples foretold of the last, and what came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hindsight {
    /// How long before.
    pub ahead: Duration,
    /// What was foretold.
    pub foretold: Estimate,
    /// What came.
    pub came: f64,
}

impl Hindsight {
    /// Whether what came lies within the bounds of what was foretold.
    #[must_use]
    pub fn held(&self) -> bool {
        (self.foretold.low..=self.foretold.high).contains(&self.came)
    }
}

/// Why it is not known where a quantity leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum NoOutlook {
    /// There are too few samples since its rate changed last.
    TooFew,
    /// It does not rise for sure.
    NoRise,
    /// It goes up and down in a wave, and what is beneath that does not rise for sure.
    Wave,
}

/// Two quantities that go together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relation {
    /// The one that goes first, where there is time between them.
    pub leads: Quantity,
    /// The other.
    pub follows: Quantity,
    /// How much of the other comes for each of the first; `None` where one of them is a rate.
    pub each: Option<f64>,
    /// By how long it follows; zero where they go at the same time.
    pub lag: Duration,
    /// How alike they are: Pearson's correlation of their changes, up to 1. Of counts that rise evenly by as many, that
    /// of the counts.
    pub alike: f64,
}
