//! How busy the machine is with other things.

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// More than this of the machine spent on others, and times say little.
pub const CALM_PERCENT: f64 = 10.0;
/// For how long others are watched.
const WATCHED: Duration = Duration::from_millis(500);

/// The share of all processors, in percent, that was used or stolen while the caller slept.
///
/// # Errors
/// When `/proc/stat` cannot be read.
pub fn busy_percent() -> Result<f64> {
    let before = Ticks::now()?;
    thread::sleep(WATCHED);
    let after = Ticks::now()?;
    let (busy, all) = (after.busy - before.busy, after.all - before.all);
    Ok(if all > 0.0 { 100.0 * busy / all } else { 0.0 })
}

/// Keeps a processor busy for some tens of microseconds, with nothing that it reads.
pub fn compute() {
    let mut sum = 0_u64;
    for number in 0..1 << 16 {
        sum = sum.wrapping_add(black_box(number) ^ sum.rotate_left(7));
    }
    black_box(sum);
}

/// Processor time since the machine started, of all processors.
struct Ticks {
    busy: f64,
    all: f64,
}

impl Ticks {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        Self::parse(&text).context("/proc/stat is not in the format of proc_stat(5)")
    }

    /// user, nice, system, idle, iowait, irq, softirq, steal; the guests behind are in user already.
    fn parse(text: &str) -> Option<Self> {
        let fields = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<f64> =
            fields.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
        let all = ticks.iter().sum();
        Some(Self { busy: all - ticks.get(3)? - ticks.get(4)?, all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_for_disks_are_not_busy() {
        let ticks = Ticks::parse("cpu  1 2 4 8 16 32 64 128 256 512\ncpu0 1 1").expect("it is one");
        assert_eq!((ticks.busy, ticks.all), (231.0, 255.0));
        assert!(Ticks::parse("cpux 1").is_none());
    }
}
