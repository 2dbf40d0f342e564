//! What says who asks.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;

/// A password or a token is no larger than this.
const MAX_BYTES: u64 = 64 << 10;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The first line of a file.
    ///
    /// # Errors
    /// When the file cannot be read, or that is empty.
    pub fn of_file(file: &Path) -> io::Result<Self> {
        first_line(file).map(Self)
    }

    /// The text itself, for the server alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// What says who asks. A file is read again for each request: tokens are replaced while they are in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `user:password`.
    Basic(Secret),
    /// The same in a file, the first line of which counts.
    BasicFile(PathBuf),
    /// A bearer token.
    Bearer(Secret),
    /// The same in a file.
    BearerFile(PathBuf),
}

impl Credentials {
    /// Puts them into a request.
    ///
    /// # Errors
    /// When the file cannot be read, or what is in it cannot stand in a header.
    pub(super) fn put_into(&self, request: RequestBuilder) -> io::Result<RequestBuilder> {
        let basic = |request: RequestBuilder, pair: &str| {
            let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
            request.basic_auth(user, Some(password))
        };
        let bearer = |request: RequestBuilder, token: &str| {
            let fits = HeaderValue::from_str(token).is_ok();
            fits.then(|| request.bearer_auth(token)).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "it holds what no header can")
            })
        };
        match self {
            Self::Basic(pair) => Ok(basic(request, pair.reveal())),
            Self::BasicFile(file) => Ok(basic(request, &first_line(file)?)),
            Self::Bearer(token) => bearer(request, token.reveal()),
            Self::BearerFile(file) => bearer(request, &first_line(file)?),
        }
    }

    /// The file that they are read from.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::BasicFile(file) | Self::BearerFile(file) => Some(file),
            Self::Basic(_) | Self::Bearer(_) => None,
        }
    }
}

/// What a file holds in its first line: editors end it with a line break.
pub(super) fn first_line(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(MAX_BYTES).read_to_string(&mut text)?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "its first line is empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(credentials: &Credentials) -> io::Result<String> {
        let request = credentials.put_into(reqwest::Client::new().get("http://shop"))?;
        let request = request.build().map_err(io::Error::other)?;
        let value = request.headers().get("authorization").expect("it is there");
        assert!(value.is_sensitive());
        Ok(value.to_str().expect("text").to_owned())
    }

    #[test]
    fn a_secret_is_not_shown() {
        // The pair of RFC 7617, section 2.
        let basic = Credentials::Basic(Secret::new("Aladdin:open sesame".to_owned()));
        assert_eq!(header(&basic).expect("sound"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let bearer = Credentials::Bearer(Secret::new("potato".to_owned()));
        assert_eq!(header(&bearer).expect("sound"), "Bearer potato");
        assert!(!format!("{basic:?} {bearer:?}").contains(['A', 'p']));
        let broken = Credentials::Bearer(Secret::new("two\nlines".to_owned()));
        assert!(!header(&broken).expect_err("no header").to_string().contains("two"));
    }

    #[test]
    fn a_file_is_read_anew_and_errors_do_not_tell_what_is_in_it() {
        let name = format!("leak-agent-token-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let credentials = Credentials::BearerFile(file.clone());
        let missing = header(&credentials).expect_err("not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        for token in ["first", "second"] {
            std::fs::write(&file, format!("{token}\r\nmore")).expect("written");
            assert_eq!(header(&credentials).expect("read"), format!("Bearer {token}"));
        }
        std::fs::write(&file, "\n").expect("written");
        assert!(header(&credentials).expect_err("empty").to_string().contains("empty"));
        std::fs::remove_file(file).expect("it was there");
    }
}
