//! Where a server listens.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use thiserror::Error;

/// An address of this machine, and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub(super) SocketAddr);

impl ListenAddress {
    /// Whether it can be reached from other machines.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        !self.0.ip().is_loopback()
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A text that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an IP address with a port, such as 127.0.0.1:6061 or [::1]:6061, or a port alone")]
pub struct NoAddress;

/// A port alone is one of the loopback address.
impl FromStr for ListenAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
            return Ok(Self(([127, 0, 0, 1], port).into()));
        }
        let named = text.strip_prefix("localhost:").and_then(|port| port.parse::<u16>().ok());
        match named {
            Some(port) => Ok(Self(([127, 0, 0, 1], port).into())),
            None => text.parse().map(Self).map_err(|_| NoAddress),
        }
    }
}
