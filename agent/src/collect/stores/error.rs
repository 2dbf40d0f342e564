//! Why a store gives no profiles.

use thiserror::Error;

use super::range::Range;
use crate::http;
use crate::model::Store;
use crate::units::counted;

/// Why a store gives no profiles.
#[derive(Debug, Error)]
pub enum Error {
    /// It did not answer, or not with what was asked for.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// What answers is another server.
    #[error("this is no {store}, or it is below another path")]
    Another {
        /// What it was taken for.
        store: Store,
        /// What it answered.
        #[source]
        source: Box<http::Error>,
    },
    /// It answered in a form that is not its own.
    #[error("the answer of {url} cannot be understood: {why}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// It has no profiles of goroutines, or not those that were asked for.
    #[error(
        "it has no profiles of {} {range}; {}",
        wanted.as_deref().unwrap_or("goroutines"),
        types(has)
    )]
    NoType {
        /// The type that was asked for by its name.
        wanted: Option<String>,
        /// Of when.
        range: Range,
        /// Those that it has.
        has: Vec<String>,
    },
    /// It has none of this program in this time.
    #[error("it has no profiles of {query} {range}: other labels (--query), or an earlier --from?")]
    NoProfiles {
        /// The type and the labels.
        query: String,
        /// Of when.
        range: Range,
    },
    /// What it gave is no profile of goroutines.
    #[error("it is no profile of goroutines: {0}")]
    NoProfile(String),
    /// Profiles could not be read, one after the other.
    #[error("{} could not be read, one after the other", counted(*.profiles, "profile", "profiles"))]
    Unread {
        /// How many.
        profiles: u64,
        /// Why the last could not.
        #[source]
        last: Box<Self>,
    },
}

/// Types of profiles that an error names.
const MAX_NAMED: usize = 16;

fn types(has: &[String]) -> String {
    match has {
        [] => "it has none of anything in this time".to_owned(),
        has => {
            let named: Vec<_> = has.iter().take(MAX_NAMED).map(String::as_str).collect();
            let more = if has.len() > MAX_NAMED { ", and others" } else { "" };
            format!("it has {}{more}", named.join(", ").replace(char::is_control, " "))
        }
    }
}

impl Error {
    /// Whether the store says who may ask it, and that is not us.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Http(error) => error.problem.is_denied(),
            Self::Unread { last, .. } => last.is_denied(),
            _ => false,
        }
    }

    /// Whether the store will not give the other profiles either.
    pub(super) const fn is_final(&self) -> bool {
        match self {
            Self::Http(error) => {
                error.problem.is_denied()
                    || matches!(error.problem, http::Problem::Connect(_) | http::Problem::Host(_))
            }
            _ => false,
        }
    }
}
