//! Serves targets over HTTP as Go's own `net/http/pprof` serves its program: `/debug/pprof/` and what is
//! below, so that `go tool pprof`, scrapers and viewers of dumps work on programs that do not serve it
//! themselves.
//!
//! It serves metrics and the dashboard ([`Board`]) too.
//!
//! A [`Server`] has a thread of its own, on which nothing takes long, and one for each target, which takes
//! its samples: one for all requests that come while it is busy. What is rendered is kept until it is read,
//! within bounds ([`answer`]); a client that does not read it is left behind.

mod address;
mod answer;
mod board;
mod connection;
mod error;
mod goroutine;
mod heap;
mod leaks;
mod metrics;
mod pages;
mod routes;
mod sampler;
mod server;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod wanted;

pub use address::ListenAddress;
pub use board::{Board, Card, Past, Token};
pub use error::Error;
pub use sampler::{Heap, Served};
pub use server::Server;
pub use tls::{Certificate, Unfit};
