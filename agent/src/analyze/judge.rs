//! The judgement of a window: every kind of subject is investigated, and what may be a finding is ranked and
//! listed. Each subject is a file of its own; here is what all have in common.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::code_files::CodeFiles;
use super::goroutine_leaks::GoroutineLeaks;
use super::investigate::{Context, Investigate};
use super::memory::GrowingMemory;
use super::quantities::quantities;
use super::resources::{self, GrowingResources};
use super::settings::Settings;
use super::window::{Window, assess};
use super::{forced, paths, score, signature, trends};
use crate::model::{Assessment, Finding, Group, Judgement, Level, NotAnalysed};

/// Findings that are listed one by one: the worst.
const MAX_FINDINGS: usize = 1_000;

/// The assessment of a window with its judgement; `None` while nothing was observed. The same
/// window, settings and files give the same judgement, always. Go files that it misses it asks
/// for: see [`CodeFiles::take_wanted`].
#[must_use]
pub fn judge(window: &Window, settings: &Settings, files: &mut CodeFiles) -> Option<Assessment> {
    let mut assessment = assess(window)?;
    if !has_anything(&assessment) {
        // Nothing to judge is no all-clear.
        return Some(assessment);
    }
    let looked_at = assessment.subjects();
    let mut judgement = Judgement {
        history: if looked_at.goroutines { window.totals() } else { Vec::new() },
        hot_paths: paths::hot(&assessment.groups, &assessment.stacks),
        lineage: paths::lineage(&assessment.groups, window.lives()),
        collections: forced::verdict(&assessment.coverage),
        ..Judgement::default()
    };
    // One for each kind of subject. Reference cycles come here.
    let mut subjects: Vec<Box<dyn Investigate>> = Vec::new();
    if looked_at.goroutines {
        subjects.push(Box::new(GoroutineLeaks::default()));
    }
    if looked_at.memory {
        subjects.push(Box::new(GrowingMemory));
        subjects.push(Box::new(GrowingResources));
    }
    let context = Context { window, assessment: &assessment, settings };
    for subject in &mut subjects {
        let candidates = subject.candidates(context, files);
        judgement.findings.extend(candidates.findings);
        judgement.not_enough.extend(candidates.not_enough);
    }
    judgement.findings =
        resources::join(std::mem::take(&mut judgement.findings), window, &assessment);
    judgement.findings.sort_by(|a, b| {
        let key = |finding: &Finding| (Reverse(finding.verdict), Reverse(finding.score.total()));
        // Of equals the larger group comes first, whose source was read.
        let group = |finding: &Finding| finding.goroutines().map(|leak| leak.group);
        key(a).cmp(&key(b)).then_with(|| group(a).cmp(&group(b)))
    });
    tell_apart(&mut judgement.findings, &assessment.groups);
    for subject in &mut subjects {
        subject.account(&mut judgement);
    }
    (judgement.trends, judgement.relations) =
        trends::trends(quantities(window, looked_at), &settings.thresholds.goroutines);
    judgement.health = score::health(
        &judgement.findings,
        judgement.rise.as_ref(),
        assessment.totals.goroutines,
        &settings.thresholds,
    );
    judgement.level = Level::of(assessment.totals.goroutines, settings.thresholds.goroutines);
    list_worst(&mut judgement);
    assessment.judgement = Some(judgement);
    Some(assessment)
}

/// Whether anything of what was looked at is known.
fn has_anything(assessment: &Assessment) -> bool {
    if assessment.subjects().goroutines {
        return assessment.coverage.has_goroutines();
    }
    let memory = assessment.memory.as_ref().map(|account| &account.now);
    memory.is_some_and(|now| now.heap.is_some() || now.process.is_some())
        || assessment.resources.is_some()
}

/// Leaves the worst findings, and counts the others: nobody reads thousands of them.
fn list_worst(judgement: &mut Judgement) {
    let unlisted = judgement.findings.split_off(judgement.findings.len().min(MAX_FINDINGS));
    if unlisted.is_empty() {
        return;
    }
    judgement.unlisted = unlisted.len() as u64;
    let goroutines = unlisted.iter().map(|finding| finding.goroutine_count()).sum();
    judgement.not_analysed.insert(NotAnalysed::Unlisted, goroutines);
}

/// Two findings that would have one id: the later in the list gets another, by the signature of its group.
fn tell_apart(findings: &mut [Finding], groups: &[Group]) {
    let mut ids = HashSet::new();
    for finding in findings {
        if !ids.insert(finding.id.clone()) {
            let signature = finding.group_in(groups).map_or("", |group| group.signature.as_str());
            finding.id =
                format!("f-{:016x}", signature::hash(&format!("{}; {signature}", finding.id)));
            ids.insert(finding.id.clone());
        }
    }
}

#[cfg(test)]
mod counted_tests;
#[cfg(test)]
mod one_sample_tests;
#[cfg(test)]
mod sets_tests;
#[cfg(test)]
mod tests;
