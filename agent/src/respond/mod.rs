//! Responses to findings: which are due ([`Account`]), a process of its own that runs commands and sends signals
//! ([`Runner`]), and the log of all that was done ([`Audit`]).

mod account;
mod audit;
mod execution;
mod rule;
mod runner;

pub use account::{Account, Decision, Limits};
pub use audit::{Action, Audit, Entry};
pub use rule::{Command, Rule};
pub use runner::{Done, Runner};
