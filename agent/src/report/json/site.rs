//! Creation sites, as far as probes watched them.

use std::time::Duration;

use serde::Serialize;
use serde::ser::Serializer;

use super::frame::{FrameDoc, StackDoc};
use crate::model::{Site, StackTable};

/// All creation sites of an assessment.
pub(super) struct Sites<'a>(pub(super) &'a [Site], pub(super) &'a StackTable);

impl Serialize for Sites<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|site| SiteDoc::new(site, self.1)))
    }
}

#[derive(Serialize)]
struct SiteDoc<'a> {
    created_by: Option<FrameDoc<'a>>,
    creation_stack: Option<StackDoc<'a>>,
    /// The function that goroutines from here start in.
    started_in: Option<FrameDoc<'a>>,
    created: u64,
    exited: u64,
    created_per_second: Option<f64>,
    rates_basis: Option<&'static str>,
    /// An estimate's 95 % interval.
    created_per_second_interval: Option<(f64, f64)>,
    /// Half of those whose whole life was seen lived for less than this.
    median_lifetime_seconds: Option<f64>,
    lifetimes: Vec<LifetimesDoc>,
}

#[derive(Serialize)]
struct LifetimesDoc {
    /// Null for no end.
    below_seconds: Option<f64>,
    count: u64,
}

impl<'a> SiteDoc<'a> {
    fn new(site: &Site, stacks: &'a StackTable) -> Self {
        let lifetimes = site.lifetimes.iter().map(|lifetimes| LifetimesDoc {
            below_seconds: lifetimes.below.as_ref().map(Duration::as_secs_f64),
            count: lifetimes.count,
        });
        Self {
            created_by: site.created_by.map(|frame| FrameDoc::new(stacks, frame)),
            creation_stack: site.creation_stack.map(|stack| StackDoc(stack, stacks)),
            started_in: site.started_in.map(|frame| FrameDoc::new(stacks, frame)),
            created: site.created,
            exited: site.exited,
            created_per_second: site.created_per_second,
            rates_basis: site.rate().map(|rate| rate.basis.name()),
            created_per_second_interval: site.created_interval,
            median_lifetime_seconds: site.median_lifetime().as_ref().map(Duration::as_secs_f64),
            lifetimes: lifetimes.collect(),
        }
    }
}
