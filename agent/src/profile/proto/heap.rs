//! A heap or allocs profile.

use super::error::NotThis;
use super::kind::Kind;
use super::read::Profile;
use super::tables::Faults;
use crate::profile::record::{Entry, Fault};

/// What was allocated at one stack, in objects of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapSite<'s> {
    /// Where, innermost first.
    pub stack: &'s [Entry<'s>],
    /// How much.
    pub allocated: Heap,
}

/// Objects and bytes, as the profile has them: scaled up from what was sampled. `None` for what it does not
/// have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heap {
    /// Objects that were allocated since the program started.
    pub alloc_objects: Option<u64>,
    /// Their bytes.
    pub alloc_bytes: Option<u64>,
    /// Those that are in use: as of the last garbage collection that was complete.
    pub inuse_objects: Option<u64>,
    /// Their bytes.
    pub inuse_bytes: Option<u64>,
}

impl Heap {
    fn add(&mut self, more: Self) {
        let add = |sum: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        };
        add(&mut self.alloc_objects, more.alloc_objects);
        add(&mut self.alloc_bytes, more.alloc_bytes);
        add(&mut self.inuse_objects, more.inuse_objects);
        add(&mut self.inuse_bytes, more.inuse_bytes);
    }
}

impl Profile<'_> {
    /// Gives each site of a heap or allocs profile, and then their sum, with what could not be understood:
    /// how much, and the first of it.
    ///
    /// # Errors
    /// When it is of something else.
    pub fn heap(
        &self,
        mut give: impl FnMut(&HeapSite<'_>),
    ) -> Result<(Heap, u64, Option<Fault>), NotThis> {
        let kind = self.kind();
        if !matches!(kind, Kind::Heap | Kind::Allocs) {
            return Err(NotThis { is: kind, wanted: "one of the heap" });
        }
        let columns = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]
            .map(|name| self.value(&[name]));
        let mut sum = Heap::default();
        let Faults { count, first } = self.each_sample(|sample, faults| {
            let [alloc_objects, alloc_bytes, inuse_objects, inuse_bytes] = columns.map(|column| {
                let value = *sample.values.get(column?)?;
                let value = u64::try_from(value);
                if value.is_err() {
                    faults.add(sample.at, "a negative amount");
                }
                value.ok()
            });
            let allocated = Heap { alloc_objects, alloc_bytes, inuse_objects, inuse_bytes };
            sum.add(allocated);
            give(&HeapSite { stack: sample.stack, allocated });
        });
        Ok((sum, count, first))
    }
}
