//! Reads the Go code at a blocked line: which mistake it shows, or that it is none, and how to fix it.
//!
//! Text goes in, [`Facts`] come out. It sees names, not types, and the files that it is given, not
//! the program: what it says confirms or refines what was observed, and proves nothing.

#[cfg(feature = "source")]
mod blocked;
#[cfg(feature = "source")]
mod channels;
#[cfg(feature = "source")]
mod expression;
#[cfg_attr(
    not(feature = "source"),
    allow(dead_code, reason = "without a parser nothing reads a question or gives an answer")
)]
mod facts;
#[cfg(feature = "source")]
mod index;
#[cfg(feature = "source")]
mod names;
#[cfg(feature = "source")]
mod objects;
#[cfg(feature = "source")]
mod outline;
#[cfg(feature = "source")]
mod package;
#[cfg(feature = "source")]
mod rules;
#[cfg(feature = "source")]
mod scene;
mod snippet;
#[cfg(all(test, feature = "source"))]
mod tests;

pub(super) use facts::{Awaits, Confidence, Facts, Found, Place, Question};
#[cfg(feature = "source")]
pub(super) use package::Package;
pub(super) use snippet::snippet;
#[cfg(not(feature = "source"))]
pub(super) use without_parser::Package;

/// What stands in for the parser in an agent that is built without the feature `source`.
#[cfg(not(feature = "source"))]
mod without_parser {
    use super::{Facts, Question};

    /// Files that are not parsed: they answer no question.
    #[derive(Debug)]
    pub(in super::super) struct Package;

    impl Package {
        pub(in super::super) fn of(_: &[&str]) -> Self {
            Self
        }

        pub(in super::super) fn operations(&self) -> usize {
            0
        }

        pub(in super::super) fn examine(&mut self, _: &Question) -> Option<Facts> {
            None
        }
    }
}
