//! Writes an observation as Go itself writes its goroutines: as pprof's protobuf, as counts (`debug=1`), or
//! as a dump (`debug=2`); and who allocated what, as pprof's protobuf of the heap or as text (`debug=1`).
//!
//! Like Go's own, they leave out the goroutines of the runtime itself (`of_runtime`). What an observation
//! does not know stands there as what is unknown: arguments as `(...)`, and how far into a function an
//! address is as `+0x0`. Counts have no addresses either: each frame has a number in their place.

mod counts;
mod dump;
mod error;
mod frames;
mod grouped;
pub mod leaks;
mod names;
mod of_runtime;
mod pprof;
mod quote;
mod sites;
mod state;
mod table;
mod tally;

pub use counts::counts;
pub use dump::{dump, tells_apart};
pub use error::Error;
pub use grouped::pprof_of_groups;
pub use pprof::{HeapValue, Judged, difference, heap, heap_difference, held, pprof};
pub use sites::sites;

#[cfg(test)]
mod tests;
