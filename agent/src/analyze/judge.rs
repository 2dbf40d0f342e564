//! The judgement of a window: every case through every detector, and what that makes.

use std::cmp::Reverse;

use super::case::Case;
use super::detect::{self, Found, Outcome, Scene};
use super::settings::Settings;
use super::sources::Sources;
use super::window::{Window, assess};
use super::{cause, classify, hints, idle, lockwait, mend, paths, score, signature};
use crate::model::{
    Assessment, Evidence, Finding, Judgement, Level, LockWait, NotEnough, Turnover, Verdict,
};

/// The assessment of a window with its judgement; `None` while nothing was observed. The same
/// window, settings and sources give the same judgement, always. Source files that it misses it asks
/// for: see [`Sources::take_wanted`].
#[must_use]
pub fn judge(window: &Window, settings: &Settings, sources: &mut Sources) -> Option<Assessment> {
    let mut assessment = assess(window)?;
    let mut judgement = Judgement {
        lock_graph: window.lock_graph().cloned().unwrap_or_default(),
        history: window.totals(),
        hot_paths: paths::hot(&assessment.groups, &assessment.stacks),
        lineage: paths::lineage(&assessment.groups, window.lives()),
        ..Judgement::default()
    };
    let span = assessment.window.duration;
    for case in Case::all(window, &assessment.groups, &assessment.stacks, span) {
        if settings.filter.lets_pass(case.functions()) && may_leak(&case) {
            weigh(case, window, settings, sources, &mut judgement);
        }
    }
    judgement.findings.sort_by(|a, b| {
        let key = |finding: &Finding| (Reverse(finding.verdict), Reverse(finding.score.total()));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    judgement.health =
        score::health(&judgement.findings, assessment.totals.goroutines, &settings.thresholds);
    judgement.level = Level::of(assessment.totals.goroutines, settings.thresholds.goroutines);
    assessment.judgement = Some(judgement);
    Some(assessment)
}

/// Whether there is anything to look at: most groups of a busy server are gone with the next look.
fn may_leak(case: &Case<'_>) -> bool {
    case.life.stuck > 0
        || case.life.survivors() > 0
        || case.life.leaked > 0
        || case.life.before > 0
        || case.life.busy.looks > 1
        || !case.life.known
}

/// Shows a case to every detector, and notes what that makes.
fn weigh(
    mut case: Case<'_>,
    window: &Window,
    settings: &Settings,
    sources: &mut Sources,
    judgement: &mut Judgement,
) {
    // A curve takes a look at every sample, and most cases stand still.
    if case.life.survivors() > 0 || !case.life.known {
        case = case.with_history(window);
    }
    case.hints = hints::of(&case, sources);
    let lock_wait = lockwait::of_group(&judgement.lock_graph, case.group);
    let idle = idle::reason(&case, settings);
    let lock = case.group.object.and_then(|(object, _)| judgement.lock_graph.lock(object));
    let scene = Scene {
        settings,
        lock_wait: &lock_wait,
        lock_passes: lock.is_some_and(|lock| lock.passes),
        idle: idle.as_ref().map(|idle| idle.why.as_str()),
    };
    let mut evidence = Vec::new();
    let mut best: Option<Found> = None;
    for detector in detect::ALL {
        match detector.inspect(&case, scene) {
            Outcome::Clear => {}
            Outcome::NotEnough(reason) => {
                let lack = NotEnough { detector: detector.name().to_owned(), reason };
                if !judgement.not_enough.contains(&lack) {
                    judgement.not_enough.push(lack);
                }
            }
            Outcome::Found(found) => {
                let says = found.says.clone();
                evidence.push(Evidence { detector: detector.name().to_owned(), says });
                if best
                    .as_ref()
                    .is_none_or(|best| (found.verdict, found.count) > (best.verdict, best.count))
                {
                    best = Some(found);
                }
            }
        }
    }
    if let Some(idle) = &idle
        && best.as_ref().is_none_or(|best| idle.clears(best.verdict))
    {
        *judgement.idle.entry(idle.why.clone()).or_default() += case.count;
        return;
    }
    let Some(best) = best else { return };
    if is_in_baseline(&case, settings, best.verdict) {
        *judgement.idle.entry("in the baseline".to_owned()).or_default() += case.count;
        return;
    }
    if case.points.is_empty() {
        case = case.with_history(window);
    }
    judgement.findings.push(finding(case, best, evidence, lock_wait));
}

/// Whether there were as many before.
fn is_in_baseline(case: &Case<'_>, settings: &Settings, verdict: Verdict) -> bool {
    verdict < Verdict::Proven
        && settings
            .baseline
            .get(&case.group.signature)
            .is_some_and(|&before| case.group.count <= before + before / 5)
}

fn finding(
    case: Case<'_>,
    found: Found,
    mut evidence: Vec<Evidence>,
    lock_wait: LockWait,
) -> Finding {
    let history = case.points.iter().map(|&(at, count)| (at, count as u64)).collect();
    let class = classify::class(&case, &lock_wait);
    let pattern = classify::pattern(&case, class, found.verdict, &lock_wait);
    let growth = case.growth;
    let cause = cause::cause(&case, class, pattern, growth.as_ref(), &lock_wait);
    evidence.extend(
        case.hints
            .notes
            .iter()
            .map(|note| Evidence { detector: "source".to_owned(), says: note.clone() }),
    );
    let own = case.hints.mend.as_ref().filter(|_| pattern == case.hints.pattern);
    let turnover = case.left().map(|left| Turnover {
        arrived: case.arrived,
        left,
        survivors: case.life.survivors(),
        stuck: case.life.stuck,
    });
    Finding {
        id: format!("f-{:016x}", signature::hash(&case.group.signature)),
        group: case.groups.first().copied().unwrap_or_default(),
        caused_at: None,
        parts: Vec::new(),
        class,
        verdict: found.verdict,
        score: score::score(&case, class, growth.as_ref()),
        count: found.count,
        proven_count: (case.life.leaked > 0).then_some(case.life.leaked),
        growth,
        turnover,
        history,
        oldest: case.oldest,
        stack_bytes: (case.life.stack_bytes > 0).then_some(case.life.stack_bytes),
        lock_wait,
        pattern,
        cause,
        source: case.hints.snippet.clone(),
        suggestions: mend::suggestions(class, pattern, own),
        evidence,
        groups: case.groups,
    }
}

#[cfg(test)]
mod tests;
