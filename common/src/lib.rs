#![no_std]
//! The types and limits that both sides of the kernel border share: the agent and its eBPF programs.
//!
//! Every type here is made of whole 64-bit words without padding: the kernel side writes the words
//! in place, the agent reads them from mapped memory one by one. Addresses are the target's own,
//! times are nanoseconds of `CLOCK_MONOTONIC`, which is also what Go's `nanotime` reads.

mod call_site;
mod counters;
mod event;
mod large;
pub mod limits;
mod settings;
mod site;
mod slot;

pub use call_site::{Birth, CallSite};
pub use counters::Counters;
pub use event::Event;
pub use large::Large;
pub use settings::Settings;
pub use site::Site;
pub use slot::{Slot, State};

/// The version of everything in this crate. It stands in each eBPF object, and the agent loads
/// none that was built for another: whatever changes a type's meaning or layout raises it.
pub const ABI: u32 = 3;
