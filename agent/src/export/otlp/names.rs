//! What OpenTelemetry calls a metric that Prometheus calls otherwise: by the semantic conventions where they have one for
//! the thing, by a rule for all others.

use super::super::Kind;

/// A metric's name, unit and form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    /// By UCUM; empty where the figure has none.
    pub(super) unit: &'static str,
    pub(super) form: Form,
    /// Whether the program counts by itself, from its start on, and not the agent.
    pub(super) is_programs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Gauge,
    /// A sum that goes up and down.
    UpDown,
    /// A sum that only grows.
    Counter,
}

/// Those of the conventions (Go runtime, process), and those for which the rule gives no name of their own.
const NAMES: [(&str, &str, &str); 13] = [
    ("go_goroutines", "go.goroutine.count", "{goroutine}"),
    ("go_memory_used_bytes", "go.memory.used", "By"),
    ("go_memory_limit_bytes", "go.memory.limit", "By"),
    ("go_memory_allocated_bytes_total", "go.memory.allocated", "By"),
    ("go_memory_allocations_total", "go.memory.allocations", "{allocation}"),
    ("go_memory_gc_goal_bytes", "go.memory.gc.goal", "By"),
    ("leak_agent_gc_collections_total", "go.memory.gc.cycles", "{gc_cycle}"),
    ("process_resident_memory_bytes", "process.memory.usage", "By"),
    ("process_open_fds", "process.unix.file_descriptor.count", "{file_descriptor}"),
    ("process_max_fds", "leak_agent.file_descriptor.limit", "{file_descriptor}"),
    ("leak_agent_threads", "process.thread.count", "{thread}"),
    ("leak_agent_cpu_ratio", "leak_agent.cpu.utilization", "1"),
    ("leak_agent_cpu_seconds_total", "leak_agent.cpu.time", "s"),
];

/// What a suffix says of the unit.
const UNITS: [(&str, &str); 4] =
    [("_bytes", "By"), ("_per_second", "1/s"), ("_seconds", "s"), ("_ratio", "1")];

/// What says which program it is, and is part of the resource here.
const INFO: &str = "_info";

/// What a metric is called; `None` where the resource says the same.
pub(super) fn named(prometheus: &str, kind: Kind) -> Option<Named> {
    if prometheus.ends_with(INFO) {
        return None;
    }
    let known = NAMES.iter().find(|(name, ..)| *name == prometheus);
    let (name, unit) = match known {
        Some((_, name, unit)) => ((*name).to_owned(), *unit),
        None => by_rule(prometheus),
    };
    let is_conventional = !name.starts_with("leak_agent.");
    let form = match kind {
        Kind::Counter => Form::Counter,
        Kind::Gauge if is_conventional => Form::UpDown,
        Kind::Gauge => Form::Gauge,
    };
    Some(Named { is_programs: is_conventional, name, unit, form })
}

/// `leak_agent_scan_duration_seconds` is `leak_agent.scan_duration` in `s`.
fn by_rule(prometheus: &str) -> (String, &'static str) {
    let name = prometheus.strip_suffix("_total").unwrap_or(prometheus);
    let unit = UNITS.iter().find(|(suffix, _)| name.ends_with(suffix));
    let (name, unit) = unit
        .map_or((name, ""), |(suffix, unit)| (name.strip_suffix(suffix).unwrap_or(name), *unit));
    let name = name.strip_prefix("leak_agent_").unwrap_or(name);
    (format!("leak_agent.{name}"), unit)
}

/// The attribute that a label is.
pub(super) fn attribute(label: &str) -> String {
    match label {
        "go_memory_type" => "go.memory.type".to_owned(),
        "id" | "class" | "severity" | "verdict" => format!("leak_agent.finding.{label}"),
        other => format!("leak_agent.{other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_metric_has_a_name_of_its_own_that_the_page_has_too() {
        let page = include_str!("../../../../docs/metrics.md");
        let mut names = BTreeMap::new();
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, prometheus, told, kind, ..] = cells[..] else { panic!("{line}") };
            let kind = if kind == "counter" { Kind::Counter } else { Kind::Gauge };
            let prometheus = prometheus.trim_matches('`');
            let named = named(prometheus, kind);
            let name = named.as_ref().map_or("", |named| &named.name);
            assert_eq!(told.trim_matches('`'), name, "{line}");
            if let Some(named) = named {
                let before = names.insert(named.name, prometheus.to_owned());
                assert_eq!(before, None, "{prometheus}");
            }
        }
        assert!(names.len() > 40, "{names:?}");
    }

    #[test]
    fn units_and_forms_follow_from_the_name_and_the_conventions() {
        let named = |name, kind| {
            let Named { name, unit, form, is_programs } = named(name, kind).expect("a name");
            (name, unit, form, is_programs)
        };
        assert_eq!(
            named("leak_agent_scan_duration_seconds", Kind::Gauge),
            ("leak_agent.scan_duration".to_owned(), "s", Form::Gauge, false)
        );
        assert_eq!(
            named("leak_agent_goroutines_created_per_second", Kind::Gauge),
            ("leak_agent.goroutines_created".to_owned(), "1/s", Form::Gauge, false)
        );
        assert_eq!(
            named("leak_agent_gc_collections_total", Kind::Counter),
            ("go.memory.gc.cycles".to_owned(), "{gc_cycle}", Form::Counter, true)
        );
        assert_eq!(
            named("go_goroutines", Kind::Gauge),
            ("go.goroutine.count".to_owned(), "{goroutine}", Form::UpDown, true)
        );
        assert_eq!(super::named("leak_agent_target_info", Kind::Gauge), None);
        assert_eq!(attribute("wait_class"), "leak_agent.wait_class");
        assert_eq!(attribute("verdict"), "leak_agent.finding.verdict");
    }
}
