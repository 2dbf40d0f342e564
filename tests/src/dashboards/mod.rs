//! Grafana's dashboards and Prometheus' rules for the agent's metrics: tables of queries, and the files that are made
//! of them. `cargo xtask docs` writes those, and a real Prometheus answers every query in the tests.

mod fleet;
mod grafana;
mod process;
mod query;
mod rules;

use crate::schema_docs::File;

pub use grafana::{Dashboard, Panel, Shape, Show, Target};
pub use query::unknown_metrics;
pub use rules::{RULES, Rule};

/// The dashboards.
#[must_use]
pub fn dashboards() -> [Dashboard; 2] {
    [process::DASHBOARD, fleet::DASHBOARD]
}

/// Every query of a dashboard or rule, with what it is for.
pub fn queries() -> impl Iterator<Item = (String, &'static str)> {
    let of_panels = dashboards().into_iter().flat_map(|dashboard| {
        dashboard.panels.iter().flat_map(move |panel| {
            let name = format!("{}: {}", dashboard.title, panel.title);
            panel.targets.iter().map(move |target| (name.clone(), target.query))
        })
    });
    let of_rules = RULES.iter().map(|rule| (rule.alert.to_owned(), rule.query));
    of_panels.chain(of_rules)
}

/// The files, as they should be.
///
/// # Errors
/// When a dashboard cannot be written as JSON.
pub fn files() -> serde_json::Result<Vec<File>> {
    let mut files = Vec::new();
    for dashboard in dashboards() {
        let text = serde_json::to_string_pretty(&grafana::json(&dashboard))?;
        let path = format!("deploy/grafana/{}.json", dashboard.uid);
        files.push(File { path, text: format!("{text}\n") });
    }
    files.push(File {
        path: "deploy/prometheus/leak-agent.rules.yml".to_owned(),
        text: rules::yaml(),
    });
    files.push(File {
        path: "deploy/prometheus/leak-agent.rules.test.yml".to_owned(),
        text: rules::tests_yaml(),
    });
    Ok(files)
}
