//! Values of goroutines, each with the number of goroutines that have it.

/// A value for each goroutine, and once a record stands for several goroutines, each value with its number:
/// a million goroutines that are known one by one need no numbers.
#[derive(Debug)]
pub(super) enum Weighted<T> {
    Each(Vec<T>),
    Counted(Vec<(T, u64)>),
}

impl<T: Copy + Ord> Weighted<T> {
    pub(super) fn with_capacity(records: usize) -> Self {
        Self::Each(Vec::with_capacity(records))
    }

    /// Adds a value that `weight` goroutines have.
    pub(super) fn add(&mut self, value: T, weight: u32) {
        match self {
            Self::Each(values) if weight == 1 => values.push(value),
            Self::Each(values) => {
                let one = |value| (value, 1);
                let mut counted: Vec<_> = std::mem::take(values).into_iter().map(one).collect();
                counted.push((value, u64::from(weight)));
                *self = Self::Counted(counted);
            }
            Self::Counted(counted) => counted.push((value, u64::from(weight))),
        }
    }

    /// How many goroutines have a value.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Each(values) => values.len() as u64,
            Self::Counted(counted) => counted.iter().map(|&(_, weight)| weight).sum(),
        }
    }

    pub(super) fn max(&self) -> Option<T> {
        match self {
            Self::Each(values) => values.iter().max().copied(),
            Self::Counted(counted) => counted.iter().map(|&(value, _)| value).max(),
        }
    }

    /// The middle one; the lower of the two middle ones for an even number.
    pub(super) fn median(&mut self) -> Option<T> {
        let middle = self.count().checked_sub(1)? / 2;
        match self {
            Self::Each(values) => {
                let middle = usize::try_from(middle).ok()?;
                Some(*values.select_nth_unstable(middle).1)
            }
            Self::Counted(counted) => {
                counted.sort_unstable();
                let mut below = 0;
                let at = counted.iter().find(|&&(_, weight)| {
                    below += weight;
                    below > middle
                });
                at.map(|&(value, _)| value)
            }
        }
    }

    pub(super) fn sort(&mut self) {
        match self {
            Self::Each(values) => values.sort_unstable(),
            Self::Counted(counted) => counted.sort_unstable(),
        }
    }

    /// The distinct values with how many goroutines have each, once they are sorted.
    pub(super) fn runs(&self) -> impl Iterator<Item = (T, u64)> {
        let (each, counted) = match self {
            Self::Each(values) => (&values[..], &[][..]),
            Self::Counted(counted) => (&[][..], &counted[..]),
        };
        let each = each.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64));
        let counted = counted
            .chunk_by(|a, b| a.0 == b.0)
            .map(|run| (run[0].0, run.iter().map(|&(_, weight)| weight).sum()));
        each.chain(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each is added by itself or several at once, the outcome is the same.
    #[test]
    fn weights_are_as_good_as_repetition() {
        let mut each = Weighted::with_capacity(0);
        let mut counted = Weighted::with_capacity(0);
        for (value, weight) in [(7, 1), (3, 4), (9, 2), (3, 1), (5, 6)] {
            for _ in 0..weight {
                each.add(value, 1);
            }
            counted.add(value, weight);
        }
        assert!(matches!((&each, &counted), (Weighted::Each(_), Weighted::Counted(_))));
        assert_eq!((each.count(), counted.count()), (14, 14));
        assert_eq!((each.max(), counted.max()), (Some(9), Some(9)));
        assert_eq!((each.median(), counted.median()), (Some(5), Some(5)));
        each.sort();
        counted.sort();
        assert_eq!(counted.runs().collect::<Vec<_>>(), [(3, 5), (5, 6), (7, 1), (9, 2)]);
        assert!(each.runs().eq(counted.runs()));
        assert_eq!(Weighted::<u64>::with_capacity(0).median(), None);
    }
}
