//! Moments that were saved: the groups of a JSON report, or of a folder of saved observations.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::Value;

use super::failure::Failure;
use crate::analyze::compare::{FindingAt, GroupAt, Moment};
use crate::analyze::settings::Filter;
use crate::analyze::{CodeFiles, Settings, Window, assess, judge, view};
use crate::collect::CollectError;
use crate::collect::saved::Recording;
use crate::model::Timestamp;
use crate::pipeline;
use crate::report::json;

/// A report is no larger than this.
const MAX_BYTES: u64 = 1 << 30;

/// The last moment of a JSON report or of a folder, whoever it is of.
pub(super) fn last(path: &Path) -> Result<Moment, Failure> {
    if path.is_dir() {
        let window = window(path, 1).map_err(|source| Failure::Saved { source })?;
        return Ok(assess(&window).as_ref().map(Moment::of).unwrap_or_default());
    }
    read(path, &Filter::default())
}

/// The same, of what a filter lets pass, and with what is found in the observations of a folder.
pub(super) fn judged(path: &Path, settings: &Settings) -> Result<Moment, Failure> {
    if path.is_dir() {
        let window = window(path, usize::MAX).map_err(|source| Failure::Saved { source })?;
        let Some(mut assessment) = judge(&window, settings, &mut CodeFiles::default()) else {
            return Ok(Moment::default());
        };
        view::filtered(&mut assessment, &settings.filter);
        return Ok(Moment::of(&assessment));
    }
    read(path, &settings.filter)
}

/// At most the last `count` observations of the newest recording.
fn window(folder: &Path, count: usize) -> Result<Window, CollectError> {
    let mut window = Window::default();
    let newest = Recording::all(folder)?.into_iter().max_by_key(|found| found.start_ms);
    if let Some(mut newest) = newest {
        newest.numbers.drain(..newest.numbers.len().saturating_sub(count));
        let mut replay = pipeline::replay(newest);
        while let Some(observation) = replay.observe()? {
            window.take(observation);
        }
    }
    Ok(window)
}

fn read(path: &Path, filter: &Filter) -> Result<Moment, Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text))
        .map_err(unreadable)?;
    let document = serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))?;
    parse(&document, filter).ok_or_else(|| {
        let why = format!("it is no report of the schema {}", json::SCHEMA);
        unreadable(io::Error::new(io::ErrorKind::InvalidData, why))
    })
}

/// Of one report, or of several as one.
fn parse(document: &Value, filter: &Filter) -> Option<Moment> {
    let mut moment = Moment::default();
    let one = std::slice::from_ref(document);
    for report in document.as_array().map_or(one, |several| several) {
        if report["schema"] != json::SCHEMA {
            return None;
        }
        moment.at = moment.at.or_else(|| time(report["window"]["last"].as_str()?));
        moment.exe = report["target"]["exe"].as_str().unwrap_or_default().to_owned();
        moment.goroutines =
            moment.goroutines.saturating_add(report["totals"]["goroutines"].as_u64()?);
        let groups = report["groups"].as_array()?;
        for group in groups.iter().filter(|group| passes(group, filter)) {
            moment.add(
                group["signature"].as_str()?,
                GroupAt {
                    count: group["count"].as_u64()?,
                    wait: group["wait_class"].as_str()?.to_owned(),
                    blocked_at: serde_json::from_value(group["blocked_at"].clone()).ok(),
                    created_by: serde_json::from_value(group["created_by"].clone()).ok(),
                },
            );
        }
        for finding in report["findings"].as_array()? {
            moment.findings.push(FindingAt {
                verdict: serde_json::from_value(finding["verdict"].clone()).ok()?,
                severity: serde_json::from_value(finding["severity"].clone()).ok()?,
                signatures: groups
                    .iter()
                    .filter(|group| group["finding"] == finding["id"] && passes(group, filter))
                    .filter_map(|group| Some(group["signature"].as_str()?.to_owned()))
                    .collect(),
            });
        }
    }
    Some(moment)
}

/// Whether a filter lets a group of a report pass.
fn passes(group: &Value, filter: &Filter) -> bool {
    let stack = group["stack"].as_array().map_or(&[][..], Vec::as_slice);
    let frames = stack.iter().chain([&group["created_by"]]);
    filter.lets_pass(frames.filter_map(|frame| frame["function"].as_str()))
}

/// A time of RFC 3339.
fn time(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::Timestamp>().ok()?;
    Some(Timestamp::from_unix_ns(i64::try_from(at.as_nanosecond()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::settings::Rule;
    use crate::report::{Render as _, Report};
    use crate::sample::leaking;

    #[test]
    fn a_report_tells_the_same_as_the_assessment() {
        let mut window = Window::default();
        for second in 0..30 {
            window.push(&leaking(u64::from(second) * 20).observe(second));
        }
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let mut assessment = judged.expect("observed");
        let mut text = Vec::new();
        let report = Report {
            generated_at: Timestamp::from_unix_ns(0),
            assessments: std::slice::from_ref(&assessment),
            several: false,
        };
        json::Json.render(&report, &mut text).expect("a vector takes everything");
        let document = serde_json::from_slice(&text).expect("JSON");
        let moment = Moment::of(&assessment);
        assert_eq!((moment.goroutines, moment.findings.len()), (583, 1));
        let everything = Filter::default();
        assert_eq!(parse(&document, &everything), Some(moment));
        assert_eq!(parse(&serde_json::json!({"schema": "potato"}), &everything), None);

        let exclude = vec![Rule::new("main.leak*", None)];
        let filter = Filter { exclude, ..everything };
        view::filtered(&mut assessment, &filter);
        let less = parse(&document, &filter).expect("a report");
        assert_eq!(less.groups, Moment::of(&assessment).groups);
        assert!(less.findings.iter().all(|finding| finding.signatures.is_empty()));
    }
}
