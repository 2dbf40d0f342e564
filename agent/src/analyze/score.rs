//! The impact score of a finding, in five parts, and the health of a process.

use super::case::Case;
use super::settings::Thresholds;
use crate::model::{CauseClass, Finding, Growth, Rise, Score, Severity, Verdict};

/// What a case costs.
pub(super) fn score(case: &Case<'_>, class: CauseClass, growth: Option<&Growth>) -> Score {
    Score {
        memory: memory(case.life.stack_bytes.unwrap_or(0) + case.life.kept_bytes.unwrap_or(0)),
        count: part(5.0 * (case.count as f64).log10(), 1, 20),
        growth: growth.map_or(0, rising),
        blocking: blocking(case, class),
        scheduler: scheduler(case, class),
    }
}

/// What memory costs that grows: `limit` is the part of the tightest limit that is used, from 0 to 1.
pub(super) fn of_memory(bytes: u64, per_second: f64, limit: Option<f64>) -> Score {
    let near = limit.map_or(0, |used| part(25.0 * used, 0, 25));
    let in_mib = per_second * 3600.0 / f64::from(1 << 20);
    Score {
        memory: memory(bytes).max(near),
        growth: if in_mib < 1.0 { 0 } else { part(5.0 * in_mib.log10(), 1, 25) },
        ..Score::default()
    }
}

/// What things cost that pile up, `used` being the part of their limit that is used, from 0 to 1: without what
/// the limit allows nothing goes on.
pub(super) fn of_resources(count: u64, growth: Option<&Growth>, used: Option<f64>) -> Score {
    Score {
        count: part(5.0 * (count.max(1) as f64).log10(), 1, 20),
        growth: growth.map_or(0, rising),
        blocking: used.map_or(0, |used| part(20.0 * used, 0, 20)),
        ..Score::default()
    }
}

/// A part of the score between its bounds.
fn part(points: f64, least: u8, most: u8) -> u8 {
    // Casts of floats saturate; what is no number is 0.
    (points.round() as u8).clamp(least, most)
}

/// 3 points for 1 MiB, 9 for 10, 17 for 100, 25 for 1 GiB.
fn memory(bytes: u64) -> u8 {
    let mib = bytes as f64 / f64::from(1 << 20);
    part(2.5 * (1.0 + mib).log2(), 0, 25)
}

/// By how many more there will be in an hour: 9 points for 60, 18 for 3,600, 25 for 100,000.
fn rising(growth: &Growth) -> u8 {
    let rises = growth.pattern.rises();
    let an_hour = growth.per_second * 3600.0;
    if !rises || an_hour < 1.0 { 0 } else { part(5.0 * an_hour.log10(), 1, 25) }
}

/// How much others are held up.
fn blocking(case: &Case<'_>, class: CauseClass) -> u8 {
    let waiters = case.group.object_waiters.max(1) as f64;
    let shared = 3.0 * waiters.log10();
    let base = match class {
        CauseClass::DeadlockCycle => 14.0,
        CauseClass::Mutex | CauseClass::Rwmutex => 10.0,
        CauseClass::RuntimeInternal => 12.0,
        CauseClass::Waitgroup | CauseClass::Cond => 5.0,
        CauseClass::ChannelSend | CauseClass::SyscallOrCgo => 4.0,
        CauseClass::NetworkIo | CauseClass::ChannelReceive | CauseClass::Select => 2.0,
        _ => 1.0,
    };
    part(base + shared, 0, 20)
}

/// What runs, or wakes again and again, costs the scheduler; a syscall costs a thread.
fn scheduler(case: &Case<'_>, class: CauseClass) -> u8 {
    let many = (case.count as f64).log10();
    match class {
        CauseClass::Loop => part(6.0 + 2.0 * many, 6, 10),
        CauseClass::SyscallOrCgo => part(2.0 + 3.0 * many, 2, 10),
        CauseClass::Timer => part(1.0 + 2.0 * many, 1, 8),
        _ => part(many, 0, 3),
    }
}

/// What a rise costs of which findings make up less than half.
const fn unexplained(rise: &Rise) -> u32 {
    if rise.explained < rise.unexplained { 5 } else { 0 }
}

/// How well a process is: 100 less what each finding takes, and less for very many goroutines.
pub(super) fn health(
    findings: &[Finding],
    rise: Option<&Rise>,
    goroutines: u64,
    thresholds: &Thresholds,
) -> u8 {
    let mut lost: u32 = 0;
    let mut suspects: u32 = 0;
    for finding in findings {
        match (finding.verdict, finding.severity()) {
            (Verdict::Suspect, _) => suspects += 2,
            (_, Severity::Critical) => lost += 50,
            (_, Severity::High) => lost += 35,
            (_, Severity::Medium) => lost += 20,
            (_, Severity::Low) => lost += 10,
        }
    }
    lost += rise.map_or(0, unexplained);
    let [moderate, high, critical] = thresholds.goroutines;
    lost += suspects.min(10);
    lost += match goroutines {
        many if many >= critical => 25,
        many if many >= high => 15,
        many if many >= moderate => 5,
        _ => 0,
    };
    100_u8.saturating_sub(u8::try_from(lost).unwrap_or(u8::MAX))
}
