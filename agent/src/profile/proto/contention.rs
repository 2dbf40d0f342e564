//! A block or mutex profile.

use std::time::Duration;

use super::error::NotThis;
use super::kind::Kind;
use super::read::Profile;
use super::tables::Faults;
use crate::profile::record::{Entry, Fault};

/// Waits at one stack: of those that waited (block), or of those whom it made wait (mutex).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contention<'s> {
    /// Where, innermost first.
    pub stack: &'s [Entry<'s>],
    /// How often; `None` where the profile has times alone.
    pub count: Option<u64>,
    /// For how long in all; `None` where the profile has counts alone.
    pub delay: Option<Duration>,
}

impl Profile<'_> {
    /// Gives each site of a block or mutex profile; then what could not be understood: how much, and the
    /// first of it. [`Profile::kind`] says which of the two it is.
    ///
    /// # Errors
    /// When it is of something else.
    pub fn contention(
        &self,
        mut give: impl FnMut(&Contention<'_>),
    ) -> Result<(u64, Option<Fault>), NotThis> {
        let kind = self.kind();
        if !matches!(kind, Kind::Block | Kind::Mutex) {
            return Err(NotThis { is: kind, wanted: "one of contention" });
        }
        let columns = ["contentions", "delay"].map(|name| self.value(&[name]));
        let Faults { count, first } = self.each_sample(|sample, faults| {
            let [count, delay] = columns.map(|column| {
                let value = u64::try_from(*sample.values.get(column?)?);
                if value.is_err() {
                    faults.add(sample.at, "a negative amount");
                }
                value.ok()
            });
            let delay = delay.map(Duration::from_nanos);
            give(&Contention { stack: sample.stack, count, delay });
        });
        Ok((count, first))
    }
}
