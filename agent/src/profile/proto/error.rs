//! What can be wrong with a profile as a whole.

use thiserror::Error;

use super::kind::Kind;

/// Why bytes are no profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// There are none.
    #[error("it is empty")]
    Empty,
    /// They are no protobuf, or not all of it.
    #[error("byte {at}: {what}")]
    Malformed {
        /// Where, from 0.
        at: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// They may be protobuf, but no profile.
    #[error("it has no sample types, which every profile has")]
    NoSampleTypes,
    /// More than can be numbered.
    #[error("it has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read at most.
        limit: u32,
    },
}

/// A profile that is not of what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("it is {is} profile, and not {wanted}")]
pub struct NotThis {
    /// What it is.
    pub is: Kind,
    /// What was asked for.
    pub wanted: &'static str,
}
