//! What is seen while it is being seen: a live view on a terminal, a line a sample elsewhere.
//!
//! This room knows the model and the report's words. It does not collect or analyse: samples are
//! handed to it.

pub mod action;
mod input;
mod keys;
pub mod lines;
pub mod live;
mod mouse;
pub mod state;
mod view;

/// Columns and rows of the terminal that standard output is; `None` when nobody can tell.
#[must_use]
pub fn terminal_size() -> Option<(u16, u16)> {
    crossterm::terminal::size().ok()
}
