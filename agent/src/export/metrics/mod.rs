//! What is known of targets as metrics: a table of families ([`families`]), and what writes them in Prometheus' text
//! format.

mod families;
mod own;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder as _, TextEncoder};

use super::{Figure, Gathered, Kind, Label};
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

/// Takes the figures of one family and one target.
struct Figures<'a> {
    labels: &'a [Label],
    /// Findings of a target that have series of their own.
    findings: usize,
    figures: &'a mut Vec<Figure>,
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
        let labels = target.chain(own.iter().copied());
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.figures.push(Figure { labels, value });
    }
}

/// Figures of targets, family by family; of those that have any.
fn of_targets(targets: &[Exposed<'_>], findings: usize) -> impl Iterator<Item = Gathered> {
    let of_family = move |Family { name, help, kind, read }: &Family| {
        let mut figures = Vec::new();
        for target in targets {
            read(target, &mut Figures { labels: target.labels, findings, figures: &mut figures });
        }
        Gathered { name, help, kind: *kind, figures }
    };
    FAMILIES.iter().map(of_family).filter(|it| !it.figures.is_empty())
}

/// What a daemon says of itself.
pub fn of_agent(own: &Own) -> impl Iterator<Item = Gathered> {
    let of_row = move |own::Row { name, help, kind, read }: &own::Row| {
        let mut figures = Vec::new();
        read(own, &mut Figures { labels: &[], findings: 0, figures: &mut figures });
        Gathered { name, help, kind: *kind, figures }
    };
    OWN.iter().map(of_row).filter(|it| !it.figures.is_empty())
}

/// Figures of one target of so many, without its labels: for a format that says whose they are once for all.
pub fn of_target(target: Exposed<'_>, of_all: usize) -> Vec<Gathered> {
    of_targets(&[Exposed { labels: &[], ..target }], findings_each(of_all)).collect()
}

/// How many findings of a target have series of their own.
fn findings_each(targets: usize) -> usize {
    (MAX_OF_ALL / targets.max(1)).clamp(1, MAX_FINDINGS)
}

/// All metrics of these targets. Two targets with the same labels are told apart by nobody: their labels differ.
///
/// # Errors
/// When a name is none, which is a defect.
pub fn text(targets: &[Exposed<'_>], own: Option<&Own>) -> Result<Vec<u8>, prometheus::Error> {
    let of_targets = of_targets(targets, findings_each(targets.len()));
    let of_agent = own.into_iter().flat_map(of_agent);
    let families: Vec<MetricFamily> =
        of_targets.chain(of_agent).chain([build()]).map(family).collect();
    let mut text = Vec::new();
    TextEncoder::new().encode(&families, &mut text)?;
    Ok(text)
}

/// Which agent says so, also where there is no target any more.
fn build() -> Gathered {
    let labels = [("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into();
    Gathered {
        name: "leak_agent_build_info",
        help: "The agent that watches.",
        kind: Kind::Gauge,
        figures: vec![Figure { labels, value: 1.0 }],
    }
}

fn family(Gathered { name, help, kind, figures }: Gathered) -> MetricFamily {
    let metric = |Figure { labels, value }: Figure| {
        let pair = |(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name);
            pair.set_value(value);
            pair
        };
        let mut metric = Metric::from_label(labels.into_iter().map(pair).collect());
        match kind {
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
        metric
    };
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(match kind {
        Kind::Gauge => MetricType::GAUGE,
        Kind::Counter => MetricType::COUNTER,
    });
    family.set_metric(figures.into_iter().map(metric).collect());
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
            // Between both is what OpenTelemetry calls it.
            let (start, end) = (format!("| `{name}` | "), format!(" | {kind:?} | {help} |"));
            let is_row = |line: &str| {
                line.starts_with(&start) && line.to_lowercase().ends_with(&end.to_lowercase())
            };
            assert!(page.lines().any(is_row), "docs/metrics.md: {start}...{end}");
            assert!(help.ends_with('.'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        }
    }

    #[test]
    fn labels_of_the_family_go_before_those_of_the_target_and_any_text_is_a_value() {
        let labels = [Label::new("class", "a\"b\\\n"), Label::new("service_name", "x")];
        let mut figures = Vec::new();
        let mut taking = Figures { labels: &labels, findings: 1, figures: &mut figures };
        taking.add(None);
        taking.labelled(&[("class", "select")], 1.0);
        taking.add(Some(2.0));
        let family = family(Gathered { name: "x", help: "A test.", kind: Kind::Gauge, figures });
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
