//! The last observation of a source, with what is made of it.

use crate::analyze::{CodeFiles, Settings, Window, finding_of, judge};
use crate::collect::{CollectError, Source};
use crate::model::{Judgement, Observation};

/// The last observation of a source.
#[derive(Debug)]
pub struct Last {
    /// What was seen.
    pub observation: Observation,
    /// What was made of it and of those before; `None` where there was nothing to judge by.
    pub judgement: Option<Judgement>,
    /// The place, among the findings, of the one that each goroutine is in.
    pub finding_of: Vec<Option<u32>>,
}

/// Observes once, or of a recording all there is, and judges that. No source files are read.
///
/// # Errors
/// What the source says, and if it ends before anything was seen.
pub fn last(
    source: &mut dyn Source,
    is_saved: bool,
    settings: &Settings,
) -> Result<Last, CollectError> {
    let (mut window, mut seen): (Window, Option<Observation>) = (Window::default(), None);
    while let Some(observation) = source.observe()? {
        // Another program in the same process.
        if seen.is_some_and(|before| before.target.id != observation.target.id) {
            window = Window::default();
        }
        window.push(&observation);
        seen = Some(observation);
        if !is_saved {
            break;
        }
    }
    let observation = seen.ok_or(CollectError::Ended)?;
    let assessment = judge(&window, settings, &mut CodeFiles::default());
    let finding_of = assessment
        .as_ref()
        .map_or_else(Vec::new, |assessment| finding_of(&observation, assessment));
    Ok(Last { observation, judgement: assessment.and_then(|it| it.judgement), finding_of })
}
