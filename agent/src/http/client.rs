//! The client: one request after the other, each within its limits.

mod grpc;

use std::io;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use reqwest::{ClientBuilder, Response, StatusCode, Url, redirect, retry};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout_at};

use super::credentials::Credentials;
use super::error::{Error, Problem};
use super::said;
use super::settings::{Header, Identity, Settings};
use crate::error_chain;

/// A server that takes longer to take a connection does not listen.
const MAX_CONNECT: Duration = Duration::from_secs(5);

/// How hyper tells that a connection was closed in place of an answer: it has no name for it that others can see.
const CLOSED: &str = "connection closed";

/// How long the text behind a status that says that something was taken is waited for.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(2);

/// A login sends to and fro a few times; who is sent more often runs in a circle.
const MAX_REDIRECTS: usize = 5;

/// Asks one server, and keeps its connections to it.
#[derive(Debug)]
pub struct Client {
    /// On the thread that asks: nothing runs in between.
    runtime: Runtime,
    server: Url,
    settings: Settings,
    version: Version,
    http: reqwest::Client,
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// What both can.
    Any,
    /// HTTP/2 from the first byte on.
    Two,
}

/// What is sent with a request, and what it is: `application/json`.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// Its media type.
    pub media_type: &'static str,
    /// The whole of it.
    pub bytes: &'a [u8],
}

/// What is to be made of what a server answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Anything,
    Profile,
    /// What is said, whole, with any status of success.
    Reply,
    /// That it was taken: any status of success, whatever is said with it.
    Receipt,
}

impl Wanted {
    /// Whether an answer with this status is what is wanted.
    fn is_met(self, status: StatusCode) -> bool {
        match self {
            Self::Anything | Self::Profile => status == StatusCode::OK,
            Self::Reply | Self::Receipt => status.is_success(),
        }
    }
}

/// What is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    url: &'a Url,
    /// With POST; without it, it is GET.
    body: Option<Body<'a>>,
    /// Headers of this request alone, beside those of the settings.
    headers: &'a [Header],
    wanted: Wanted,
    /// Bytes of an answer, at most.
    limit: u64,
}

impl Client {
    /// A client for the server of an address. Nothing is asked yet.
    ///
    /// # Errors
    /// When the certificates or the key of the settings are not sound.
    pub fn new(server: &Url, settings: Settings) -> Result<Self, Error> {
        Self::speaking(Version::Any, server, settings)
    }

    /// The same for a server that is called by gRPC ([`Client::call`]).
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn of_grpc(server: &Url, settings: Settings) -> Result<Self, Error> {
        Self::speaking(Version::Two, server, settings)
    }

    fn speaking(version: Version, server: &Url, settings: Settings) -> Result<Self, Error> {
        let fail = |problem| Error::of(server, problem);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Names of hosts are resolved by the system, which blocks; no more than one at a time.
            .max_blocking_threads(1)
            .build()
            .map_err(|error| fail(Problem::Start(error)))?;
        let http = build(server, &settings, settings.identity.as_ref(), version).map_err(fail)?;
        Ok(Self { runtime, server: server.clone(), settings, version, http })
    }

