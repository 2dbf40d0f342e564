//! What of what a process holds rises through the window, each told once: by its name, else by the
//! directory of it, else by its kind, else as descriptors of any kind.

use std::cmp::Reverse;
use std::time::Duration;

use super::course::{self, Rise};
use super::series::{Series, directory};
use crate::model::{ResourceKey, ResourceKind, ResourceTrend};

/// By so many more something must have risen.
const MIN_MORE: u64 = 5;
/// By so many more, connections that the other end has closed.
const MIN_CLOSED: u64 = 3;
/// What is listed.
const MAX_RISING: usize = 20;

/// What rises, by most first.
pub(super) fn rising(series: &Series) -> Vec<ResourceTrend> {
    let mut found: Vec<ResourceTrend> = Vec::new();
    for level in [is_own, is_directory, is_kind] {
        let keys = series.keys().into_iter().filter(|key| level(key));
        let of_level: Vec<_> =
            keys.filter_map(|key| of_key(series, key)).filter(|it| !is_told(it, &found)).collect();
        found.extend(of_level);
    }
    let descriptors = series.of(|point| point.descriptors);
    for (kind, points, churn) in [
        (ResourceKind::Descriptor, descriptors, series.churn_of_descriptors()),
        (ResourceKind::Thread, series.of(|point| point.threads), None),
    ] {
        let key = ResourceKey { kind, name: None };
        let rise = course::rise(&points, churn, MIN_MORE);
        let it = rise.map(|rise| trend(&key, rise, churn, false, &points));
        found.extend(it.filter(|it| !is_told(it, &found)));
    }
    without_company(&mut found);
    found.sort_by_key(|trend| Reverse((more(trend), trend.is_closed_by_peer)));
    found.truncate(MAX_RISING);
    found
}

/// A name of its own, or nothing that has names.
fn is_own(key: &ResourceKey) -> bool {
    key.name.is_some() && !is_directory(key)
}

/// All files of a directory.
fn is_directory(key: &ResourceKey) -> bool {
    key.name.as_ref().is_some_and(|name| name.to_string().ends_with("/*"))
}

/// All things of a kind.
fn is_kind(key: &ResourceKey) -> bool {
    key.name.is_none()
}

fn of_key(series: &Series, key: &ResourceKey) -> Option<ResourceTrend> {
    let points = series.closed_by_peer(key);
    if let Some(rise) = course::rise(&points, None, MIN_CLOSED) {
        return Some(trend(key, rise, series.churn(key), true, &points));
    }
    let points = series.history(key);
    let churn = series.churn(key);
    Some(trend(key, course::rise(&points, churn, MIN_MORE)?, churn, false, &points))
}

fn trend(
    key: &ResourceKey,
    rise: Rise,
    churn: Option<(u64, u64)>,
    is_closed_by_peer: bool,
    points: &[(f64, u64)],
) -> ResourceTrend {
    let length = points.first().zip(points.last()).map_or(0.0, |(first, last)| last.0 - first.0);
    ResourceTrend {
        key: key.clone(),
        from: rise.from,
        to: rise.to,
        growth: rise.growth,
        churn,
        stays: rise.stay,
        is_closed_by_peer,
        window: Duration::try_from_secs_f64(length).unwrap_or_default(),
    }
}

/// Whether more than half of what rises was told by narrower names.
fn is_told(trend: &ResourceTrend, found: &[ResourceTrend]) -> bool {
    let within = |it: &&ResourceTrend| holds(&trend.key, &it.key);
    let told: u64 = found.iter().filter(within).map(more).sum();
    told * 2 > more(trend)
}

/// Whether things of one name count towards another.
fn holds(all: &ResourceKey, some: &ResourceKey) -> bool {
    match (&all.name, all.kind) {
        (None, ResourceKind::Descriptor) => some.kind.is_descriptor(),
        (None, kind) => some.kind == kind,
        (Some(name), kind) => some.kind == kind && directory(some).as_ref() == Some(name),
    }
}

fn more(trend: &ResourceTrend) -> u64 {
    trend.to.saturating_sub(trend.from)
}

/// A child that is not waited for has a descriptor that stands for it (Go 1.23 and later): that is one leak.
fn without_company(found: &mut Vec<ResourceTrend>) {
    let has_children =
        found.iter().any(|it| matches!(it.key.kind, ResourceKind::Zombie | ResourceKind::Child));
    if has_children {
        found.retain(|it| it.key.kind != ResourceKind::Pidfd);
    }
}
