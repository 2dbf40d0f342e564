//! Rows of a list, one of them selected.

/// Which rows a list shows, in order, and which is selected.
#[derive(Debug, Default)]
pub struct Rows {
    /// Indices of what is shown.
    pub shown: Vec<usize>,
    /// The selected row, by its place in the list.
    pub selected: usize,
}

impl Rows {
    /// The selected row's index; `None` in an empty list.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        self.shown.get(self.selected).copied()
    }

    /// Shows other rows. The selection goes to the first that `is_same`, or else stays in its place.
    /// Returns whether there was one.
    pub fn arrange(&mut self, shown: Vec<usize>, is_same: impl Fn(usize) -> bool) -> bool {
        let same = shown.iter().position(|&row| is_same(row));
        self.shown = shown;
        self.selected = same.unwrap_or(self.selected).min(self.last());
        same.is_some()
    }

    /// Moves the selection, no further than the list goes.
    pub fn step(&mut self, by: isize) {
        self.selected = self.selected.saturating_add_signed(by).min(self.last());
    }

    fn last(&self) -> usize {
        self.shown.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_on_its_row_or_else_in_its_place() {
        let mut rows = Rows { shown: vec![7, 8, 9], selected: 1 };
        assert!(rows.arrange(vec![9, 7, 8], |row| row == 8));
        assert_eq!((rows.selected, rows.current()), (2, Some(8)));
        assert!(!rows.arrange(vec![9, 7], |row| row == 8));
        assert_eq!((rows.selected, rows.current()), (1, Some(7)));
        assert!(!rows.arrange(Vec::new(), |_| true));
        assert_eq!(rows.current(), None);
    }

    #[test]
    fn it_stays_within_the_list() {
        let mut rows = Rows { shown: vec![7, 8, 9], selected: 1 };
        for (by, expected) in [(-3, 0), (isize::MAX, 2), (1, 2), (isize::MIN, 0)] {
            rows.step(by);
            assert_eq!(rows.selected, expected);
        }
    }
}
