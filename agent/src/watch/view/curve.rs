//! A count over time, in as many columns as there are.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Sparkline;

use super::paint::Paint;
use crate::model::Assessment;
use crate::report::style::Role;

/// From nothing to the whole height of a line.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The number of goroutines over the window.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, assessment: &Assessment, paint: Paint) {
    let history = assessment.judgement.as_ref().map_or(&[][..], |judged| &judged.history);
    let counts = columns(history, area.width.into());
    let curve = Sparkline::default().data(&counts).style(paint.style(Role::Number));
    frame.render_widget(curve, area);
}

/// A curve of one line, from zero to the highest count.
pub(super) fn text(history: &[(f64, u64)], width: usize) -> String {
    let counts = columns(history, width);
    let highest = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&count: &u64| {
        // The least that is there is seen.
        let eighths = (count as f64 / highest as f64 * 8.0).round() as usize;
        BARS[if count > 0 { eighths.clamp(1, 8) } else { 0 }]
    };
    counts.iter().map(bar).collect()
}

/// A count a column: all that there are, or, if they are more than columns, the last of each span of
/// time.
fn columns(history: &[(f64, u64)], width: usize) -> Vec<u64> {
    let (Some(&(first, _)), Some(&(last, _))) = (history.first(), history.last()) else {
        return Vec::new();
    };
    if history.len() <= width {
        return history.iter().map(|&(_, count)| count).collect();
    }
    let until = |column: usize| first + (last - first) * (column + 1) as f64 / width as f64;
    let at = |column: usize| history.partition_point(|&(at, _)| at <= until(column));
    (0..width).map(|column| history[at(column).max(1) - 1].1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_a_sample_as_long_as_there_is_room() {
        let history = [(0.0, 0), (1.0, 1), (2.0, 50), (3.0, 100)];
        assert_eq!(columns(&history, 4), [0, 1, 50, 100]);
        assert_eq!(text(&history, 80), " ▁▄█");
        assert_eq!(text(&[], 80), "");
        assert_eq!(text(&[(0.0, 0)], 80), " ");
    }

    #[test]
    fn a_long_one_is_drawn_by_time_and_ends_with_the_last() {
        // Most samples are of the first second.
        let mut history: Vec<_> = (0..90).map(|at| (f64::from(at) / 90.0, 10)).collect();
        history.extend((1..=9_u32).map(|at| (f64::from(at), 10 + u64::from(at))));
        assert_eq!(columns(&history, 3), [13, 16, 19]);
        assert_eq!(columns(&history, 1), [19]);
        assert!(columns(&history, 0).is_empty());
    }
}
