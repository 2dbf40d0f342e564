//! Who created whom.

use super::groups;
use crate::model::Assessment;
use crate::report::phrases::{Branch, branches};

/// The tree of groups, as it is read from top to bottom.
pub(super) fn tree(assessment: &Assessment) -> Vec<Branch> {
    assessment.judgement.as_ref().map_or_else(Vec::new, |judged| branches(&judged.lineage))
}

/// Places in the tree of the groups with the text.
pub(super) fn rows(assessment: &Assessment, tree: &[Branch], filter: &str) -> Vec<usize> {
    let matches = |&at: &usize| {
        let group = assessment.groups.get(tree[at].group);
        group.is_some_and(|group| groups::matches(assessment, group, filter))
    };
    (0..tree.len()).filter(matches).collect()
}
