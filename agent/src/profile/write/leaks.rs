//! The goroutines that leak-agent has proven to leak, as Go gives those that the runtime found leaked
//! (`runtime/pprof/pprof.go`, `writeGoroutineLeak`; Go 1.26 and later).
//!
//! What was proven over, and how, is not in Go's form: `said` has it, in a comment of each. That says whose proof it is
//! too, so that nobody takes it for the runtime's.

use std::io::{self, Write};

use super::error::Error;
use super::tally::Of;
use crate::model::Observation;
use crate::profile::marks;

/// Writes how many of them stand at each stack, as pprof's protobuf in gzip, with the labels of a profile of goroutines.
///
/// # Errors
/// When `out` fails.
pub fn profile(observation: &Observation, said: &str, out: &mut dyn Write) -> io::Result<()> {
    super::pprof::leaks(observation, said, out)
}

/// Writes how many more, or fewer, stand at each stack in the later one of two observations of a target.
///
/// # Errors
/// When `out` fails.
pub fn difference(
    (before, after): (&Observation, &Observation),
    said: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    super::pprof::leaks_difference(before, after, said, out)
}

/// Writes how many of them stand at each stack, as text.
///
/// # Errors
/// When `out` fails.
pub fn counts(observation: &Observation, said: &str, out: &mut dyn Write) -> io::Result<()> {
    super::counts::write(observation, Of::Proven, Some(said), out)
}

/// Writes every goroutine, also those that do not leak, as Go does: `(leaked)` marks the others.
///
/// # Errors
/// As [`dump()`](super::dump()).
pub fn dump(observation: &Observation, said: &str, out: &mut dyn Write) -> Result<(), Error> {
    marks::write_said(said, out)?;
    super::dump::whose(observation, out)?;
    super::dump::write(observation, out)
}
