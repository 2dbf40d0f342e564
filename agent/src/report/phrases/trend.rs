//! How quantities go over a window, in words: since when, where that leads, how far off that may be.

use super::{memory, reached};
use crate::model::{
    Estimate, Hindsight, Judgement, Outlook, Quantity, QuantityTrend, Relation, Season, Usual,
    WindowSpan,
};
use crate::report::{format, json};

/// How each quantity goes of which there is something to tell, a sentence each. Without `details` what is
/// steady is left out, and how far off each figure may be.
#[must_use]
pub fn trends(trends: &[QuantityTrend], window: &WindowSpan, details: bool) -> Vec<String> {
    let is_told = |trend: &&QuantityTrend| {
        let leads = trend.outlook.is_ok() && !trend.quantity.is_rate();
        details || leads || trend.season.is_some()
    };
    trends.iter().filter(is_told).map(|it| trend(it, window, details)).collect()
}

/// `goroutines +10.0/s, linear, since 08:00:05 UTC; 36,000 in an hour; 1,000 in 53.0s (50.0s to 56.0s)`; with details
/// `goroutines +10.0/s (+9.8/s to +10.2/s), linear, since 08:00:05 UTC, 0/s before; 36,000 in an hour (…)`.
fn trend(trend: &QuantityTrend, window: &WindowSpan, details: bool) -> String {
    let quantity = trend.quantity;
    let growth = &trend.growth;
    let [per_second, low, high] =
        [growth.per_second, growth.low, growth.high].map(|it| change(quantity, it));
    let mut text = format!("{} {per_second}", name(quantity));
    if details {
        text.push_str(&format!(" ({low} to {high})"));
    }
    text.push_str(&format!(", {}", growth.pattern.name()));
    if let (Some(since), Some(turn)) = (since(trend, window), trend.turn) {
        text.push_str(&format!(", {since}"));
        if details {
            text.push_str(&format!(", {} before", change(quantity, turn.before_per_second)));
        }
    }
    if let Some(season) = &trend.season {
        text.push_str(&format!("; {}", wave(quantity, season)));
    }
    if let Ok(outlook) = &trend.outlook
        && !quantity.is_rate()
    {
        text.push_str(&format!("; {}", leads(quantity, outlook, details)));
    }
    match trend.outliers.len() {
        _ if !details => {}
        0 => {}
        1 => text.push_str("; one sample stands apart and is left out"),
        several => text.push_str(&format!("; {several} samples stand apart and are left out")),
    }
    text
}

/// `since 08:00:05 UTC`; `None` where the rate has not changed within the window.
#[must_use]
pub fn since(trend: &QuantityTrend, window: &WindowSpan) -> Option<String> {
    let moment = window.moment(trend.turn?.at_seconds);
    let time = json::time(moment)?;
    Some(format!("since {}", format::clock(&time, window.duration)))
}

/// `up and down by 200 every 10.0s, 0/s beneath`.
fn wave(quantity: Quantity, season: &Season) -> String {
    format!(
        "up and down by {} every {}, {} beneath",
        value(quantity, season.height),
        format::duration(season.period),
        change(quantity, season.beneath.likely)
    )
}

fn leads(quantity: Quantity, outlook: &Outlook, details: bool) -> String {
    let mut in_1h = format!("{} in an hour", value(quantity, outlook.in_1h.likely));
    if details {
        in_1h.push_str(&format!(" ({})", bounds(quantity, outlook.in_1h)));
    }
    let mut parts = vec![in_1h];
    if let Some(threshold) = &outlook.threshold {
        let at = format::count(threshold.at);
        parts.push(format!("{at} {}", reached::reached(&threshold.reached)));
    }
    let hindsights = outlook.hindsight.as_ref().filter(|_| details);
    parts.extend(hindsights.map(|it| hindsight(quantity, it)));
    parts.join("; ")
}

/// `the last 6.0s were foretold at 950 (900 to 1,000) and came to 960`.
fn hindsight(quantity: Quantity, hindsight: &Hindsight) -> String {
    let outside = if hindsight.held() { "" } else { ", outside of it" };
    format!(
        "of the last {} {} was foretold ({}) and {} came{outside}",
        format::duration(hindsight.ahead),
        value(quantity, hindsight.foretold.likely),
        bounds(quantity, hindsight.foretold),
        value(quantity, hindsight.came)
    )
}

