//! The goroutine profile, by what a request asks for (`net/http/pprof`, `ServeHTTP` and
//! `serveDeltaProfile`).

use std::io::{self, Write};

use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};

use super::answer::{self, Bounds, Refusal};
use super::sampler::Sampler;
use super::wanted::Wanted;
use crate::profile::write;

/// Where Go cuts a dump (`runtime/pprof`, `writeGoroutineStacks`).
const MAX_DUMP: usize = 64 << 20;

/// Takes a sample, or two, and renders what is asked for.
pub(super) async fn serve(
    sampler: &Sampler,
    bounds: &Bounds,
    query: &[(String, String)],
) -> Result<Response, Refusal> {
    let wanted = Wanted::of(query)?;
    let first = sampler.sample().await?;
    let (headers, rendered) = match wanted {
        Wanted::Profile => {
            let render = move || render(|out| write::pprof(&first, None, out));
            (answer::file("goroutine"), bounds.render(render).await?)
        }
        Wanted::Counts => {
            let render = move || render(|out| write::counts(&first, out));
            (answer::text(), bounds.render(render).await?)
        }
        Wanted::Dump => {
            let dump = move || dump(|out| write::dump(&first, out));
            (answer::text(), bounds.render(dump).await?)
        }
        Wanted::Difference(time) => {
            tokio::time::sleep(time).await;
            let second = sampler.sample().await?;
            let render = move || render(|out| write::difference(&first, &second, out));
            (answer::file("goroutine-delta"), bounds.render(render).await?)
        }
    };
    respond(bounds, headers, rendered)
}

/// An answer with a body that is kept until it is read.
pub(super) fn respond(
    bounds: &Bounds,
    headers: HeaderMap,
    rendered: Vec<u8>,
) -> Result<Response, Refusal> {
    Ok((headers, bounds.keep(rendered)?).into_response())
}

/// What is written in memory.
pub(super) fn render(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Vec<u8>, String> {
    let mut rendered = Vec::new();
    write(&mut rendered).map_err(|error| error.to_string())?;
    Ok(rendered)
}

/// A dump, as far as Go gives one.
pub(super) fn dump(
    write: impl FnOnce(&mut dyn Write) -> Result<(), write::Error>,
) -> Result<Vec<u8>, String> {
    let mut cut = Cut { bytes: Vec::new() };
    match write(&mut cut) {
        Ok(()) => Ok(cut.bytes),
        Err(_) if cut.bytes.len() == MAX_DUMP => Ok(cut.bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes as much as Go gives, and ends then.
struct Cut {
    bytes: Vec<u8>,
}

impl Write for Cut {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let room = MAX_DUMP - self.bytes.len();
        let taken = &more[..more.len().min(room)];
        self.bytes.extend_from_slice(taken);
        // 0 is an error to whoever has more to write.
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_ends_where_go_cuts_it() {
        let mut cut = Cut { bytes: vec![0; MAX_DUMP - 2] };
        assert!(cut.write_all(b"abc").is_err());
        assert_eq!(cut.bytes.len(), MAX_DUMP);
    }
}
