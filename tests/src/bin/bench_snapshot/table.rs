//! The figures as tables, beside the bars that they have to reach.

use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::bench::machine::CALM_PERCENT;

use crate::attach::AttachTime;
use crate::rounds::Size;

/// How busy the machine is before anything begins.
pub fn machine(busy: f64) {
    println!("Medians, ± half the span of the middle half. Others use {busy:.0} % of the machine.");
}

/// The times of attaching.
pub fn attaches(attaches: &[AttachTime]) {
    println!("\nattach (bar: under 50 ms with DWARF)");
    for AttachTime { executable, bytes, ms } in attaches {
        let megabytes = *bytes as f64 / 1e6;
        println!("  {executable:<24} {megabytes:>7.1} MB  {:>16} ms", shown(ms));
    }
}

/// The head of the table of sizes.
pub fn head() {
    println!(
        "\nsnapshot, ms (bars at 100,000: 3x debug=1, 25x debug=2; at 1,000,000: 2.4x debug=1)"
    );
    println!(
        "{:>11} {:>6} {:>15} {:>8} {:>15} {:>15} {:>15} {:>16} {:>8} {:>8} {:>8}",
        "goroutines",
        "frames",
        "ours, whole",
        "ns each",
        "ours, again",
        "debug=1",
        "debug=0",
        "debug=2",
        "x deb.1",
        "x deb.0",
        "x deb.2"
    );
}

/// One line of it.
pub fn size(size: &Size) {
    let [debug0, debug1, debug2] = &size.debug_ms;
    let [ratio0, ratio1, ratio2] = &size.ratios;
    let each = size.ours_ms.median().map(|ms| ms * 1e6 / f64::from(size.shape.goroutines));
    println!(
        "{:>11} {:>6} {:>15} {:>8} {:>15} {:>15} {:>15} {:>16} {:>8} {:>8} {:>8}",
        size.shape.goroutines,
        size.shape.depth,
        shown(&size.ours_ms),
        number(each, 0),
        shown(&size.again_ms),
        shown(debug1),
        shown(debug0),
        shown(debug2),
        number(ratio1.median(), 1),
        number(ratio0.median(), 1),
        number(ratio2.median(), 1),
    );
}

/// What needs all sizes: the worst gaps, and the agent's memory.
pub fn rest(sizes: &[Size]) {
    println!("\nworst scheduling gap in the target in 1 s, ms (bar: ours not above idle)");
    println!(
        "{:>11} {:>6} {:>15} {:>15} {:>15} {:>15} {:>16}",
        "goroutines", "frames", "idle", "neighbour", "ours", "debug=1", "debug=2, once"
    );
    for size in sizes {
        let gaps = &size.gaps;
        println!(
            "{:>11} {:>6} {:>15} {:>15} {:>15} {:>15} {:>16}",
            size.shape.goroutines,
            size.shape.depth,
            shown(&gaps.idle_ms),
            shown(&gaps.neighbour_ms),
            shown(&gaps.ours_ms),
            shown(&gaps.debug1_ms),
            shown(&gaps.debug2_ms),
        );
    }
    println!("\n`leak-agent check` (bar: under 200 MB at 1,000,000)");
    println!("{:>11} {:>6} {:>15}", "goroutines", "frames", "peak RSS, MB");
    for size in sizes {
        let megabytes = size.check_rss_bytes.median().map(|bytes| bytes / 1e6);
        println!(
            "{:>11} {:>6} {:>15}",
            size.shape.goroutines,
            size.shape.depth,
            number(megabytes, 1)
        );
    }
}

/// That nothing of it is to be believed.
pub fn not_calm(busiest: f64) {
    println!(
        "\nNOT CALM: others used up to {busiest:.0} % of the machine (more than {CALM_PERCENT:.0} %). \
         Times and gaps say little; ratios say something. Run it again when the machine is calm."
    );
}

fn shown(figure: &Figure) -> String {
    match figure.median().zip(figure.spread_percent()) {
        Some((median, spread)) => format!("{} ±{spread:.0}%", number(Some(median), 1)),
        None => "-".to_owned(),
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}
