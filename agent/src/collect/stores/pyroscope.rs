//! Pyroscope: the API of its querier as Connect serves it (`api/querier/v1/querier.proto`, 1.18): questions in
//! JSON, profiles in protobuf.

use std::time::Duration;

use prost::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::answer;
use super::error::Error;
use super::instances;
use super::range::Range;
use super::selector::Selector;
use super::{Label, Series, Taken};
use crate::http::{Body, Client, Url, below};
use crate::model::{Store, Timestamp};

/// The service that answers.
const SERVICE: &str = "querier.v1.QuerierService";

/// What is asked for when profiles were taken: so short that it holds one profile of an instance. A merge of
/// several would count their goroutines several times, and nothing says how many it is of: sums and averages
/// are of series, which a program's own labels make many of.
const STEP_MS: i64 = 1000;

#[derive(Serialize)]
struct Between {
    start: i64,
    end: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Types {
    profile_types: Option<Vec<Type>>,
}

#[derive(Deserialize)]
struct Type {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Serialize)]
struct AskedSets {
    matchers: [String; 1],
    start: i64,
    end: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sets {
    labels_set: Option<Vec<Set>>,
}

#[derive(Deserialize)]
struct Set {
    labels: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
struct Pair {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskedSeries<'a> {
    #[serde(rename = "profileTypeID")]
    profile_type: &'a str,
    label_selector: &'a str,
    start: i64,
    end: i64,
    group_by: &'a [String],
    step: f64,
}

#[derive(Deserialize)]
struct SelectedSeries {
    series: Option<Vec<Points>>,
}

#[derive(Deserialize)]
struct Points {
    labels: Option<Vec<Pair>>,
    points: Option<Vec<Point>>,
}

#[derive(Deserialize)]
struct Point {
    timestamp: Option<Number>,
}

/// A number of 64 bits, which JSON of protobuf has in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(i64),
    Quoted(String),
}

#[derive(Message)]
struct AskedProfile {
    #[prost(string, tag = "1")]
    profile_type: String,
    #[prost(string, tag = "2")]
    label_selector: String,
    #[prost(int64, tag = "3")]
    start: i64,
    #[prost(int64, tag = "4")]
    end: i64,
}

/// The full names of the types of profiles that it has.
pub(super) fn types(client: &Client, base: &Url, range: Range) -> Result<Vec<String>, Error> {
    let (start, end) = ms(range);
    let types: Types =
        ask(client, base, "ProfileTypes", &Between { start, end }).map_err(another)?;
    Ok(types.profile_types.unwrap_or_default().into_iter().map(|it| it.id).collect())
}

/// When profiles were taken, by the labels that tell instances apart, and all labels that those have.
pub(super) fn series(
    client: &Client,
    base: &Url,
    profile_type: &str,
    selector: &Selector,
    by: &[String],
    (range, step): (Range, Duration),
) -> Result<Vec<Series>, Error> {
    let (start, end) = ms(range);
    let of_type = [("__profile_type__".to_owned(), profile_type.to_owned())];
    let asked = AskedSets { matchers: [selector.with(&of_type)], start, end };
    let sets: Sets = ask(client, base, "Series", &asked)?;
    let sets = sets.labels_set.unwrap_or_default().into_iter().map(|set| labels(set.labels));
    let mut series: Vec<Series> = sets.map(|labels| Series { labels, times: Vec::new() }).collect();
    let keys = instances::keys(by, &series);
    let asked = AskedSeries {
        profile_type,
        label_selector: selector.matchers(),
        start,
        end,
        group_by: &keys,
        step: STEP_MS as f64 / 1e3,
    };
    let selected: SelectedSeries = ask(client, base, "SelectSeries", &asked)?;
    for Points { labels: own, points } in selected.series.unwrap_or_default() {
        let (labels, times) = (labels(own), taken(points.unwrap_or_default(), step));
        let is_of =
            |it: &&mut Series| keys.iter().all(|key| value(&it.labels, key) == value(&labels, key));
        match series.iter_mut().find(is_of) {
            Some(known) => known.times.extend(times),
            None => series.push(Series { labels, times }),
        }
    }
    Ok(series)
}

/// A profile in pprof's protobuf: the one of the second that ends then.
pub(super) fn profile(
    client: &Client,
    base: &Url,
    profile_type: &str,
    matchers: &str,
    at: Timestamp,
) -> Result<Vec<u8>, Error> {
    let end = at.unix_ns() / 1_000_000;
    let asked = AskedProfile {
        profile_type: profile_type.to_owned(),
        label_selector: matchers.to_owned(),
        start: end - STEP_MS + 1,
        // A profile's nanoseconds are cut off where it is put into a step.
        end: end + 1,
    };
    let body = Body { media_type: "application/proto", bytes: &asked.encode_to_vec() };
    send(client, base, "SelectMergeProfile", body)
}

fn ask<T: DeserializeOwned>(
    client: &Client,
    base: &Url,
    method: &str,
    asked: &impl Serialize,
) -> Result<T, Error> {
    let url = url(base, method);
    let unsound =
        |error: serde_json::Error| Error::Answer { url: url.to_string(), why: error.to_string() };
    let bytes = serde_json::to_vec(asked).map_err(unsound)?;
    let answer =
        send(client, base, method, Body { media_type: "application/json", bytes: &bytes })?;
    answer::read(&answer, &url)
}

fn send(client: &Client, base: &Url, method: &str, body: Body<'_>) -> Result<Vec<u8>, Error> {
    Ok(client.post(&url(base, method), body, answer::MAX_BYTES)?)
}

fn url(base: &Url, method: &str) -> Url {
    below(base, &format!("{SERVICE}/{method}"))
}

/// What is not there, or is a page for people, is of another server.
fn another(error: Error) -> Error {
    match error {
        Error::Http(source) if source.problem.is_elsewhere() => {
            Error::Another { store: Store::Pyroscope, source: Box::new(source) }
        }
        other => other,
    }
}

fn labels(pairs: Option<Vec<Pair>>) -> Vec<Label> {
    let pairs = pairs.unwrap_or_default().into_iter();
    // What begins so is Pyroscope's own, and of no program.
    let pairs = pairs.map(|it| (it.name.unwrap_or_default(), it.value.unwrap_or_default()));
    pairs.filter(|(name, _)| !name.starts_with("__")).collect()
}

fn value<'l>(labels: &'l [Label], name: &str) -> &'l str {
    labels.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
}

/// One time in each step, and how many there are in it.
fn taken(points: Vec<Point>, step: Duration) -> Vec<Taken> {
    let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
    let mut times: Vec<i64> =
        points.into_iter().filter_map(|point| point.timestamp?.value()).collect();
    times.sort_unstable();
    let steps = times.chunk_by(|first, second| first / step_ms == second / step_ms);
    let taken = |of: &[i64]| {
        let at = Timestamp::from_unix_ns(of.first()?.saturating_mul(1_000_000));
        Some(Taken { at, of: of.len() as u64 })
    };
    steps.filter_map(taken).collect()
}

impl Number {
    fn value(&self) -> Option<i64> {
        match self {
            Self::Plain(number) => Some(*number),
            Self::Quoted(text) => text.parse().ok(),
        }
    }
}

/// Both ends in milliseconds since the Unix epoch.
fn ms(range: Range) -> (i64, i64) {
    (range.from.unix_ns() / 1_000_000, range.until.unix_ns() / 1_000_000)
}
