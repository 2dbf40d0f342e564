//! Goroutines that leak: every case through every detector, and what that makes.

use super::accounts::{Accounts, Entry, Fate};
use super::case::Case;
use super::caused::{CauseLine, Causes};
use super::code_files::CodeFiles;
use super::detect::{self, Found, Outcome, Scene, growth};
use super::investigate::{Candidates, Context, Investigate};
use super::join::{self, Draft};
use super::settings::Settings;
use super::window::Window;
use super::{
    cause, classify, contention, examine, fix, idle, not_closed, relocks, score, signature,
    verdicts,
};
use crate::model::{
    Assessment, CauseBasis, Evidence, Finding, FrameId, GoroutineLeak, IdleReason, Ignored,
    Judgement, LockGraph, NoLeak, NotAnalysed, NotEnough, Subject, Turnover, Verdict, WaitClass,
    function,
};

/// The investigation, and what it is told of all goroutines.
#[derive(Default)]
pub(super) struct GoroutineLeaks {
    /// What became of every goroutine.
    accounts: Accounts,
    /// Who waits for whose lock, with what the code confirms.
    lock_graph: LockGraph,
}

impl Investigate for GoroutineLeaks {
    fn candidates(&mut self, context: Context<'_>, files: &mut CodeFiles) -> Candidates {
        let Context { window, assessment, settings } = context;
        let span = assessment.window.duration;
        let causes =
            Causes::new(&assessment.stacks, &assessment.groups, window.lives(), &assessment.sites);
        let mut drafts = Vec::new();
        let mut cases = Case::all(window, &assessment.groups, &assessment.stacks, span);
        let is_asked =
            |case: &Case<'_>| may_leak(case) && settings.filter.lets_pass(case.functions());
        let unread = examine::read(&mut cases, is_asked, files);
        let mut not_enough: Vec<NotEnough> = unread.lack().into_iter().collect();
        self.lock_graph = window.lock_graph().cloned().unwrap_or_default();
        relocks::confirm(&mut cases, &mut self.lock_graph);
        let common = Common { context, causes: &causes, cycles: self.lock_graph.all_cycles() };
        for case in cases {
            let mut entry = Entry {
                groups: case.groups.clone(),
                count: case.count,
                more: case.count.saturating_sub(case.at_first),
                fate: Fate::NotAnalysed(NotAnalysed::Filtered),
                no_leak: NoLeak::Unremarkable,
            };
            if settings.filter.lets_pass(case.functions()) {
                let (weighed, no_leak) = weigh(case, common, &mut not_enough);
                entry.no_leak = no_leak;
                entry.fate = match weighed {
                    Weighed::Found(draft) => {
                        let found = draft.found.count;
                        drafts.push(*draft);
                        Fate::Found(found)
                    }
                    Weighed::Ignored(why) => Fate::Ignored(why),
                    Weighed::Unremarkable => Fate::NotAnalysed(NotAnalysed::Unremarkable),
                };
            }
            self.accounts.add(entry);
        }
        let drafts = join::join(drafts).into_iter();
        let mut findings: Vec<Finding> = drafts.map(|draft| finding(draft, files)).collect();
        for finding in &mut findings {
            finding.evidence.extend(contended(finding, assessment));
            collected(finding, window);
        }
        Candidates { findings, not_enough }
    }

    fn account(&mut self, judgement: &mut Judgement) {
        judgement.lock_graph = std::mem::take(&mut self.lock_graph);
        (judgement.idle, judgement.not_analysed) = self.accounts.sums();
        judgement.idle_groups = self.accounts.idle_groups();
        judgement.rise = self.accounts.rise(&judgement.history, &judgement.findings);
    }
}

/// What is the same for all cases.
#[derive(Clone, Copy)]
struct Common<'a> {
    context: Context<'a>,
    causes: &'a Causes<'a>,
    /// How many separate deadlock cycles there are in the process.
    cycles: u64,
}

/// What came of a case.
enum Weighed<'a> {
    Found(Box<Draft<'a>>),
    Ignored(Ignored),
    Unremarkable,
}

/// Whether there is anything to look at: most groups of a busy server are gone with the next sample.
fn may_leak(case: &Case<'_>) -> bool {
    case.life.stuck > 0
        || case.life.survivors() > 0
        || case.life.proven > 0
        || case.life.before > 0
        || case.life.busy.samples > 1
        || !case.life.known
}

