//! What the source at a blocked line says: which mistake it is, or that it is none, and how to mend it.
//!
//! Text goes in, [`Facts`] come out. It sees names, not types, and the files that it is given, not
//! the program: what it says confirms or refines what was observed, and proves nothing.

mod facts;
#[cfg(feature = "source")]
mod objects;
#[cfg(feature = "source")]
mod outline;
#[cfg(feature = "source")]
mod rules;
#[cfg(feature = "source")]
mod scene;
mod snippet;
#[cfg(all(test, feature = "source"))]
mod tests;

pub use facts::{Confidence, Enclosing, Facts, LoopKind, Statement};
pub use snippet::snippet;

use crate::model::WaitClass;

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// The line, from 1.
    pub line: u32,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Where the goroutine blocks.
    pub blocked: Place<'a>,
    /// What it waits for.
    pub wait: WaitClass,
    /// The `go` statement that created it, where its file is at hand.
    pub created: Option<Place<'a>>,
    /// More files of the same package.
    pub others: &'a [&'a str],
}

/// What the source says; `None` where no function stands at that line, or the agent was built
/// without the feature `source`.
///
/// Any text is fine: it takes bounded time, and what cannot be parsed is left out.
#[must_use]
pub fn examine(question: &Question<'_>) -> Option<Facts> {
    #[cfg(feature = "source")]
    return scene::examine(question);
    #[cfg(not(feature = "source"))]
    {
        let _ = question;
        None
    }
}
