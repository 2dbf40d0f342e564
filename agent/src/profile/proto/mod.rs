//! pprof's protobuf (`github.com/google/pprof/proto/profile.proto`), unpacked: what a profile is of, and
//! what it holds.
//!
//! [`Profile::read`] reads the tables once, and keeps where everything lies in the bytes that it was given.
//! Samples, which are most of them, are decoded one by one as they are asked for, and name strings of the
//! bytes themselves. So a profile takes memory in proportion to its bytes, however it was made.

mod contention;
mod error;
mod goroutines;
mod heap;
mod kind;
pub(super) mod message;
mod own;
mod read;
mod samples;
mod tables;
mod wire;

pub use contention::Contention;
pub use error::{Error, NotThis};
pub use heap::{Heap, HeapSite};
pub use kind::Kind;
pub(super) use own::{
    BY_AGENT, FINDING, LEAKED, LOCKED, MARK, PROOF, SECONDS, STATE, TO_THREAD, VERDICT, WAIT,
};
pub use read::{Profile, ValueType};
#[cfg(test)]
mod tests;
