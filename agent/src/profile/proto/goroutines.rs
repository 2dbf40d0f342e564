//! A profile of goroutines as records.

use super::error::NotThis;
use super::own;
use super::read::Profile;
use crate::profile::record::{ABSURD_COUNT, Reading, Record, Take};

impl Profile<'_> {
    /// Gives the goroutines that a goroutine or goroutineleak profile counts. Its counts know neither ids
    /// nor creators; what leak-agent itself wrote has states too.
    ///
    /// # Errors
    /// When it is of something else.
    pub fn goroutines(&self, take: &mut impl Take) -> Result<Reading, NotThis> {
        let kind = self.kind();
        if !kind.is_of_goroutines() {
            return Err(NotThis { is: kind, wanted: "one of goroutines" });
        }
        let which = self.value(&["goroutine", "goroutines", "goroutineleak"]).unwrap_or(0);
        let is_own = self.is_own();
        let mut programs = Vec::new();
        let bytes = self.bytes.len() as u64;
        let mut reading = Reading { bytes, of_agent: is_own, ..Reading::default() };
        let faults = self.each_sample(|sample, faults| {
            let count = match sample.values.get(which) {
                None => return faults.add(sample.at, "a sample without a value"),
                Some(0) => return,
                // As in the difference of two profiles.
                Some(..0) => return faults.add(sample.at, "a negative count"),
                Some(&count) => u32::try_from(count),
            };
            let Ok(count) = count else { return faults.add(sample.at, ABSURD_COUNT) };
            let state = if is_own { own::state(sample.labels) } else { None };
            let labels = if is_own {
                programs.clear();
                let others = sample.labels.iter().filter(|(key, _)| !own::is_own(key));
                programs.extend(others.map(|(key, value)| {
                    (key.clone().into_owned().into(), value.clone().into_owned().into())
                }));
                programs.as_slice()
            } else {
                sample.labels
            };
            reading.records += 1;
            reading.goroutines = reading.goroutines.saturating_add(count.into());
            let stack = sample.stack;
            take.take(&Record { count, goid: None, state, labels, stack, created_by: None });
        });
        (reading.faults, reading.first_fault) = (faults.count, faults.first);
        Ok(reading)
    }
}
