//! How long a target would stand: said before it is stopped.

use std::time::Duration;

use crate::host::process_memory::ProcessMemory;

/// Until the first thread stands, and at the end until all go on.
const BASE: Duration = Duration::from_micros(500);
/// For each thread more: to stop it, to read its registers, to let it go. On a busy machine of two processors.
const THREAD: Duration = Duration::from_micros(30);
/// The kernel copies the page tables of a gigabyte (4 KiB pages) in some 18 to 22 ms on the machine that this was
/// measured on; beforehand more is assumed.
const COPYING_NS_PER_GIB: u64 = 30_000_000;
/// What is measured has so much to say: below, other things take longer.
const MIN_MEASURED_BYTES: u64 = 64 << 20;
/// The next may take somewhat longer than the last: in quarters.
const MARGIN: u64 = 5;

const GIB: u64 = 1 << 30;

/// What is assumed of this machine, and learned from each clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forecast {
    copying_ns_per_gib: u64,
}

impl Default for Forecast {
    fn default() -> Self {
        Self { copying_ns_per_gib: COPYING_NS_PER_GIB }
    }
}

impl Forecast {
    /// Of a clone.
    pub(super) fn clone(&self, memory: &ProcessMemory) -> Duration {
        let nanoseconds = u128::from(copied(memory)) * u128::from(self.copying_ns_per_gib);
        let copying = u64::try_from(nanoseconds / u128::from(GIB)).unwrap_or(u64::MAX);
        stopping(memory).saturating_add(Duration::from_nanos(copying))
    }

    /// Of a freeze while what it stands for is read.
    pub(super) fn freeze(&self, memory: &ProcessMemory, reading: Duration) -> Duration {
        stopping(memory).saturating_add(reading)
    }

    /// Learns from a clone: how long it took beyond stopping.
    pub(super) fn learn(&mut self, memory: &ProcessMemory, copying: Duration) {
        let bytes = copied(memory);
        if bytes >= MIN_MEASURED_BYTES {
            let measured = copying.as_nanos() * u128::from(GIB) / u128::from(bytes);
            let assumed = measured * u128::from(MARGIN) / 4;
            self.copying_ns_per_gib = u64::try_from(assumed).unwrap_or(u64::MAX).max(1);
        }
    }
}

/// Whose page tables are copied: those of files are not, what they map is found again.
fn copied(memory: &ProcessMemory) -> u64 {
    memory.anonymous_bytes.saturating_add(memory.swap_bytes)
}

fn stopping(memory: &ProcessMemory) -> Duration {
    let threads = u32::try_from(memory.threads).unwrap_or(u32::MAX);
    BASE.saturating_add(THREAD.saturating_mul(threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(anonymous_bytes: u64, threads: u64) -> ProcessMemory {
        ProcessMemory { anonymous_bytes, threads, ..ProcessMemory::default() }
    }

    #[test]
    fn larger_programs_take_longer() {
        let forecast = Forecast::default();
        let small = forecast.clone(&memory(64 << 20, 10));
        let large = forecast.clone(&memory(4 << 30, 10));
        let many = forecast.clone(&memory(64 << 20, 1000));
        assert!(small < Duration::from_millis(5), "{small:?}");
        assert_eq!(large - small, Duration::from_millis(30) * 4 - Duration::from_micros(1875));
        assert!(many > small + Duration::from_millis(20), "{many:?}");
        let reading = Duration::from_millis(7);
        assert_eq!(forecast.freeze(&memory(0, 0), reading), BASE + reading);
        assert_eq!(forecast.clone(&memory(u64::MAX, 0)).as_secs(), 515_396_075);
    }

    #[test]
    fn it_learns_from_what_took_long_enough_to_say_something() {
        let mut forecast = Forecast::default();
        forecast.learn(&memory(1 << 20, 4), Duration::from_millis(50));
        assert_eq!(forecast, Forecast::default());
        forecast.learn(&memory(2 << 30, 4), Duration::from_millis(16));
        assert_eq!(forecast.copying_ns_per_gib, 10_000_000);
    }
}
