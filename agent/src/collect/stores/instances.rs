//! From sets of labels to instances of a program.

use std::collections::BTreeMap;
use std::time::Duration;

use super::selector::matcher;
use super::{Label, Query, Series, Taken};
use crate::model::{InStore, Instance};

/// Labels that usually tell instances apart; the first that there is counts.
const APART: [&str; 7] = ["instance", "pod", "pod_uid", "hostname", "host", "container_id", "node"];

/// Labels that usually tell programs apart, all of which count.
const PROGRAM: [&str; 7] =
    ["service_name", "service", "app", "job", "namespace", "container", "pid"];

/// An instance of which a store has profiles.
#[derive(Clone, Debug)]
pub struct Found {
    /// What tells it from others.
    pub instance: Instance,
    /// What else all of its profiles have: sorted by name.
    pub labels: Vec<Label>,
    /// What its profiles are selected by.
    pub(super) matchers: String,
    /// The full name of the type of its profiles.
    pub(super) profile_type: String,
    /// When its profiles were taken, in that order.
    pub(super) times: Vec<Taken>,
    /// How far apart they are, at least.
    pub(super) step: Duration,
}

/// The instances that series are of, sorted by their labels. A program's own profiler labels are labels of
/// the series too, so that one instance may have many of them.
pub(super) fn of(
    query: &Query,
    profile_type: &str,
    series: Vec<Series>,
    (asked_step, step): (Duration, Duration),
) -> Vec<Found> {
    let keys = keys(&query.by, &series);
    let mut found: BTreeMap<Vec<Label>, Vec<Series>> = BTreeMap::new();
    for one in series {
        let value = |name: &String| {
            let label = one.labels.iter().find(|(own, _)| own == name);
            (name.clone(), label.map(|(_, value)| value.clone()).unwrap_or_default())
        };
        found.entry(keys.iter().map(value).collect()).or_default().push(one);
    }
    let instance = |(key, series): (Vec<Label>, Vec<Series>)| {
        let named: Vec<String> =
            key.iter().filter(|(_, value)| !value.is_empty()).map(matcher).collect();
        Found {
            instance: Instance::Stored(Box::new(InStore {
                store: query.store,
                url: query.address.url.to_string(),
                labels: format!("{{{}}}", named.join(", ")),
            })),
            labels: common(&series, &key),
            matchers: query.selector.with(&key),
            profile_type: profile_type.to_owned(),
            times: {
                let all = series.into_iter().flat_map(|it| it.times).collect();
                // Series of one instance may name other times of the same step, and count its profiles each.
                let asked = one_a_step(all, asked_step, u64::max);
                one_a_step(asked, step, |first, later| first + later)
            },
            step,
        }
    };
    let found = found.into_iter().map(instance);
    found.filter(|found| !found.times.is_empty()).collect()
}

/// The labels by which instances are told apart.
pub(super) fn keys(by: &[String], series: &[Series]) -> Vec<String> {
    if !by.is_empty() {
        return by.to_vec();
    }
    let is_there =
        |name: &&str| series.iter().flat_map(|series| &series.labels).any(|(own, _)| own == name);
    let apart = APART.iter().find(|name| is_there(name));
    PROGRAM.iter().filter(|name| is_there(name)).chain(apart).map(|&name| name.to_owned()).collect()
}

/// What all series have, and the key does not.
fn common(series: &[Series], key: &[Label]) -> Vec<Label> {
    let Some((first, others)) = series.split_first() else { return Vec::new() };
    let is_common = |label: &&Label| {
        others.iter().all(|other| other.labels.contains(label)) && !key.contains(label)
    };
    // They are for people alone, whose terminal they must not steer.
    let shown = |text: &String| text.replace(char::is_control, " ");
    let shown = |(name, value): &Label| (shown(name), shown(value));
    let mut common: Vec<Label> = first.labels.iter().filter(is_common).map(shown).collect();
    common.sort();
    common
}

