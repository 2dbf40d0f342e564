//! Where on a server its profiles are.
//!
//! Programs put them elsewhere than at `/debug/pprof/`: below the prefix of a router's group, behind a
//! reverse proxy's path, at a path of their own. What is tried, in this order:
//!
//! 1. a path that has `/debug/pprof` in it: that, and nothing else;
//! 2. the path that was named followed by `/debug/pprof/`, by `/pprof/`, and by itself;
//! 3. `/debug/pprof/` below each folder above it, the nearest first.

use super::error::{Error, Tried};
use super::index::{self, Index};
use crate::http::{Client, Problem, Url};

/// Where `net/http/pprof` puts its profiles.
const USUAL: &str = "/debug/pprof";

/// Folders above a path that are tried too.
const MAX_ABOVE: usize = 4;

/// A first line of counts is no longer than this, and nothing behind it is read.
const MAX_FIRST_LINE: u64 = 1 << 20;

/// Where profiles are, and what its index said.
#[derive(Debug)]
pub(super) struct Found {
    /// The folder of all profiles, with a slash at its end.
    pub(super) base: Url,
    /// `None` where it has no index, and profiles all the same.
    pub(super) index: Option<Index>,
}

/// Searches a server.
pub(super) fn find(client: &Client, named: &Url) -> Result<Found, Error> {
    let mut tried = Vec::new();
    for path in paths(named.path()) {
        let mut base = named.clone();
        base.set_path(&path);
        match index(client, &base) {
            Ok((from, index)) => return Ok(Found { base: from, index: Some(index) }),
            Err(error) if !error.is_elsewhere() => return Err(error),
            Err(error) => {
                let is_there = has_counts(client, &base)?;
                if is_there {
                    return Ok(Found { base, index: None });
                }
                let why = match error {
                    Error::Http(error) => error.problem.to_string(),
                    other => other.to_string(),
                };
                tried.push(Tried { path, why });
            }
        }
    }
    Err(Error::NotFound { tried })
}

/// Reads the index, and says where it came from.
pub(super) fn index(client: &Client, base: &Url) -> Result<(Url, Index), Error> {
    let answer = client.text(base, index::MAX_BYTES)?;
    match Index::read(&answer.text) {
        Some(index) => Ok((settled(base, answer.url), index)),
        None => Err(Error::NoIndex),
    }
}

/// Where to ask from now on: where a server sent to, if it is the same and it sent to a folder.
fn settled(base: &Url, from: Url) -> Url {
    if from.host() == base.host() && from.path().ends_with('/') && from.query().is_none() {
        from
    } else {
        base.clone()
    }
}

/// Whether goroutines are served below a folder that has no index.
fn has_counts(client: &Client, base: &Url) -> Result<bool, Error> {
    let Ok(url) = base.join("goroutine?debug=1") else { return Ok(false) };
    let mut start = Vec::new();
    let take = &mut |piece: &[u8]| {
        let room = index::COUNTS.len().saturating_sub(start.len());
        start.extend_from_slice(&piece[..piece.len().min(room)]);
    };
    match client.profile(&url, MAX_FIRST_LINE, take) {
        Ok(()) => {}
        Err(error) => match error.problem {
            Problem::TooLarge(_) => {}
            problem if problem.is_elsewhere() => return Ok(false),
            problem => return Err(crate::http::Error { problem, ..error }.into()),
        },
    }
    Ok(start == index::COUNTS)
}

/// The folders to try, in their order, each with a slash at its end.
fn paths(named: &str) -> Vec<String> {
    let named = named.trim_end_matches('/');
    if let Some(at) = named.find(USUAL) {
        let end = at + USUAL.len();
        if named[end..].is_empty() || named[end..].starts_with('/') {
            return vec![format!("{}/", &named[..end])];
        }
    }
    let mut paths =
        vec![format!("{named}{USUAL}/"), format!("{named}/pprof/"), format!("{named}/")];
    let above = std::iter::successors(named.rsplit_once('/').map(|(above, _)| above), |path| {
        path.rsplit_once('/').map(|(above, _)| above)
    });
    paths.extend(above.take(MAX_ABOVE).map(|above| format!("{above}{USUAL}/")));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_and_in_which_order() {
        for (named, expected) in [
            ("/", &["/debug/pprof/", "/pprof/", "/"][..]),
            ("/debug/pprof", &["/debug/pprof/"]),
            ("/a/debug/pprof/goroutine", &["/a/debug/pprof/"]),
            ("/debug", &["/debug/debug/pprof/", "/debug/pprof/", "/debug/", "/debug/pprof/"]),
            (
                "/api/v1/",
                &[
                    "/api/v1/debug/pprof/",
                    "/api/v1/pprof/",
                    "/api/v1/",
                    "/api/debug/pprof/",
                    "/debug/pprof/",
                ],
            ),
            (
                "/debug/pprofs",
                &[
                    "/debug/pprofs/debug/pprof/",
                    "/debug/pprofs/pprof/",
                    "/debug/pprofs/",
                    "/debug/debug/pprof/",
                    "/debug/pprof/",
                ],
            ),
        ] {
            assert_eq!(paths(named), expected, "{named}");
        }
        assert!(paths(&"/x".repeat(1000)).len() <= 3 + MAX_ABOVE);
    }
}
