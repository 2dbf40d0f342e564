//! The findings: which are shown, in which order.

use super::order::{Measures, Order};
use super::{has, place_has};
use crate::model::{Assessment, Finding};
use crate::report::phrases;

/// The orders that findings can be in.
pub(super) const ORDERS: [Order; 4] = [Order::Worst, Order::Count, Order::Growth, Order::Oldest];

/// All findings, worst first.
#[must_use]
pub fn all(assessment: &Assessment) -> &[Finding] {
    assessment.judgement.as_ref().map_or(&[], |judged| &judged.findings)
}

/// Indices of the findings with the text, in order.
pub(super) fn rows(assessment: &Assessment, order: Order, filter: &str) -> Vec<usize> {
    let findings = all(assessment);
    let mut rows: Vec<usize> =
        (0..findings.len()).filter(|&at| matches(assessment, &findings[at], filter)).collect();
    rows.sort_by(|&a, &b| order.compare(measures(&findings[a]), measures(&findings[b])));
    rows
}

/// What tells a finding from others, in every sample.
pub(super) fn key(assessment: &Assessment, row: usize) -> Option<&str> {
    all(assessment).get(row).map(|finding| &*finding.id)
}

fn measures(finding: &Finding) -> Measures {
    let growth = finding.growth.map(|growth| growth.per_second);
    Measures { count: finding.goroutine_count(), growth, oldest: finding.oldest() }
}

/// Whether a finding has the text in its class, verdict, id, or one of its lines.
fn matches(assessment: &Assessment, finding: &Finding, filter: &str) -> bool {
    let group = finding.group_in(&assessment.groups);
    [finding.class.name(), finding.verdict.name(), &finding.id].iter().any(|it| has(it, filter))
        || group.is_some_and(|group| has(&group.signature, filter))
        || phrases::lines(Some(finding), group, &assessment.stacks)
            .iter()
            .any(|&(_, frame)| place_has(assessment, frame, filter))
}
