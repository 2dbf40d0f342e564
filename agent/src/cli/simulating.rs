//! The flags of `simulate`: what leaks, how fast, how much.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::failure::Failure;
use super::size::bytes;
use crate::serve::ListenAddress;

/// The rate of what says nothing else, in objects a second.
const RATE: f64 = 10.0;
/// Goroutines that run for ever come one by one, and are few: each takes a processor.
const BUSY_RATE: f64 = 1.0;
const BUSY_OBJECTS: u64 = 4;
/// How much memory leaks, in bytes a second.
const GROWTH: u64 = 1 << 20;

/// What to leak.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Simulating {
    /// What leaks.
    #[arg(long = "type", value_enum, default_value_t = Kind::Goroutine, env = "LEAK_AGENT_SIMULATE_TYPE")]
    kind: Kind,

    /// How many leak: 10/s, 90/m, 2/h. One a second of busy goroutines, else ten.
    #[arg(long, value_name = "N/s", value_parser = rate, env = "LEAK_AGENT_SIMULATE_RATE")]
    rate: Option<f64>,

    /// How much memory leaks, of types memory and cycle: 1MB/s, 64KiB/s, 2GB/h.
    #[arg(long, value_name = "SIZE/s", value_parser = growth, env = "LEAK_AGENT_SIMULATE_GROWTH")]
    growth: Option<u64>,

    /// How their number goes over time.
    #[arg(long, value_enum, default_value_t = Curve::Linear, env = "LEAK_AGENT_SIMULATE_PATTERN")]
    pattern: Curve,

    /// No more of them than this. Of busy goroutines 4, of others as many as come.
    #[arg(long, value_name = "N", env = "LEAK_AGENT_SIMULATE_OBJECTS", value_parser = clap::value_parser!(u64).range(1..))]
    objects: Option<u64>,

    /// Have the program serve its profiles (/debug/pprof/) at this address.
    #[arg(long, value_name = "ADDRESS", env = "LEAK_AGENT_SIMULATE_PPROF")]
    pprof: Option<ListenAddress>,

    /// Build the program with this Go, even if it is shipped beside the agent.
    #[arg(long, value_name = "PATH", env = "LEAK_AGENT_SIMULATE_GO")]
    go: Option<PathBuf>,
}

/// What leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Goroutines that send a result which nobody waits for any more
    Goroutine,
    /// Goroutines that wait for a mutex which is never given back
    Mutex,
    /// Goroutines that wait for one of several channels
    Select,
    /// Goroutines that wait for a context which nobody cancels
    Context,
    /// Goroutines that wait for an answer from the network
    Network,
    /// Memory of a slice that only grows
    Memory,
    /// Memory of objects that point to each other, one with a finalizer
    Cycle,
    /// Files that are never closed
    File,
    /// Connections that the other side has closed, and the program has not
    Connection,
    /// Goroutines that run for ever
    Busy,
}

/// How the number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Curve {
    /// Evenly
    Linear,
    /// Twice as fast every seven seconds
    Exponential,
    /// Ten seconds' worth at a time
    Stepped,
    /// Up and down within twenty seconds: no leak
    Oscillating,
}

/// What is asked of the program.
#[derive(Clone, Debug)]
pub(super) struct Simulation {
    /// Its arguments.
    pub(super) args: Vec<OsString>,
    /// What it does, in words.
    pub(super) said: String,
    /// The Go that builds it.
    pub(super) go: Option<PathBuf>,
}

impl Simulating {
    /// Decides what is not said. Without a duration it goes on.
    pub(super) fn decided(self, duration: Option<Duration>) -> Result<Simulation, Failure> {
        let Self { kind, rate, growth, pattern, objects, pprof, go } = self;
        let has_size = matches!(kind, Kind::Memory | Kind::Cycle);
        if growth.is_some() && !has_size {
            let why = "only memory and cycle leak bytes";
            return Err(Failure::NotTogether { flag: "growth", with: "type", why });
        }
        if kind == Kind::Cycle && pattern == Curve::Oscillating {
            let why = "a cycle with a finalizer is never freed";
            return Err(Failure::NotTogether { flag: "pattern", with: "type", why });
        }
        let is_busy = kind == Kind::Busy;
        let rate = rate.unwrap_or(if is_busy { BUSY_RATE } else { RATE });
        let objects = objects.or(is_busy.then_some(BUSY_OBJECTS)).unwrap_or(0);
        let growth = growth.unwrap_or(GROWTH);
        let (kind, pattern) = (name(&kind), name(&pattern));
        let bytes = if has_size { (growth as f64 / rate).max(1.0) } else { 0.0 };
        let mut args = vec![
            format!("-type={kind}"),
            format!("-rate={rate}"),
            format!("-bytes={bytes:.0}"),
            format!("-pattern={pattern}"),
            format!("-objects={objects}"),
            format!("-duration={}s", duration.unwrap_or_default().as_secs_f64()),
        ];
        args.extend(pprof.map(|address| format!("-pprof={address}")));
        let said = match has_size {
            true => format!("{}/s, type {kind}, {pattern}", crate::report::format::bytes(growth)),
            false => format!("{rate}/s, type {kind}, {pattern}"),
        };
        Ok(Simulation { args: args.into_iter().map(Into::into).collect(), said, go })
    }
}

/// A value as people type it.
fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// `10/s`, `90/m`, `2/h`, or a number a second.
fn rate(text: &str) -> Result<f64, String> {
    let (number, seconds) = by_time(text);
    let rate = number.trim().parse::<f64>().ok().map(|number| number / seconds);
    let is_possible = |rate: &f64| rate.is_finite() && *rate > 0.0 && *rate <= 1e6;
    rate.filter(is_possible).ok_or_else(|| "a rate is written like 10/s, 90/m or 2/h".to_owned())
}

/// `1MB/s`, `64KiB/m`.
fn growth(text: &str) -> Result<u64, String> {
    let problem = || "a growth is written like 1MB/s, 64KiB/s or 2GB/h".to_owned();
    let (size, seconds) = by_time(text);
    let bytes = bytes(size).ok_or_else(problem)? / seconds;
    if (1.0..=1e12).contains(&bytes) { Ok(bytes as u64) } else { Err(problem()) }
}

/// What stands before `/s`, `/m` or `/h`, and how many seconds that is.
fn by_time(text: &str) -> (&str, f64) {
    let units = [("/s", 1.0), ("/m", 60.0), ("/h", 3600.0)];
    let found = units.iter().find_map(|&(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    found.unwrap_or((text, 1.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rates_and_growths_have_a_unit_of_time() {
        for (text, a_second) in [("10/s", 10.0), ("90/m", 1.5), ("7200/h", 2.0), ("0.5", 0.5)] {
            assert_eq!(rate(text), Ok(a_second), "{text}");
        }
        for text in ["", "-1/s", "0", "nan", "inf/s", "10/d", "s"] {
            assert!(rate(text).is_err(), "{text}");
        }
        for (text, a_second) in
            [("1MB/s", 1_000_000), ("64KiB/s", 65_536), ("1.5 GiB/m", 26_843_545), ("60", 60)]
        {
            assert_eq!(growth(text), Ok(a_second), "{text}");
        }
        for text in ["", "MB/s", "1XB/s", "0/s", "-5KB/s", "99999999GB/s"] {
            assert!(growth(text).is_err(), "{text}");
        }
    }
}
