//! What a program that serves its profiles says of its memory: `runtime.MemStats`, and who allocated what is in use.

use std::time::{Duration, Instant};

use super::error::Error;
use super::life::MAX_HEAP;
use crate::error_chain;
use crate::http::{Client, Url};
use crate::model::CoverageNote;
use crate::profile::intake::Intake;
use crate::profile::memstats::MemStats;

/// The text has both, as of one moment. Nothing is collected for it.
const PAGE: &str = "heap?debug=1";

/// It is asked for no more often than this, and so that the program spends no more than one part in so many of its time
/// on answers.
const APART: Duration = Duration::from_secs(2);
const MAX_PART: u32 = 50;

/// What was refused is asked for again so much later: it may have been in the midst of a new version's coming.
const AGAIN: Duration = Duration::from_secs(60);

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    due: Duration,
    /// Why it is not served.
    refused: Option<String>,
    /// It is not to be asked for.
    is_unwanted: bool,
    last: Option<MemStats>,
}

impl Asked {
    /// Not to be asked for.
    pub(super) fn never() -> Self {
        Self { is_unwanted: true, ..Self::default() }
    }

    /// Another program may serve it.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { is_unwanted: self.is_unwanted, ..Self::default() };
    }

    /// Asks for it, for the observation to come; what is not known.
    pub(super) fn read(
        &mut self,
        asked: (&Client, &Url),
        elapsed: Duration,
        intake: &mut Intake,
    ) -> Option<CoverageNote> {
        if self.is_unwanted {
            return None;
        }
        if elapsed >= self.due {
            let start = Instant::now();
            let read = self.ask(asked, intake);
            self.due = elapsed.saturating_add(APART.max(start.elapsed() * MAX_PART));
            self.refused = None;
            match read {
                Ok(()) => {}
                Err(error) => {
                    let why = error_chain::one_line(&error);
                    let is_for_good = error.is_elsewhere() || error.is_denied();
                    if !is_for_good && !matches!(error, Error::NoHeap { .. }) {
                        return Some(CoverageNote::HeapUnread { why });
                    }
                    self.due = elapsed.saturating_add(AGAIN);
                    self.refused = Some(why);
                }
            }
        }
        self.refused.clone().map(|why| CoverageNote::NoHeap { why })
    }

    fn ask(&mut self, (client, base): (&Client, &Url), intake: &mut Intake) -> Result<(), Error> {
        let no_heap =
            |why: &str| Error::NoHeap { url: format!("{base}{PAGE}"), why: why.to_owned() };
        let url = base.join(PAGE).map_err(|error| no_heap(&error.to_string()))?;
        let stats = intake.take_heap_text(|take| client.profile(&url, MAX_HEAP, take))?;
        let Some(stats) = stats else {
            return Err(no_heap("it says nothing of the runtime's figures, or was cut short"));
        };
        let is_sampled = intake.has_sampled_heap();
        let before = self.last.replace(stats);
        let is_another = before
            .zip(self.last.as_ref())
            .is_some_and(|(before, now)| now.is_of_same_program(&before) == Some(false));
        if is_sampled && !is_another {
            return Ok(());
        }
        // Growth from one program to another is none.
        intake.drop_heap();
        Err(match is_another {
            true => Error::OtherHeap { url: url.to_string() },
            // Of all that is allocated nothing is known to be reachable then.
            false => no_heap("it samples no allocations (runtime.MemProfileRate is 0)"),
        })
    }
}
