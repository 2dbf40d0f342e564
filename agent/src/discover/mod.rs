//! Finds the Go programs of this machine as they come and go, says what they are called, and which of them are meant.
//!
//! A [`Scanner`] goes through /proc whenever it is asked to. What is known of a process is looked up by its start and by
//! what it has executed, so that what is no Go program is looked at once, and one that ends soon not at all.

mod names;
mod property;
mod rules;
mod scan;

pub use property::Property;
pub use rules::{Rule, Rules};
pub use scan::{Found, Scan, Scanner};
