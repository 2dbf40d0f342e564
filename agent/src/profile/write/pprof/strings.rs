//! Tables in which each thing stands once.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// Numbers things in the order in which they come.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    numbers: FxHashMap<T, u64>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: FxHashMap::default() }
    }
}

impl<T: Eq + Hash> Numbered<T> {
    /// The number of a thing, from 1, and whether it is new.
    pub(super) fn number(&mut self, thing: T) -> (u64, bool) {
        let next = self.numbers.len() as u64 + 1;
        let number = *self.numbers.entry(thing).or_insert(next);
        (number, number == next)
    }
}

/// The string table. Number 0 is the empty one.
#[derive(Debug, Default)]
pub(super) struct Strings {
    numbers: FxHashMap<String, i64>,
    table: Vec<String>,
}

impl Strings {
    pub(super) fn number(&mut self, text: &str) -> i64 {
        if text.is_empty() {
            return 0;
        }
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        self.table.push(text.to_owned());
        // Far fewer than 2^63 fit into memory.
        let number = self.table.len() as i64;
        self.numbers.insert(text.to_owned(), number);
        number
    }

    pub(super) fn table(self) -> Vec<String> {
        std::iter::once(String::new()).chain(self.table).collect()
    }
}
