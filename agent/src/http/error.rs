//! Why a server gave no answer that can be used.

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::Url;
use thiserror::Error;

use crate::units;

/// Why a server gave no answer that can be used.
#[derive(Debug, Error)]
#[error("{url}: {problem}")]
pub struct Error {
    /// What was asked for, without anything secret.
    pub url: String,
    /// What went wrong.
    pub problem: Problem,
}

impl Error {
    /// Of what was asked for: the address without user, password and query, each of which may be secret.
    #[must_use]
    pub fn of(url: &Url, problem: Problem) -> Self {
        let mut url = url.clone();
        // Neither fails for a URL that has a host, and those of http and https have one.
        _ = url.set_username("");
        _ = url.set_password(None);
        url.set_query(None);
        Self { url: url.to_string(), problem }
    }
}

/// What went wrong.
#[derive(Debug, Error)]
pub enum Problem {
    /// The name of the host has no address.
    #[error("no address is known for this host ({0})")]
    Host(String),
    /// Nobody can be reached there.
    #[error("{}", connecting(.0))]
    Connect(io::Error),
    /// Nobody answered there.
    #[error("no connection within {}", units::duration(*.0))]
    NoConnection(Duration),
    /// The answer took too long.
    #[error("timed out after {}", units::duration(*.0))]
    TimedOut(Duration),
    /// The server is not, or cannot be shown to be, who it should be, or wants to know who asks.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// What was to be used for TLS cannot be.
    #[error("the certificates or the key that TLS is to use are not sound: {0}")]
    Certificates(String),
    /// It answered, but not with what was asked for.
    #[error("{}", status(*.code, .reason, .said.as_deref()))]
    Status {
        /// The status: 404.
        code: u16,
        /// The status in words: `Not Found`.
        reason: &'static str,
        /// The first line of what it said.
        said: Option<String>,
        /// For how many seconds it asked not to be asked again.
        retry_after_seconds: Option<NonZeroU32>,
    },
    /// It answered a call of gRPC, but with a status of failure.
    #[error("answered status {code}{}", .said.as_deref().map(|said| format!(": {said}")).unwrap_or_default())]
    Call {
        /// The status: 14 (unavailable).
        code: i32,
        /// What it said.
        said: Option<String>,
        /// How long it asked not to be asked again.
        retry_after: Option<Duration>,
    },
    /// It has taken what was sent, but says so in a way that cannot be read.
    #[error("answered that it was taken, but with what cannot be understood: {0}")]
    Unclear(&'static str),
    /// It has taken only a part of what was sent.
    #[error("not all was taken, but for {0}")]
    Partial(String),
    /// A page for people where a profile was expected: of a login, of another program.
    #[error("the answer is {0}, not a profile")]
    Page(String),
    /// The answer is larger than it may be.
    #[error("the answer is larger than {}", units::bytes(*.0))]
    TooLarge(u64),
    /// The answer ended before it was complete, or cannot be unpacked.
    #[error("the answer breaks off after {}: {why}", units::bytes(*.after))]
    Broken {
        /// Bytes of it that came, unpacked.
        after: u64,
        /// Why.
        why: String,
    },
    /// It sent elsewhere, again and again.
    #[error("redirected more than {0} times")]
    Redirects(usize),
    /// It sent to where nobody should follow.
    #[error("redirected to {0}, which is not followed")]
    Astray(String),
    /// What says who asks cannot be read.
    #[error("cannot read who asks from its file")]
    Credentials(#[source] io::Error),
    /// The server closed the connection in place of an answer.
    #[error(
        "the server closed the connection without an answer{}",
        if *.wants_certificate { ", as one does that wants a certificate of who asks" } else { "" }
    )]
    Closed {
        /// Whether it was not told who asks over TLS, which it may want to know.
        wants_certificate: bool,
    },
    /// What came is not HTTP, or not as it should be.
    #[error("the answer cannot be understood: {0}")]
    Protocol(String),
    /// The agent itself cannot ask.
    #[error("cannot start to ask")]
    Start(#[source] io::Error),
}

impl Problem {
    /// Whether the server says who may ask it, and that is not us.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Status { code: 401 | 403, .. })
    }

    /// How long the server asked not to be asked again; `None` where it did not.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after_seconds, .. } => {
                retry_after_seconds.map(|seconds| Duration::from_secs(seconds.get().into()))
            }
            Self::Call { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether a server was there that does not have what was asked for, so that it may be elsewhere on it. One
    /// that is asked too often (429), or too slowly (408), and a proxy that wants to know who asks (407), do not
    /// say that.
    #[must_use]
    pub const fn is_elsewhere(&self) -> bool {
        match self {
            Self::Page(_) | Self::TooLarge(_) => true,
            Self::Status { code: 401 | 403 | 407 | 408 | 429, .. } => false,
            Self::Status { code, .. } => *code >= 300 && *code < 500,
            _ => false,
        }
    }
}

fn connecting(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to this host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "no route to its network".to_owned(),
        _ => format!("cannot connect: {error}"),
    }
}

fn status(code: u16, reason: &str, said: Option<&str>) -> String {
    let space = if reason.is_empty() { "" } else { " " };
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    format!("answered {code}{space}{reason}{said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_secrets() {
        let url = "http://me:s3cret@store:4040/push?token=s3cret".parse().expect("a URL");
        let error = Error::of(&url, Problem::Redirects(5));
        assert_eq!(error.to_string(), "http://store:4040/push: redirected more than 5 times");
    }

    #[test]
    fn what_a_server_refuses_is_elsewhere_only_where_it_says_so() {
        let is_elsewhere = |code| {
            Problem::Status { code, reason: "", said: None, retry_after_seconds: None }
                .is_elsewhere()
        };
        assert!([302, 400, 404, 405, 410].into_iter().all(is_elsewhere));
        assert!(![401, 403, 407, 408, 429, 500, 503].into_iter().any(is_elsewhere));
    }
}