    /// Asks for a text, and gives it whole.
    ///
    /// # Errors
    /// When there is no answer, it is not 200, or it is larger than `limit` in bytes.
    pub fn text(&self, url: &Url, limit: u64) -> Result<Text, Error> {
        let mut bytes = Vec::new();
        let asked = Asked { url, body: None, headers: &[], wanted: Wanted::Anything, limit };
        let url = self.ask(asked, &mut |piece| bytes.extend_from_slice(piece))?.url;
        Ok(Text { url, text: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// Asks for a profile, and hands on what comes, unpacked, piece by piece. What was handed on before an
    /// error is the profile's beginning.
    ///
    /// # Errors
    /// As [`Client::text`], and when the answer is a page for people.
    pub fn profile(&self, url: &Url, limit: u64, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let asked = Asked { url, body: None, headers: &[], wanted: Wanted::Profile, limit };
        self.ask(asked, take).map(drop)
    }

    /// Sends something (POST), and gives the answer whole. It goes to the server that was named and to no
    /// other: of redirects only those on this server are followed that ask for the same again (307, 308).
    ///
    /// # Errors
    /// As [`Client::text`].
    pub fn post(&self, url: &Url, body: Body<'_>, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let asked = Asked { url, body: Some(body), headers: &[], wanted: Wanted::Anything, limit };
        self.ask(asked, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    /// Sends something as [`Client::post`] does, with headers of its own, to a server that says no more than that
    /// it has taken it: by any status of success (2xx).
    ///
    /// # Errors
    /// When there is no answer, or it is no success.
    pub fn hand_over(&self, url: &Url, body: Body<'_>, headers: &[Header]) -> Result<Taken, Error> {
        let mut bytes = Vec::new();
        let asked = Asked {
            url,
            body: Some(body),
            headers,
            wanted: Wanted::Receipt,
            limit: said::LOOKED_AT as u64,
        };
        let answer = self.ask(asked, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(Taken { code: answer.status.as_u16(), said: said::line(&bytes) })
    }

    /// Sends something as [`Client::post`] does, to a server that may answer with any status of success (2xx).
    ///
    /// # Errors
    /// When there is no answer, it is no success, or it is larger than `limit` in bytes.
    pub fn submit(&self, url: &Url, body: Body<'_>, limit: u64) -> Result<Reply, Error> {
        let mut bytes = Vec::new();
        let asked = Asked { url, body: Some(body), headers: &[], wanted: Wanted::Reply, limit };
        let answer = self.ask(asked, &mut |piece| bytes.extend_from_slice(piece))?;
        Ok(Reply { media_type: answer.media_type, bytes })
    }

    fn ask(&self, asked: Asked<'_>, take: &mut dyn FnMut(&[u8])) -> Result<Answer, Error> {
        self.in_time(asked.url, self.exchange(asked, take))
    }

    /// What comes of talking to a server, within the time of the settings.
    fn in_time<T>(
        &self,
        url: &Url,
        talk: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Error> {
        let timeout = self.settings.timeout;
        let talk = async {
            let deadline = Instant::now() + timeout;
            timeout_at(deadline, talk).await.unwrap_or(Err(Problem::TimedOut(timeout)))
        };
        self.runtime.block_on(talk).map_err(|problem| Error::of(url, problem))
    }

    /// One request and its answer.
    async fn exchange(
        &self,
        asked: Asked<'_>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Answer, Problem> {
        let (mut answer, url) = self.follow(asked).await?;
        let status = answer.status();
        if !asked.wanted.is_met(status) {
            return Err(refusal(&mut answer).await);
        }
        if asked.wanted == Wanted::Receipt {
            // The status says it, and what is behind is for people: that it is long or slow does not undo it. A server that
            // breaks off may not have done what it says.
            match tokio::time::timeout(RECEIPT_PATIENCE, receipt(&mut answer)).await {
                Ok(Err(error)) => {
                    let why = error_chain::first_cause(&error);
                    return Err(Problem::Broken { after: 0, why });
                }
                said => take(&said.unwrap_or(Ok(Vec::new())).unwrap_or_default()),
            }
            return Ok(Answer { status, media_type: None, url });
        }
        if asked.wanted == Wanted::Profile && is_page(&answer) {
            let page = said::line(&beginning(&mut answer).await);
            return Err(Problem::Page(page.unwrap_or_else(|| "an empty HTML page".to_owned())));
        }
        let media_type = media_type(&answer);
        let mut taken = 0_u64;
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    taken += piece.len() as u64;
                    if taken > asked.limit {
                        return Err(Problem::TooLarge(asked.limit));
                    }
                    take(&piece);
                }
                Ok(None) => return Ok(Answer { status, media_type, url }),
                Err(error) => {
                    return Err(Problem::Broken {
                        after: taken,
                        why: error_chain::first_cause(&error),
                    });
                }
            }
        }
    }

    /// Asks, and goes where the server sends. Redirects are followed here, since who asks is told to the
    /// server that was named alone.
    async fn follow(&self, asked: Asked<'_>) -> Result<(Response, Url), Problem> {
        let mut at = asked.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let request = if is_same_server(&self.server, &at) {
                let headers = self.settings.headers.iter().chain(asked.headers);
                let request = match asked.body {
                    Some(Body { media_type, bytes }) => {
                        let request = self.http.post(at.clone());
                        request.header(CONTENT_TYPE, media_type).body(bytes.to_vec())
                    }
                    None => self.http.get(at.clone()),
                };
                let request = headers.fold(request, |request, header| {
                    request.header(header.name.clone(), header.value.clone())
                });
                match &self.settings.credentials {
                    Some(credentials) => put(credentials, request)?,
                    None => request,
                }
            } else {
                // Only where nothing is sent: see below.
                self.stranger()?.get(at.clone())
            };
            let wants_certificate = at.scheme() == "https" && self.settings.identity.is_none();
            let answer = request.header(ACCEPT, "*/*").send().await;
            let answer = answer.map_err(|error| problem(error, wants_certificate))?;
            let Some(next) = next(&answer, &at)? else { return Ok((answer, at)) };
            if asked.body.is_some()
                && !(asks_the_same(answer.status()) && is_same_server(&self.server, &next))
            {
                return Err(Problem::Astray(next.origin().ascii_serialization()));
            }
            at = next;
        }
        Err(Problem::Redirects(MAX_REDIRECTS))
    }

    /// For another server, which has no business to know who asks.
    fn stranger(&self) -> Result<reqwest::Client, Problem> {
        match self.settings.identity {
            Some(_) => build(&self.server, &self.settings, None, self.version),
            None => Ok(self.http.clone()),
        }
    }
}

/// What an answer was, apart from its body.
struct Answer {
    status: StatusCode,
    /// What its body is, where that was read: `text/html`.
    media_type: Option<String>,
    /// Where it came from in the end.
    url: Url,
}

/// What a server answered to something that it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it is, in lower case and without parameters: `text/html`.
    pub media_type: Option<String>,
    /// The whole of it.
    pub bytes: Vec<u8>,
}

/// What a server said that has taken something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The status: 202.
    pub code: u16,
    /// The first line of what it said.
    pub said: Option<String>,
}

/// A text, and where it came from after redirects.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where it came from.
    pub url: Url,
    /// The text; what is not UTF-8 in it is replaced.
    pub text: String,
}

