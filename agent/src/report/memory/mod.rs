//! The memory of one program for people and for programs.

mod json;
mod read;
mod stacks;
mod text;

pub use json::write_json;
pub use read::{ReadError, read};
pub use stacks::{HeldFrame, HeldFrameKind, HeldStack, stacks};
pub use text::write_text;

use super::phrases;
use crate::model::{
    Allocated, AllocatedAt, Amount, Assessment, HeldSince, NotAllocated, Retained, WouldFree,
};

/// What is reported of a program's memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryReport<'a> {
    /// Of one sample.
    pub assessment: &'a Assessment,
    /// Who holds the heap, if that was asked for.
    pub retained: Option<&'a Retained>,
    /// What collections would free, if all of the heap was walked.
    pub would_free: Option<&'a WouldFree>,
    /// What is not as it was at a walk before, if it is compared with one.
    pub since: Option<&'a HeldSince>,
    /// Who allocated what is in use, and the same by line; or why that is not known. `None` for what is no process and gave
    /// no heap profile.
    pub allocated: Option<Result<(&'a Allocated, &'a [AllocatedAt]), &'a NotAllocated>>,
}

impl<'a> MemoryReport<'a> {
    const fn profile(&self) -> Option<(&'a Allocated, &'a [AllocatedAt])> {
        match self.allocated {
            Some(Ok(profile)) => Some(profile),
            Some(Err(_)) | None => None,
        }
    }

    /// What could not be seen.
    fn notes(&self) -> Vec<String> {
        let halt = self.assessment.held.and_then(|held| held.halt);
        let halted = halt.map(|halt| {
            format!("the process is {}: nothing in its memory changes", phrases::halt(halt))
        });
        let mut notes: Vec<String> = halted.into_iter().collect();
        notes.extend(phrases::notes(self.assessment));
        if let Some(Err(why)) = self.allocated {
            notes.push(phrases::not_allocated(why));
        }
        notes
    }
}

/// What lines have together.
pub(super) fn sum(lines: &[AllocatedAt], of: fn(&AllocatedAt) -> Amount) -> Amount {
    lines.iter().map(of).fold(Amount::default(), Amount::plus)
}

#[cfg(test)]
mod tests;
