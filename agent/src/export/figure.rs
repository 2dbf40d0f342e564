//! Metrics of one name as they are before a format has its own way with them.

use std::collections::BTreeMap;

/// All figures of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered {
    /// As Prometheus has it: `go_memory_used_bytes`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// How it goes on.
    pub kind: Kind,
    /// At least one.
    pub figures: Vec<Figure>,
}

/// How a metric goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It goes up, until whoever counts starts anew.
    Counter,
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Each name once.
    pub labels: BTreeMap<String, String>,
    /// In the unit that the name says.
    pub value: f64,
}
