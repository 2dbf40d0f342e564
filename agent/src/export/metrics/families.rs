//! The table of metrics. Names that Prometheus and its Go client have for a thing are used for it; all others begin with
//! `leak_agent_`. A new metric is a row.

use super::{Exposed, Family, Figures, Kind};
use crate::model::{Heap, ProofAttempt, Verdict};

pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "leak_agent_target_info",
        "What the program is, as labels: Go's version. Always 1.",
        |of, figures| {
            let version = of.assessment.target.go_version.as_deref().unwrap_or("unknown");
            figures.labelled(&[("go_version", version)], 1.0);
        },
    ),
    gauge("go_goroutines", "Goroutines that exist.", |of, figures| {
        figures.add(of.assessment.goroutines().map(|count| count as f64));
    }),
    gauge("leak_agent_goroutines", "Goroutines by what they wait for.", |of, figures| {
        if of.assessment.subjects().goroutines {
            for (class, count) in &of.assessment.totals.by_wait {
                figures.labelled(&[("wait_class", class.name())], *count as f64);
            }
        }
    }),
    gauge(
        "leak_agent_goroutines_created_per_second",
        "Goroutines created in a second, over the window. The basis says how that is known.",
        |of, figures| {
            if let Some(rates) = of.assessment.totals.rates {
                figures.labelled(&[("basis", rates.basis.name())], rates.created_per_second);
            }
        },
    ),
    gauge(
        "leak_agent_goroutines_exited_per_second",
        "Goroutines that ended in a second, over the window. The basis says how that is known.",
        |of, figures| {
            if let Some(rates) = of.assessment.totals.rates {
                figures.labelled(&[("basis", rates.basis.name())], rates.exited_per_second);
            }
        },
    ),
    gauge(
        "leak_agent_oldest_wait_seconds",
        "The longest time for which a goroutine in a finding has been blocked.",
        |of, figures| figures.add(oldest_wait(of)),
    ),
    gauge(
        "leak_agent_health",
        "How well the process is by what is looked at, 0 (worst) to 100.",
        |of, figures| figures.add(of.assessment.health().map(f64::from)),
    ),
    gauge("leak_agent_findings", "Findings by class, severity and verdict.", |of, figures| {
        let mut counts = std::collections::BTreeMap::new();
        for finding in findings(of) {
            let key = (finding.class.name(), finding.severity().name(), finding.verdict.name());
            *counts.entry(key).or_insert(0_u64) += 1;
        }
        for ((class, severity, verdict), count) in counts {
            let labels = [("class", class), ("severity", severity), ("verdict", verdict)];
            figures.labelled(&labels, count as f64);
        }
    }),
    gauge(
        "leak_agent_findings_likely",
        "Findings that are likely or proven: 0 where there are none.",
        |of, figures| {
            if of.assessment.judgement.is_some() {
                let likely = findings(of).filter(|it| it.verdict >= Verdict::Likely);
                figures.add(Some(likely.count() as f64));
            }
        },
    ),
    gauge(
        "leak_agent_finding_score",
        "How much each finding matters, 0 to 100. Its id stays the same for as long as the program does.",
        |of, figures| {
            for finding in findings(of).take(figures.findings) {
                let labels = [
                    ("id", finding.id.as_str()),
                    ("class", finding.class.name()),
                    ("verdict", finding.verdict.name()),
                ];
                figures.labelled(&labels, finding.score.total().into());
            }
        },
    ),
    gauge("leak_agent_finding_goroutines", "Goroutines of each finding.", |of, figures| {
        for finding in findings(of).take(figures.findings) {
            if let Some(leak) = finding.goroutines() {
                figures.labelled(&[("id", finding.id.as_str())], leak.count as f64);
            }
        }
    }),
    gauge(
        "leak_agent_findings_without_series",
        "Findings beyond those that have series of their own.",
        |of, figures| {
            if let Some(judgement) = &of.assessment.judgement {
                let beyond = judgement.findings.len().saturating_sub(figures.findings) as u64;
                figures.add(Some((beyond + judgement.unlisted) as f64));
            }
        },
    ),
    gauge(
        "leak_agent_goroutines_proven",
        "Goroutines that are proven to leak: nothing that can still run can reach what they wait for.",
        |of, figures| {
            let proof = of.assessment.coverage.proof.as_ref();
            figures.add(proof.map(|proof| proof.proven as f64));
        },
    ),
    gauge(
        "leak_agent_proof_pause_seconds",
        "For how long the process stood still for the last proof.",
        |of, figures| {
            let latest = of.assessment.coverage.proof.as_ref().map(|proof| &proof.latest);
            if let Some(ProofAttempt::Done(run)) = latest {
                figures.add(Some(run.pause.as_secs_f64()));
            }
        },
    ),
    gauge(
        "go_memory_used_bytes",
        "Memory that the Go runtime uses: goroutines' stacks, and all other.",
        |of, figures| {
            if let Some(heap) = heap(of) {
                let other = heap.ready_bytes().saturating_sub(heap.stacks_bytes);
                figures.labelled(&[("go_memory_type", "stack")], heap.stacks_bytes as f64);
                figures.labelled(&[("go_memory_type", "other")], other as f64);
            }
        },
    ),
    gauge(
        "go_memory_limit_bytes",
        "The runtime's memory limit, where the program has one.",
        |of, figures| figures.add(heap(of).and_then(|heap| heap.limit_bytes).map(|it| it as f64)),
    ),
    counter("go_memory_allocated_bytes_total", "Memory allocated from the heap.", |of, figures| {
        figures.add(heap(of).map(|heap| heap.allocated_bytes as f64));
    }),
    counter("go_memory_allocations_total", "Objects allocated from the heap.", |of, figures| {
        figures.add(heap(of).map(|heap| heap.allocated_objects as f64));
    }),
    gauge(
        "go_memory_gc_goal_bytes",
        "The heap's size at which it is collected next.",
        |of, figures| {
            figures.add(heap(of).and_then(|heap| heap.goal_bytes).map(|it| it as f64));
        },
    ),
    gauge(
        "leak_agent_heap_live_bytes",
        "What the last collection found reachable.",
        |of, figures| {
            let live = of.assessment.memory.as_ref().and_then(|it| it.now.live_bytes());
            figures.add(live.map(|it| it as f64));
        },
    ),
    gauge(
        "leak_agent_heap_objects_bytes",
        "Objects on the heap, garbage included.",
        |of, figures| {
            figures.add(heap(of).map(|heap| heap.objects_bytes as f64));
        },
    ),
    counter("leak_agent_gc_collections_total", "Collections that are complete.", |of, figures| {
        figures.add(heap(of).map(|heap| heap.collections.into()));
    }),
    gauge(
        "leak_agent_gc_cpu_ratio",
        "The share of the program's processor time that collections take.",
        |of, figures| {
            let collector = of.assessment.memory.as_ref().and_then(|it| it.collector);
            figures.add(collector.and_then(|it| it.cpu_share));
        },
    ),
    gauge("process_resident_memory_bytes", "Resident memory size in bytes.", |of, figures| {
        let process = of.assessment.memory.as_ref().and_then(|it| it.now.process);
        figures.add(process.map(|it| it.rss_bytes as f64));
    }),
    gauge("process_open_fds", "Number of open file descriptors.", |of, figures| {
        let usage = of.assessment.resources.as_ref().and_then(|it| it.now.descriptors);
        figures.add(usage.map(|it| it.count as f64));
    }),
    gauge("process_max_fds", "Maximum number of open file descriptors.", |of, figures| {
        let usage = of.assessment.resources.as_ref().and_then(|it| it.now.descriptors);
        figures.add(usage.and_then(|it| it.limit).map(|it| it.limit as f64));
    }),
    gauge("leak_agent_threads", "Threads of the process.", |of, figures| {
        let usage = of.assessment.resources.as_ref().and_then(|it| it.now.threads);
        figures.add(usage.map(|it| it.count as f64));
    }),
    gauge(
        "leak_agent_coverage_ratio",
        "The share of the goroutines whose structures could be read in the last sample.",
        |of, figures| {
            let coverage = &of.assessment.coverage;
            if coverage.subjects.goroutines && coverage.goroutines_seen > 0 {
                let (read, seen) = (coverage.goroutines_read, coverage.goroutines_seen);
                figures.add(Some(read as f64 / seen as f64));
            }
        },
    ),
    counter(
        "leak_agent_events_dropped_total",
        "Events of probes that did not fit into the kernel's tables.",
        |of, figures| figures.add(Some(of.assessment.coverage.events_dropped as f64)),
    ),
    counter("leak_agent_samples_total", "Samples that were taken.", |of, figures| {
        figures.add(Some(of.samples as f64));
    }),
    gauge("leak_agent_sample_duration_seconds", "How long the last sample took.", |of, figures| {
        figures.add(of.assessment.overhead.snapshot.map(|it| it.as_secs_f64()))
    }),
    gauge(
        "leak_agent_cpu_ratio",
        "Processor time of the agent, as a share of one processor.",
        |of, figures| {
            figures.add(of.assessment.overhead.agent_cpu_percent.map(|percent| percent / 100.0));
        },
    ),
    gauge("leak_agent_resident_memory_bytes", "Resident memory of the agent.", |of, figures| {
        figures.add(of.assessment.overhead.agent_rss_bytes.map(|bytes| bytes as f64));
    }),
    gauge(
        "leak_agent_target_cpu_ratio",
        "Estimated processor time that the agent's probes cost the target, as a share of one processor; reading runs none of its threads.",
        |of, figures| {
            let percent = of.assessment.overhead.target_cpu_percent_estimate;
            figures.add(percent.map(|percent| percent / 100.0));
        },
    ),
];

const fn gauge(
    name: &'static str,
    help: &'static str,
    read: fn(&Exposed<'_>, &mut Figures<'_>),
) -> Family {
    Family { name, help, kind: Kind::Gauge, read }
}

const fn counter(
    name: &'static str,
    help: &'static str,
    read: fn(&Exposed<'_>, &mut Figures<'_>),
) -> Family {
    Family { name, help, kind: Kind::Counter, read }
}

fn findings<'a>(of: &Exposed<'a>) -> impl Iterator<Item = &'a crate::model::Finding> {
    of.assessment.judgement.iter().flat_map(|judgement| &judgement.findings)
}

fn heap<'a>(of: &Exposed<'a>) -> Option<&'a Heap> {
    of.assessment.memory.as_ref()?.now.heap.as_ref()
}

fn oldest_wait(of: &Exposed<'_>) -> Option<f64> {
    let oldest = findings(of).filter_map(|finding| finding.goroutines()?.oldest).max()?;
    Some(oldest.as_secs_f64())
}
