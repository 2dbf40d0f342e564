//! What can go wrong.

use std::io;
use std::sync::Arc;

use thiserror::Error;

use super::address::ListenAddress;

/// Why nothing is served.
#[derive(Debug, Error)]
pub enum Error {
    /// The address is in use, is not this machine's, or may not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: ListenAddress,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A thread cannot be started, or the kernel's means of waiting cannot be had.
    #[error("cannot start to serve")]
    Start(#[source] io::Error),
    /// Its thread died.
    #[error("the thread that serves panicked")]
    Panicked,
}

/// Why there is no sample of a target.
#[derive(Clone, Debug, Error)]
pub enum NoSample {
    /// It has ended.
    #[error("the process has exited")]
    Ended,
    /// Too many wait for one.
    #[error("too many requests wait for a sample of this process: try again later")]
    Busy,
    /// It keeps no such profile any more.
    #[error("{0}")]
    NoProfile(Arc<str>),
    /// Nobody knows which of its goroutines leak.
    #[error("no goroutineleak profile: {0}")]
    Unproven(Arc<str>),
    /// The target cannot be read.
    #[error("cannot read the process: {0}")]
    Failed(Arc<str>),
}
