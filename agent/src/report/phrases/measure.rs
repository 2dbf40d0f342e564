//! The numbers of a finding: how much there is, growth, turnover, score, waits.

use super::{memory, resource};
use crate::model::{Finding, Forecast, Group, Score, Subject, Turnover};
use crate::report::format;

/// How much there is of what a finding is about: `40 goroutines`, `172.0 MiB`.
#[must_use]
pub fn amount(finding: &Finding) -> String {
    match &finding.subject {
        Subject::Goroutines(leak) => format::counted(leak.count, "goroutine", "goroutines"),
        Subject::Memory(memory) => format::bytes(memory.to_bytes),
        Subject::Resource(held) => resource::resources_counted(held.to, held.key.kind),
    }
}

/// The same where goroutines need no name: `40`, `172.0 MiB`.
#[must_use]
pub fn amount_in_brief(finding: &Finding) -> String {
    match &finding.subject {
        Subject::Goroutines(leak) => format::count(leak.count),
        Subject::Memory(memory) => format::bytes(memory.to_bytes),
        Subject::Resource(held) => format::count(held.to),
    }
}

/// How fast it grows: `+50.0/s`, `+1.2 MiB/s`; `None` where that is not known.
#[must_use]
pub fn rate(finding: &Finding) -> Option<String> {
    let per_second = finding.growth?.per_second;
    Some(match &finding.subject {
        Subject::Goroutines(_) | Subject::Resource(_) => format::growth(per_second),
        Subject::Memory(_) => memory::rate(per_second),
    })
}

/// Within which bounds the rate lies with 95 % confidence: `49.1 to 50.9`.
#[must_use]
pub fn growth_interval(finding: &Finding) -> Option<String> {
    let growth = finding.growth?;
    let (low, high) = match &finding.subject {
        Subject::Goroutines(_) | Subject::Resource(_) => {
            (format!("{:.1}", growth.low), format!("{:.1}", growth.high))
        }
        Subject::Memory(_) => (memory::rate(growth.low), memory::rate(growth.high)),
    };
    Some(format!("{low} to {high}"))
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
    let oldest = finding.oldest().filter(|oldest| exact || !oldest.is_zero())?;
    let least = if exact { "" } else { "≥" };
    Some(format!("{least}{}", format::duration(oldest)))
}
