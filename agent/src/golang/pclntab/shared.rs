//! The bytes of function tables, each once: an agent that watches many processes of one build has one table for all of them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Those that somebody still has.
static TABLES: Mutex<Vec<Weak<Vec<u8>>>> = Mutex::new(Vec::new());

/// The same bytes, where somebody has them already.
pub(super) fn shared(bytes: Vec<u8>) -> Arc<Vec<u8>> {
    // A panic while it was held left it whole: each change of it is one step.
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    tables.retain(|table| table.strong_count() > 0);
    let known = tables.iter().filter_map(Weak::upgrade).find(|table| **table == bytes);
    known.unwrap_or_else(|| {
        let table = Arc::new(bytes);
        tables.push(Arc::downgrade(&table));
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_tables_are_one_for_as_long_as_somebody_has_it() {
        let table = |last: u8| shared(vec![7, 7, 7, 7, last]);
        let (one, other) = (table(1), table(2));
        assert!(Arc::ptr_eq(&one, &table(1)) && !Arc::ptr_eq(&one, &other));
        let known = Arc::downgrade(&one);
        drop(one);
        assert!(known.upgrade().is_none());
        assert_eq!(*table(1), [7, 7, 7, 7, 1]);
    }
}
