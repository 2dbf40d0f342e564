//! Goroutines that stood at one place for most of the time that anybody looked.

use super::super::case::Case;
use super::super::code::Confidence;
use super::{Detector, Outcome, Scene, found};
use crate::model::text::{count, counted, duration};
use crate::model::{Pattern, Verdict, WaitClass};

/// The same goroutines at the same place through most of the window.
pub(super) struct Stuck;

impl Detector for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let life = &case.life;
        if !can_be_served(case.wait()) || !is_stuck(case, scene) || scene.idle.is_some() {
            return Outcome::Clear;
        }
        found(Verdict::Suspect, life.stuck, says(case))
    }
}

/// So many at one line that no pool would hold them.
pub(super) struct Large;

impl Detector for Large {
    fn name(&self) -> &'static str {
        "large-group"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let life = &case.life;
        let pushes = matches!(
            case.wait(),
            WaitClass::ChanSend | WaitClass::Mutex | WaitClass::RwMutex | WaitClass::Semaphore
        );
        let large = scene.settings.thresholds.large;
        if !pushes || life.stuck < large {
            return Outcome::Clear;
        }
        if !is_stuck(case, scene) {
            return large_at_once(case, large);
        }
        found(
            Verdict::Likely,
            life.stuck,
            format!("{}; that is {} or more", says(case), count(large)),
        )
    }
}

/// What one sample makes of so many whose waits nobody has timed: many senders may meet at one channel
/// for a moment, and many wait for one lock.
fn large_at_once(case: &Case<'_>, large: u64) -> Outcome {
    let apart = case.group.objects >= case.group.count && case.group.count > 1;
    if case.looks > 1 || !apart {
        return Outcome::Clear;
    }
    let says = format!(
        "{} wait here at once, each on an object of its own; that is {} or more, and nothing tells for \
         how long most of them have",
        counted(case.count, "goroutine"),
        count(large)
    );
    found(Verdict::Suspect, case.count, says)
}

/// Stuck at a line whose source shows the mistake.
pub(super) struct Confirmed;

impl Detector for Confirmed {
    fn name(&self) -> &'static str {
        "source"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let hints = &case.hints;
        let shown = match (case.wait(), hints.pattern) {
            (
                WaitClass::ChanSend,
                Some(
                    pattern @ (Pattern::PrematureReturn
                    | Pattern::TimedOutReceiver
                    | Pattern::NCast
                    | Pattern::DoubleSend),
                ),
            ) => pattern,
            (
                WaitClass::Mutex | WaitClass::RwMutex,
                Some(pattern @ (Pattern::SelfDeadlock | Pattern::LockOnEarlyReturn)),
            ) if !case.locks.contradicts_source() => pattern,
            _ => return Outcome::Clear,
        };
        // A lock taken twice on one path needs no knowledge of other files.
        let enough = match shown {
            Pattern::SelfDeadlock => Confidence::Medium,
            _ => Confidence::High,
        };
        if hints.confidence < Some(enough) || !is_stuck(case, scene) {
            return Outcome::Clear;
        }
        let says = format!("{}, and the source shows why: {}", says(case), shown.meaning());
        found(Verdict::Likely, case.life.stuck, says)
    }
}

/// Waiting longer than was set.
pub(super) struct TooLong;

impl Detector for TooLong {
    fn name(&self) -> &'static str {
        "too-long"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let Some(limit) = scene.settings.thresholds.too_long else { return Outcome::Clear };
        match case.oldest {
            Some(oldest) if oldest >= limit && case.wait() != WaitClass::Runtime => found(
                Verdict::Suspect,
                case.count,
                format!(
                    "blocked for {}, longer than the {} set",
                    duration(oldest),
                    duration(limit)
                ),
            ),
            _ => Outcome::Clear,
        }
    }
}

/// Stuck at a function that the user called suspicious.
pub(super) struct Listed;

impl Detector for Listed {
    fn name(&self) -> &'static str {
        "suspicious-pattern"
    }

    fn inspect(&self, case: &Case<'_>, scene: Scene<'_>) -> Outcome {
        let rule = scene.settings.suspicious.iter().find_map(|rule| {
            let function = case.functions().find(|function| rule.matches(function))?;
            Some((rule, function))
        });
        let Some((rule, function)) = rule else { return Outcome::Clear };
        if !case.wait().is_blocked() || !is_stuck(case, scene) {
            return Outcome::Clear;
        }
        let why = rule.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        found(
            Verdict::Suspect,
            case.count,
            format!("{function} is on the list of suspicious functions{why}"),
        )
    }
}

/// Whether somebody else would have to act for the wait to end.
const fn can_be_served(wait: WaitClass) -> bool {
    matches!(
        wait,
        WaitClass::ChanSend
            | WaitClass::ChanReceive
            | WaitClass::Select
            | WaitClass::Cond
            | WaitClass::WaitGroup
            | WaitClass::Semaphore
    )
}

fn is_stuck(case: &Case<'_>, scene: Scene<'_>) -> bool {
    let least = scene.settings.thresholds.stuck_after;
    // One sample counts everybody who waits, however briefly: most of them must have waited so long.
    let most = || case.group.median.is_some_and(|median| median >= least);
    case.life.stuck > 0 && case.life.stuck_for >= least && (case.looks > 1 || most())
}

fn says(case: &Case<'_>) -> String {
    let life = &case.life;
    let have = if life.stuck == 1 { "has" } else { "have" };
    let of =
        if life.stuck == case.count { String::new() } else { format!(" of {}", count(case.count)) };
    if case.looks == 1 {
        let median = case.group.median.unwrap_or_default();
        return format!(
            "half of {} have waited for {} or longer, the longest for {}",
            counted(life.stuck, "goroutine"),
            duration(median),
            duration(life.stuck_for)
        );
    }
    format!(
        "{}{of} {have} not moved through the last two thirds of {:.0} s; the longest for {}",
        counted(life.stuck, "goroutine"),
        case.seconds(),
        duration(life.stuck_for)
    )
}
