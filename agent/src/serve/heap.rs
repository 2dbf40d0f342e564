//! The heap profile, by what a request asks for. A collection (`gc=1`), which Go runs before, is not made.

use axum::response::Response;

use super::answer::{self, Bounds, Refusal};
use super::goroutine::{render, respond};
use super::sampler::Sampler;
use super::wanted::Wanted;
use crate::profile::write::{self, HeapValue};

/// `heap` and `allocs` differ in what is shown unless another is asked for.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    shown: HeapValue,
    file: &'static str,
    difference: &'static str,
}

impl Kind {
    pub(super) const HEAP: Self =
        Self { shown: HeapValue::InUse, file: "heap", difference: "heap-delta" };
    pub(super) const ALLOCS: Self =
        Self { shown: HeapValue::Allocated, file: "allocs", difference: "allocs-delta" };
}

/// Reads the program's memory profile, once or twice, and renders what is asked for.
pub(super) async fn serve(
    kind: Kind,
    sampler: &Sampler,
    bounds: &Bounds,
    query: &[(String, String)],
) -> Result<Response, Refusal> {
    let wanted = Wanted::of(query)?;
    let first = sampler.heap().await?;
    let Kind { shown, file, difference } = kind;
    let (headers, rendered) = match wanted {
        Wanted::Profile => {
            let write = move |out: &mut dyn std::io::Write| {
                write::heap(&first.allocated, &first.target, first.at, shown, out)
            };
            (answer::file(file), bounds.render(move || render(write)).await?)
        }
        // Go has no other text of it.
        Wanted::Counts | Wanted::Dump => {
            let write = move || render(|out| write::sites(&first.allocated, out));
            (answer::text(), bounds.render(write).await?)
        }
        Wanted::Difference(time) => {
            tokio::time::sleep(time).await;
            let second = sampler.heap().await?;
            let write = move || render(|out| write::heap_difference(&first, &second, shown, out));
            (answer::file(difference), bounds.render(write).await?)
        }
    };
    respond(bounds, headers, rendered)
}