/// Shows a case to every detector, and says what that makes, and why its growth is none of a leak's.
fn weigh<'a>(
    mut case: Case<'a>,
    common: Common<'_>,
    lacks: &mut Vec<NotEnough>,
) -> (Weighed<'a>, NoLeak) {
    if !may_leak(&case) {
        return (Weighed::Unremarkable, NoLeak::Unremarkable);
    }
    // A curve takes reading every sample, and most cases stand still.
    if case.life.survivors() > 0 || !case.life.known {
        case = case.with_history(common.context.window);
    }
    let steady_growth = growth::weigh(&case, common.context.settings.thresholds.min_growth);
    let no_leak = steady_growth.as_ref().err().copied().unwrap_or(NoLeak::Unremarkable);
    (inspected(case, &steady_growth, common, lacks), no_leak)
}

fn inspected<'a>(
    mut case: Case<'a>,
    steady_growth: &Result<Found, NoLeak>,
    common: Common<'_>,
    lacks: &mut Vec<NotEnough>,
) -> Weighed<'a> {
    let Common { context: Context { window, settings, .. }, causes, cycles } = common;
    let idle = idle::reason(&case, causes.is_on_stack(case.group), settings);
    let scene = Scene { settings, cycles, steady_growth, is_idle: idle.is_some() };
    let mut evidence = Vec::new();
    let mut best: Option<Found> = None;
    let never_ran = window.running().never_ran();
    for detector in detect::ALL.iter().filter(|it| !never_ran || !it.needs_time()) {
        match detector.inspect(&case, scene) {
            Outcome::Clear => {}
            Outcome::NotEnough(lack) => {
                let lack = NotEnough { detector: detector.kind(), lack };
                if !lacks.contains(&lack) {
                    lacks.push(lack);
                }
            }
            Outcome::Found(found) => {
                evidence.push(found.evidence.clone());
                best = Some(match best {
                    Some(best) => surest(best, found),
                    None => found,
                });
            }
        }
    }
    if let Some(idle) = idle
        && (best.is_none() || idle.clears())
    {
        // The user's own list is all that silences growth, and it is said that it did.
        let silences = best.map(|best| best.verdict).filter(|&verdict| verdict >= Verdict::Likely);
        return Weighed::Ignored(Ignored { why: idle.why, silences });
    }
    let Some(best) = best else { return Weighed::Unremarkable };
    if is_in_baseline(&case, settings) {
        let silences = Some(best.verdict).filter(|&verdict| verdict >= Verdict::Likely);
        return Weighed::Ignored(Ignored { why: IdleReason::Baseline, silences });
    }
    if case.points.is_empty() {
        case = case.with_history(common.context.window);
    }
    // Creators are followed for what becomes a finding, and for nothing else.
    let cause = causes.of(case.group, case.life.parent_group);
    let grows = evidence.iter().any(|it| it.detector().is_growth());
    Weighed::Found(Box::new(Draft { case, found: best, evidence, cause, grows, parts: Vec::new() }))
}

/// The surer one of what two detectors found; of what both are sure of, it is about as many as either says.
fn surest(one: Found, other: Found) -> Found {
    let (mut best, less) = if (other.verdict, other.count) > (one.verdict, one.count) {
        (other, one)
    } else {
        (one, other)
    };
    if less.verdict >= Verdict::Likely {
        best.count = best.count.max(less.count);
    }
    best
}

/// Whether there were as many before.
fn is_in_baseline(case: &Case<'_>, settings: &Settings) -> bool {
    let known = case.signatures.iter().filter_map(|it| settings.baseline.get(*it));
    let before = known.fold(0_u64, |sum, &count| sum.saturating_add(count));
    before > 0 && case.count <= before.saturating_add(before / 5)
}

