//! OTLP: metrics, and what happened to findings as log records, for an OpenTelemetry collector or whatever else takes
//! them; over HTTP with protobuf, or over gRPC.

mod logs;
mod metrics;
mod names;
mod proto;
mod resource;

use std::str::FromStr;
use std::sync::Arc;

use prost::Message as _;

use super::{Gathered, Label, Parcel};
use crate::http::{Address, Body, Client, Error, Problem, Reply, Settings, Url};
use crate::model::Target;
pub use logs::{Event, Happened, Place};
pub use metrics::Times;

/// Bytes of a request, as far as one target's are no more: servers of gRPC take 4 MB by default.
const MAX_REQUEST: usize = 1 << 20;

/// The media type of OTLP over HTTP.
const PROTOBUF: &str = "application/x-protobuf";

/// Bytes of an answer that are read.
const MAX_ANSWER: u64 = 64 << 10;

/// How it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Protobuf in HTTP requests.
    Http,
    /// gRPC.
    Grpc,
}

impl FromStr for Protocol {
    type Err = &'static str;

    /// Reads it as OpenTelemetry's own variables have it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "http/protobuf" => Ok(Self::Http),
            "grpc" => Ok(Self::Grpc),
            _ => Err("it is http/protobuf or grpc"),
        }
    }
}

/// What is sent of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Figures.
    Metrics,
    /// What happened.
    Logs,
}

impl Signal {
    const fn path(self, protocol: Protocol) -> &'static str {
        match (self, protocol) {
            (Self::Metrics, Protocol::Http) => "v1/metrics",
            (Self::Logs, Protocol::Http) => "v1/logs",
            (Self::Metrics, Protocol::Grpc) => {
                "opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
            }
            (Self::Logs, Protocol::Grpc) => {
                "opentelemetry.proto.collector.logs.v1.LogsService/Export"
            }
        }
    }

    const fn items(self) -> &'static str {
        match self {
            Self::Metrics => "data points",
            Self::Logs => "log records",
        }
    }

    /// What a status of success comes to, by what is said with it. Not all servers say it in protobuf, or anything.
    fn taken(self, reply: &Reply) -> Result<(), Problem> {
        match reply.media_type.as_deref() {
            Some(PROTOBUF) => self.said(&reply.bytes),
            Some("text/html") => Err(Problem::Unclear("a page for people")),
            _ => Ok(()),
        }
    }

    /// What an answer says of what was taken.
    fn said(self, answer: &[u8]) -> Result<(), Problem> {
        match proto::Answer::decode(answer) {
            Ok(proto::Answer { partial_success: Some(partial) }) if partial.rejected > 0 => {
                let (count, items) = (partial.rejected, self.items());
                Err(Problem::Partial(format!("{count} {items}: {}", partial.error_message)))
            }
            Ok(_) => Ok(()),
            Err(_) => Err(Problem::Unclear("it is not what a receiver of OTLP answers")),
        }
    }
}

/// What is sent at once, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request(Vec<u8>);

impl Parcel for Request {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// Figures of one program, or of the agent.
pub struct Measured(proto::ResourceMetrics);

/// What happened to findings of one program.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The program.
    pub target: Arc<Target>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Figures of a program.
#[must_use]
pub fn measured(target: &Target, labels: &[Label], figures: Vec<Gathered>, at: Times) -> Measured {
    Measured(metrics::of(resource::of_target(target, labels), figures, at))
}

/// Figures of the agent.
pub fn measured_of_agent(
    pid: u32,
    host: Option<&str>,
    figures: impl Iterator<Item = Gathered>,
    at: Times,
) -> Measured {
    Measured(metrics::of(resource::of_agent(pid, host), figures, at))
}

/// Requests with all of that, each of bounded size.
#[must_use]
pub fn metrics_requests(measured: impl IntoIterator<Item = Measured>) -> Vec<Request> {
    in_requests(measured.into_iter().map(|it| it.0), |resource_metrics| {
        proto::ExportMetrics { resource_metrics }.encode_to_vec()
    })
}

/// The same of what happened.
#[must_use]
pub fn logs_requests(logged: impl IntoIterator<Item = Logged>) -> Vec<Request> {
    let parts = logged.into_iter().map(|Logged { target, labels, events }| {
        logs::of(resource::of_target(&target, &labels), events)
    });
    in_requests(parts, |resource_logs| proto::ExportLogs { resource_logs }.encode_to_vec())
}

fn in_requests<T: prost::Message>(
    parts: impl Iterator<Item = T>,
    encode: fn(Vec<T>) -> Vec<u8>,
) -> Vec<Request> {
    let (mut requests, mut next, mut bytes) = (Vec::new(), Vec::new(), 0);
    for part in parts {
        let len = part.encoded_len();
        if bytes + len > MAX_REQUEST && !next.is_empty() {
            requests.push(Request(encode(std::mem::take(&mut next))));
            bytes = 0;
        }
        bytes += len;
        next.push(part);
    }
    if !next.is_empty() {
        requests.push(Request(encode(next)));
    }
    requests
}

/// Sends one signal to one server.
#[derive(Debug)]
pub struct Exporter {
    signal: Signal,
    protocol: Protocol,
    url: Url,
    client: Client,
}

impl Exporter {
    /// For the server at an address, which may have a path before the protocol's own. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(
        signal: Signal,
        protocol: Protocol,
        address: Address,
        mut settings: Settings,
    ) -> Result<Self, Error> {
        let url = address.below(signal.path(protocol));
        settings.credentials = address.credentials.or(settings.credentials);
        let client = match protocol {
            Protocol::Http => Client::new(&address.url, settings)?,
            Protocol::Grpc => Client::of_grpc(&address.url, settings)?,
        };
        Ok(Self { signal, protocol, url, client })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the server has not taken it, or only a part of it, or something else has answered.
    pub fn send(&self, Request(bytes): &Request) -> Result<(), Error> {
        let result = match self.protocol {
            Protocol::Http => {
                let body = Body { media_type: PROTOBUF, bytes };
                let reply = self.client.submit(&self.url, body, MAX_ANSWER)?;
                self.signal.taken(&reply)
            }
            Protocol::Grpc => self.signal.said(&self.client.call(&self.url, bytes, MAX_ANSWER)?),
        };
        result.map_err(|problem| Error::of(&self.url, problem))
    }
}

/// Whether a server does not want the request itself, and must not be sent it again, by the protocol.
#[must_use]
pub const fn is_refusal(error: &Error) -> bool {
    match &error.problem {
        Problem::Status { code, .. } => !matches!(code, 429 | 502 | 503 | 504),
        // Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss.
        Problem::Call { code: 1 | 4 | 10 | 11 | 14 | 15, .. } => false,
        // Resource exhausted, where the server says that it recovers.
        Problem::Call { code: 8, retry_after, .. } => retry_after.is_none(),
        Problem::Call { .. } | Problem::Partial(_) => true,
        // It was taken, or came to where nobody takes it: again would be twice.
        Problem::Unclear(_) | Problem::TooLarge(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
