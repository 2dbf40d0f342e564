//! The profile of leaked goroutines, by what a request asks for: those that are proven to leak, and never an empty one
//! where nobody knows.

use std::sync::Arc;

use axum::response::Response;

use super::answer::{self, Bounds, Refusal};
use super::error::NoSample;
use super::goroutine::{dump, render, respond};
use super::sampler::Sampler;
use super::wanted::Wanted;
use crate::model::Observation;
use crate::profile::write::leaks;
use crate::report::phrases;

/// Takes a sample, or two, each with an attempt to prove, and renders what is asked for.
pub(super) async fn serve(
    sampler: &Sampler,
    bounds: &Bounds,
    query: &[(String, String)],
) -> Result<Response, Refusal> {
    let wanted = Wanted::of(query)?;
    let Leaks { of, said } = sample(sampler).await?;
    let (headers, rendered) = match wanted {
        Wanted::Profile => {
            let render = move || render(|out| leaks::profile(&of, &said, out));
            (answer::file("goroutineleak"), bounds.render(render).await?)
        }
        Wanted::Counts => {
            let render = move || render(|out| leaks::counts(&of, &said, out));
            (answer::text(), bounds.render(render).await?)
        }
        Wanted::Dump => {
            let dump = move || dump(|out| leaks::dump(&of, &said, out));
            (answer::text(), bounds.render(dump).await?)
        }
        Wanted::Difference(time) => {
            tokio::time::sleep(time).await;
            let Leaks { of: later, said } = sample(sampler).await?;
            let render = move || render(|out| leaks::difference((&of, &later), &said, out));
            (answer::file("goroutineleak-delta"), bounds.render(render).await?)
        }
    };
    respond(bounds, headers, rendered)
}

/// A sample of which it is known what leaks, and what that was proven over.
struct Leaks {
    of: Arc<Observation>,
    said: String,
}

async fn sample(sampler: &Sampler) -> Result<Leaks, NoSample> {
    let of = sampler.leaks().await?;
    let said = phrases::proven_over(&of).map_err(|why| NoSample::Unproven(why.into()))?;
    Ok(Leaks { of, said })
}
