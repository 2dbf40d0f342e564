//! Who allocated what, as `heap?debug=1` gives it (`runtime/pprof/pprof.go`, `writeHeapInternal`; Go 1.21 to 1.27).

use std::cmp::Reverse;
use std::io::{self, Write};

use super::frames::Numbers;
use crate::model::{Allocated, AllocationSite, Amount};

/// Writes what was sampled at each stack, and not what that stands for, as Go does: in use, and in brackets since the
/// program began; most bytes in use first. In place of addresses stand numbers, as in counts of goroutines. The
/// figures of the runtime that Go writes behind it (`runtime.MemStats`) are not there.
///
/// # Errors
/// When `out` fails.
pub fn sites(allocated: &Allocated, out: &mut dyn Write) -> io::Result<()> {
    let all = allocated.sites.iter();
    let (in_use, since) = all
        .fold((Amount::default(), Amount::default()), |(in_use, since), it| {
            (in_use.plus(it.sampled_in_use), since.plus(it.sampled))
        });
    // Twice, as the first heap profiler of C++ had it.
    let twice = allocated.rate_bytes.saturating_mul(2);
    writeln!(out, "heap profile: {} @ heap/{twice}", amounts(in_use, since))?;
    let mut sites: Vec<&AllocationSite> = allocated.sites.iter().collect();
    sites.sort_by_key(|it| Reverse(it.sampled_in_use.bytes));
    let mut numbers = Numbers::of(&allocated.stacks);
    for site in sites {
        let frames = allocated.stacks.frames_of(site.stack);
        let amounts = amounts(site.sampled_in_use, site.sampled);
        writeln!(out, "{amounts} {}", numbers.addresses(frames))?;
        writeln!(out, "{}", numbers.lines(frames))?;
    }
    Ok(())
}

fn amounts(in_use: Amount, since: Amount) -> String {
    format!("{}: {} [{}: {}]", in_use.objects, in_use.bytes, since.objects, since.bytes)
}
