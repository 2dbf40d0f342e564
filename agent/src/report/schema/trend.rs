//! How the quantities of a process go, where that leads, and which go together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{GrowthPattern, NoOutlook, Quantity};

/// How a quantity goes over the window. Values are goroutines, goroutines/s (`created`), bytes (`live-heap`,
/// `resident`), descriptors or processors (`cpu`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuantityTrendDoc {
    /// Which. More may come within v1.
    pub quantity: Quantity,
    /// Samples that it is told by. Of the live heap: collections.
    ///
    /// Unit: samples.
    pub samples: u64,
    /// At first.
    ///
    /// Unit: that of the quantity.
    pub from: f64,
    /// At last.
    ///
    /// Unit: that of the quantity.
    pub to: f64,
    /// Change by the second since `since_seconds`, outliers left out: the median of the slopes between all pairs of
    /// samples (Theil-Sen).
    ///
    /// Unit: that of the quantity, per second.
    pub per_second: f64,
    /// With 95 % confidence it is at least this.
    ///
    /// Unit: that of the quantity, per second.
    pub low: f64,
    /// With 95 % confidence it is at most this.
    ///
    /// Unit: that of the quantity, per second.
    pub high: f64,
    /// Its shape since then.
    pub pattern: GrowthPattern,
    /// When its rate changed last, after the first observation.
    ///
    /// Unit: s. Null: it did not for sure.
    pub since_seconds: Option<f64>,
    /// The same by the clock, as RFC 3339 in UTC.
    ///
    /// Null: as above, or the time is out of range.
    pub since: Option<String>,
    /// Change by the second before that.
    ///
    /// Unit: that of the quantity, per second. Null: as above.
    pub before_per_second: Option<f64>,
    /// Samples that stand apart from those before and after, and count for nothing here.
    pub outliers: Vec<OutlierDoc>,
    /// The wave that it goes in.
    ///
    /// Null: none, or fewer than three periods of it were seen.
    pub season: Option<SeasonDoc>,
    /// Where it leads if nothing changes.
    ///
    /// Null: `no_outlook` says why.
    pub outlook: Option<OutlookDoc>,
    /// Why it is not known where it leads.
    ///
    /// Null: it is known.
    pub no_outlook: Option<NoOutlook>,
}

/// A sample that stands apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutlierDoc {
    /// When, after the first observation.
    ///
    /// Unit: s.
    pub seconds: f64,
    /// What there was.
    ///
    /// Unit: that of the quantity.
    pub value: f64,
    /// What the line between its neighbours makes of it.
    ///
    /// Unit: that of the quantity.
    pub expected: f64,
}

/// A wave: what comes back after the same time, three times at least in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeasonDoc {
    /// After this time.
    ///
    /// Unit: s.
    pub period_seconds: f64,
    /// From its lowest to its highest.
    ///
    /// Unit: that of the quantity.
    pub height: f64,
    /// The change by the second from period to period.
    pub beneath_per_second: EstimateDoc,
}

/// What is likely, and within which bounds it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EstimateDoc {
    /// What is likely.
    ///
    /// Unit: that of the field.
    pub likely: f64,
    /// At least this.
    ///
    /// Unit: that of the field.
    pub low: f64,
    /// At most this.
    ///
    /// Unit: that of the field.
    pub high: f64,
}

/// Where a quantity leads that rises for sure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutlookDoc {
    /// How much there is in an hour.
    pub in_1h: EstimateDoc,
    /// The next threshold, and when it is reached.
    ///
    /// Null: it has none above, or that is more than a month away. (Limits are in `memory` and `resources`.)
    pub threshold: Option<ThresholdDoc>,
    /// How far off a forecast of the last samples would have been by those before.
    ///
    /// Null: there are too few samples to hold some back.
    pub hindsight: Option<HindsightDoc>,
}

/// A threshold, and when it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdDoc {
    /// So much.
    ///
    /// Unit: that of the quantity.
    pub at: u64,
    /// When at the earliest, with 95 % confidence.
    ///
    /// Unit: s.
    pub reached_in_seconds: f64,
    /// When most likely.
    ///
    /// Unit: s. Null: that is more than a month away.
    pub reached_in_seconds_likely: Option<f64>,
    /// When at the latest, with 95 % confidence.
    ///
    /// Unit: s. Null: as above, or it may never be.
    pub reached_in_seconds_at_most: Option<f64>,
}

/// What the first part of the samples foretold of the last, and what came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HindsightDoc {
    /// How long before.
    ///
    /// Unit: s.
    pub ahead_seconds: f64,
    /// What was foretold.
    pub foretold: EstimateDoc,
    /// What came.
    ///
    /// Unit: that of the quantity.
    pub came: f64,
    /// Whether that lies within the bounds.
    pub held: bool,
}

/// Two quantities that go together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelationDoc {
    /// The one that goes first, where there is time between them.
    pub leads: Quantity,
    /// The other.
    pub follows: Quantity,
    /// How much of the other comes for each of the first.
    ///
    /// Unit: that of the other. Null: one of them is a rate.
    pub each: Option<f64>,
    /// By how long it follows; 0 where they go at the same time.
    ///
    /// Unit: s.
    pub lag_seconds: f64,
    /// How alike they are: Pearson's correlation of their changes, up to 1. Of counts that rise evenly by as many, that
    /// of the counts.
    ///
    /// Unit: ratio.
    pub alike: f64,
}

/// What is usual of a quantity, by what `--state` remembers of earlier samples, and what there is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsualDoc {
    /// Which.
    pub quantity: Quantity,
    /// Nine in ten samples were from here.
    ///
    /// Unit: that of the quantity.
    pub low: f64,
    /// To here.
    ///
    /// Unit: that of the quantity.
    pub high: f64,
    /// By how many samples that is known.
    ///
    /// Unit: samples.
    pub samples: u64,
    /// What there is.
    ///
    /// Unit: that of the quantity.
    pub now: f64,
    /// Whether that is far more than usual.
    pub is_above: bool,
}
