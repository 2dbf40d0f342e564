//! Figures as OTLP's metrics.

use super::super::{Figure, Gathered};
use super::names::{Form, Named, attribute, named};
use super::proto::{
    Data, Gauge, InstrumentationScope, KeyValue, Metric, Number, NumberDataPoint, Resource,
    ResourceMetrics, ScopeMetrics, Sum, Temporality,
};
use crate::model::Timestamp;

/// Times that points are of.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now.
    pub now: Timestamp,
    /// Since when the agent counts.
    pub agent: Timestamp,
    /// When the program was started, where that is known: since then it counts.
    pub program: Option<Timestamp>,
}

pub(super) fn of(
    resource: Resource,
    gathered: impl IntoIterator<Item = Gathered>,
    times: Times,
) -> ResourceMetrics {
    let metrics = gathered.into_iter().filter_map(|it| metric(it, times)).collect();
    ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![ScopeMetrics { scope: Some(InstrumentationScope::own()), metrics }],
    }
}

fn metric(Gathered { name, help, kind, figures }: Gathered, times: Times) -> Option<Metric> {
    let Named { name, unit, form, is_programs } = named(name, kind)?;
    let since = if is_programs { times.program } else { Some(times.agent) };
    let start = match form {
        Form::Gauge => 0,
        Form::UpDown | Form::Counter => since.map_or(0, nanoseconds),
    };
    // Of what is counted there are no parts.
    let is_whole = unit == "By" || unit.starts_with('{');
    let point = |Figure { labels, value }: Figure| NumberDataPoint {
        attributes: labels.iter().map(|(name, it)| KeyValue::text(&attribute(name), it)).collect(),
        start_time_unix_nano: start,
        time_unix_nano: nanoseconds(times.now),
        value: Some(if is_whole { Number::Whole(value as i64) } else { Number::Real(value) }),
    };
    let data_points = figures.into_iter().map(point).collect();
    let data = match form {
        Form::Gauge => Data::Gauge(Gauge { data_points }),
        Form::UpDown | Form::Counter => Data::Sum(Sum {
            data_points,
            aggregation_temporality: Temporality::Cumulative.into(),
            is_monotonic: form == Form::Counter,
        }),
    };
    Some(Metric { name, description: help.to_owned(), unit: unit.to_owned(), data: Some(data) })
}

/// As the protocol has times; 0 is none.
pub(super) fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.unix_ns()).unwrap_or(0)
}
