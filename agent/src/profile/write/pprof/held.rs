//! The live heap by who holds it, as pprof's protobuf.

use std::io::{self, Write};

use super::compress;
use super::strings::{Numbered, Strings};
use crate::model::{Amount, Target, Timestamp};
use crate::profile::proto::MARK;
use crate::profile::proto::message::{
    Function, Line, Location, Mapping, Profile, Sample, ValueType,
};

/// The one mapping: no frame has an address.
const MAPPING: u64 = 1;

/// Writes what is held at the end of each stack, in gzip: objects and bytes, as `inuse_objects` and `inuse_space` of
/// Go's heap profiles. A stack begins with who holds, and its frames are names alone.
///
/// # Errors
/// When `out` fails.
pub fn held<'a>(
    target: &Target,
    at: Timestamp,
    stacks: impl Iterator<Item = (Vec<&'a str>, Amount)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (mut strings, mut names) = (Strings::default(), Numbered::default());
    let mut profile = Profile { time_nanos: at.unix_ns(), ..Profile::default() };
    let go = target.go_version.as_deref().map_or_else(String::new, |go| format!(" ({go})"));
    let version = env!("CARGO_PKG_VERSION");
    profile.comment = vec![
        strings.number(&format!("{MARK}{version}: the heap of {}{go}, by who holds it", target.id)),
    ];
    profile.mapping = vec![Mapping {
        id: MAPPING,
        // Not a path: pprof would open it.
        filename: strings.number(&format!("[{}]", target.name())),
        build_id: 0,
        has_functions: true,
        has_filenames: true,
        has_line_numbers: true,
        has_inline_frames: true,
    }];
    // The last is what pprof shows unless it is told.
    profile.sample_type = [("inuse_objects", "count"), ("inuse_space", "bytes")]
        .map(|(kind, unit)| ValueType { r#type: strings.number(kind), unit: strings.number(unit) })
        .to_vec();
    for (frames, holds) in stacks {
        let mut locations = Vec::with_capacity(frames.len());
        // Innermost first.
        for frame in frames.into_iter().rev() {
            let name = strings.number(frame);
            let (id, is_new) = names.number(name);
            if is_new {
                profile.function.push(Function { id, name, system_name: name, filename: 0 });
                let line = vec![Line { function_id: id, line: 0 }];
                profile.location.push(Location { id, mapping_id: MAPPING, address: 0, line });
            }
            locations.push(id);
        }
        let value = [holds.objects, holds.bytes].map(|it| i64::try_from(it).unwrap_or(i64::MAX));
        profile.sample.push(Sample {
            location_id: locations,
            value: value.to_vec(),
            label: Vec::new(),
        });
    }
    profile.string_table = strings.table();
    compress(&profile, out)
}
