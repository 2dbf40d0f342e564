//! How quantities go: since when, where that leads, and what goes together.

use std::io;

use super::Page;
use crate::model::{Assessment, Judgement};
use crate::report::phrases;
use crate::report::style::Role;

impl Page<'_> {
    /// A line for each quantity that there is something to tell of; for all if details are asked for.
    pub(super) fn trends(
        &mut self,
        judgement: &Judgement,
        assessment: &Assessment,
    ) -> io::Result<()> {
        for text in phrases::trends(&judgement.trends, &assessment.window, self.details) {
            self.summary_line("trend", &[(Role::Dim, text)])?;
        }
        let unusual = phrases::unusual(judgement);
        if !unusual.is_empty() {
            self.summary_line("unusual", &[(Role::Warning, unusual.join("; "))])?;
        }
        let together = phrases::relations(&judgement.relations);
        if together.is_empty() {
            return Ok(());
        }
        self.summary_line("together", &[(Role::Dim, together.join("; "))])
    }
}
