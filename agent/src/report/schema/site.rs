//! Creation sites, as far as probes watched them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::{FrameDoc, StackFrameDoc};
use super::group::Interval;
use crate::model::RateBasis;

/// A `go` statement, and what probes saw of the goroutines that it created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SiteDoc<'a> {
    /// The `go` statement.
    ///
    /// Null: it could not be read.
    pub created_by: Option<FrameDoc<'a>>,
    /// The whole stack of the first creator seen, innermost frame first.
    ///
    /// Null: it could not be read.
    pub creation_stack: Option<Vec<StackFrameDoc<'a>>>,
    /// The function that goroutines from here start in.
    ///
    /// Null: it is not known.
    pub started_in: Option<FrameDoc<'a>>,
    /// Goroutines seen to be created here.
    ///
    /// Unit: goroutines.
    pub created: u64,
    /// Goroutines from here that were seen to end.
    ///
    /// Unit: goroutines.
    pub exited: u64,
    /// Goroutines created here, over the time that creations were watched.
    ///
    /// Unit: goroutines/s. Null: creations were not watched.
    pub created_per_second: Option<f64>,
    /// How that rate is known.
    ///
    /// Null: there is no rate.
    pub rates_basis: Option<RateBasis>,
    /// The 95 % interval of an estimated rate.
    ///
    /// Unit: goroutines/s. Null: the rate is no estimate.
    pub created_per_second_interval: Option<Interval>,
    /// Half of those whose whole life was seen lived for less than this.
    ///
    /// Unit: s. Null: nobody's whole life was seen, or half of them lived longer than the last bound.
    pub median_lifetime_seconds: Option<f64>,
    /// How long those lived whose whole life was seen, shortest first.
    pub lifetimes: Vec<LifetimesDoc>,
}

/// Goroutines that lived for about the same time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LifetimesDoc {
    /// They lived for less than this, and at least for what the entry before says.
    ///
    /// Unit: s. Null: no upper bound.
    pub below_seconds: Option<f64>,
    /// How many.
    ///
    /// Unit: goroutines.
    pub count: u64,
}
