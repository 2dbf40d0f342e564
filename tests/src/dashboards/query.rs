//! What a query in PromQL names.

use std::collections::BTreeSet;

/// The page that names all metrics, which the agent's own tests hold against the table of them.
const PAGE: &str = include_str!("../../../docs/metrics.md");

/// Metrics of the agent's that a query names and that there are not.
#[must_use]
pub fn unknown_metrics(query: &str) -> Vec<String> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let known: BTreeSet<&str> = rows.map(|(name, _)| name).collect();
    let is_name =
        |it: &&str| ["go_", "process_", "leak_agent_"].iter().any(|own| it.starts_with(own));
    let words = query.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').filter(is_name);
    // That is a label.
    let words = words.filter(|it| *it != "go_memory_type");
    words.filter(|it| !known.contains(it)).map(str::to_owned).collect()
}
