//! Responses to findings: which are due ([`Account`]), a process of its own that runs commands and sends signals
//! ([`Runner`]), and the log of all that was done ([`Audit`]).

mod account;
mod audit;
mod done;
mod execution;
mod rule;
mod runner;

pub use account::{Account, Decision, Limits};
pub use audit::{Action, Audit, Entry};
pub use done::Done;
pub use rule::{Command, Rule};
pub use runner::Runner;
