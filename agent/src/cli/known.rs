//! What was there at another time: the groups of a JSON report, of saved observations, or of an
//! assessment, to compare with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::Value;

use super::failure::Failure;
use crate::analyze::{Window, assess};
use crate::collect::saved::Recording;
use crate::model::{Assessment, FrameId, StackTable};
use crate::pipeline;
use crate::report::{json, words};

/// A report is no larger than this.
const MOST_BYTES: u64 = 1 << 30;

/// The groups of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// When, in RFC 3339.
    pub(super) at: Option<String>,
    /// Of whom.
    pub(super) exe: String,
    /// How many goroutines in all.
    pub(super) goroutines: u64,
    /// By signature.
    pub(super) groups: BTreeMap<String, KnownGroup>,
}

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownGroup {
    pub(super) count: u64,
    pub(super) wait: String,
    pub(super) blocked_at: Option<Line>,
    pub(super) created_by: Option<Line>,
}

/// A line of source.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Line {
    pub(super) function: String,
    pub(super) file: String,
    pub(super) line: u64,
}

impl Known {
    /// The groups of an assessment that pass.
    pub(super) fn of(assessment: &Assessment) -> Self {
        let stacks = &assessment.stacks;
        let mut known = Self {
            at: json::time(assessment.window.last),
            exe: assessment.target.exe.clone(),
            goroutines: assessment.totals.goroutines,
            groups: BTreeMap::new(),
        };
        for group in &assessment.groups {
            known.add(
                &group.signature,
                KnownGroup {
                    count: group.count,
                    wait: group.wait.name().to_owned(),
                    blocked_at: group.blocked_at.and_then(|frame| Line::of(stacks, frame)),
                    created_by: group.created_by.and_then(|frame| Line::of(stacks, frame)),
                },
            );
        }
        known
    }

    /// Reads a JSON report, or what a folder of saved observations holds last.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            return Self::saved(path).map_err(|source| Failure::Saved { source });
        }
        let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
        let mut text = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text))
            .map_err(unreadable)?;
        let document = serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))?;
        Self::parse(&document).ok_or_else(|| {
            let why = format!("it is no report of the schema {}", json::SCHEMA);
            unreadable(io::Error::new(io::ErrorKind::InvalidData, why))
        })
    }

    /// The last observation of the newest recording.
    fn saved(folder: &Path) -> Result<Self, crate::collect::CollectError> {
        let mut window = Window::default();
        let newest = Recording::all(folder)?.into_iter().max_by_key(|found| found.start_ms);
        if let Some(mut newest) = newest {
            newest.numbers.drain(..newest.numbers.len().saturating_sub(1));
            if let Some(last) = pipeline::replay(newest).observe()? {
                window.take(last);
            }
        }
        Ok(assess(&window).as_ref().map(Self::of).unwrap_or_default())
    }

    /// Of one report, or of several as one.
    fn parse(document: &Value) -> Option<Self> {
        let mut known = Self::default();
        let one = std::slice::from_ref(document);
        for report in document.as_array().map_or(one, |several| several) {
            if report["schema"] != json::SCHEMA {
                return None;
            }
            known.at = known.at.or_else(|| Some(report["window"]["last"].as_str()?.to_owned()));
            known.exe = report["target"]["exe"].as_str().unwrap_or_default().to_owned();
            known.goroutines =
                known.goroutines.saturating_add(report["totals"]["goroutines"].as_u64()?);
            for group in report["groups"].as_array()? {
                known.add(
                    group["signature"].as_str()?,
                    KnownGroup {
                        count: group["count"].as_u64()?,
                        wait: group["wait_class"].as_str()?.to_owned(),
                        blocked_at: serde_json::from_value(group["blocked_at"].clone()).ok(),
                        created_by: serde_json::from_value(group["created_by"].clone()).ok(),
                    },
                );
            }
        }
        Some(known)
    }

    fn add(&mut self, signature: &str, group: KnownGroup) {
        let known = self.groups.entry(signature.to_owned()).or_default();
        *known = KnownGroup { count: known.count.saturating_add(group.count), ..group };
    }
}

impl Line {
    /// Where a frame stands, if that is known.
    pub(super) fn of(stacks: &StackTable, frame: FrameId) -> Option<Self> {
        let frame = stacks.lookup(frame).ok()?;
        Some(Self {
            function: frame.function.to_owned(),
            file: frame.file.to_owned(),
            line: frame.line.into(),
        })
    }

    /// `main.work  /src/work.go:33`, without control characters.
    pub(super) fn text(&self) -> String {
        words::clean(&format!("{}  {}:{}", self.function, self.file, self.line)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::report::{Render as _, Report};
    use crate::sample::leaking;

    #[test]
    fn a_report_tells_the_same_as_the_assessment() {
        let mut window = Window::default();
        window.push(&leaking(5).observe(0));
        let assessment = assess(&window).expect("observed");
        let mut text = Vec::new();
        let report = Report {
            generated_at: Timestamp::from_unix_ns(0),
            assessments: std::slice::from_ref(&assessment),
            several: false,
        };
        json::Json.render(&report, &mut text).expect("a vector takes everything");
        let document = serde_json::from_slice(&text).expect("JSON");
        let known = Known::of(&assessment);
        assert_eq!(known.goroutines, 8);
        assert_eq!(Known::parse(&document), Some(known));
        assert_eq!(Known::parse(&serde_json::json!({"schema": "potato"})), None);
    }
}
