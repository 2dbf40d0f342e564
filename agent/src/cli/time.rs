//! Times as flags take them.

use std::time::Duration;

/// Sampling more often than this would be all that the agent does.
const MIN_INTERVAL: Duration = Duration::from_millis(20);

pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < MIN_INTERVAL {
        return Err(format!("at least {}", crate::report::format::duration(MIN_INTERVAL)));
    }
    Ok(interval)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [("2", 2000), ("0.5", 500), ("500ms", 500), ("1h30m", 5_400_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }
}
