//! One process, or a few of one service.

use super::grafana::{Dashboard, Panel, Shape, Show, Target};

/// What its viewer chose.
macro_rules! of {
    ($metric:literal) => {
        concat!($metric, "{service_name=~\"$service_name\",host=~\"$host\"}")
    };
    ($metric:literal, $more:literal) => {
        concat!($metric, "{service_name=~\"$service_name\",host=~\"$host\",", $more, "}")
    };
}

const NAME: &str = "{{service_name}} {{host}} {{pid}}";

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "leak-agent-process",
    title: "leak-agent: a Go service",
    description: "Goroutines, findings, memory and descriptors of one Go service, as leak-agent sees them from outside.",
    variables: &["service_name", "host"],
    panels: &[
        Panel {
            title: "Findings",
            description: "Findings that are likely or proven.",
            show: Show::Stat(Shape::ZeroIsWell),
            unit: "short",
            size: (4, 4),
            targets: &[Target {
                query: concat!("sum(", of!("leak_agent_findings_likely"), ")"),
                legend: "",
            }],
        },
        Panel {
            title: "Health",
            description: "0 (worst) to 100, of the worst process.",
            show: Show::Stat(Shape::Health),
            unit: "short",
            size: (4, 4),
            targets: &[Target {
                query: concat!("min(", of!("leak_agent_health"), ")"),
                legend: "",
            }],
        },
        Panel {
            title: "Goroutines",
            description: "Goroutines that exist, in all processes.",
            show: Show::Stat(Shape::Plain),
            unit: "short",
            size: (4, 4),
            targets: &[Target { query: concat!("sum(", of!("go_goroutines"), ")"), legend: "" }],
        },
        Panel {
            title: "Live heap",
            description: "What the last collections found reachable.",
            show: Show::Stat(Shape::Plain),
            unit: "bytes",
            size: (4, 4),
            targets: &[Target {
                query: concat!("sum(", of!("leak_agent_heap_live_bytes"), ")"),
                legend: "",
            }],
        },
        Panel {
            title: "Goroutines read",
            description: "The share of the goroutines whose structures could be read. Below 1 something was missed.",
            show: Show::Stat(Shape::Plain),
            unit: "percentunit",
            size: (4, 4),
            targets: &[Target {
                query: concat!("min(", of!("leak_agent_coverage_ratio"), ")"),
                legend: "",
            }],
        },
        Panel {
            title: "Processor time of the agent",
            description: "As a share of one processor.",
            show: Show::Stat(Shape::Plain),
            unit: "percentunit",
            size: (4, 4),
            targets: &[Target {
                query: concat!("max(", of!("leak_agent_cpu_ratio"), ")"),
                legend: "",
            }],
        },
        Panel {
            title: "Findings, worst first",
            description: "The score of each finding, 0 to 100. The id is the one of the reports.",
            show: Show::Table,
            unit: "short",
            size: (24, 7),
            targets: &[Target {
                query: concat!("sort_desc(", of!("leak_agent_finding_score"), ")"),
                legend: "",
            }],
        },
        Panel {
            title: "Goroutines",
            description: "Goroutines that exist.",
            show: Show::Lines,
            unit: "short",
            size: (12, 8),
            targets: &[Target { query: of!("go_goroutines"), legend: NAME }],
        },
        Panel {
            title: "Goroutines by what they wait for",
            description: "A class that only grows is what leaks.",
            show: Show::Stacked,
            unit: "short",
            size: (12, 8),
            targets: &[Target {
                query: concat!("sum by (wait_class) (", of!("leak_agent_goroutines"), ")"),
                legend: "{{wait_class}}",
            }],
        },
        Panel {
            title: "Goroutines of each finding",
            description: "How many goroutines each finding is about.",
            show: Show::Lines,
            unit: "short",
            size: (12, 8),
            targets: &[Target { query: of!("leak_agent_finding_goroutines"), legend: "{{id}}" }],
        },
        Panel {
            title: "Created and ended goroutines",
            description: "In a second, over the agent's window.",
            show: Show::Lines,
            unit: "cps",
            size: (12, 8),
            targets: &[
                Target {
                    query: concat!("sum(", of!("leak_agent_goroutines_created_per_second"), ")"),
                    legend: "created",
                },
                Target {
                    query: concat!("sum(", of!("leak_agent_goroutines_exited_per_second"), ")"),
                    legend: "ended",
                },
            ],
        },
        Panel {
            title: "Heap",
            description: "What the last collection found reachable, all objects, and the size at which the next begins.",
            show: Show::Lines,
            unit: "bytes",
            size: (12, 8),
            targets: &[
                Target {
                    query: concat!("sum(", of!("leak_agent_heap_live_bytes"), ")"),
                    legend: "live",
                },
                Target {
                    query: concat!("sum(", of!("leak_agent_heap_objects_bytes"), ")"),
                    legend: "objects",
                },
                Target {
                    query: concat!("sum(", of!("go_memory_gc_goal_bytes"), ")"),
                    legend: "next collection",
                },
            ],
        },
        Panel {
            title: "Resident memory, and what Go uses of it",
            description: "Where resident memory grows and Go's does not, it grows outside Go.",
            show: Show::Lines,
            unit: "bytes",
            size: (12, 8),
            targets: &[
                Target {
                    query: concat!("sum(", of!("process_resident_memory_bytes"), ")"),
                    legend: "resident",
                },
                Target {
                    query: concat!("sum by (go_memory_type) (", of!("go_memory_used_bytes"), ")"),
                    legend: "Go: {{go_memory_type}}",
                },
            ],
        },
        Panel {
            title: "Garbage collection",
            description: "The share of the program's processor time that collections take.",
            show: Show::Lines,
            unit: "percentunit",
            size: (12, 8),
            targets: &[Target { query: of!("leak_agent_gc_cpu_ratio"), legend: NAME }],
        },
        Panel {
            title: "Descriptors",
            description: "Open file descriptors, as a share of the limit.",
            show: Show::Lines,
            unit: "percentunit",
            size: (12, 8),
            targets: &[Target {
                query: concat!(of!("process_open_fds"), " / ", of!("process_max_fds")),
                legend: NAME,
            }],
        },
        Panel {
            title: "Threads",
            description: "Threads of the process.",
            show: Show::Lines,
            unit: "short",
            size: (12, 8),
            targets: &[Target { query: of!("leak_agent_threads"), legend: NAME }],
        },
        Panel {
            title: "What watching costs the program",
            description: "Estimated processor time that probes and reading cost it, as a share of its own.",
            show: Show::Lines,
            unit: "percentunit",
            size: (12, 8),
            targets: &[Target { query: of!("leak_agent_target_cpu_ratio"), legend: NAME }],
        },
    ],
};
