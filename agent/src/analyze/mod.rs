//! From observations to an assessment: groups and totals over a window of time.
//!
//! This room knows the model alone: no clock, no I/O, no source. The same observations give the
//! same assessment, always.

mod group;
mod signature;
pub mod source;
mod summary;
mod window;

pub use window::{Window, assess};
