//! Which path gives what.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;

use super::guard::{Door, guard};
use super::{Board, Card, events};
use crate::model::Timestamp;
use crate::profile::write::{self, Judged};
use crate::report::html::Html;
use crate::report::html::board::{self, BOARD_SCRIPT, Compared, POLICY, REPORT_SCRIPT};
use crate::report::json::Json;
use crate::report::{Render, Report};
use crate::serve::answer::{self, Bounds, Refusal};

/// Browsers that are told of what is new, at a time.
const MAX_STREAMS: usize = 256;

#[derive(Clone)]
struct Desk {
    board: Board,
    bounds: Bounds,
    streams: Arc<Semaphore>,
}

/// The dashboard, for whoever has the token.
pub(in crate::serve) fn routes(board: Board, door: Door) -> Router {
    let desk =
        Desk { board, bounds: Bounds::new(), streams: Arc::new(Semaphore::new(MAX_STREAMS)) };
    Router::new()
        .route("/", get(all))
        .route("/events", get(stream))
        .route("/process/{name}", get(one))
        .route("/process/{name}/compare", get(compare))
        .route("/process/{name}/compare.json", get(compare_json))
        .route("/process/{name}/report.json", get(report_json))
        .route("/process/{name}/report.html", get(report_html))
        .route("/process/{name}/goroutines.pb.gz", get(goroutines))
        .route("/static/report.js", get(async || script(REPORT_SCRIPT)))
        .route("/static/board.js", get(async || script(BOARD_SCRIPT)))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "404 page not found".to_owned()))
        .with_state(desk)
        .layer(from_fn_with_state(door, guard))
        .layer(from_fn(with_policy))
}

/// What a browser may do with any answer.
async fn with_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn script(text: &'static str) -> Response {
    (answer::script(), text).into_response()
}

fn is_part(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == "part=1"))
}

async fn all(
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Body), Refusal> {
    let _place = desk.bounds.enter()?;
    let board = desk.board.clone();
    let render = move || {
        let all = board.all();
        let shown: Vec<_> = all.iter().map(|(name, card)| card.shown(name)).collect();
        let page = if is_part(query.as_deref()) { board::list_part } else { board::list };
        Ok(page(&shown).into_bytes())
    };
    Ok((answer::page(), desk.bounds.keep(desk.bounds.render(render).await?)?))
}

impl Desk {
    fn card(&self, name: &str) -> Result<Arc<Card>, Refusal> {
        self.board.card(name).ok_or_else(|| {
            Refusal::new(StatusCode::NOT_FOUND, "no such process is watched: see /".to_owned())
        })
    }

    async fn render(
        &self,
        name: &str,
        render: impl FnOnce(&Card) -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Result<Body, Refusal> {
        let _place = self.bounds.enter()?;
        let card = self.card(name)?;
        let rendered = self.bounds.render(move || render(&card)).await?;
        self.bounds.keep(rendered)
    }
}

async fn one(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Body), Refusal> {
    let card = desk.card(&name)?;
    if is_part(query.as_deref()) {
        // Rendered once for all who look at it.
        let _place = desk.bounds.enter()?;
        let part = tokio::task::spawn_blocking(move || {
            card.part.get_or_init(|| board::process_part(card.shown(&name)).into()).clone()
        });
        let part = part.await.map_err(|_| {
            let why = "internal error: rendering panicked".to_owned();
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why)
        })?;
        return Ok((answer::page(), desk.bounds.keep_shared(part)?));
    }
    let shown = name.clone();
    let page = move |card: &Card| Ok(board::process(card.shown(&shown)).into_bytes());
    Ok((answer::page(), desk.render(&name, page).await?))
}

/// Two moments that were asked for, or the first and the last that there are, the earlier first; with what they are compared by.
fn chosen(card: &Card, query: Option<&str>) -> Option<(Timestamp, Timestamp)> {
    let moments = card.past.moments();
    let asked = |name: &str| {
        let pairs = query.unwrap_or_default().split('&');
        let ms = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
        Some(Timestamp::from_unix_ns(ms.parse::<i64>().ok()?.checked_mul(1_000_000)?))
    };
    let (first, last) = (moments.first()?.0, moments.last()?.0);
    let (before, after) = (asked("before").unwrap_or(first), asked("after").unwrap_or(last));
    Some((before.min(after), before.max(after)))
}

async fn compare(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Body), Refusal> {
    let shown = name.clone();
    let page = move |card: &Card| {
        let moments = card.past.moments();
        let chosen = chosen(card, query.as_deref()).filter(|_| moments.len() > 1);
        let has = |at: Timestamp| {
            moments.iter().any(|(it, _)| board::in_address(*it) == board::in_address(at))
        };
        let compared = Compared {
            name: &shown,
            title: &card.assessment.target.name(),
            moments: &moments,
            comparison: chosen.and_then(|(before, after)| card.past.difference(before, after)),
            is_near: chosen.is_some_and(|(before, after)| !has(before) || !has(after)),
        };
        Ok(board::compare(&compared).into_bytes())
    };
    Ok((answer::page(), desk.render(&name, page).await?))
}

async fn compare_json(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Body), Refusal> {
    let document = move |card: &Card| {
        let chosen = chosen(card, query.as_deref());
        let comparison = chosen.and_then(|(before, after)| card.past.difference(before, after));
        let Some(comparison) = comparison else {
            return Err("there is no sample of it yet".to_owned());
        };
        serde_json::to_vec(&comparison).map_err(|error| error.to_string())
    };
    let body = desk.render(&name, document).await?;
    Ok((answer::named("application/json", "leak-agent-compare.json"), body))
}

async fn stream(State(desk): State<Desk>) -> Result<Response, Refusal> {
    let place = Arc::clone(&desk.streams).try_acquire_owned().map_err(|_| {
        let why = "too many browsers look at this: try again later".to_owned();
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, why)
    })?;
    Ok(events::stream(desk.board.changes.subscribe(), place).into_response())
}

/// A report of one process, as a file.
fn report(card: &Card, form: &dyn Render) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let assessments = std::slice::from_ref(&*card.assessment);
    let generated_at = card.assessment.window.last;
    let report = Report { generated_at, assessments, several: false };
    form.render(&report, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

async fn report_json(
    State(desk): State<Desk>,
    Path(name): Path<String>,
) -> Result<(HeaderMap, Body), Refusal> {
    let body = desk.render(&name, |card| report(card, &Json)).await?;
    Ok((answer::named("application/json", "leak-agent.json"), body))
}

async fn report_html(
    State(desk): State<Desk>,
    Path(name): Path<String>,
) -> Result<(HeaderMap, Body), Refusal> {
    let body = desk.render(&name, |card| report(card, &Html)).await?;
    Ok((answer::named("text/html; charset=utf-8", "leak-agent.html"), body))
}

async fn goroutines(
    State(desk): State<Desk>,
    Path(name): Path<String>,
) -> Result<(HeaderMap, Body), Refusal> {
    let profile = |card: &Card| {
        let mut bytes = Vec::new();
        let written = match &card.observation {
            Some(observation) => write::pprof(observation, None::<Judged<'_>>, &mut bytes),
            None => write::pprof_of_groups(&card.assessment, &mut bytes),
        };
        written.map_err(|error| error.to_string())?;
        Ok(bytes)
    };
    let body = desk.render(&name, profile).await?;
    Ok((answer::file("goroutines.pb.gz"), body))
}