/// At most one time in each step, with how many profiles all times of the step are of.
fn one_a_step(mut times: Vec<Taken>, step: Duration, of: fn(u64, u64) -> u64) -> Vec<Taken> {
    times.sort_unstable();
    let step_ns = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX).max(1);
    times.dedup_by(|later, first| {
        let is_same = later.at.unix_ns() / step_ns == first.at.unix_ns() / step_ns;
        if is_same {
            first.of = of(first.of, later.of);
        }
        is_same
    });
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::stores::{Range, SAMPLES};
    use crate::http::{Address, Settings};
    use crate::model::{Store, Timestamp};

    fn series(labels: &[(&str, &str)], seconds: &[i64]) -> Series {
        let label = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let at = |second: i64| Timestamp::from_unix_ns(second * 1_000_000_000);
        Series {
            labels: labels.iter().map(label).collect(),
            times: seconds.iter().map(|&second| Taken { at: at(second), of: 2 }).collect(),
        }
    }

    fn found(by: &[&str], series: Vec<Series>) -> Vec<(String, String, Vec<Label>, Vec<i64>)> {
        let at = Timestamp::from_unix_ns(0);
        let query = Query {
            store: Store::Parca,
            address: Address::parse("parca:7070").expect("an address"),
            settings: Settings::default(),
            selector: "{job=~\".*\"}".parse().expect("a selector"),
            range: Range { from: at, until: at },
            step: None,
            samples: SAMPLES,
            by: by.iter().map(|&name| name.to_owned()).collect(),
        };
        let told = |found: Found| {
            let times = found.times.iter().map(|taken| taken.at.unix_ns() / 1_000_000_000);
            (
                found.instance.to_string(),
                found.matchers.clone(),
                found.labels.clone(),
                times.collect(),
            )
        };
        let step = Duration::from_secs(10);
        of(&query, "goroutine", series, (step, step)).into_iter().map(told).collect()
    }

    #[test]
    fn an_instance_is_one_whatever_labels_its_goroutines_have() {
        let found = found(
            &[],
            vec![
                series(&[("instance", "b"), ("job", "shop"), ("version", "2")], &[20, 30]),
                series(&[("instance", "a"), ("job", "shop"), ("version", "1")], &[20, 30]),
                series(
                    &[("handler", "x"), ("instance", "a"), ("job", "shop"), ("version", "1")],
                    &[25, 11],
                ),
                series(&[("job", "other")], &[7]),
            ],
        );
        let version = vec![("version".to_owned(), "1".to_owned())];
        let first = r#"{instance="a",job="shop"}"#;
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].0, r#"{job="other"}"#);
        assert_eq!(found[0].1, r#"{job=~".*",job="other",instance=""}"#);
        assert_eq!(
            found[1].0.replace(' ', ""),
            first.replace("instance=\"a\",job=\"shop\"", "job=\"shop\",instance=\"a\"")
        );
        assert_eq!((&found[1].2, &found[1].3[..]), (&version, &[11, 20, 30][..]));
    }

    #[test]
    fn profiles_of_a_step_are_counted_once() {
        let [second, ten] = [1, 10].map(Duration::from_secs);
        let times = series(&[], &[3, 3, 4, 9, 10, 19]).times;
        let told = |times: &[Taken]| -> Vec<(i64, u64)> {
            times.iter().map(|it| (it.at.unix_ns() / 1_000_000_000, it.of)).collect()
        };
        let once = one_a_step(times, second, u64::max);
        assert_eq!(told(&once), [(3, 2), (4, 2), (9, 2), (10, 2), (19, 2)]);
        let in_all = one_a_step(once, ten, |first, later| first + later);
        assert_eq!(told(&in_all), [(3, 6), (10, 4)]);
    }

    #[test]
    fn instances_are_told_apart_by_what_was_asked_for() {
        let series = || {
            vec![
                series(&[("instance", "a"), ("zone", "x")], &[20]),
                series(&[("instance", "b"), ("zone", "x")], &[41]),
            ]
        };
        let by_zone = found(&["zone"], series());
        assert_eq!((by_zone.len(), &*by_zone[0].0), (1, r#"{zone="x"}"#));
        assert_eq!(found(&["nothing"], series())[0].0, "{}");
        assert_eq!(found(&[], series()).len(), 2);
    }
}
