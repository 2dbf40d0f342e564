//! All processes that any agent watches.

use super::grafana::{Dashboard, Panel, Shape, Show, Target};

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "leak-agent-fleet",
    title: "leak-agent: all Go services",
    description: "Which Go services leak, on which hosts, and how fast they grow.",
    variables: &[],
    panels: &[
        Panel {
            title: "Processes watched",
            description: "Of all hosts.",
            show: Show::Stat(Shape::Plain),
            unit: "short",
            size: (6, 4),
            targets: &[Target { query: "count(leak_agent_samples_total)", legend: "" }],
        },
        Panel {
            title: "Processes that leak",
            description: "With a finding that is likely or proven.",
            show: Show::Stat(Shape::ZeroIsWell),
            unit: "short",
            size: (6, 4),
            targets: &[Target {
                query: "count(leak_agent_findings_likely > 0) or vector(0)",
                legend: "",
            }],
        },
        Panel {
            title: "Goroutines",
            description: "Of all processes.",
            show: Show::Stat(Shape::Plain),
            unit: "short",
            size: (6, 4),
            targets: &[Target { query: "sum(go_goroutines)", legend: "" }],
        },
        Panel {
            title: "Processes not read whole",
            description: "Less than nine tenths of their goroutines could be read.",
            show: Show::Stat(Shape::ZeroIsWell),
            unit: "short",
            size: (6, 4),
            targets: &[Target {
                query: "count(leak_agent_coverage_ratio < 0.9) or vector(0)",
                legend: "",
            }],
        },
        Panel {
            title: "Services with findings, worst first",
            description: "The worst score of each service and class, 0 to 100.",
            show: Show::Table,
            unit: "short",
            size: (12, 9),
            targets: &[Target {
                query: "sort_desc(max by (service_name, class, verdict) (leak_agent_finding_score))",
                legend: "",
            }],
        },
        Panel {
            title: "Findings by class",
            description: "All findings, suspects too.",
            show: Show::Stacked,
            unit: "short",
            size: (12, 9),
            targets: &[Target {
                query: "sum by (class) (leak_agent_findings)",
                legend: "{{class}}",
            }],
        },
        Panel {
            title: "Most goroutines",
            description: "The ten services with most.",
            show: Show::Lines,
            unit: "short",
            size: (12, 8),
            targets: &[Target {
                query: "topk(10, sum by (service_name) (go_goroutines))",
                legend: "{{service_name}}",
            }],
        },
        Panel {
            title: "Fastest growth of goroutines",
            description: "In a second, over half an hour: the ten services that grow most.",
            show: Show::Lines,
            unit: "short",
            size: (12, 8),
            targets: &[Target {
                query: "topk(10, sum by (service_name) (deriv(go_goroutines[30m])))",
                legend: "{{service_name}}",
            }],
        },
        Panel {
            title: "Most live heap",
            description: "The ten services with most.",
            show: Show::Lines,
            unit: "bytes",
            size: (12, 8),
            targets: &[Target {
                query: "topk(10, sum by (service_name) (leak_agent_heap_live_bytes))",
                legend: "{{service_name}}",
            }],
        },
        Panel {
            title: "Closest to their limit of descriptors",
            description: "The ten services that have used most of theirs.",
            show: Show::Lines,
            unit: "percentunit",
            size: (12, 8),
            targets: &[Target {
                query: "topk(10, max by (service_name) (process_open_fds / process_max_fds))",
                legend: "{{service_name}}",
            }],
        },
        Panel {
            title: "Agents, by version",
            description: "How many of each are scraped.",
            show: Show::Table,
            unit: "short",
            size: (12, 6),
            targets: &[Target { query: "count by (version) (leak_agent_build_info)", legend: "" }],
        },
        Panel {
            title: "Agents' processor time and memory",
            description: "Of the agent that uses most.",
            show: Show::Lines,
            unit: "short",
            size: (12, 6),
            targets: &[Target {
                query: "max by (host) (leak_agent_cpu_ratio)",
                legend: "{{host}}: processors",
            }],
        },
    ],
};
