//! The scheduler's processors (`runtime.p`): what a thread must have to run goroutines.

use crate::golang::gather::Gather;
use crate::golang::layout::Heap as Layout;
use crate::golang::memory::{Memory, ReadError, Span};

/// No program has more processors (`_MaxGomaxprocs` is 1,024).
const MAX_PROCESSORS: u64 = 4096;
/// `p.m` stands right before `p.mcache` (`runtime/runtime2.go`, Go 1.21 to 1.27).
const BEFORE_CACHE: u64 = 8;

/// A processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    /// The address of its `runtime.p`.
    pub address: u64,
    /// That of the `runtime.m` of the thread that has it; 0 for none.
    pub thread: u64,
}

/// The addresses of all that there are.
///
/// # Errors
/// When their list cannot be read.
pub(super) fn addresses(
    memory: &dyn Memory,
    gather: &mut Gather,
    all_p: u64,
) -> Result<Vec<u64>, ReadError> {
    let [list, len] = [memory.read_u64(all_p)?, memory.read_u64(all_p.wrapping_add(8))?];
    let entry = |at| Span { addr: list.wrapping_add(8 * at), len: 8 };
    let entries: Vec<Span> = (0..len.min(MAX_PROCESSORS)).map(entry).collect();
    gather.read(memory, &entries)?;
    Ok((0..entries.len()).filter_map(|at| word(gather, at)).filter(|it| *it != 0).collect())
}

/// Those processors, with their threads.
///
/// # Errors
/// When they cannot be read.
pub(super) fn read(
    memory: &dyn Memory,
    all_p: u64,
    layout: &Layout,
) -> Result<Vec<Processor>, ReadError> {
    let mut processors = Vec::new();
    for address in addresses(memory, &mut Gather::default(), all_p)? {
        let at = address.wrapping_add(u64::from(layout.p.mcache) - BEFORE_CACHE);
        processors.push(Processor { address, thread: memory.read_u64(at)? });
    }
    Ok(processors)
}

fn word(gather: &Gather, at: usize) -> Option<u64> {
    gather.get(at)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}
