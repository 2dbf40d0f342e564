//! A count over time as a line. The line stretches with the page, its labels do not: they are text.

use std::time::Duration;

use maud::{Markup, html};

use super::Page;
use crate::report::format;

/// Points that a line is drawn through, twice over.
const POINTS: usize = 300;

/// The drawing's own units.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// The whole process's goroutines.
pub(super) fn total(page: &Page<'_>) -> Markup {
    match &page.assessment.judgement {
        Some(judgement) => line(&judgement.history),
        None => Markup::default(),
    }
}

/// A line through a history; nothing if there is none to speak of.
pub(super) fn line(history: &[(f64, u64)]) -> Markup {
    let points = thinned(history);
    let (Some(&(start, from)), Some(&(end, to))) = (points.first(), points.last()) else {
        return Markup::default();
    };
    if end <= start {
        return Markup::default();
    }
    let most = points.iter().map(|&(_, count)| count).max().unwrap_or_default();
    let top = round_up(most);
    let place = |&(seconds, count): &(f64, u64)| {
        let x = (seconds - start) / (end - start) * WIDTH;
        let y = HEIGHT - count as f64 / top as f64 * HEIGHT;
        format!("{x:.1} {y:.1}")
    };
    let path = points.iter().map(place).collect::<Vec<_>>().join("L");
    let took = format::duration(Duration::try_from_secs_f64(end - start).unwrap_or_default());
    let [from, to] = [from, to].map(format::count);
    html! {
        div.chart {
            div.upright aria-hidden="true" {
                span { (format::count(top)) } span { (format::count(top / 2)) } span { "0" }
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ "From " (from) " to " (to) " goroutines in " (took) } {
                path.grid d={ "M0 0H" (WIDTH) "M0 " (HEIGHT / 2.0) "H" (WIDTH) "M0 " (HEIGHT) "H" (WIDTH) } {}
                path.area d={ "M0 " (HEIGHT) "L" (path) "L" (WIDTH) " " (HEIGHT) "Z" } {}
                path.rise d={ "M" (path) } {}
            }
            div.along aria-hidden="true" { span { "0s" } span { (took) } }
        }
    }
}

/// Few enough points, peaks and dips among them.
fn thinned(history: &[(f64, u64)]) -> Vec<(f64, u64)> {
    let points: Vec<_> = history.iter().copied().filter(|(at, _)| at.is_finite()).collect();
    if points.len() <= 2 * POINTS {
        return points;
    }
    let mut kept = Vec::with_capacity(2 * POINTS + 2);
    kept.extend(points.first());
    for some in points.chunks(points.len().div_ceil(POINTS)) {
        let lowest = some.iter().min_by_key(|(_, count)| *count);
        let highest = some.iter().max_by_key(|(_, count)| *count);
        kept.extend(lowest.into_iter().chain(highest));
    }
    kept.extend(points.last());
    kept.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    kept.dedup();
    kept
}

/// The next round number that is even, so that its half is whole.
fn round_up(count: u64) -> u64 {
    let mut scale: u64 = 1;
    loop {
        for step in [2, 4, 6, 8, 10] {
            match scale.checked_mul(step) {
                Some(round) if round >= count => return round,
                Some(_) => {}
                None => return count,
            }
        }
        scale = scale.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_from_the_first_look_to_the_last_above_nought() {
        let shown = line(&[(10.0, 0), (11.0, 4), (12.0, 8)]).into_string();
        assert!(shown.contains("M0.0 100.0L500.0 50.0L1000.0 0.0\""), "{shown}");
        assert!(shown.contains("aria-label=\"From 0 to 8 goroutines in 2.0s\""), "{shown}");
        assert!(shown.contains("<span>8</span><span>4</span><span>0</span>"), "{shown}");
    }

    #[test]
    fn one_look_or_no_time_is_no_line() {
        for history in [&[][..], &[(0.0, 5)], &[(3.0, 5), (3.0, 6)], &[(f64::NAN, 1)]] {
            assert_eq!(line(history).into_string(), "");
        }
    }

    #[test]
    fn a_long_history_keeps_its_peak_its_dip_and_its_ends() {
        let mut history: Vec<_> = (0..100_000).map(|look| (f64::from(look), 500)).collect();
        (history[7].1, history[70_003].1) = (1, 9_999);
        let kept = thinned(&history);
        assert!(kept.len() <= 2 * POINTS + 2, "{}", kept.len());
        for point in [(0.0, 500), (7.0, 1), (70_003.0, 9_999), (99_999.0, 500)] {
            assert!(kept.contains(&point), "{point:?}");
        }
    }

    #[test]
    fn round_numbers() {
        for (count, expected) in
            [(0, 2), (2, 2), (3, 4), (9, 10), (81, 100), (867, 1000), (2195, 4000)]
        {
            assert_eq!(round_up(count), expected, "{count}");
        }
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }
}
