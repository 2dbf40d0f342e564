//! The heap profile.

use std::io::{self, Write};

use super::{compress, tables::Tables};
use crate::model::{Allocated, Target, Timestamp};
use crate::profile::proto::message::{Label, Sample};

/// The values of a sample, as `runtime/pprof` has them (`writeHeapProto`), each with its unit.
const VALUES: [(&str, &str); 4] = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
];
/// What `go tool pprof` shows unless it is asked for another.
const DEFAULT: &str = "inuse_space";
/// The label with the size of an object.
const SIZE: &str = "bytes";

/// Writes who allocated what of a target's heap, in gzip, as Go itself writes its heap profile: a sample for each
/// stack and size of object, with that size as its label. What was not read stands in the comments.
///
/// # Errors
/// When `out` fails.
pub fn heap(
    allocated: &Allocated,
    target: &Target,
    at: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut tables = Tables::of(target);
    tables.profile.sample_type =
        VALUES.iter().map(|(name, unit)| tables.value_type(name, unit)).collect();
    tables.profile.period_type = Some(tables.value_type("space", "bytes"));
    tables.profile.period = number(allocated.rate_bytes);
    tables.profile.default_sample_type = tables.strings.number(DEFAULT);
    tables.profile.time_nanos = at.unix_ns();
    if allocated.coverage.torn > 0 {
        tables.comment(&format!("sites that could not be read: {}", allocated.coverage.torn));
    }
    if !allocated.coverage.is_whole {
        tables.comment("not all sites were found");
    }
    let key = tables.strings.number(SIZE);
    for site in &allocated.sites {
        let stacks = &allocated.stacks;
        let frames = stacks.frames_of(site.stack);
        let frames = frames.get(site.of_runtime..).unwrap_or(frames);
        let (all, in_use) = (site.allocated, site.in_use);
        let value = [all.objects, all.bytes, in_use.objects, in_use.bytes].map(number);
        let size = Label { key, str: 0, num: number(site.object_bytes), num_unit: 0 };
        let location_id = tables.stack(stacks, frames);
        let sample = Sample { location_id, value: value.to_vec(), label: vec![size] };
        tables.profile.sample.push(sample);
    }
    compress(&tables.build(), out)
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
