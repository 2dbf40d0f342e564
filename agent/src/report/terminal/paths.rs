//! Where most goroutines pass, and who created whom, as a tree.

use std::io;

use super::{Page, format};
use crate::model::{Assessment, Judgement};
use crate::report::phrases;
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
            let text = format::frame(&assessment.stacks, hot.frame);
            (Role::Place, format!("{} {}", format::count(hot.goroutines), text.short()))
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
        let shown = self.top.map_or(usize::MAX, |_| TREE);
        let lines = &judgement.lineage[..judgement.lineage.len().min(shown)];
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        self.line("", &[(Role::Title, "created by".to_owned())])?;
        for phrases::Branch { group, depth } in phrases::branches(lines) {
            let Some(it) = assessment.groups.get(group) else { continue };
            let at =
                it.blocked_at.or(it.created_by).map(|at| format::frame(&assessment.stacks, at));
            let name = at.map_or_else(|| "runtime".to_owned(), |at| at.short().to_owned());
            let indent = " ".repeat(4 + 2 * depth.min(10));
            let parts = [
                (Role::Number, format!("{}×", format::count(it.count))),
                (Role::Place, name),
                (Role::Dim, it.wait.name().to_owned()),
            ];
            self.line(&indent, &parts)?;
        }
        Ok(())
    }
}
