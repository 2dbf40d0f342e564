//! Answers, and how much of them is kept for clients that are slow to read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::NoSample;

/// What answers that are being read may take in all.
const MAX_KEPT: usize = 256 << 20;

/// The unit that is counted.
const UNIT: usize = 64 << 10;

/// Requests that are rendered at a time.
const RENDERERS: usize = 2;

/// Requests that are answered at a time; those that wait for their seconds to pass included.
const MAX_REQUESTS: usize = 64;

/// The headers that Go's own server adds to what is wrong.
const GO_PPROF: HeaderName = HeaderName::from_static("x-go-pprof");

/// What bounds how much is done at a time.
#[derive(Clone)]
pub(super) struct Bounds {
    requests: Arc<Semaphore>,
    renderers: Arc<Semaphore>,
    kept: Arc<Semaphore>,
}

impl Bounds {
    pub(super) fn new() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            requests: semaphore(MAX_REQUESTS),
            renderers: semaphore(RENDERERS),
            kept: semaphore(MAX_KEPT / UNIT),
        }
    }

    /// A request's place, until it is dropped.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| NoSample::Busy.into())
    }

    /// Renders on a thread where it holds up nobody.
    pub(super) async fn render(
        &self,
        render: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Result<Vec<u8>, Refusal> {
        let _place = self.renderers.acquire().await;
        match tokio::task::spawn_blocking(render).await {
            Ok(Ok(rendered)) => Ok(rendered),
            Ok(Err(why)) => Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, why)),
            Err(_) => {
                let why = "internal error: rendering panicked".to_owned();
                Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why))
            }
        }
    }

    /// The body of an answer, which counts until it is read.
    pub(super) fn keep(&self, bytes: Vec<u8>) -> Result<Body, Refusal> {
        self.keep_shared(bytes.into())
    }

    /// The same of bytes that others read too.
    pub(super) fn keep_shared(&self, bytes: Bytes) -> Result<Body, Refusal> {
        let units = u32::try_from(bytes.len().div_ceil(UNIT)).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.kept).try_acquire_many_owned(units);
        let place = place.map_err(|_| {
            let why = "other answers have not been read yet: try again later";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why.to_owned())
        })?;
        Ok(Body::new(Kept { bytes: Some(bytes), _place: place }))
    }
}

/// A body, and its place among those that are kept.
struct Kept {
    bytes: Option<Bytes>,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        // In pieces, so that the place is kept until the last of them is taken.
        let Some(bytes) = &mut self.bytes else { return Poll::Ready(None) };
        let piece = bytes.split_to(bytes.len().min(UNIT));
        if bytes.is_empty() {
            self.bytes = None;
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}

/// The headers of a text.
pub(super) fn text() -> HeaderMap {
    headers("text/plain; charset=utf-8")
}

/// The headers of a page.
pub(super) fn page() -> HeaderMap {
    headers("text/html; charset=utf-8")
}

/// The headers of a script.
pub(super) fn script() -> HeaderMap {
    headers("text/javascript; charset=utf-8")
}

/// The headers of a file.
pub(super) fn file(name: &'static str) -> HeaderMap {
    named("application/octet-stream", name)
}

/// The headers of a file of this media type.
pub(super) fn named(kind: &'static str, name: &'static str) -> HeaderMap {
    let mut headers = headers(kind);
    let disposition = format!("attachment; filename=\"{name}\"");
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    headers
}

fn headers(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ])
}

/// What a request is answered that cannot be served.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, why: String) -> Self {
        Self { status, why }
    }
}

impl From<NoSample> for Refusal {
    fn from(why: NoSample) -> Self {
        let status = match why {
            NoSample::Ended => StatusCode::GONE,
            NoSample::NoProfile(_) => StatusCode::NOT_FOUND,
            NoSample::Busy | NoSample::Unproven(_) | NoSample::Failed(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, why.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut headers = text();
        headers.insert(GO_PPROF, HeaderValue::from_static("1"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        (self.status, headers, format!("{}\n", self.why)).into_response()
    }
}
