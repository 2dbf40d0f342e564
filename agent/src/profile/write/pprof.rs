//! pprof's protobuf.

mod heap;
mod held;
mod samples;
mod strings;
mod tables;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;

use crate::model::{Judgement, Observation};
use crate::profile::proto::message::Profile;
pub use heap::{HeapValue, heap, heap_difference};
pub use held::held;
use samples::Builder;

use super::tally::Of;

/// What was made of an observation's goroutines.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What was found.
    pub judgement: &'a Judgement,
    /// The finding that each goroutine is in, by its place among them.
    pub finding_of: &'a [Option<u32>],
}

/// Writes how many goroutines stand at each stack, in gzip, with labels that `go tool pprof` groups and
/// filters by: the goroutines' own; `state`, in the runtime's words; `wait`, the whole seconds that
/// they have waited, if any, of which all but two digits are rounded down; `locked`; `proof` of those that are proven to
/// leak; and where they are judged, `verdict` and `finding`.
///
/// # Errors
/// When `out` fails.
pub fn pprof(
    observation: &Observation,
    judged: Option<Judged<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut builder = Builder::new(observation, Of::All);
    builder.add(observation, judged, 1);
    pack(builder, observation, 0, out)
}

/// Writes how many goroutines more, or fewer, stand at each stack with the same state and labels in the
/// later one of two observations of a target. It has no waits, which change by themselves.
///
/// # Errors
/// When `out` fails.
pub fn difference(
    before: &Observation,
    after: &Observation,
    out: &mut dyn Write,
) -> io::Result<()> {
    difference_of((before, after), Builder::new(after, Of::All), out)
}

/// The same of leaks: what leak-agent has to say of it stands in a comment.
pub(super) fn leaks(observation: &Observation, said: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut builder = Builder::new(observation, Of::Proven).saying(said);
    builder.add(observation, None, 1);
    pack(builder, observation, 0, out)
}

/// The same of what came and went of them.
pub(super) fn leaks_difference(
    before: &Observation,
    after: &Observation,
    said: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    difference_of((before, after), Builder::new(after, Of::Proven).saying(said), out)
}

fn difference_of(
    (before, after): (&Observation, &Observation),
    builder: Builder,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut builder = builder.without_waits();
    builder.add(before, None, -1);
    builder.add(after, None, 1);
    let between = after.at.unix_ns().saturating_sub(before.at.unix_ns());
    pack(builder, after, between.max(0), out)
}

fn pack(
    builder: Builder,
    observation: &Observation,
    duration_ns: i64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut profile = builder.build();
    profile.time_nanos = observation.at.unix_ns();
    profile.duration_nanos = duration_ns;
    compress(&profile, out)
}

fn compress(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    let mut packed = GzEncoder::new(out, Compression::fast());
    packed.write_all(&profile.encode_to_vec())?;
    packed.finish().map(drop)
}
