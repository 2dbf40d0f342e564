//! Who may look: whoever has the token, over this server's own name, from no other site's page.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::str::FromStr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use thiserror::Error;

use crate::serve::answer::Refusal;

/// The cookie that a browser keeps the token in.
const COOKIE: &str = "leak_agent_token";
/// The parameter of the link that is printed.
const PARAMETER: &str = "token";
/// Fewer characters can be guessed.
const MIN_TOKEN: usize = 16;

/// What one must know to look. It is never shown but in the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What lets in those who may look.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Door {
    /// `None` where there is no token, as on a loopback address alone.
    pub(in crate::serve) token: Option<Token>,
    /// Whether it is reached by TLS alone.
    pub(in crate::serve) is_encrypted: bool,
}

/// A text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("at least 16 letters, digits, hyphens and underscores")]
pub struct NoToken;

impl Token {
    /// A new one, of 128 random bits.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// What stands behind the address in the link.
    #[must_use]
    pub fn link(&self) -> String {
        format!("?{PARAMETER}={}", self.0)
    }

    /// Compares in a time that tells nothing of where they differ.
    fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let differ = own.iter().zip(given).fold(0, |differ, (a, b)| differ | (a ^ b));
        own.len() == given.len() && differ == 0
    }
}

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_token = text.len() >= MIN_TOKEN && text.bytes().all(is_plain);
        if is_token { Ok(Self(text.to_owned())) } else { Err(NoToken) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(..)")
    }
}

/// Lets through what may look.
pub(super) async fn guard(
    State(Door { token, is_encrypted }): State<Door>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(refused(StatusCode::METHOD_NOT_ALLOWED, "the dashboard can only be read"));
    }
    let headers = request.headers();
    if is_from_elsewhere(headers) {
        return Err(refused(StatusCode::FORBIDDEN, "asked for by a page of another site"));
    }
    let Some(token) = token else {
        // A page of another site whose name was made to lead here has that name.
        if !is_local(headers) {
            let why =
                "asked for by another name than this machine's own: use 127.0.0.1 or localhost";
            return Err(refused(StatusCode::FORBIDDEN, why));
        }
        return Ok(next.run(request).await);
    };
    let query = request.uri().query().unwrap_or("");
    let given = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    if let Some(given) = given {
        if !token.is(given) {
            return Err(refused(StatusCode::UNAUTHORIZED, "the token is not the right one"));
        }
        return Ok(let_in(&token, is_encrypted, request.uri().path()));
    }
    if has_token(headers, &token) {
        return Ok(next.run(request).await);
    }
    let why = "open the link that leak-agent printed: it has the token";
    Err(refused(StatusCode::UNAUTHORIZED, why))
}

fn refused(status: StatusCode, why: &str) -> Refusal {
    Refusal::new(status, why.to_owned())
}

/// Keeps the token in a cookie, and shows the page without it in its address.
fn let_in(token: &Token, is_encrypted: bool, path: &str) -> Response {
    // A path that begins with two slashes is another server's.
    let path = format!("/{}", path.trim_start_matches('/'));
    let secure = if is_encrypted { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict{secure}", token.0);
    let headers = [
        (header::LOCATION, path),
        (header::SET_COOKIE, cookie),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn has_token(headers: &HeaderMap, token: &Token) -> bool {
    let texts = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let bearer = texts(header::AUTHORIZATION)
        .any(|it| it.strip_prefix("Bearer ").is_some_and(|it| token.is(it)));
    let is_cookie = |pair: &str| {
        pair.trim().split_once('=').is_some_and(|(name, it)| name == COOKIE && token.is(it))
    };
    bearer || texts(header::COOKIE).flat_map(|it| it.split(';')).any(is_cookie)
}

/// Whether a browser says that a page of another site asks.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_navigation = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if !is_navigation && matches!(site, Some("cross-site" | "same-site")) {
        return true;
    }
    let Some(origin) = text(header::ORIGIN) else { return false };
    let own = text(header::HOST).unwrap_or("");
    origin.split_once("://").is_none_or(|(_, authority)| authority != own)
}

/// Whether the server was asked for by a name that can only be this machine's.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
