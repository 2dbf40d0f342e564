//! What is known of targets as Prometheus' metrics, in its text format: a table of families ([`families`]), and what
//! writes them.

mod families;
mod own;

use std::collections::BTreeMap;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder as _, TextEncoder};

use super::Label;
use crate::model::Assessment;
use families::FAMILIES;
use own::OWN;
pub use own::Own;

/// The media type of the format.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Findings of a target that have series of their own at most: the worst. The others are counted.
const MAX_FINDINGS: usize = 100;
/// And of all targets together; where there are many, each has fewer, and one at least.
const MAX_OF_ALL: usize = 2_000;

/// A target, as of its last sample.
#[derive(Clone, Copy, Debug)]
pub struct Exposed<'a> {
    /// Whose the figures are, each name once.
    pub labels: &'a [Label],
    /// What is known of it.
    pub assessment: &'a Assessment,
    /// Samples that were taken of it.
    pub samples: u64,
}

/// Metrics of one name.
struct Family {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    /// Gives the figures of a target that are known, each with labels of its own.
    read: fn(&Exposed<'_>, &mut Figures<'_>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
}

/// Takes the figures of one family and one target.
struct Figures<'a> {
    kind: Kind,
    labels: &'a [Label],
    /// Findings of a target that have series of their own.
    findings: usize,
    metrics: &'a mut Vec<Metric>,
}

impl Figures<'_> {
    /// A figure without labels of its own, if it is known.
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.labelled(&[], value);
        }
    }

    /// A figure with labels of its own.
    fn labelled(&mut self, own: &[(&str, &str)], value: f64) {
        let target = self.labels.iter().map(|it| (it.name.as_str(), it.value.as_str()));
        // A target's label of a name that the family has would make a second one of that name.
        let pairs: BTreeMap<&str, &str> = target.chain(own.iter().copied()).collect();
        let pairs = pairs.into_iter().map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        });
        let mut metric = Metric::from_label(pairs.collect());
        match self.kind {
            Kind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
        }
        self.metrics.push(metric);
    }
}

/// All metrics of these targets. Two targets with the same labels are told apart by nobody: their labels differ.
///
/// # Errors
/// When a name is none, which is a defect.
pub fn text(targets: &[Exposed<'_>], own: Option<&Own>) -> Result<Vec<u8>, prometheus::Error> {
    let mut families = Vec::new();
    let findings = (MAX_OF_ALL / targets.len().max(1)).clamp(1, MAX_FINDINGS);
    for Family { name, help, kind, read } in FAMILIES {
        let mut metrics = Vec::new();
        for target in targets {
            read(
                target,
                &mut Figures {
                    kind: *kind,
                    labels: target.labels,
                    findings,
                    metrics: &mut metrics,
                },
            );
        }
        if metrics.is_empty() {
            continue;
        }
        families.push(family(name, help, *kind, metrics));
    }
    for own::Row { name, help, kind, read } in own.iter().flat_map(|_| OWN) {
        let mut metrics = Vec::new();
        if let Some(own) = own {
            read(own, &mut Figures { kind: *kind, labels: &[], findings, metrics: &mut metrics });
        }
        if !metrics.is_empty() {
            families.push(family(name, help, *kind, metrics));
        }
    }
    families.push(build());
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

/// Which agent says so, also where there is no target any more.
fn build() -> MetricFamily {
    let mut metrics = Vec::new();
    Figures { kind: Kind::Gauge, labels: &[], findings: 0, metrics: &mut metrics }
        .labelled(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    family("leak_agent_build_info", "The agent that watches.", Kind::Gauge, metrics)
}

fn family(name: &str, help: &str, kind: Kind, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(match kind {
        Kind::Gauge => MetricType::GAUGE,
        Kind::Counter => MetricType::COUNTER,
    });
    family.set_metric(metrics);
    family
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_family_has_a_name_of_its_own_and_says_what_it_is() {
        let of_targets = FAMILIES.iter().map(|it| (it.name, it.help, it.kind));
        let all: Vec<_> =
            of_targets.chain(OWN.iter().map(|it| (it.name, it.help, it.kind))).collect();
        let names: BTreeSet<&str> = all.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), all.len());
        let page = include_str!("../../../../docs/metrics.md");
        for (name, help, kind) in all {
            let row = format!("| `{name}` | {kind:?} | {help} |");
            assert!(page.to_lowercase().contains(&row.to_lowercase()), "docs/metrics.md: {row}");
            assert!(help.ends_with('.'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        }
    }

    #[test]
    fn labels_of_the_family_go_before_those_of_the_target_and_any_text_is_a_value() {
        let labels = [Label::new("class", "a\"b\\\n"), Label::new("service_name", "x")];
        let mut metrics = Vec::new();
        let mut figures =
            Figures { kind: Kind::Gauge, labels: &labels, findings: 1, metrics: &mut metrics };
        figures.add(None);
        figures.labelled(&[("class", "select")], 1.0);
        figures.add(Some(2.0));
        let family = family("x", "A test.", Kind::Gauge, metrics);
        let mut text = Vec::new();
        TextEncoder::new().encode(&[family], &mut text).expect("a vector takes everything");
        let text = String::from_utf8(text).expect("UTF-8");
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "x{class=\"select\",service_name=\"x\"} 1",
                "x{class=\"a\\\"b\\\\\\n\",service_name=\"x\"} 2"
            ]
        );
    }
}
