//! The figures as tables, beside the bars that they have to reach.

use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::bench::machine::CALM_PERCENT;

use crate::hit::Hits;
use crate::own::Own;
use crate::pair::Pair;
use crate::pingpong::Ball;
use crate::server::Load;
use crate::snapshots::Looks;

/// How busy the machine is before anything begins.
pub fn machine(busy: f64) {
    println!("Medians, ± half the span of the middle half. Others use {busy:.0} % of the machine.");
}

/// What comes next.
pub fn title(text: &str) {
    println!("\n{text}");
}

/// One server under one load.
pub fn load(load: &Load) {
    head();
    row("requests by CPU second", &load.requests_per_cpu_second, 0);
    row("p50, ms", &load.p50_ms, 3);
    row("p99, ms", &load.p99_ms, 3);
    println!("  neither of the two watched, they differ by {}", shown(&load.unwatched, 4));
    println!(
        "  probes cost it, as the agent estimates, {} % of a core",
        shown(&load.estimate_percent, 3)
    );
    if load.hit_ns.median().is_some() {
        println!(
            "  every event probed: {} of its requests; a hit costs {} ns, in a loop of the agent's \
             own {} ns",
            shown(&load.probed, 3),
            shown(&load.hit_ns, 0),
            shown(&load.loop_ns, 0)
        );
    }
}

/// The ping-pong.
pub fn ball(ball: &Ball) {
    head();
    row("passes a second", &ball.passes_per_second, 0);
    row("by CPU second of its own", &ball.passes_per_cpu_second, 0);
    println!(
        "  every event probed: {} of its speed; detached again: {}",
        shown(&ball.probed, 3),
        shown(&ball.restored, 3)
    );
}

/// One hit.
pub fn hits(hits: &Hits) {
    for (name, figure) in [
        ("a probe that does nothing", &hits.empty_ns),
        ("bpftrace, a time by goroutine", &hits.bpftrace_ns),
        ("ours", &hits.ours_ns),
    ] {
        println!("  {name:<32} {:>16} ns", shown(figure, 0));
    }
    println!(
        "  ours: {} of bpftrace's, {} of the empty one",
        shown(&hits.of_bpftrace, 2),
        shown(&hits.of_empty, 2)
    );
}

/// Looks without probes.
pub fn looks(looks: &Looks) {
    head();
    row("passes by CPU second", &looks.passes_per_cpu_second, 0);
    println!(
        "  {} looks a second, during which it is slower by {} percent; one a second costs {} percent",
        shown(&looks.per_second, 1),
        shown(&looks.slowed_percent, 1),
        shown(&looks.one_a_second_percent, 3)
    );
}

/// The agent itself.
pub fn own(own: &Own) {
    println!("  with all probes  {} % of a core", shown(&own.cpu_percent, 2));
    println!("  without probes   {} %", shown(&own.without_probes_percent, 2));
    println!("  as it says       {} %, attaching included", shown(&own.said_percent, 2));
    let megabytes = own.rss_bytes.median().map(|bytes| bytes / 1e6);
    println!("  memory           {} MB", number(megabytes, 1));
}

/// That nothing of it is to be believed.
pub fn not_calm(busiest: f64) {
    println!(
        "\nNOT CALM: others used up to {busiest:.0} % of the machine (more than {CALM_PERCENT:.0} %). \
         Run it again when the machine is calm."
    );
}

fn head() {
    println!("  {:<26} {:>16} {:>16} {:>16}", "", "off", "on", "on/off");
}

fn row(name: &str, pair: &Pair, decimals: usize) {
    println!(
        "  {name:<26} {:>16} {:>16} {:>16}",
        shown(&pair.off, decimals),
        shown(&pair.on, decimals),
        shown(&pair.ratio, 4)
    );
}

fn shown(figure: &Figure, decimals: usize) -> String {
    match figure.median().zip(figure.spread_percent()) {
        Some((median, spread)) => format!("{} ±{spread:.1}%", number(Some(median), decimals)),
        None => "-".to_owned(),
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}