fn build(
    server: &Url,
    settings: &Settings,
    identity: Option<&Identity>,
    version: Version,
) -> Result<reqwest::Client, Problem> {
    let base = || {
        let base = ClientBuilder::new()
            .user_agent(concat!("leak-agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(MAX_CONNECT.min(settings.timeout))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(1);
        let base = if version == Version::Two { base.http2_prior_knowledge() } else { base };
        // As Go's own client: a proxy of the environment has no way to this machine.
        if is_local(server) { base.no_proxy() } else { base }
    };
    #[cfg(feature = "tls")]
    return super::tls::build(base, settings, identity);
    #[cfg(not(feature = "tls"))]
    {
        _ = identity;
        base().build().map_err(|error| problem(error, false))
    }
}

fn put(
    credentials: &Credentials,
    request: reqwest::RequestBuilder,
) -> Result<reqwest::RequestBuilder, Problem> {
    credentials.put_into(request).map_err(Problem::Credentials)
}

/// Whether an address is of the server that was named: its host and port, or its port for HTTPS.
fn is_same_server(server: &Url, other: &Url) -> bool {
    let port = Url::port_or_known_default;
    let is_upgraded = (port(server), port(other)) == (Some(80), Some(443));
    server.host() == other.host() && (port(server) == port(other) || is_upgraded)
}

fn is_local(server: &Url) -> bool {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a redirect asks for the same request again, with what it sent.
fn asks_the_same(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

/// Where an answer sends, if it does.
fn next(answer: &Response, from: &Url) -> Result<Option<Url>, Problem> {
    let status = answer.status();
    let Some(location) = answer.headers().get(LOCATION).filter(|_| status.is_redirection()) else {
        return Ok(None);
    };
    let next = std::str::from_utf8(location.as_bytes()).ok().and_then(|to| from.join(to).ok());
    let Some(mut next) = next else {
        return Err(Problem::Astray("what is no address".to_owned()));
    };
    _ = next.set_username("");
    _ = next.set_password(None);
    match (from.scheme(), next.scheme()) {
        ("http", "http") | (_, "https") => Ok(Some(next)),
        // Who asks would be told to whoever listens in between.
        ("https", "http") => Err(Problem::Astray("plain HTTP".to_owned())),
        (_, other) => Err(Problem::Astray(format!("{other}:"))),
    }
}

/// What a status of failure comes to, with what is said behind it.
async fn refusal(answer: &mut Response) -> Problem {
    let (status, retry_after_seconds) = (answer.status(), retry_after(answer));
    Problem::Status {
        code: status.as_u16(),
        reason: status.canonical_reason().unwrap_or(""),
        said: said::line(&beginning(answer).await),
        retry_after_seconds,
    }
}

fn is_page(answer: &Response) -> bool {
    media_type(answer).as_deref() == Some("text/html")
}

/// What the body is, in lower case and without parameters.
fn media_type(answer: &Response) -> Option<String> {
    let kind = answer.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(kind.split(';').next()?.trim().to_ascii_lowercase())
}

/// For how long a server asks not to be asked again: in seconds, or by a date, which its own clock counts from.
fn retry_after(answer: &Response) -> Option<NonZeroU32> {
    let text = |name| answer.headers().get(name)?.to_str().ok();
    let pause = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = pause.parse::<u32>() {
        return NonZeroU32::new(seconds);
    }
    let seconds = |date: &str| {
        let date = jiff::fmt::rfc2822::parse(date.trim()).ok()?;
        Some(date.timestamp().as_second())
    };
    let pause = seconds(pause)? - seconds(text(DATE)?)?;
    NonZeroU32::new(pause.try_into().ok()?)
}

/// As much of an answer as says what it is.
async fn beginning(answer: &mut Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What breaks off says it as far as it came.
    let _ = read_beginning(answer, &mut bytes).await;
    bytes
}

/// The same of one that says that something was taken, unless it breaks off before.
async fn receipt(answer: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    read_beginning(answer, &mut bytes).await?;
    Ok(bytes)
}

async fn read_beginning(answer: &mut Response, bytes: &mut Vec<u8>) -> Result<(), reqwest::Error> {
    while bytes.len() < said::LOOKED_AT
        && let Some(piece) = answer.chunk().await?
    {
        bytes.extend_from_slice(&piece[..piece.len().min(said::LOOKED_AT)]);
    }
    Ok(())
}

/// Whether the other end closed the connection.
const fn is_of_closed(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Why there was no answer; over TLS it may be that the server was not told who asks.
fn problem(error: reqwest::Error, wants_certificate: bool) -> Problem {
    // It may hold what is secret, and is told by those who asked.
    let error = error.without_url();
    #[cfg(feature = "tls")]
    if let Some(problem) = super::tls::problem(&error) {
        return problem;
    }
    if error.is_timeout() {
        return Problem::NoConnection(MAX_CONNECT);
    }
    if error.is_dns() {
        return Problem::Host(error_chain::first_cause(&error));
    }
    let of_io = |error: &(dyn std::error::Error + 'static)| {
        let error = error.downcast_ref::<io::Error>()?;
        Some(error.raw_os_error().map_or_else(
            || io::Error::new(error.kind(), error.to_string()),
            io::Error::from_raw_os_error,
        ))
    };
    match error_chain::chain(&error).find_map(of_io) {
        Some(source) if error.is_connect() => Problem::Connect(source),
        // Where it was closed while the request was being sent.
        Some(source) if is_of_closed(source.kind()) => Problem::Closed { wants_certificate },
        Some(source) => Problem::Broken { after: 0, why: source.to_string() },
        None => match error_chain::first_cause(&error) {
            why if why.starts_with(CLOSED) => Problem::Closed { wants_certificate },
            why => Problem::Protocol(why),
        },
    }
}

#[cfg(test)]
mod tests;
