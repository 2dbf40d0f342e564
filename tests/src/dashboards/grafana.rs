//! A dashboard in Grafana's form (schema version 39, Grafana 10.4 and later).

use serde_json::{Value, json};

/// A page of panels.
#[derive(Clone, Copy, Debug)]
pub struct Dashboard {
    /// What it is addressed by, and its file's name.
    pub uid: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it shows.
    pub description: &'static str,
    /// Names of labels that its viewer chooses values of, each within the choice before.
    pub variables: &'static [&'static str],
    /// Its panels, in the order in which they fill lines of 24 columns.
    pub panels: &'static [Panel],
}

/// A panel.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// Its title.
    pub title: &'static str,
    /// What it shows, for who wonders.
    pub description: &'static str,
    /// How it shows it.
    pub show: Show,
    /// Grafana's name of the unit.
    pub unit: &'static str,
    /// Columns and lines.
    pub size: (u8, u8),
    /// What is asked.
    pub targets: &'static [Target],
}

/// How figures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Over time.
    Lines,
    /// Over time, on top of each other.
    Stacked,
    /// The last one.
    Stat(Shape),
    /// The last of each, a row a series.
    Table,
}

/// What is good and what is bad of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Neither.
    Plain,
    /// Anything above 0 is bad.
    ZeroIsWell,
    /// 100 is well, below 80 is doubtful, below 50 is bad.
    Health,
}

/// A query, and how what it gives is called.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// In PromQL, with Grafana's variables.
    pub query: &'static str,
    /// A name of each series, with its labels in braces.
    pub legend: &'static str,
}

/// The columns of a dashboard.
const COLUMNS: u8 = 24;

/// A dashboard as Grafana imports it.
pub(super) fn json(dashboard: &Dashboard) -> Value {
    let (mut x, mut y, mut height) = (0, 0_u32, 0);
    let mut panels = Vec::new();
    for (id, panel) in (1_u32..).zip(dashboard.panels) {
        let (w, h) = panel.size;
        if x + w > COLUMNS {
            (x, y) = (0, y + u32::from(height));
            height = 0;
        }
        panels.push(panel_json(panel, id, json!({"h": h, "w": w, "x": x, "y": y})));
        x += w;
        height = height.max(h);
    }
    let mut variables = vec![json!({
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
    })];
    for (index, name) in dashboard.variables.iter().enumerate() {
        let within: Vec<_> =
            dashboard.variables[..index].iter().map(|it| format!("{it}=~\"${it}\"")).collect();
        let query =
            format!("label_values(leak_agent_samples_total{{{}}}, {name})", within.join(","));
        variables.push(json!({
            "name": name, "label": name.replace('_', " "), "type": "query", "datasource": source(),
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1,
            "multi": true, "includeAll": true, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }));
    }
    json!({
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["go", "leak-agent"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables},
        "annotations": {"list": []},
        "panels": panels,
    })
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn panel_json(panel: &Panel, id: u32, place: Value) -> Value {
    let is_table = panel.show == Show::Table;
    let is_instant = is_table || matches!(panel.show, Show::Stat(_));
    let targets: Vec<_> = ('A'..)
        .zip(panel.targets)
        .map(|(letter, target)| {
            json!({
                "refId": letter.to_string(), "expr": target.query, "legendFormat": target.legend,
                "datasource": source(), "instant": is_instant, "range": !is_instant,
                "format": if is_table { "table" } else { "time_series" },
            })
        })
        .collect();
    let (kind, options, custom) = match panel.show {
        Show::Lines => ("timeseries", lines(), json!({"lineWidth": 1, "fillOpacity": 5})),
        Show::Stacked => (
            "timeseries",
            lines(),
            json!({"lineWidth": 1, "fillOpacity": 30, "stacking": {"mode": "normal", "group": "A"}}),
        ),
        Show::Stat(_) => (
            "stat",
            json!({"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "none"}),
            json!({}),
        ),
        Show::Table => ("table", json!({"showHeader": true}), json!({})),
    };
    let transformations = if is_table {
        json!([{"id": "organize", "options": {"excludeByName": {"Time": true, "__name__": true, "job": true}}}])
    } else {
        json!([])
    };
    json!({
        "id": id, "type": kind, "title": panel.title, "description": panel.description,
        "datasource": source(), "gridPos": place, "targets": targets, "options": options,
        "transformations": transformations,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit, "min": 0, "custom": custom, "thresholds": thresholds(panel.show),
            },
            "overrides": [],
        },
    })
}

fn lines() -> Value {
    json!({"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}})
}

fn thresholds(show: Show) -> Value {
    let steps = match show {
        Show::Stat(Shape::ZeroIsWell) => {
            json!([{"color": "green", "value": null}, {"color": "red", "value": 1}])
        }
        Show::Stat(Shape::Health) => json!([
            {"color": "red", "value": null}, {"color": "orange", "value": 50}, {"color": "green", "value": 80},
        ]),
        _ => json!([{"color": "blue", "value": null}]),
    };
    json!({"mode": "absolute", "steps": steps})
}
