//! Points over time in bounded memory.

/// Drops every second one, never the first or the last two, until there are no more than `most`.
pub(super) fn thin<T>(points: &mut Vec<T>, most: usize) {
    while points.len() > most.max(3) {
        let last = points.len() - 1;
        let mut at = 0;
        points.retain(|_| {
            let keep = at == 0 || at + 1 >= last || at % 2 == 0;
            at += 1;
            keep
        });
        if points.len() > last {
            break;
        }
    }
}
