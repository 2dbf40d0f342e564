//! The figures as a person reads them.

use leak_agent_tests::bench::figure::Figure;

use crate::size::{Goref, Size};

pub fn machine(busy: f64) {
    println!("Medians, ± half the span of the middle half. Others use {busy:.0} % of the machine.");
}

pub fn size(size: &Size) {
    println!("\n{:.2} GB in {} objects", size.heap_bytes as f64 / 1e9, size.objects);
    row("attach and first sample", &size.attach_ms, "ms");
    row("each further sample", &size.sample_ms, "ms");
    row("walk, as a whole process", &size.walk_ms, "ms");
    row("  its CPU", &size.walk_cpu_ms, "ms");
    row("  its memory, of the target's", &size.walk_rss_percent, "%");
    row("worst gap, nobody reads", &size.gap_idle_ms, "ms");
    row("  samples again and again", &size.gap_samples_ms, "ms");
    row("  a walk", &size.gap_walk_ms, "ms");
    row("target's work, a sample a second", &size.work_samples, "of its own");
    row("  a walk", &size.work_walk, "of its own");
    row("  another that computes", &size.work_neighbour, "of its own");
    if let Some(goref) = &size.goref {
        peer(goref);
    }
}

fn peer(goref: &Goref) {
    row("goref", &goref.walk_ms, "ms");
    row("  of our walk", &goref.ratios, "times");
    row("  worst gap", &goref.gap_ms, "ms");
    println!("  who holds most, ours    {}", goref.ours.join(", "));
    println!("                  goref's {}", goref.theirs.join(", "));
}

fn row(what: &str, figure: &Figure, unit: &str) {
    let median = figure.median().map_or_else(|| "-".to_owned(), digits);
    let spread = figure.spread_percent().map_or_else(String::new, |it| format!(" ±{it:.0} %"));
    println!("  {what:<34} {median:>10} {unit}{spread}");
}

fn digits(value: f64) -> String {
    if value < 10.0 { format!("{value:.3}") } else { format!("{value:.1}") }
}
