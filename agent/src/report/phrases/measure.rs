//! The numbers of a finding: growth, turnover, score, waits.

use crate::model::{Finding, Forecast, Group, Growth, Score, Turnover};
use crate::report::format;

/// `+50.0/s (49.1 to 50.9), linear`.
#[must_use]
pub fn growth(growth: &Growth) -> String {
    format!(
        "{} ({:.1} to {:.1}), {}",
        format::growth(growth.per_second),
        growth.low,
        growth.high,
        growth.pattern.name(),
    )
}

/// `182,189 in an hour (180,000 to 184,000)`.
#[must_use]
pub fn forecast(forecast: &Forecast) -> String {
    let Forecast { in_1h, low, high } = *forecast;
    let [in_1h, low, high] = [in_1h, low, high].map(format::count);
    format!("{in_1h} in an hour ({low} to {high})")
}

/// `100 came, 0 left; 4 stood still all the while`.
#[must_use]
pub fn turnover(turnover: &Turnover) -> String {
    let Turnover { arrived, left, stuck, .. } = *turnover;
    let [arrived, left, stuck] = [arrived, left, stuck].map(format::count);
    format!("{arrived} came, {left} left; {stuck} stood still all the while")
}

/// The parts of a score with the most that each can be, in their order in the schema.
#[must_use]
pub const fn score_parts(score: Score) -> [(&'static str, u8, u8); 5] {
    [
        ("memory", score.memory, 25),
        ("count", score.count, 20),
        ("growth", score.growth, 25),
        ("blocking", score.blocking, 20),
        ("scheduler", score.scheduler, 10),
    ]
}

/// For how long the longest has been blocked: `≥44.1s` unless a probe saw its beginning. "At least
/// nothing" says nothing, and is `None`.
#[must_use]
pub fn oldest(finding: &Finding, group: Option<&Group>) -> Option<String> {
    let exact = group.is_some_and(|group| group.exact);
    let oldest = finding.goroutines().oldest.filter(|oldest| exact || !oldest.is_zero())?;
    let least = if exact { "" } else { "≥" };
    Some(format!("{least}{}", format::duration(oldest)))
}
