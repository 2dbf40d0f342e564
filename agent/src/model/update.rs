//! What one more sample of a target gave.

use std::sync::Arc;

use super::assessment::Assessment;
use super::earlier::{EarlierProgram, EarlyEnd};
use super::observation::Observation;
use super::rates::Rates;
use super::target::TargetId;

/// What one more sample of a target gave: what sinks are fed with.
#[derive(Clone, Debug)]
pub struct Update {
    /// Everything seen of the target so far, as of this sample.
    pub assessment: Arc<Assessment>,
    /// Creations and exits since the sample before; the assessment has them over the whole window.
    pub now: Option<Rates>,
    /// The program that the target ran before, if it has executed another one, or itself anew, since
    /// the update before. The assessment is of the new program alone.
    pub replaced: Option<Arc<EarlierProgram>>,
    /// The sample itself, for whoever writes it as a profile; `None` for all others, so that no queue
    /// keeps it in memory.
    pub observation: Option<Arc<Observation>>,
}

impl Update {
    /// The key of what goes on from update to update: the target, whatever program it executes.
    #[must_use]
    pub fn key(&self) -> TargetId {
        self.assessment.target.id.of_all_generations()
    }

    /// The same, with what is the last assessment because sampling ended early.
    #[must_use]
    pub fn that_ends_early(mut self, why: EarlyEnd) -> Self {
        Arc::make_mut(&mut self.assessment).early_end = Some(why);
        self
    }
}
