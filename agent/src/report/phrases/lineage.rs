//! Who created whom, as a tree in the order in which it is read.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Lineage;

/// A group in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The group, as an index into [`crate::model::Assessment::groups`].
    pub group: usize,
    /// How many groups lie above it, 0 for one whose creators are gone.
    pub depth: usize,
}

/// Each group below the group that created it, those whose creators are gone first of all. Each once:
/// groups may have created each other, at different times.
#[must_use]
pub fn branches(lineage: &[Lineage]) -> Vec<Branch> {
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for line in lineage {
        if let Some(parent) = line.parent {
            children.entry(parent).or_default().push(line.group);
        }
    }
    let listed: BTreeSet<usize> = lineage.iter().map(|line| line.group).collect();
    let orphans = lineage.iter().filter(|line| line.parent.is_none()).map(|line| line.group);
    // Parents that are no child of anybody listed are where trees begin, too.
    let parents = children.keys().copied().filter(|parent| !listed.contains(parent));
    // What is left then has no beginning: its groups created each other.
    let rest = lineage.iter().map(|line| line.group);

    let mut branches = Vec::new();
    let mut drawn = BTreeSet::new();
    for root in orphans.chain(parents).chain(rest) {
        let mut next = vec![Branch { group: root, depth: 0 }];
        while let Some(branch) = next.pop() {
            if !drawn.insert(branch.group) {
                continue;
            }
            branches.push(branch);
            let below = children.get(&branch.group).into_iter().flatten().rev();
            next.extend(below.map(|&group| Branch { group, depth: branch.depth + 1 }));
        }
    }
    branches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(lines: &[(usize, Option<usize>)]) -> Vec<(usize, usize)> {
        let lines: Vec<_> =
            lines.iter().map(|&(group, parent)| Lineage { group, parent }).collect();
        branches(&lines).into_iter().map(|branch| (branch.group, branch.depth)).collect()
    }

    #[test]
    fn children_stand_below_their_creators_and_unlisted_creators_are_roots() {
        assert_eq!(
            tree(&[(0, Some(2)), (1, None), (2, Some(9)), (3, Some(2))]),
            [(1, 0), (9, 0), (2, 1), (0, 2), (3, 2)]
        );
    }

    #[test]
    fn groups_that_created_each_other_are_there_once() {
        assert_eq!(tree(&[(0, Some(1)), (1, Some(0)), (2, Some(2))]), [(0, 0), (1, 1), (2, 0)]);
        assert_eq!(tree(&[]), []);
    }
}
