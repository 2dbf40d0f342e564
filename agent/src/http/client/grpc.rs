//! gRPC's unary calls: one message there, one back, and a status behind it.
//!
//! What is in HTTP/2 for them is little: a prefix of five bytes before a message, and trailers. What streams, and what
//! packs messages, nobody here needs.

use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http_body::Body as _;
use percent_encoding::percent_decode_str;
use prost::Message;
use reqwest::header::HeaderMap;
use reqwest::{Body, StatusCode, Url};

use super::{Asked, Client, Wanted, refusal};
use crate::error_chain;
use crate::http::error::{Error, Problem};
use crate::http::settings::Header;
use crate::http::{Body as Sent, said};

/// Whether a message is packed, and its length.
const PREFIX: usize = 5;

/// Bytes of a detail of a status: with padding and without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// google/rpc/status.proto
#[derive(Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// google/protobuf/any.proto
#[derive(Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// google/rpc/error_details.proto
#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// google/protobuf/duration.proto
#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Client {
    /// Calls a method, by its whole address, with a message, and gives the message that it answers with. For a client
    /// that was made for it ([`Client::of_grpc`]).
    ///
    /// # Errors
    /// When there is no answer, its status is not 0, or it is larger than `limit` in bytes.
    pub fn call(&self, url: &Url, message: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
        self.in_time(url, self.exchange_call(url, &framed(message), limit))
    }

    async fn exchange_call(&self, url: &Url, bytes: &[u8], limit: u64) -> Result<Vec<u8>, Problem> {
        let headers = [Header::parse("te: trailers").map_err(|why| Problem::Protocol(why.into()))?];
        let body = Sent { media_type: "application/grpc+proto", bytes };
        let asked =
            Asked { url, body: Some(body), headers: &headers, wanted: Wanted::Anything, limit };
        let (mut answer, _) = self.follow(asked).await?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(&mut answer).await);
        }
        let headers = answer.headers().clone();
        let mut body = Body::from(answer);
        let (mut bytes, mut trailers) = (Vec::new(), None);
        loop {
            let next =
                std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let Some(frame) = next else { break };
            let broken = |error| Problem::Broken {
                after: bytes.len() as u64,
                why: error_chain::first_cause(&error),
            };
            match frame.map_err(broken)?.into_data() {
                Ok(data) if bytes.len() as u64 + data.len() as u64 > limit => {
                    return Err(Problem::TooLarge(limit));
                }
                Ok(data) => bytes.extend_from_slice(&data),
                Err(other) => trailers = other.into_trailers().ok(),
            }
        }
        // Where there is no message, all is in the headers.
        status_of(&trailers.unwrap_or(headers))?;
        unframed(&bytes).map(<[u8]>::to_vec)
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat()
}

fn unframed(bytes: &[u8]) -> Result<&[u8], Problem> {
    let odd = || Problem::Unclear("it holds no whole message of gRPC");
    let (prefix, message) = bytes.split_at_checked(PREFIX).ok_or_else(odd)?;
    let [0, length @ ..] = prefix else { return Err(odd()) };
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    if message.len() == length { Ok(message) } else { Err(odd()) }
}

/// What a call has come to.
fn status_of(trailers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| trailers.get(name)?.to_str().ok();
    let code = text("grpc-status").and_then(|code| code.parse().ok());
    let code = code.ok_or_else(|| Problem::Protocol("it has no status of gRPC".to_owned()))?;
    if code == 0 {
        return Ok(());
    }
    let said = text("grpc-message").map(|said| percent_decode_str(said).collect::<Vec<u8>>());
    let details = text("grpc-status-details-bin");
    Err(Problem::Call {
        code,
        said: said.and_then(|said| said::line(&said)),
        retry_after: details.and_then(delay),
    })
}

/// How long the details of a status ask not to be asked again.
fn delay(details: &str) -> Option<Duration> {
    let status = Status::decode(&*BASE64.decode(details).ok()?).ok()?;
    let mut details = status.details.iter();
    let info = details.find(|it| it.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let Delay { seconds, nanos } = RetryInfo::decode(&*info.value).ok()?.retry_delay?;
    Some(Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_framed_by_its_length() {
        let sent = framed(b"abc");
        assert_eq!(sent, [0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(unframed(&sent).expect("a message"), b"abc");
        assert!(unframed(&sent[..7]).is_err() && unframed(&[]).is_err());
        // One that is packed, which nobody asked for.
        assert!(unframed(&[1, 0, 0, 0, 0]).is_err());
    }

    #[test]
    fn a_status_is_told_with_what_the_server_said_and_asked_for() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let pair = |&(name, text): &(&'static str, &str)| {
                (name.parse().expect("a name"), text.parse().expect("a value"))
            };
            pairs.iter().map(pair).collect::<HeaderMap>()
        };
        assert!(status_of(&headers(&[("grpc-status", "0")])).is_ok());
        assert!(matches!(status_of(&headers(&[])), Err(Problem::Protocol(_))));
        let info = RetryInfo { retry_delay: Some(Delay { seconds: 3, nanos: 500_000_000 }) };
        let detail = Detail {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info.encode_to_vec(),
        };
        let details = BASE64.encode(Status { details: vec![detail] }.encode_to_vec());
        let exhausted = headers(&[
            ("grpc-status", "8"),
            ("grpc-message", "too%20much"),
            ("grpc-status-details-bin", details.trim_end_matches('=')),
        ]);
        let problem = status_of(&exhausted).expect_err("a failure");
        assert_eq!(problem.to_string(), "answered status 8: \"too much\"");
        assert_eq!(problem.retry_after(), Some(Duration::from_millis(3500)));
    }
}
