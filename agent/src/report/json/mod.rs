//! The report for programs: assessments as documents of `report::schema`.
//!
//! One document for one target, a list of documents when several were asked for. What is not known is
//! null, never 0. Groups and creation sites are made as they are written.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use serde::ser::Serializer;

use super::schema::{AmountDoc, SampleDoc};
use super::{Render, Report};
use crate::model::{Amount, Timestamp};

pub(super) mod allocated;
mod contention;
pub(super) mod coverage;
mod document;
mod finding;
pub(super) mod forced;
mod frame;
mod group;
mod held_waits;
mod locks;
pub(super) mod memory;
mod profile;
pub(super) mod resources;
mod site;
mod trend;

pub use resources::{change as resource_change, key as resource_key};
pub use trend::unusual;

/// Renders JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Render for Json {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let at = report.generated_at;
        let mut json = serde_json::Serializer::pretty(&mut *out);
        if report.several {
            json.collect_seq(report.assessments.iter().map(|it| document::Written(at, it)))?;
        } else if let Some(assessment) = report.assessments.first() {
            serde::Serialize::serialize(&document::Written(at, assessment), &mut json)?;
        }
        writeln!(out)
    }
}

/// RFC 3339 in UTC, to the millisecond; `None` for what no calendar holds.
#[must_use]
pub fn time(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).ok()?;
    Some(format!("{at:.3}"))
}

/// Addresses are text: JSON numbers lose bits beyond 2^53.
pub(super) fn hex(address: u64) -> Cow<'static, str> {
    format!("{address:#x}").into()
}

pub(super) const fn amount(amount: Amount) -> AmountDoc {
    AmountDoc { bytes: amount.bytes, objects: amount.objects }
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.as_ref().map(Duration::as_secs_f64)
}

/// A count over time.
fn history(points: &[(f64, u64)]) -> Vec<SampleDoc> {
    points.iter().map(|&(seconds, goroutines)| SampleDoc { seconds, goroutines }).collect()
}

#[cfg(test)]
mod tests;
