//! Assessments into text: for people (`terminal`, `html`) and for programs (`json`).
//!
//! This room knows the model and a writer: no network, no collection, no analysis.

use std::io::{self, Write};

use crate::model::{Assessment, Timestamp};

pub(crate) mod fleet;
pub(crate) mod format;
pub mod html;
pub(crate) mod json;
#[cfg(test)]
pub(crate) mod judged;
pub mod memory;
pub mod phrases;
pub(crate) mod review;
pub mod schema;
pub(crate) mod style;
pub(crate) mod terminal;
pub(crate) mod view;

/// What is to be reported.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// When the report is made.
    pub generated_at: Timestamp,
    /// One a target.
    pub assessments: &'a [Assessment],
    /// Whether several targets were asked for, of which perhaps not all could be seen.
    pub several: bool,
}

/// A form of the report.
pub trait Render {
    /// Writes the whole report. Called once a report; the writer is buffered by the caller.
    ///
    /// # Errors
    /// What the writer says.
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()>;
}
