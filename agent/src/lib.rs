//! leak-agent: attach to a running Go program and show its goroutines.
//!
//! The rooms and what each may know: `docs/architecture.md`.

mod alert;
pub mod analyze;
pub mod cli;
pub mod collect;
mod discover;
mod error_chain;
mod export;
pub mod golang;
pub mod host;
mod http;
pub mod model;
mod pipeline;
pub mod profile;
pub mod prove;
pub mod report;
mod respond;
#[cfg(test)]
mod sample;
mod serve;
mod simulate;
mod units;
mod watch;
