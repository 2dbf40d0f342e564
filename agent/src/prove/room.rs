//! Whether the agent has the memory that a proof takes: what it cannot get ends it, or its whole control group.

use crate::golang::heap::Spans;
use crate::host::memory::{Allowance, tightest};

use super::outcome::NoProof;

/// What it takes however small a program is: buffers of its threads.
const BASE_BYTES: u64 = 16 << 20;
/// What a goroutine takes, with what it waits on and what came of it: 243 were measured.
const GOROUTINE_BYTES: u64 = 256;
/// Bits that are kept of each object, at most: what they keep alone is measured with two more than a proof needs.
const OBJECT_BITS: u64 = 6;

/// That a proof of a program with so many goroutines and such a heap fits into what limits the agent.
pub(super) fn check(goroutines: u64, spans: &Spans) -> Result<(), NoProof> {
    within(tightest(), goroutines, spans.allocated().len() as u64 * 64)
}

fn within(
    limit: Option<(&'static str, Allowance)>,
    goroutines: u64,
    objects: u64,
) -> Result<(), NoProof> {
    let needed_bytes = BASE_BYTES
        .saturating_add(goroutines.saturating_mul(GOROUTINE_BYTES))
        .saturating_add(objects.saturating_mul(OBJECT_BITS) / 8);
    let Some((limit, it)) = limit.filter(|(_, it)| it.left_bytes() < needed_bytes) else {
        return Ok(());
    };
    let (limit_bytes, left_bytes) = (it.limit_bytes, it.left_bytes());
    Err(NoProof::Memory { needed_bytes, limit, limit_bytes, left_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goroutines_and_objects_take_memory() {
        let limit = |mib: u64| Some(("group", Allowance { limit_bytes: mib << 20, used_bytes: 0 }));
        let fits = |limit, goroutines, objects| within(limit, goroutines, objects).is_ok();
        assert!(fits(None, u64::MAX, u64::MAX));
        assert!(fits(limit(16), 0, 0) && !fits(limit(16), 1, 0) && !fits(limit(16), 0, 2));
        assert!(fits(limit(80), 250_000, 1 << 20) && !fits(limit(80), 262_000, 1 << 20));
        assert_eq!(
            within(limit(16), 100_000, 0).map_err(|why| why.to_string()),
            Err("a proof may take 40.4 MiB of memory, and group leaves leak-agent 16.0 MiB of 16.0 MiB"
                .to_owned())
        );
    }
}
