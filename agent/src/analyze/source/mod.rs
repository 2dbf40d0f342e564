//! What the source at a blocked line says: which mistake it is, or that it is none, and how to fix it.
//!
//! Text goes in, [`Facts`] come out. It sees names, not types, and the files that it is given, not
//! the program: what it says confirms or refines what was observed, and proves nothing.

mod facts;
#[cfg(feature = "source")]
mod index;
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

pub use facts::{Awaits, Confidence, Enclosing, Facts, LoopKind, Statement};
pub use snippet::snippet;

use crate::model::WaitClass;

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The file, as an index into those that were given.
    pub file: usize,
    /// The line, from 1.
    pub line: u32,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Where the goroutine blocks.
    pub blocked: Place,
    /// What it waits for.
    pub wait: WaitClass,
    /// The `go` statement that created it, where its file is at hand.
    pub created: Option<Place>,
}

/// Files of one package, perhaps with one that starts goroutines in it. They are parsed once, for any
/// number of questions.
#[derive(Debug)]
pub struct Files<'t> {
    #[cfg(feature = "source")]
    files: scene::Files<'t>,
    #[cfg(not(feature = "source"))]
    files: std::marker::PhantomData<&'t str>,
}

impl<'t> Files<'t> {
    /// Parses files. Any text is fine: it takes bounded time, and what cannot be parsed is left out.
    #[must_use]
    pub fn of(texts: &[&'t str]) -> Self {
        #[cfg(feature = "source")]
        return Self { files: scene::Files::of(texts) };
        #[cfg(not(feature = "source"))]
        {
            let _ = texts;
            Self { files: std::marker::PhantomData }
        }
    }

    /// How many operations the files hold. A question costs time in proportion.
    #[must_use]
    pub fn operations(&self) -> usize {
        #[cfg(feature = "source")]
        return self.files.operations();
        #[cfg(not(feature = "source"))]
        0
    }

    /// What the source says; `None` where no function stands at that line, or the agent was built
    /// without the feature `source`.
    #[must_use]
    pub fn examine(&mut self, question: &Question) -> Option<Facts> {
        #[cfg(feature = "source")]
        return self.files.examine(question);
        #[cfg(not(feature = "source"))]
        {
            let _ = (question, &self.files);
            None
        }
    }
}
