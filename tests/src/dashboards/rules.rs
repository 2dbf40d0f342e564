//! Alert rules for Prometheus, and what `promtool test rules` tries them on.

use std::fmt::Write as _;

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name.
    pub alert: &'static str,
    /// When it holds, in PromQL.
    pub query: &'static str,
    /// For how long it must hold.
    pub lasts: &'static str,
    /// `critical` or `warning`.
    pub severity: &'static str,
    /// What to tell, with Prometheus' templates.
    pub summary: &'static str,
    /// What to do.
    pub description: &'static str,
    /// A series that makes it hold, and one that does not, in the form of `promtool`; the labels are of both.
    example: Example,
}

#[derive(Clone, Copy, Debug)]
struct Example {
    /// Each with a name, and the values by the minute when it holds and when it does not.
    series: &'static [(&'static str, &'static str, &'static str)],
    /// The labels that an alert has beside its severity.
    labels: &'static str,
    /// What Prometheus makes of the summary.
    summary: &'static str,
}

const LABELS: &str = "{service_name=\"shop\",host=\"a\",pid=\"7\"}";

/// All of them.
pub const RULES: &[Rule] = &[
    Rule {
        alert: "GoLeak",
        query: "leak_agent_findings_likely > 0",
        lasts: "5m",
        severity: "warning",
        summary: "{{ $labels.service_name }} leaks",
        description: "leak-agent has {{ $value }} findings of it that are likely or proven. Its report names line, cause and fix.",
        example: Example {
            series: &[("leak_agent_findings_likely", "1x20", "0x20")],
            labels: "{host: a, pid: '7', service_name: shop}",
            summary: "shop leaks",
        },
    },
    Rule {
        alert: "GoLeakSevere",
        query: "max by (service_name, host, pid) (leak_agent_finding_score{verdict=~\"likely|proven\"}) >= 75",
        lasts: "5m",
        severity: "critical",
        summary: "{{ $labels.service_name }} has a leak with a score of {{ $value }}",
        description: "What it costs is critical: memory held, number, growth, or what waits for it.",
        example: Example {
            series: &[("leak_agent_finding_score{verdict=\"likely\"}", "80x20", "60x20")],
            labels: "{host: a, pid: '7', service_name: shop}",
            summary: "shop has a leak with a score of 80",
        },
    },
    Rule {
        alert: "GoDescriptorsRunOut",
        query: "process_open_fds / process_max_fds > 0.8",
        lasts: "5m",
        severity: "critical",
        summary: "{{ $labels.service_name }} has used {{ $value | humanizePercentage }} of its descriptors",
        description: "Beyond the limit it can accept and open nothing. The report says what they lead to, and who opened them.",
        example: Example {
            series: &[
                ("process_open_fds", "900x20", "100x20"),
                ("process_max_fds", "1000x20", "1000x20"),
            ],
            labels: "{host: a, pid: '7', service_name: shop}",
            summary: "shop has used 90% of its descriptors",
        },
    },
    Rule {
        alert: "GoCollectorBusy",
        query: "leak_agent_gc_cpu_ratio > 0.3",
        lasts: "10m",
        severity: "warning",
        summary: "{{ $labels.service_name }} spends {{ $value | humanizePercentage }} of its processor time collecting garbage",
        description: "Under a memory limit that is how a heap that leaks ends: ever more collections that free nothing.",
        example: Example {
            series: &[("leak_agent_gc_cpu_ratio", "0.5x20", "0.1x20")],
            labels: "{host: a, pid: '7', service_name: shop}",
            summary: "shop spends 50% of its processor time collecting garbage",
        },
    },
    Rule {
        alert: "LeakAgentReadsTooLittle",
        query: "leak_agent_coverage_ratio < 0.9",
        lasts: "10m",
        severity: "warning",
        summary: "leak-agent reads only {{ $value | humanizePercentage }} of the goroutines of {{ $labels.service_name }}",
        description: "What it does not read it cannot find. Its report says why.",
        example: Example {
            series: &[("leak_agent_coverage_ratio", "0.5x20", "1x20")],
            labels: "{host: a, pid: '7', service_name: shop}",
            summary: "leak-agent reads only 50% of the goroutines of shop",
        },
    },
];

/// The rule file.
pub(super) fn yaml() -> String {
    let mut text = String::from(
        "# Made by `cargo xtask docs`. For rule_files of prometheus.yml.\ngroups:\n- name: leak-agent\n  rules:\n",
    );
    for rule in RULES {
        let Rule { alert, query, lasts, severity, summary, description, .. } = rule;
        let _ = write!(
            text,
            "  - alert: {alert}\n    expr: {query:?}\n    for: {lasts}\n    labels:\n      severity: {severity}\n    \
             annotations:\n      summary: {summary:?}\n      description: {description:?}\n"
        );
    }
    text
}

/// What `promtool test rules` runs: each rule on a series that makes it hold, and on one that does not.
pub(super) fn tests_yaml() -> String {
    let mut text = String::from(
        "# Made by `cargo xtask docs`. Run it with promtool test rules.\nrule_files: [leak-agent.rules.yml]\n\
         evaluation_interval: 1m\ntests:\n",
    );
    for rule in RULES {
        for holds in [true, false] {
            text.push_str("- interval: 1m\n  input_series:\n");
            for (series, bad, well) in rule.example.series {
                let values = if holds { bad } else { well };
                let series = match series.split_once('{') {
                    Some((name, own)) => {
                        format!("{name}{},{own}", LABELS.trim_end_matches('}'))
                    }
                    None => format!("{series}{LABELS}"),
                };
                let _ = write!(text, "  - series: {series:?}\n    values: {values}\n");
            }
            let _ = write!(
                text,
                "  alert_rule_test:\n  - eval_time: 15m\n    alertname: {}\n",
                rule.alert
            );
            if !holds {
                text.push_str("    exp_alerts: []\n");
                continue;
            }
            let labels = rule.example.labels.trim_end_matches('}');
            let value = rule.example.series[0].1.trim_end_matches("x20");
            let _ = write!(
                text,
                "    exp_alerts:\n    - exp_labels: {labels}, severity: {}}}\n      exp_annotations:\n        \
                 summary: {:?}\n        description: {:?}\n",
                rule.severity,
                rule.example.summary,
                rule.description.replace("{{ $value }}", value)
            );
        }
    }
    text
}
