//! What is seen while it is being seen: a live view on a terminal, a line a sample elsewhere.
//!
//! This room knows the model and the report's words. It does not collect or analyse: samples are
//! handed to it.

use std::sync::Arc;

use crate::model::{Assessment, Rates};

pub mod action;
mod keys;
pub mod lines;
pub mod live;
mod mouse;
pub mod state;
mod view;

/// Columns and rows of the terminal that standard output is; `None` when nobody can tell.
#[must_use]
pub fn terminal_size() -> Option<(u16, u16)> {
    ratatui::crossterm::terminal::size().ok()
}

/// One more sample of a target.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which target.
    pub pid: u32,
    /// Everything seen of it so far.
    pub assessment: Arc<Assessment>,
    /// Creations and exits since the sample before.
    pub now: Option<Rates>,
    /// What there is to say if the process has executed another program since.
    pub replaced: Option<String>,
}