fn finding(draft: Draft<'_>, files: &mut CodeFiles) -> Finding {
    let Draft { case, found, mut evidence, cause, grows, parts } = draft;
    let lock_wait = case.locks.lock_wait();
    let history = case.points.iter().map(|&(at, count)| (at, count as u64)).collect();
    let class = classify::class(&case, &lock_wait, cause.as_ref(), grows);
    let pattern = classify::pattern(&case, class, found.verdict, &lock_wait);
    let growth = case.growth;
    // Their own line, or the one that leads to them where all of theirs are a library's.
    let line = cause.and_then(|cause| case.stacks.lookup(cause.at.frame).ok());
    let is_led_to = cause.is_some_and(|cause| cause.at.basis != CauseBasis::Stack);
    let source = if is_led_to && case.is_librarys() {
        line.and_then(|line| examine::snippet_at(&line, files))
    } else {
        case.hints.snippet.clone()
    };
    evidence.extend(verdicts::differ(&case.life));
    evidence.extend(cause_known(&case, cause.as_ref()));
    evidence.extend(case.hints.notes().map(Evidence::Source));
    let turnover = case.left().map(|left| Turnover {
        arrived: case.arrived,
        left,
        survivors: case.life.survivors(),
        stuck: case.life.stuck,
    });
    let suggestions = fix::suggestions(&case, class, pattern, cause.as_ref(), &lock_wait);
    Finding {
        id: id(&case, cause.as_ref()),
        class,
        verdict: found.verdict,
        score: score::score(&case, class, growth.as_ref()),
        growth,
        history,
        pattern,
        cause: cause::cause(&case, class, cause.as_ref()),
        source,
        suggestions,
        evidence,
        caused_at: cause.map(|cause| cause.at),
        subject: Subject::Goroutines(Box::new(GoroutineLeak {
            group: case.groups.first().copied().unwrap_or_default(),
            count: found.count,
            proven_count: (case.life.proven > 0).then_some(case.life.proven),
            proven_by: case.life.proven_by(),
            turnover,
            oldest: case.oldest,
            stack_bytes: case.life.stack_bytes,
            kept_bytes: case.life.kept_bytes,
            lock_wait,
            groups: case.groups,
            parts,
            held: None,
            piled_up: Vec::new(),
        })),
    }
}

/// What the program's own block profile has of a finding's line.
fn contended(finding: &Finding, assessment: &Assessment) -> Option<Evidence> {
    let group = finding.group_in(&assessment.groups)?;
    let line = contention::at(&assessment.contention, group.blocked_at?, &assessment.stacks)?;
    let over = assessment.contention.waits.as_ref().and_then(|waits| waits.over);
    Some(Evidence::Contended { count: line.count, delay: line.delay, over })
}

/// What forced collections ended of a finding's goroutines.
fn collected(finding: &mut Finding, window: &Window) {
    let hash = |&group: &usize| window.hashes().get(group).copied();
    let hashes: Vec<u64> = finding.groups().iter().filter_map(hash).collect();
    let floor = hashes.iter().map(|&hash| window.at_first(hash)).sum();
    window.forced().judge(finding, &hashes, floor);
}

/// The same for the same finding in every window, process and build path. Of a set of goroutines, now one kind
/// and now another is the largest, and what runs is caught at any line: what leads to them stays.
fn id(case: &Case<'_>, cause: Option<&CauseLine>) -> String {
    let name = |frame: FrameId| {
        let frame = case.stacks.lookup(frame).ok();
        frame.map(|frame| function::normalise(frame.function).into_owned()).unwrap_or_default()
    };
    let runs = matches!(case.wait(), WaitClass::Running | WaitClass::Runnable);
    let hash = match (cause, case.group.created_by) {
        (Some(cause), _) if case.is_librarys() => {
            let made = not_closed::made(case, Some(cause)).map(|made| made.what);
            let made = made.unwrap_or_default();
            signature::hash(&format!("{made} below {}", name(cause.at.frame)))
        }
        (_, Some(site)) if runs => signature::hash(&format!("runs; created by {}", name(site))),
        _ => signature::hash(&case.group.signature),
    };
    format!("f-{hash:016x}")
}

/// How the line that leads to them is known, where it is not their own; or that it is not.
fn cause_known(case: &Case<'_>, cause: Option<&CauseLine>) -> Option<Evidence> {
    match cause {
        Some(cause) if cause.at.basis == CauseBasis::Stack => None,
        Some(cause) => {
            case.stacks.lookup(cause.at.frame).is_ok().then_some(Evidence::CausedAt(cause.at))
        }
        None => case.is_librarys().then_some(Evidence::CauseUnknown),
    }
}
