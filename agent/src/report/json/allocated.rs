//! Who allocated what is in use.

use super::amount;
use crate::model::{Allocated, AllocatedAt, Amount, SourceLine};
use crate::report::phrases;
use crate::report::schema::{AllocatedAtDoc, AllocatedDoc};

/// All lines of a memory profile.
pub(in crate::report) fn allocated(
    allocated: &Allocated,
    lines: &[AllocatedAt],
) -> AllocatedDoc<'static> {
    let coverage = allocated.coverage;
    let sum = |of: fn(&AllocatedAt) -> Amount| amount(crate::report::memory::sum(lines, of));
    AllocatedDoc {
        lines: lines.iter().cloned().map(allocated_at).collect(),
        in_use: sum(|it| it.in_use),
        allocated: sum(|it| it.allocated),
        rate_bytes: allocated.rate_bytes,
        sites: allocated.sites.len() as u64,
        torn: coverage.torn,
        unresolved: coverage.unresolved,
        is_whole: coverage.is_whole,
        is_steady: coverage.is_steady,
        is_before_collection: coverage.is_before_collection,
        seconds: coverage.took.as_secs_f64(),
        notes: phrases::allocated_notes(allocated).into_iter().map(Into::into).collect(),
    }
}

/// One line.
pub(super) fn allocated_at(at: AllocatedAt) -> AllocatedAtDoc<'static> {
    let (function, file, line) = match at.line {
        Some(SourceLine { function, file, line }) => (Some(function), Some(file), Some(line)),
        None => (None, None, None),
    };
    AllocatedAtDoc {
        function: function.map(Into::into),
        file: file.map(Into::into),
        line,
        via: at.via.map(Into::into),
        in_use: amount(at.in_use),
        allocated: amount(at.allocated),
        grown_bytes: at.grown_bytes,
        basis: at.basis,
    }
}
