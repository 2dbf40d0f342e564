//! Where most goroutines pass, and who created whom, as a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{Page, words};
use crate::model::{Assessment, Judgement};
use crate::report::style::Role;

/// Functions shown unless all is asked for.
const HOT: usize = 5;
/// Groups of the tree shown unless all is asked for.
const TREE: usize = 10;

impl Page<'_> {
    /// The functions that most goroutines have on their stacks.
    pub(super) fn hot_paths(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let most = self.top.map_or(usize::MAX, |_| HOT);
        let parts = judgement.hot_paths.iter().take(most).map(|hot| {
            let text = words::frame(&assessment.stacks, hot.frame);
            (Role::Place, format!("{} {}", words::count(hot.goroutines), text.short()))
        });
        let parts: Vec<_> = parts.collect();
        if parts.is_empty() { Ok(()) } else { self.summary_line("hot", &parts) }
    }

    /// Groups below the groups that created them. Those whose creators are gone stand at the left.
    pub(super) fn lineage(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        let shown = self.top.map_or(usize::MAX, |_| TREE);
        let lines = &judgement.lineage[..judgement.lineage.len().min(shown)];
        for line in lines {
            children.entry(line.parent).or_default().push(line.group);
        }
        // Parents that no line has as a child are where trees begin.
        let is_child = |group: usize| lines.iter().any(|line| line.group == group);
        let mut roots: Vec<(usize, usize)> =
            children.get(&None).into_iter().flatten().map(|&group| (group, 0)).collect();
        roots.extend(
            children.keys().flatten().filter(|&&group| !is_child(group)).map(|&group| (group, 0)),
        );
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        self.line("", &[(Role::Title, "created by".to_owned())])?;
        roots.reverse();
        let mut drawn = BTreeSet::new();
        while let Some((group, depth)) = roots.pop() {
            // Groups may have created each other, at different times.
            if !drawn.insert(group) {
                continue;
            }
            let Some(it) = assessment.groups.get(group) else { continue };
            let at = it.blocked_at.or(it.created_by).map(|at| words::frame(&assessment.stacks, at));
            let name = at.map_or_else(|| "runtime".to_owned(), |at| at.short().to_owned());
            let indent = " ".repeat(4 + 2 * depth.min(10));
            let parts = [
                (Role::Number, format!("{}×", words::count(it.count))),
                (Role::Place, name),
                (Role::Dim, it.wait.name().to_owned()),
            ];
            self.line(&indent, &parts)?;
            let below = children.get(&Some(group)).into_iter().flatten().rev();
            roots.extend(below.map(|&child| (child, depth + 1)));
        }
        Ok(())
    }
}
