//! What a request asks for, by its parameters (`net/http/pprof`, `ServeHTTP` and `serveDeltaProfile`).

use std::time::Duration;

use axum::http::StatusCode;

use super::answer::Refusal;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// pprof's protobuf.
    Profile,
    /// What came and went in so many seconds.
    Difference(Duration),
    Counts,
    Dump,
}

impl Wanted {
    /// By the parameters, of which the first of a name counts.
    pub(super) fn of(query: &[(String, String)]) -> Result<Self, Refusal> {
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let wrong = |why: &str| Err(Refusal::new(StatusCode::BAD_REQUEST, why.to_owned()));
        // What is no number is none, as it is to Go.
        let debug = value("debug").and_then(|debug| debug.parse::<i64>().ok()).unwrap_or(0);
        match value("seconds").filter(|seconds| !seconds.is_empty()) {
            None => Ok(match debug {
                ..1 => Self::Profile,
                1 => Self::Counts,
                2.. => Self::Dump,
            }),
            Some(seconds) => match seconds.parse::<u32>() {
                Err(_) | Ok(0) => {
                    wrong("invalid value for \"seconds\": it is a positive whole number")
                }
                Ok(_) if debug != 0 => wrong("seconds and debug cannot be asked for together"),
                Ok(seconds) => Ok(Self::Difference(Duration::from_secs(seconds.into()))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_mean_what_they_mean_to_go() {
        let wanted = |query: &[(&str, &str)]| {
            let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
            Wanted::of(&query.iter().map(owned).collect::<Vec<_>>()).ok()
        };
        for (query, expected) in [
            (&[][..], Some(Wanted::Profile)),
            (&[("debug", "0")], Some(Wanted::Profile)),
            (&[("debug", "potato")], Some(Wanted::Profile)),
            (&[("debug", "1"), ("debug", "2")], Some(Wanted::Counts)),
            (&[("debug", "2")], Some(Wanted::Dump)),
            (&[("debug", "3")], Some(Wanted::Dump)),
            (&[("seconds", ""), ("debug", "2")], Some(Wanted::Dump)),
            (&[("seconds", "5")], Some(Wanted::Difference(Duration::from_secs(5)))),
            (&[("seconds", "5"), ("debug", "0")], Some(Wanted::Difference(Duration::from_secs(5)))),
            (&[("seconds", "5"), ("debug", "1")], None),
            (&[("seconds", "0")], None),
            (&[("seconds", "-5")], None),
            (&[("seconds", "soon")], None),
        ] {
            assert_eq!(wanted(query), expected, "{query:?}");
        }
    }
}
