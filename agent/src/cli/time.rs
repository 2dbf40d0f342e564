//! Times as flags take them.

use std::time::{Duration, SystemTime};

use crate::model::Timestamp;

/// Sampling more often than this would be all that the agent does.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

/// How often to sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    /// A time from one sample to the next.
    Every(Duration),
    /// By how fast things change.
    Auto,
}

pub(super) fn interval(text: &str) -> Result<Interval, String> {
    if text == "auto" {
        return Ok(Interval::Auto);
    }
    every(text).map(Interval::Every)
}

/// A time from one thing to the next.
pub(super) fn every(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < MIN_INTERVAL {
        return Err(format!("at least {}", crate::report::format::duration(MIN_INTERVAL)));
    }
    Ok(time)
}

/// `90` (seconds), `1.5s`, `500ms`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let problem = || "a time is written like 500ms, 30s, 2m or 1h30m".to_owned();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| problem());
    }
    let duration: jiff::SignedDuration = text.parse().map_err(|_| problem())?;
    duration.try_into().map_err(|_| problem())
}

/// The time by the wall clock.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A moment as flags take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// By the wall clock.
    At(Timestamp),
    /// That long ago.
    Ago(Duration),
}

/// `2026-11-29T08:00:00Z`, with any offset; `1h` or `-1h` (ago); `now`.
pub(super) fn when(text: &str) -> Result<When, String> {
    if text == "now" {
        return Ok(When::Ago(Duration::ZERO));
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        let ns = i64::try_from(at.as_nanosecond()).map_err(|_| "too far away".to_owned())?;
        return Ok(When::At(Timestamp::from_unix_ns(ns)));
    }
    let ago = text.strip_prefix('-').unwrap_or(text);
    duration(ago).or_else(|_| days(ago)).map(When::Ago).map_err(|_| {
        "a moment is written like 2026-11-29T08:00:00Z, 1h or 7d (ago) or now".to_owned()
    })
}

/// `2d12h`, `1w`, in days of 24 hours.
fn days(text: &str) -> Result<Duration, jiff::Error> {
    let span: jiff::Span = text.parse()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())?.try_into()
}

impl When {
    /// The moment itself.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => {
                let ns = i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX);
                Timestamp::from_unix_ns(now.unix_ns().saturating_sub(ns))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_time_or_chosen() {
        assert_eq!(interval("1.5s"), Ok(Interval::Every(Duration::from_millis(1500))));
        assert_eq!(interval("auto"), Ok(Interval::Auto));
        assert!(interval("19ms").is_err_and(|it| it.contains("20")));
        assert!(interval("Auto").is_err());
    }

    #[test]
    fn moments() {
        let now = Timestamp::from_unix_ns(1_795_939_200_000_000_000);
        for (text, seconds) in [
            ("now", 0),
            ("1h", 3600),
            ("-90", 90),
            ("2d12h", 216_000),
            ("-1w", 604_800),
            ("2026-11-29T07:59:50Z", 10),
            ("2026-11-29T09:00:00+02:00", 3600),
        ] {
            let at = when(text).expect(text).before(now);
            assert_eq!((now.unix_ns() - at.unix_ns()) / 1_000_000_000, seconds, "{text}");
        }
        for text in
            ["", "yesterday", "1 month", "--2d", "--1h", "2026-11-29", "9999-01-01T00:00:00Z"]
        {
            assert!(when(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [("2", 2000), ("0.5", 500), ("500ms", 500), ("1h30m", 5_400_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }
}
