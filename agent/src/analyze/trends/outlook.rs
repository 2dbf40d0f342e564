//! Where a quantity leads: a forecast within bounds, what it would have been worth before, and when a limit is
//! reached.

use std::time::Duration;

use super::curve::Curve;
use super::growth::{HOUR, growth};
use super::line::Line;
use super::{MIN_POINTS, outliers, turns};
use crate::model::{
    Estimate, Growth, GrowthPattern, Hindsight, NoOutlook, Outlook, Reached, Season, Threshold,
};

/// The part of the samples that is held back to see how far off a forecast of them is.
const HELD_BACK: usize = 4;

/// Where a curve leads that has its outliers taken out and begins with its last turn.
pub(super) fn outlook(
    curve: &Curve,
    growth: &Growth,
    season: Option<&Season>,
    thresholds: &[u64],
) -> Result<Outlook, NoOutlook> {
    if curve.points().len() < MIN_POINTS {
        return Err(NoOutlook::TooFew);
    }
    if season.is_some_and(|season| season.beneath.low <= 0.0) {
        return Err(NoOutlook::Wave);
    }
    if !rises(growth) {
        return Err(NoOutlook::NoRise);
    }
    let line = Line::through(curve.points(), growth).ok_or(NoOutlook::TooFew)?;
    let now = curve.points().last().map_or(0.0, |last| last.1);
    let next = thresholds.iter().copied().filter(|at| *at as f64 > now).min();
    let threshold = next.and_then(|at| {
        Some(Threshold { at, reached: reached_by(curve, growth, at as f64 - now)? })
    });
    let in_1h = line.ahead(HOUR);
    let in_1h = Estimate { low: in_1h.low.max(0.0), ..in_1h };
    Ok(Outlook { in_1h, threshold, hindsight: hindsight(curve) })
}

/// Whether it becomes more for sure, and goes on to.
pub(super) fn rises(growth: &Growth) -> bool {
    growth.pattern.rises() && growth.low > 0.0
}

/// What all but the last points foretold of the last one.
fn hindsight(curve: &Curve) -> Option<Hindsight> {
    let held_back = curve.points().len() / HELD_BACK;
    let known = curve.without_last(held_back);
    if known.points().len() < MIN_POINTS || held_back == 0 {
        return None;
    }
    let line = Line::through(known.points(), &growth(&known)?)?;
    let (_, last) = curve.ends()?;
    let ahead = last.0 - known.ends()?.1.0;
    Some(Hindsight {
        ahead: Duration::try_from_secs_f64(ahead).ok()?,
        foretold: line.ahead(ahead),
        came: last.1,
    })
}

/// When there is so much more than there is now, by how the curve goes since its last turn; `None` where it does not
/// rise since then, or that is far away. `grain` is the least that the quantity changes by.
pub(in crate::analyze) fn reached(curve: &Curve, grain: f64, left: f64) -> Option<Reached> {
    let present = present(curve, grain);
    let rise = growth(&present).filter(rises)?;
    reached_by(&present, &rise, left)
}

/// The part of a curve that what comes is told by: since its last turn, without outliers.
fn present(curve: &Curve, grain: f64) -> Curve {
    let clean = curve.without(&outliers::outliers(curve, grain).0);
    let turn = turns::turns(&clean, grain).pop();
    turn.map_or_else(|| clean.clone(), |turn| clean.since(turn.at_seconds))
}

fn reached_by(curve: &Curve, growth: &Growth, left: f64) -> Option<Reached> {
    let straight = Line::through(curve.points(), growth)?.reached(left);
    if growth.pattern != GrowthPattern::Exponential {
        return straight;
    }
    // What doubles and doubles is there sooner than the line says, if it goes on to.
    let doubled = Curve::through(curve.points().iter().map(|&(at, much)| (at, much.max(1.0).ln())));
    let now = curve.points().last()?.1.max(1.0);
    let line = Line::through(doubled.points(), &self::growth(&doubled)?)?;
    let sooner = line.reached(((now + left) / now).ln());
    match (sooner, straight) {
        (Some(sooner), straight) => {
            Some(Reached { latest: straight.and_then(|it| it.latest).max(sooner.latest), ..sooner })
        }
        (None, straight) => straight,
    }
}
