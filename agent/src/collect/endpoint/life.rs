//! Whether it is still the program of the sample before that answers, or one that was started since.
//!
//! Nothing in a profile of goroutines says so: ids begin anew, but a small program may come to the same ones.
//! What tells is the memory of the collector, which costs more to ask for. So that is asked for only where a
//! sample gives a sign: none before it was answered, the highest id fell, or many goroutines are gone.

use super::error::Error;
use crate::http::{Client, Url};
use crate::profile::Record;
use crate::profile::memstats::{MemStats, Reader};

/// Heap profiles as text are no larger than this.
pub(super) const MAX_HEAP: u64 = 256 << 20;

/// What a sample tells of whether it is of the program of the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sign {
    highest_id: u64,
    goroutines: u64,
}

impl Sign {
    pub(super) fn take(&mut self, record: &Record<'_>) {
        self.highest_id = self.highest_id.max(record.goid.map_or(0, |goid| goid.get()));
        self.goroutines = self.goroutines.saturating_add(record.count.into());
    }

    /// Whether a start in between would explain what is seen.
    const fn is_of_a_start(self, before: Self) -> bool {
        let ids_fell = self.highest_id > 0 && self.highest_id < before.highest_id;
        ids_fell || self.goroutines < before.goroutines / 4 * 3
    }
}

/// What is remembered of the program of the sample before.
#[derive(Debug, Default)]
pub(super) struct Life {
    last: Option<Sign>,
    memory: Option<MemStats>,
    /// It is not served, and not asked for again.
    has_no_memory: bool,
}

impl Life {
    /// Takes in a sample. Whether it is of another program than the one before, or of one that was started
    /// since; where nothing tells, it is the same.
    pub(super) fn is_another(
        &mut self,
        client: &Client,
        base: &Url,
        sign: Sign,
        was_silent: bool,
    ) -> Result<bool, Error> {
        let Some(before) = self.last.replace(sign) else { return Ok(false) };
        let is_doubtful = was_silent || sign.is_of_a_start(before);
        if self.has_no_memory || (!is_doubtful && self.memory.is_some()) {
            // Ids that fell after a silence are no accident.
            return Ok(self.has_no_memory && was_silent && sign.is_of_a_start(before));
        }
        let now = memory(client, base, "heap?debug=1")?;
        self.has_no_memory = now.is_none();
        let earlier = std::mem::replace(&mut self.memory, now);
        let is_same = match (&earlier, &self.memory) {
            (Some(earlier), Some(now)) => now.is_of_same_program(earlier),
            _ => None,
        };
        Ok(is_same.map_or(was_silent && sign.is_of_a_start(before), |is_same| !is_same))
    }
}

/// What the program says of its memory, where it says so, in answer to a question for its heap.
pub(super) fn memory(
    client: &Client,
    base: &Url,
    question: &str,
) -> Result<Option<MemStats>, Error> {
    let Ok(url) = base.join(question) else { return Ok(None) };
    let mut reader = Reader::default();
    match client.profile(&url, MAX_HEAP, &mut |piece| reader.feed(piece)) {
        Ok(()) => Ok(reader.finish()),
        Err(error) if error.problem.is_elsewhere() || error.problem.is_denied() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
