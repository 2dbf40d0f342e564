//! The report for programs: schema `leak-agent/report/v1`.
//!
//! One document for one target, an array of documents when several were asked for. What is not
//! known is null, never 0. Nothing is gathered: each value is written as it is reached.

use std::io::{self, Write};

use serde::ser::Serializer;

use super::{Render, Report};
use crate::model::Timestamp;
use document::Document;

mod document;
mod finding;
mod frame;
mod group;
mod judgement;
mod paths;
mod site;

/// The name of the schema. Keys are only ever added within a version.
pub const SCHEMA: &str = "leak-agent/report/v1";

/// Renders JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Render for Json {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let at = report.generated_at;
        if report.several {
            let documents = report.assessments.iter().map(|assessment| Document(at, assessment));
            let mut json = serde_json::Serializer::pretty(&mut *out);
            json.collect_seq(documents)?;
        } else if let Some(assessment) = report.assessments.first() {
            serde_json::to_writer_pretty(&mut *out, &Document(at, assessment))?;
        }
        writeln!(out)
    }
}

/// RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn time(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).ok()?;
    Some(format!("{at:.3}"))
}

/// Addresses are text: JSON numbers lose bits beyond 2^53.
fn hex(address: u64) -> String {
    format!("{address:#x}")
}

#[cfg(test)]
mod tests;