fn bounds(quantity: Quantity, Estimate { low, high, .. }: Estimate) -> String {
    format!("{} to {}", value(quantity, low), value(quantity, high))
}

/// What goes together: `descriptors rise with goroutines, 1.0 for each (correlation 0.99)`; empty where nothing
/// does.
#[must_use]
pub fn relations(relations: &[Relation]) -> Vec<String> {
    let relation = |it: &Relation| {
        let (leads, follows) = (name(it.leads), name(it.follows));
        let (verb, beside) = match it.follows {
            Quantity::Goroutines | Quantity::Descriptors | Quantity::Created => {
                ("rise with", "follow")
            }
            Quantity::LiveHeap | Quantity::Resident | Quantity::Cpu => ("rises with", "follows"),
        };
        let how = match it.lag.is_zero() {
            true => format!("{follows} {verb} {leads}"),
            false => format!("{follows} {beside} {leads} after {}", format::duration(it.lag)),
        };
        // How many goroutines there are for each byte tells nobody anything.
        let each = it.each.filter(|_| !it.leads.is_bytes()).map(|each| {
            let each = match it.follows.is_bytes() {
                true => value(it.follows, each),
                false => format!("{each:.1}"),
            };
            format!(", {each} for each")
        });
        format!("{how}{} (correlation {:.2})", each.unwrap_or_default(), it.alike)
    };
    relations.iter().map(relation).collect()
}

/// What is usual, and what there is: `goroutines 412, usually 40 to 60 (3,120 samples)`.
#[must_use]
pub fn usual(usual: &Usual) -> String {
    let Usual { quantity, low, high, samples, now, .. } = *usual;
    format!(
        "{} {}, usually {} to {} ({})",
        name(quantity),
        value(quantity, now),
        value(quantity, low),
        value(quantity, high),
        format::counted(samples, "sample", "samples")
    )
}

/// The same of all that there is far more of than usual.
#[must_use]
pub fn unusual(judgement: &Judgement) -> Vec<String> {
    judgement.usual.iter().filter(|it| it.is_above).map(usual).collect()
}

const fn name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Goroutines => "goroutines",
        Quantity::Created => "goroutines created",
        Quantity::LiveHeap => "the live heap",
        Quantity::Resident => "resident memory",
        Quantity::Descriptors => "descriptors",
        Quantity::Cpu => "CPU use",
    }
}

/// So much of a quantity; what is below 0 is none.
fn value(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Goroutines | Quantity::Descriptors => {
            format::count(value.max(0.0).round() as u64)
        }
        Quantity::LiveHeap | Quantity::Resident => format::bytes(value.max(0.0) as u64),
        Quantity::Created => format!("{value:.1}/s"),
        Quantity::Cpu => format!("{value:.2} CPUs"),
    }
}

/// A change by the second.
fn change(quantity: Quantity, per_second: f64) -> String {
    match quantity.is_bytes() {
        true => memory::rate(per_second),
        false => format::growth(per_second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::judged;

    #[test]
    fn a_trend_says_since_when_and_where_it_leads() {
        let assessment = judged::assessment(vec![judged::leak()]);
        let judgement = assessment.judgement.expect("it is judged");
        assert_eq!(
            trends(&judgement.trends, &assessment.window, false),
            [
                "goroutines +18.0/s, linear, since 08:00:01 UTC; 64,840 in an hour; 1,000 in 53.0s (50.0s to 56.0s)"
            ]
        );
        let all = trends(&judgement.trends, &assessment.window, true);
        assert_eq!(all.len(), 2);
        assert_eq!(
            all[0],
            "goroutines +18.0/s (+17.2/s to +18.8/s), linear, since 08:00:01 UTC, 0/s before; 64,840 in an hour (61,960 \
             to 67,720); 1,000 in 53.0s (50.0s to 56.0s); of the last 1.0s 44 was foretold (40 to 48) and 45 came; one \
             sample stands apart and is left out"
        );
        assert_eq!(unusual(&judgement), ["goroutines 45, usually 4 to 6 (900 samples)"]);
        assert_eq!(
            relations(&judgement.relations),
            ["the live heap follows goroutines after 2.0s, 4.1 KiB for each (correlation 0.97)"]
        );
    }
}
