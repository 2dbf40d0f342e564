//! Parca: its API as its gateway serves it in JSON (`proto/parca/query/v1alpha1/query.proto`, 0.24).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::answer;
use super::error::Error;
use super::range::{Range, rfc3339};
use super::{Series, Taken};
use crate::http::{self, Client, Problem, Url, below};
use crate::model::{Store, Timestamp};

#[derive(Deserialize)]
struct Types {
    types: Option<Vec<Type>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    name: String,
    sample_type: String,
    sample_unit: String,
    period_type: String,
    period_unit: String,
    delta: Option<bool>,
}

#[derive(Deserialize)]
struct QueryRange {
    series: Option<Vec<Metrics>>,
}

#[derive(Deserialize)]
struct Metrics {
    labelset: Option<LabelSet>,
    samples: Option<Vec<Sample>>,
}

#[derive(Deserialize)]
struct LabelSet {
    labels: Option<Vec<Label>>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Sample {
    timestamp: String,
    count: Option<u64>,
}

#[derive(Deserialize)]
struct Report {
    pprof: Option<String>,
}

/// The full names of the types of profiles that it has.
pub(super) fn types(client: &Client, base: &Url, range: Range) -> Result<Vec<String>, Error> {
    let url = url(base, "types", &range_of(range));
    let types: Types = answer::get(client, &url).map_err(another)?;
    let name = |it: Type| {
        let delta = if it.delta == Some(true) { ":delta" } else { "" };
        let Type { name, sample_type, sample_unit, period_type, period_unit, .. } = it;
        format!("{name}:{sample_type}:{sample_unit}:{period_type}:{period_unit}{delta}")
    };
    Ok(types.types.unwrap_or_default().into_iter().map(name).collect())
}

/// When profiles were taken, by their labels; none where it has none.
pub(super) fn series(
    client: &Client,
    base: &Url,
    query: &str,
    range: Range,
    step: Duration,
) -> Result<Vec<Series>, Error> {
    let step = format!("{}s", step.as_secs_f64());
    let mut pairs = range_of(range).to_vec();
    pairs.extend([("query", query.to_owned()), ("step", step)]);
    let url = url(base, "query_range", &pairs);
    match answer::get::<QueryRange>(client, &url) {
        Ok(answer) => {
            answer.series.unwrap_or_default().into_iter().map(|it| it.read(&url)).collect()
        }
        // So it says that it has none; that it is a Parca was known before.
        Err(Error::Http(http::Error { problem: Problem::Status { code: 404, .. }, .. })) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// A profile in pprof's protobuf, packed in gzip.
pub(super) fn profile(
    client: &Client,
    base: &Url,
    query: &str,
    at: Timestamp,
) -> Result<Vec<u8>, Error> {
    let pairs = [
        ("mode", "MODE_SINGLE_UNSPECIFIED".to_owned()),
        ("reportType", "REPORT_TYPE_PPROF".to_owned()),
        ("single.query", query.to_owned()),
        ("single.time", rfc3339(at)),
    ];
    let url = url(base, "query", &pairs);
    let report: Report = answer::get(client, &url)?;
    let text = report.pprof.ok_or_else(|| Error::NoProfile("it is not there".to_owned()))?;
    STANDARD.decode(text).map_err(|error| Error::NoProfile(error.to_string()))
}

impl Metrics {
    fn read(self, url: &Url) -> Result<Series, Error> {
        let labels = self.labelset.and_then(|set| set.labels).unwrap_or_default();
        let taken = |sample: Sample| match sample.timestamp.parse::<jiff::Timestamp>() {
            Ok(at) => {
                let ns = i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
                let at = Timestamp::from_unix_ns(ns);
                Ok(Taken { at, of: sample.count.unwrap_or(1).max(1) })
            }
            Err(error) => Err(Error::Answer { url: answer::path(url), why: error.to_string() }),
        };
        Ok(Series {
            labels: labels.into_iter().map(|it| (it.name, it.value)).collect(),
            times: self
                .samples
                .unwrap_or_default()
                .into_iter()
                .map(taken)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn range_of(range: Range) -> [(&'static str, String); 2] {
    [("start", rfc3339(range.from)), ("end", rfc3339(range.until))]
}

/// Where its API answers a question.
fn url(base: &Url, name: &str, pairs: &[(&str, String)]) -> Url {
    let mut url = below(base, &format!("api/profiles/{name}"));
    url.query_pairs_mut().extend_pairs(pairs);
    url
}

/// What is not there, or is a page for people, is of another server.
fn another(error: Error) -> Error {
    match error {
        Error::Http(source) if source.problem.is_elsewhere() => {
            Error::Another { store: Store::Parca, source: Box::new(source) }
        }
        other => other,
    }
}
