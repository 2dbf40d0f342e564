//! How quantities go over time: one analysis for goroutines, bytes, descriptors, rates.
//!
//! Methods are classical ones that hold for ten or thirty samples: slopes between all pairs, change points of a line in
//! pieces, waves by autocorrelation. Where there is too little to tell, nothing is told.

mod correlation;
mod curve;
mod growth;
mod line;
mod outliers;
mod outlook;
mod relations;
mod season;
#[cfg(test)]
mod tests;
mod turns;

pub(super) use curve::Curve;
pub(super) use growth::growth;
pub(super) use outlook::reached;

use crate::model::{Growth, Quantity, QuantityTrend, Relation};

/// Of so many points something can be said to grow.
pub(super) const MIN_POINTS: usize = 5;
/// Smaller parts of the largest of several numbers of bytes are noise: pages that a span more or less takes.
const NOISE: f64 = 1.0 / 256.0;
/// A page, in bytes.
pub(super) const PAGE: f64 = 4096.0;
/// Whole things come and go.
pub(super) const GRAIN_OF_COUNTS: f64 = 1.0;
/// Parts of a processor, and of a creation by the second, that are noise.
pub(super) const GRAIN_OF_RATES: f64 = 0.1;

/// How quantities go of which there is enough to tell, and which go together. `thresholds` are those of goroutines.
pub(super) fn trends(
    curves: Vec<(Quantity, Curve)>,
    thresholds: &[u64],
) -> (Vec<QuantityTrend>, Vec<Relation>) {
    let of = |(quantity, curve): (Quantity, Curve)| {
        let thresholds = if quantity == Quantity::Goroutines { thresholds } else { &[] };
        Some((trend(quantity, &curve, thresholds)?, curve))
    };
    let told: Vec<_> = curves.into_iter().filter_map(of).collect();
    let relations = relations::relations(&told);
    (told.into_iter().map(|(trend, _)| trend).collect(), relations)
}

/// How a quantity goes; `None` for fewer than five points, or no time between them.
fn trend(quantity: Quantity, curve: &Curve, thresholds: &[u64]) -> Option<QuantityTrend> {
    let ((_, from), (_, to)) = curve.ends()?;
    if curve.points().len() < MIN_POINTS {
        return None;
    }
    let grain = if quantity.is_bytes() {
        grain_of_bytes(curve)
    } else if quantity.is_rate() {
        GRAIN_OF_RATES
    } else {
        GRAIN_OF_COUNTS
    };
    let (places, outliers) = outliers::outliers(curve, grain);
    let clean = curve.without(&places);
    let season = season::season(&clean, grain);
    // A wave turns all the time.
    let turn = if season.is_none() { turns::turns(&clean, grain).pop() } else { None };
    let present = turn.map_or_else(|| clean.clone(), |turn| clean.since(turn.at_seconds));
    let growth = growth(&present)?;
    let outlook = outlook::outlook(&present, &growth, season.as_ref(), thresholds);
    Some(QuantityTrend {
        quantity,
        samples: curve.points().len() as u64,
        from,
        to,
        growth: Growth { forecast: None, ..growth },
        turn,
        outliers,
        season,
        outlook,
    })
}

/// What a number of bytes changes by that is no noise.
pub(super) fn grain_of_bytes(curve: &Curve) -> f64 {
    let most = curve.points().iter().map(|point| point.1).fold(0.0, f64::max);
    (most * NOISE).max(PAGE)
}
