//! A build without TLS: no certificate fits.

use thiserror::Error;

/// There is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// Of the certificate.
    #[error("{0}")]
    Certificate(String),
    /// Of the key.
    #[expect(dead_code, reason = "a build with TLS looks at keys")]
    #[error("{0}")]
    Key(String),
}

impl Certificate {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn of_pem(_: &[u8], _: &[u8]) -> Result<Self, Unfit> {
        Err(Unfit::Certificate("this leak-agent was built without TLS".to_owned()))
    }
}
