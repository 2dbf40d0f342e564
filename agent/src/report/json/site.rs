//! Creation sites, as far as probes watched them.

use super::frame::{frame, stack};
use super::group::interval;
use super::seconds;
use crate::model::{Site, StackTable};
use crate::report::schema::{LifetimesDoc, SiteDoc};

/// A creation site.
pub(super) fn site<'a>(site: &Site, stacks: &'a StackTable) -> SiteDoc<'a> {
    let lifetimes = site.lifetimes.iter().map(|lifetimes| LifetimesDoc {
        below_seconds: seconds(lifetimes.below),
        count: lifetimes.count,
    });
    SiteDoc {
        created_by: site.created_by.map(|id| frame(stacks, id)),
        creation_stack: site.creation_stack.map(|id| stack(stacks, id)),
        started_in: site.started_in.map(|id| frame(stacks, id)),
        created: site.created,
        exited: site.exited,
        created_per_second: site.created_per_second,
        rates_basis: site.rate().map(|rate| rate.basis),
        created_per_second_interval: interval(site.created_interval),
        median_lifetime_seconds: seconds(site.median_lifetime()),
        lifetimes: lifetimes.collect(),
    }
}
