//! Why an endpoint cannot be observed.

use std::time::Duration;

use thiserror::Error;

use crate::{http, units};

/// Why an endpoint cannot be observed.
#[derive(Debug, Error)]
pub enum Error {
    /// The server did not answer, or not with what was asked for.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// A page, but not the one that lists profiles.
    #[error("it is not the index of profiles")]
    NoIndex,
    /// No profiles anywhere on the server.
    #[error("no pprof endpoint there: {}", list(tried))]
    NotFound {
        /// What was tried, in that order.
        tried: Vec<Tried>,
    },
    /// What was served as a profile is none.
    #[error("{url}: it is no profile of goroutines: {why}")]
    NoProfile {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// What was served as a block or mutex profile is none.
    #[error("{url}: it is no profile of contention: {why}")]
    NoContention {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// What was served as a heap profile is none, or says too little.
    #[error("{url}: it does not tell how the heap is: {why}")]
    NoHeap {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A heap profile is not of the program that the one before was of.
    #[error("{url}: it is of another program than the one before, or of one that was started anew")]
    OtherHeap {
        /// What was asked for.
        url: String,
    },
    /// Everything that is served was refused before.
    #[error("it serves goroutines in no form that can be read")]
    NoForm,
    /// An address with a question that is not pprof's.
    #[error(
        "leave out what stands behind the ? of its address ({name}): profiles are asked for without"
    )]
    Query {
        /// The first name in it.
        name: String,
    },
    /// It has not answered for too long.
    #[error("it has not answered for {}", units::duration(*.silence))]
    Lost {
        /// For how long.
        silence: Duration,
        /// What the last attempt came to.
        #[source]
        last: Box<Self>,
    },
    /// It did not answer this time. It may at the next.
    #[error("it did not answer this time")]
    Missed {
        /// Why.
        #[source]
        source: Box<Self>,
    },
}

/// A place where profiles were searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The path.
    pub path: String,
    /// What is there.
    pub why: String,
}

fn list(tried: &[Tried]) -> String {
    let each = tried.iter().map(|Tried { path, why }| format!("{path} ({why})"));
    format!("tried {}", each.collect::<Vec<_>>().join(", "))
}

impl Error {
    /// Whether it may answer at the next sample.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Missed { .. })
    }

    /// Whether a server was there that does not have what was asked for.
    pub(super) const fn is_elsewhere(&self) -> bool {
        match self {
            Self::Http(error) => error.problem.is_elsewhere(),
            Self::NoIndex | Self::NoProfile { .. } | Self::NoContention { .. } => true,
            _ => false,
        }
    }

    /// Whether the server says who may ask it, and that is not us.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Http(error) => error.problem.is_denied(),
            Self::Lost { last: inner, .. } | Self::Missed { source: inner } => inner.is_denied(),
            _ => false,
        }
    }
}
