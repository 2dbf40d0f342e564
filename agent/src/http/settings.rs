//! How servers are asked.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use thiserror::Error;

use super::credentials::{self, Credentials};

/// A file of certificates is no larger than this: all that a machine trusts is a quarter of it.
const MAX_BYTES: u64 = 1 << 20;

/// How servers are asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long an answer may take, from the request to its last byte.
    pub timeout: Duration,
    /// Who asks; what an address itself holds goes first.
    pub credentials: Option<Credentials>,
    /// Headers that are sent too.
    pub headers: Vec<Header>,
    /// Certificates (PEM) that are trusted beside those of the machine.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there is nobody to trust"))]
    pub authorities: Option<Vec<u8>>,
    /// Who asks, by a certificate.
    pub identity: Option<Identity>,
    /// Whether servers are believed to be who they say, whatever their certificates are.
    pub insecure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            credentials: None,
            headers: Vec::new(),
            authorities: None,
            identity: None,
            insecure: false,
        }
    }
}

/// A header of a request, whose value is a secret: it often is one.
#[derive(Clone, Debug)]
pub struct Header {
    pub(super) name: HeaderName,
    /// Marked as sensitive.
    pub(super) value: HeaderValue,
}

impl Header {
    /// Reads `Name: value`.
    ///
    /// # Errors
    /// What is wrong with it, without its value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, value) = text.split_once(':').ok_or("it is written Name: value")?;
        let name = name.trim().parse().map_err(|_| "that is no name of a header")?;
        let mut value: HeaderValue =
            value.trim().parse().map_err(|_| "its value holds what no header can")?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

/// A client's certificate and its key.
#[derive(Clone)]
pub struct Identity {
    /// Both, in PEM.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "nobody is shown it"))]
    pub(super) pem: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Identity(secret)")
    }
}

impl Identity {
    /// Reads both files; without a second one the first holds both.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(certificate: &Path, key: Option<&Path>) -> Result<Self, SettingsError> {
        let mut pem = pem(certificate)?;
        if let Some(key) = key {
            pem.push(b'\n');
            pem.extend(self::pem(key)?);
        }
        Ok(Self { pem })
    }
}

/// Why a file that says how to ask cannot be used.
#[derive(Debug, Error)]
#[error("cannot use {}", file.display())]
pub struct SettingsError {
    /// The file.
    pub file: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Settings {
    /// Reads the certificates that are to be trusted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn authorities_of(file: &Path) -> Result<Vec<u8>, SettingsError> {
        pem(file)
    }

    /// That the files of credentials can be read, which is done again for each request.
    ///
    /// # Errors
    /// When one cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        let Some(file) = self.credentials.as_ref().and_then(Credentials::file) else {
            return Ok(());
        };
        match credentials::first_line(file) {
            Ok(_) => Ok(()),
            Err(source) => Err(SettingsError { file: file.to_owned(), source }),
        }
    }
}

fn pem(file: &Path) -> Result<Vec<u8>, SettingsError> {
    let read = || -> io::Result<Vec<u8>> {
        if !fs::metadata(file)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
        let mut bytes = Vec::new();
        File::open(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
        is_pem.then_some(bytes).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it holds nothing in PEM (-----BEGIN ...)")
        })
    };
    read().map_err(|source| SettingsError { file: file.to_owned(), source })
}
