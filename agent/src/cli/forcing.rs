//! The flags of making a program collect garbage.

use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::BoolishValueParser;

use super::failure::Failure;
use super::time::duration;
use crate::collect::endpoint;
use crate::pipeline::Pace;

/// Whether to force collections, and how.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Forced collections")]
pub(super) struct Forcing {
    /// Make the program of --url collect garbage at the end of --duration, and say how much of the
    /// goroutines and the heap that piled up since the first sample is gone then: this changes the program.
    #[arg(
        long,
        global = true,
        env = "LEAK_AGENT_FORCE_GC",
        value_parser = BoolishValueParser::new()
    )]
    force_gc: bool,

    /// How many collections to ask for with --force-gc, one after the other; one more comes with the
    /// measurement.
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = 3,
        env = "LEAK_AGENT_GC_CYCLES",
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    gc_cycles: u32,

    /// With --force-gc for how long to wait behind those collections for what finalizers and cleanups end (2s by
    /// default). Without it nothing is forced: where --duration saw too few collections to tell whether the heap leaks,
    /// for how much longer to sample until the program has made enough by itself.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "LEAK_AGENT_GC_WAIT",
        value_parser = duration
    )]
    gc_wait: Option<Duration>,

    /// Collect only where the goroutines, or the bytes of the heap, are this many percent more than at the
    /// first sample.
    #[arg(
        long,
        global = true,
        value_name = "PERCENT",
        default_value_t = 10,
        env = "LEAK_AGENT_GC_THRESHOLD"
    )]
    gc_threshold: u32,
}

/// For how long finalizers and cleanups are waited for where nothing else is asked for.
const FORCED_WAIT: Duration = Duration::from_secs(2);

impl Forcing {
    /// For how long to wait for collections that the program makes by itself.
    pub(super) fn natural(&self) -> Duration {
        self.gc_wait.filter(|_| !self.force_gc).unwrap_or_default()
    }

    /// When to collect in a window of this pace; `None` where it was not asked for.
    pub(super) fn within(self, pace: Pace) -> Result<Option<endpoint::Forcing>, Failure> {
        if !self.force_gc {
            return Ok(None);
        }
        let Some(duration) = pace.duration else {
            return Err(Failure::Forcing { why: "it collects at the end, and there is none" });
        };
        let wait = self.gc_wait.unwrap_or(FORCED_WAIT);
        // A sample before, that from which the collections follow, and the last.
        let rest = wait.saturating_add(pace.interval);
        let due = duration.checked_sub(rest).filter(|due| *due >= pace.interval);
        let Some(due) = due else {
            let why = "nothing can pile up in what --gc-wait and --interval leave of --duration";
            return Err(Failure::Forcing { why });
        };
        Ok(Some(endpoint::Forcing {
            cycles: self.gc_cycles,
            wait,
            threshold_percent: self.gc_threshold,
            due,
            end: duration.saturating_sub(pace.interval / 2),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(wait: u64, duration: Option<u64>) -> Result<Option<endpoint::Forcing>, Failure> {
        let seconds = Duration::from_secs;
        let forcing = Forcing {
            force_gc: true,
            gc_cycles: 3,
            gc_wait: Some(seconds(wait)),
            gc_threshold: 10,
        };
        assert_eq!(forcing.natural(), Duration::ZERO);
        let duration = duration.map(seconds);
        forcing.within(Pace { interval: seconds(1), duration, ..Pace::once() })
    }

    #[test]
    fn collections_fit_into_the_window() {
        let forcing = within(2, Some(30)).expect("it fits").expect("it was asked for");
        assert_eq!(forcing.due, Duration::from_secs(27));
        assert_eq!(forcing.end, Duration::from_millis(29_500));
        assert!(within(2, Some(4)).is_ok());
        for (wait, duration) in [(2, None), (2, Some(3)), (60, Some(30)), (u64::MAX, Some(30))] {
            assert!(within(wait, duration).is_err(), "{wait} {duration:?}");
        }
    }
}
