//! Profiles and dumps of Go programs: bytes in, values out, and back. Whoever has the bytes (a file, a
//! server's answer) brings them; nothing here opens or asks for anything.
//!
//! Every reader gives what it finds as [`Record`]s, one at a time and borrowed from what it reads, so that a
//! dump of any size needs little memory, and says at its end what it read and could not read ([`Reading`]).

pub mod counts;
pub mod dump;
pub mod intake;
mod lines;
mod log;
mod marks;
pub mod memstats;
pub mod packed;
pub mod proto;
mod quoted;
mod record;
#[cfg(test)]
mod round_trip;
pub mod state;
mod text;
pub mod write;

pub use record::{Call, Entry, Fault, Reading, Record, Site, State, Take};
