//! `/metrics`, for Prometheus and what reads its format.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Redirect;
use axum::routing::get;

use super::answer::{Bounds, Refusal};

/// Makes the text, whenever it is asked for.
pub type Render = dyn Fn() -> Vec<u8> + Send + Sync;

#[derive(Clone)]
struct Metrics {
    render: Arc<Render>,
    media_type: &'static str,
    bounds: Bounds,
}

/// `/metrics`, and `/` leads there.
pub(super) fn routes(render: Arc<Render>, media_type: &'static str) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/metrics") }))
        .route("/metrics", get(metrics))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "only /metrics is here".to_owned()))
        .with_state(Metrics { render, media_type, bounds: Bounds::new() })
}

async fn metrics(
    State(Metrics { render, media_type, bounds }): State<Metrics>,
) -> Result<(HeaderMap, Body), Refusal> {
    let _place = bounds.enter()?;
    let text = tokio::task::spawn_blocking(move || render()).await.map_err(|_| {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be made".to_owned())
    })?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))];
    Ok((HeaderMap::from_iter(headers), bounds.keep(text)?))
}
