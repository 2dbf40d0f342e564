//! Which path gives what.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;

use super::answer::{self, Bounds, Refusal};
use super::pages::Has;
use super::sampler::Sampler;
use super::{goroutine, heap, leaks, pages};

/// A target as the routes know it.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) sampler: Sampler,
    pub(super) command_line: Box<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync>,
    /// Why it is not proven which of its goroutines leak; `None` where it is.
    pub(super) no_proof: Option<String>,
    /// Why its heap is not served; `None` where it is.
    pub(super) no_heap: Option<String>,
}

/// All of them.
#[derive(Clone)]
pub(super) struct Targets {
    pub(super) all: Arc<[Target]>,
    pub(super) bounds: Bounds,
}

/// The parameters of a request.
type Parameters = Query<Vec<(String, String)>>;

/// `/debug/pprof/` of the one target, and `/NAME/debug/pprof/` of each.
pub(super) fn routes(targets: Targets) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/debug/pprof", get(|| async { Redirect::permanent("/debug/pprof/") }))
        .route("/debug/pprof/", get(only_index))
        .route("/debug/pprof/{profile}", get(only_profile))
        .route("/{target}/debug/pprof", get(below))
        .route("/{target}/debug/pprof/", get(index))
        .route("/{target}/debug/pprof/{profile}", get(profile))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "404 page not found".to_owned()))
        .with_state(targets)
}

impl Targets {
    fn named(&self, name: &str) -> Result<&Target, Refusal> {
        self.all.iter().find(|target| target.name == name).ok_or_else(|| {
            Refusal::new(StatusCode::NOT_FOUND, "no such process is served here: see /".to_owned())
        })
    }

    fn only(&self) -> Result<&Target, Refusal> {
        match &*self.all {
            [one] => Ok(one),
            _ => {
                let why = "several processes are served: /PID/debug/pprof/ is each (see /)";
                Err(Refusal::new(StatusCode::NOT_FOUND, why.to_owned()))
            }
        }
    }
}

async fn root(State(targets): State<Targets>) -> Response {
    match targets.only() {
        Ok(_) => Redirect::temporary("/debug/pprof/").into_response(),
        Err(_) => {
            let all = targets.all.iter().map(|it| (it.name.as_str(), it.title.as_str()));
            (answer::page(), pages::targets(all)).into_response()
        }
    }
}

async fn only_index(State(targets): State<Targets>) -> Result<Response, Refusal> {
    Ok(index_of(targets.only()?))
}

fn index_of(target: &Target) -> Response {
    let has = Has { proof: target.no_proof.is_none(), heap: target.no_heap.is_none() };
    (answer::page(), pages::index(&target.title, has)).into_response()
}

async fn below(Path(name): Path<String>) -> Redirect {
    Redirect::permanent(&format!("/{name}/debug/pprof/"))
}

async fn index(
    State(targets): State<Targets>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    Ok(index_of(targets.named(&name)?))
}

async fn only_profile(
    State(targets): State<Targets>,
    Path(profile): Path<String>,
    Query(query): Parameters,
) -> Result<Response, Refusal> {
    serve(targets.only()?, &targets.bounds, &profile, &query).await
}

async fn profile(
    State(targets): State<Targets>,
    Path((name, profile)): Path<(String, String)>,
    Query(query): Parameters,
) -> Result<Response, Refusal> {
    serve(targets.named(&name)?, &targets.bounds, &profile, &query).await
}

async fn serve(
    target: &Target,
    bounds: &Bounds,
    profile: &str,
    query: &[(String, String)],
) -> Result<Response, Refusal> {
    let _place = bounds.enter()?;
    match profile {
        "goroutine" => goroutine::serve(&target.sampler, bounds, query).await,
        "goroutineleak" if let Some(why) = &target.no_proof => {
            Err(Refusal::new(StatusCode::NOT_FOUND, format!("no {profile} profile: {why}")))
        }
        "goroutineleak" => leaks::serve(&target.sampler, bounds, query).await,
        "heap" | "allocs" if let Some(why) = &target.no_heap => {
            Err(Refusal::new(StatusCode::NOT_FOUND, format!("no {profile} profile: {why}")))
        }
        "heap" => heap::serve(heap::Kind::HEAP, &target.sampler, bounds, query).await,
        "allocs" => heap::serve(heap::Kind::ALLOCS, &target.sampler, bounds, query).await,
        "cmdline" => {
            let mut line = (target.command_line)().map_err(|error| {
                Refusal::new(StatusCode::GONE, format!("cannot read the command line: {error}"))
            })?;
            // Go has NULs between the arguments alone.
            if line.last() == Some(&0) {
                line.pop();
            }
            goroutine::respond(bounds, answer::text(), line)
        }
        other => Err(Refusal::new(StatusCode::NOT_FOUND, pages::no_profile(other))),
    }
}
