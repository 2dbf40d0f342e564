//! What rows are sorted by.

use std::cmp::Ordering;
use std::time::Duration;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the judgement lists them: the surest and worst first.
    #[default]
    Worst,
    /// The most goroutines.
    Count,
    /// The fastest growth.
    Growth,
    /// The longest wait.
    Oldest,
}

/// The numbers that rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measures {
    /// Goroutines.
    pub(super) count: u64,
    /// Change by the second; `None` where it is not known.
    pub(super) growth: Option<f64>,
    /// The longest time blocked; `None` where it is not known.
    pub(super) oldest: Option<Duration>,
}

impl Order {
    /// What is sorted by, as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Count => "by count",
            Self::Growth => "by growth",
            Self::Oldest => "by oldest wait",
        }
    }

    /// The next of these, beyond the last the first.
    pub(super) fn next(self, of: &[Self]) -> Self {
        let at = of.iter().position(|&order| order == self);
        let next = at.map_or(0, |at| at + 1);
        of.get(next).or(of.first()).copied().unwrap_or(self)
    }

    /// Equal where the rows are to stay in the order that they came in.
    pub(super) fn compare(self, a: Measures, b: Measures) -> Ordering {
        let growth = |of: Measures| of.growth.unwrap_or(f64::NEG_INFINITY);
        let count = b.count.cmp(&a.count);
        match self {
            Self::Worst => Ordering::Equal,
            Self::Count => count,
            Self::Growth => growth(b).total_cmp(&growth(a)).then(count),
            Self::Oldest => b.oldest.cmp(&a.oldest).then(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_comes_last() {
        let known = Measures { count: 1, growth: Some(-2.0), oldest: Some(Duration::ZERO) };
        let unknown = Measures { count: 9, growth: None, oldest: None };
        for (order, expected) in [
            (Order::Worst, Ordering::Equal),
            (Order::Count, Ordering::Greater),
            (Order::Growth, Ordering::Less),
            (Order::Oldest, Ordering::Less),
        ] {
            assert_eq!(order.compare(known, unknown), expected, "{order:?}");
        }
    }

    #[test]
    fn orders_take_turns() {
        let of = [Order::Count, Order::Oldest];
        assert_eq!(Order::Count.next(&of), Order::Oldest);
        assert_eq!(Order::Oldest.next(&of), Order::Count);
        assert_eq!(Order::Worst.next(&of), Order::Count);
    }
}
