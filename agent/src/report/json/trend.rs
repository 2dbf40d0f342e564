//! How quantities go, where that leads, and which go together.

use super::{seconds, time};
use crate::model::{
    Assessment, Estimate, Hindsight, Outlook, QuantityTrend, Relation, Threshold, Usual, WindowSpan,
};
use crate::report::schema::{
    EstimateDoc, HindsightDoc, OutlierDoc, OutlookDoc, QuantityTrendDoc, RelationDoc, SeasonDoc,
    ThresholdDoc, UsualDoc,
};

pub(super) fn trend(trend: &QuantityTrend, window: &WindowSpan) -> QuantityTrendDoc {
    let growth = &trend.growth;
    let outliers = trend.outliers.iter().map(|it| OutlierDoc {
        seconds: it.at_seconds,
        value: it.value,
        expected: it.expected,
    });
    QuantityTrendDoc {
        quantity: trend.quantity,
        samples: trend.samples,
        from: trend.from,
        to: trend.to,
        per_second: growth.per_second,
        low: growth.low,
        high: growth.high,
        pattern: growth.pattern,
        since_seconds: trend.turn.map(|turn| turn.at_seconds),
        since: trend.turn.and_then(|turn| time(window.moment(turn.at_seconds))),
        before_per_second: trend.turn.map(|turn| turn.before_per_second),
        outliers: outliers.collect(),
        season: trend.season.map(|season| SeasonDoc {
            period_seconds: season.period.as_secs_f64(),
            height: season.height,
            beneath_per_second: estimate(season.beneath),
        }),
        outlook: trend.outlook.ok().map(outlook),
        no_outlook: trend.outlook.err(),
    }
}

pub(super) fn relation(relation: &Relation) -> RelationDoc {
    let Relation { leads, follows, each, lag, alike } = *relation;
    RelationDoc { leads, follows, each, lag_seconds: lag.as_secs_f64(), alike }
}

pub(super) fn usual(usual: &Usual) -> UsualDoc {
    let Usual { quantity, low, high, samples, now, is_above } = *usual;
    UsualDoc { quantity, low, high, samples, now, is_above }
}

/// What there is far more of than usual.
#[must_use]
pub fn unusual(assessment: &Assessment) -> Vec<UsualDoc> {
    let all = assessment.judgement.iter().flat_map(|judgement| &judgement.usual);
    all.filter(|it| it.is_above).map(usual).collect()
}

fn outlook(outlook: Outlook) -> OutlookDoc {
    let threshold = |Threshold { at, reached }: Threshold| ThresholdDoc {
        at,
        reached_in_seconds: reached.earliest.as_secs_f64(),
        reached_in_seconds_likely: seconds(reached.likely),
        reached_in_seconds_at_most: seconds(reached.latest),
    };
    let hindsight = |it: Hindsight| HindsightDoc {
        ahead_seconds: it.ahead.as_secs_f64(),
        foretold: estimate(it.foretold),
        came: it.came,
        held: it.held(),
    };
    OutlookDoc {
        in_1h: estimate(outlook.in_1h),
        threshold: outlook.threshold.map(threshold),
        hindsight: outlook.hindsight.map(hindsight),
    }
}

const fn estimate(Estimate { likely, low, high }: Estimate) -> EstimateDoc {
    EstimateDoc { likely, low, high }
}
