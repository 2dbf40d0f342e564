//! Addresses as people type them.

use reqwest::Url;
use thiserror::Error;

use super::credentials::{Credentials, Secret};

/// A server, and a path on it, as it was typed: with a scheme, and without anything secret.
#[derive(Clone, Debug)]
pub struct Address {
    /// Without user, password, query and fragment.
    pub url: Url,
    /// What stood before the host: `user:password@`.
    pub credentials: Option<Credentials>,
    /// What stood behind the `?`, piece by piece.
    pub query: Vec<(String, String)>,
}

/// Why a text is no address. The text itself is not told: it may hold a password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// It cannot be understood.
    #[error("it is no address of a server ({0}): host:6060, or http://host:6060/path")]
    Malformed(String),
    /// Of another protocol.
    #[error("{0} is neither http nor https")]
    Scheme(String),
    /// HTTPS, which this build cannot speak.
    #[error("this leak-agent was built without TLS, and can ask http:// only")]
    NoTls,
}

/// A path below that of an address, whether that ends in a slash or not.
#[must_use]
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

impl Address {
    /// A path below it, with what stood behind the `?` there.
    #[must_use]
    pub fn below(&self, path: &str) -> Url {
        let mut url = below(&self.url, path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// Reads what was typed; `host:6060` means `http://host:6060`.
    ///
    /// # Errors
    /// When it is no address of a server that can be asked.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let parsed = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("http://{text}"))
        };
        let mut url = parsed.map_err(|error| AddressError::Malformed(error.to_string()))?;
        match url.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(AddressError::NoTls),
            other => return Err(AddressError::Scheme(other.to_owned())),
        }
        let credentials = userinfo(&url);
        let query = url.query_pairs().into_owned().collect();
        // Neither fails for a URL that has a host, and those of http and https have one.
        _ = url.set_username("");
        _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, credentials, query })
    }
}

/// User and password of a URL, which may be written with `%` and two digits.
fn userinfo(url: &Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let plain = |text: &str| percent(text);
    let pair = format!("{}:{}", plain(url.username()), plain(url.password().unwrap_or_default()));
    Some(Credentials::Basic(Secret::new(pair)))
}

/// A text in which `%` and two digits stand for a byte.
fn percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let byte =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        Address::parse(text).expect(text).url.to_string()
    }

    #[test]
    fn a_host_is_enough() {
        for (text, expected) in [
            ("shop:6060", "http://shop:6060/"),
            ("127.0.0.1:6060/debug/pprof", "http://127.0.0.1:6060/debug/pprof"),
            ("[::1]:6060", "http://[::1]:6060/"),
            (" http://shop/admin/?debug=1#top ", "http://shop/admin/"),
        ] {
            assert_eq!(url(text), expected, "{text}");
        }
        for text in ["", "http://", "ftp://shop", "shop:potato", "unix:///run/it"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_secret_is_taken_out() {
        let found = Address::parse("http://me:p%40ss%zz@shop:6060/x?a=b").expect("an address");
        assert_eq!(found.url.to_string(), "http://shop:6060/x");
        assert_eq!(found.query, [("a".to_owned(), "b".to_owned())]);
        let Some(Credentials::Basic(pair)) = &found.credentials else { panic!("credentials") };
        assert_eq!(pair.reveal(), "me:p@ss%zz");
        assert!(!format!("{found:?}").contains("p@ss"));
        let error = Address::parse("http://me:pa ss@:x").expect_err("no host");
        assert!(!error.to_string().contains("ss@"), "{error}");
    }
}
