//! When a limit is reached, in words.

use crate::model::Reached;
use crate::report::format::duration;

/// `in 4m12s (3m50s to 4m40s)`; `in 3m50s or later`, `in 4m12s (3m50s or later)`.
pub(super) fn reached(reached: &Reached) -> String {
    let [earliest, likely, latest] =
        [Some(reached.earliest), reached.likely, reached.latest].map(|time| time.map(duration));
    let earliest = earliest.unwrap_or_default();
    let until = latest.as_ref().map_or_else(|| " or later".to_owned(), |it| format!(" to {it}"));
    match likely {
        // Nobody reads a range of less than a second.
        Some(likely) if likely == earliest && latest.as_ref() == Some(&likely) => {
            format!("in {likely}")
        }
        Some(likely) => format!("in {likely} ({earliest}{until})"),
        None => format!("in {earliest}{until}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ranges() {
        let at = Duration::from_secs;
        for (earliest, likely, latest, expected) in [
            (12, Some(15), Some(30), "in 15.0s (12.0s to 30.0s)"),
            (12, Some(12), Some(12), "in 12.0s"),
            (12, Some(15), None, "in 15.0s (12.0s or later)"),
            (12, None, None, "in 12.0s or later"),
        ] {
            let it =
                Reached { earliest: at(earliest), likely: likely.map(at), latest: latest.map(at) };
            assert_eq!(reached(&it), expected);
        }
    }
}
