//! How alike two rows of numbers are.

/// Pearson's correlation, -1 to 1; 0 where one of them does not change, or there are fewer than three.
pub(super) fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    if n < 3 {
        return 0.0;
    }
    let mean = |values: &[f64]| values[..n].iter().sum::<f64>() / n as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    // Less than what rounding leaves is no change.
    let none = |squares: f64, mean: f64| squares <= n as f64 * (1e-9 * mean).powi(2);
    if none(xx, mean_x) || none(yy, mean_y) {
        0.0
    } else {
        (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::correlation;

    #[test]
    fn alike_unlike_and_neither() {
        let up = [1.0, 2.0, 3.0, 4.0];
        assert!((correlation(&up, &[10.0, 20.0, 30.0, 40.0]) - 1.0).abs() < 1e-9);
        assert!((correlation(&up, &[4.0, 3.0, 2.0, 1.0]) + 1.0).abs() < 1e-9);
        assert_eq!(correlation(&up, &[5.0; 4]), 0.0);
        assert_eq!(correlation(&up[..2], &up[..2]), 0.0);
    }
}
