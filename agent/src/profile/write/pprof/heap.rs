//! The heap profile.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{compress, tables::Tables};
use crate::model::{Allocated, AllocatedSample, AllocationSite, Target, Timestamp};
use crate::profile::proto::message::{Label, Sample};

/// The values of a sample, as `runtime/pprof` has them (`writeHeapProto`), each with its unit.
const VALUES: [(&str, &str); 4] = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
];
/// The label with the size of an object.
const SIZE: &str = "bytes";

/// What `go tool pprof` shows unless it is asked for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapValue {
    /// Bytes in use: of the profile `heap`.
    InUse,
    /// Bytes that were ever allocated: of `allocs`.
    Allocated,
}

impl HeapValue {
    const fn name(self) -> &'static str {
        match self {
            Self::InUse => "inuse_space",
            Self::Allocated => "alloc_space",
        }
    }
}

/// Writes who allocated what of a target's heap, in gzip, as Go itself writes its heap profile: a sample for each
/// stack and size of object, with that size as its label. What was not read stands in the comments.
///
/// # Errors
/// When `out` fails.
pub fn heap(
    allocated: &Allocated,
    target: &Target,
    at: Timestamp,
    shown: HeapValue,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut builder = Builder::of(target, shown);
    builder.describe(allocated, at);
    for site in &allocated.sites {
        let (location_id, label) = builder.place(allocated, site);
        let value = values(site).to_vec();
        builder.tables.profile.sample.push(Sample { location_id, value, label: vec![label] });
    }
    compress(&builder.tables.build(), out)
}

/// Writes how much more, or less, each stack and size of object has in the later one of two profiles of a target.
///
/// # Errors
/// When `out` fails.
pub fn heap_difference(
    before: &AllocatedSample,
    after: &AllocatedSample,
    shown: HeapValue,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut builder = Builder::of(&after.target, shown);
    builder.describe(&after.allocated, after.at);
    let between = after.at.unix_ns().saturating_sub(before.at.unix_ns());
    builder.tables.profile.duration_nanos = between.max(0);
    let mut sums: BTreeMap<(Vec<u64>, i64), [i64; 4]> = BTreeMap::new();
    for (sample, sign) in [(before, -1), (after, 1)] {
        for site in &sample.allocated.sites {
            let (locations, size) = builder.place(&sample.allocated, site);
            let sum = sums.entry((locations, size.num)).or_default();
            for (sum, value) in sum.iter_mut().zip(values(site)) {
                *sum = sum.saturating_add(sign * value);
            }
        }
    }
    for ((location_id, size), value) in sums.into_iter().filter(|(_, value)| *value != [0; 4]) {
        let label = vec![builder.size(size)];
        let value = value.to_vec();
        builder.tables.profile.sample.push(Sample { location_id, value, label });
    }
    compress(&builder.tables.build(), out)
}

/// A heap profile in the making.
struct Builder {
    tables: Tables,
    /// The number of the label's name.
    key: i64,
}

impl Builder {
    fn of(target: &Target, shown: HeapValue) -> Self {
        let mut tables = Tables::of(target);
        tables.profile.sample_type =
            VALUES.iter().map(|(name, unit)| tables.value_type(name, unit)).collect();
        tables.profile.period_type = Some(tables.value_type("space", "bytes"));
        tables.profile.default_sample_type = tables.strings.number(shown.name());
        let key = tables.strings.number(SIZE);
        Self { tables, key }
    }

    /// When it was, how much is sampled, and what could not be read.
    fn describe(&mut self, allocated: &Allocated, at: Timestamp) {
        let tables = &mut self.tables;
        tables.profile.period = number(allocated.rate_bytes);
        tables.profile.time_nanos = at.unix_ns();
        if allocated.coverage.torn > 0 {
            tables.comment(&format!("sites that could not be read: {}", allocated.coverage.torn));
        }
        if !allocated.coverage.is_whole {
            tables.comment("not all sites were found");
        }
    }

    /// Its locations, and its label.
    fn place(&mut self, allocated: &Allocated, site: &AllocationSite) -> (Vec<u64>, Label) {
        let frames = allocated.stacks.frames_of(site.stack);
        let frames = frames.get(site.of_runtime..).unwrap_or(frames);
        let locations = self.tables.stack(&allocated.stacks, frames);
        (locations, self.size(number(site.object_bytes)))
    }

    const fn size(&self, bytes: i64) -> Label {
        Label { key: self.key, str: 0, num: bytes, num_unit: 0 }
    }
}

fn values(site: &AllocationSite) -> [i64; 4] {
    let (all, in_use) = (site.allocated, site.in_use);
    [all.objects, all.bytes, in_use.objects, in_use.bytes].map(number)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
