//! The stacks of goroutines, as roots of the heap.

use crate::golang::gather::Gather;
use crate::golang::goroutines::{AllGs, GReader, RawStatus};
use crate::golang::memory::{Memory, ReadError, Span as Piece};

use super::roots::Found;

/// How many goroutines are read at once.
const BATCH: usize = 1024;

/// The stacks of all goroutines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stacks {
    /// They.
    pub stacks: Found<Stack>,
    /// How many of the goroutines run: what they hold in registers alone is not seen.
    pub running: u64,
    /// Where the structures of goroutines are, those of dead ones too.
    pub structures: Vec<u64>,
}

/// The part of a goroutine's stack that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stack {
    /// The function that the goroutine started in.
    pub function: u64,
    /// Its lowest address: where the goroutine stands, or the stack's end where it runs and that is not known.
    pub start: u64,
    /// One past its highest.
    pub end: u64,
    /// The goroutine's id.
    pub goid: u64,
    /// Where it goes on.
    pub pc: u64,
    /// Its link register (arm64), or 0.
    pub lr: u64,
    /// Whether it stands still at `start`, so that the stack can be walked.
    pub stands: bool,
}

/// The stacks of all goroutines, those of one function one behind the other.
///
/// # Errors
/// When nothing can be read any more.
pub(crate) fn read(
    memory: &dyn Memory,
    reader: &GReader<'_>,
    all: &AllGs,
    count: usize,
) -> Result<Stacks, ReadError> {
    let mut found = Found::new();
    let mut running = 0;
    let mut gather = Gather::default();
    let mut addresses = Vec::new();
    let mut structures = Vec::with_capacity(count);
    for from in (0..count).step_by(BATCH) {
        all.addresses(memory, from, BATCH.min(count - from), &mut addresses)?;
        structures.extend_from_slice(&addresses);
        let len = reader.bytes_needed();
        let pieces: Vec<Piece> = addresses.iter().map(|addr| Piece { addr: *addr, len }).collect();
        gather.read(memory, &pieces)?;
        for (piece, addr) in addresses.iter().enumerate() {
            let Some(g) = gather.get(piece).and_then(|bytes| reader.parse(*addr, bytes)) else {
                found.unread += 1;
                continue;
            };
            if g.status == RawStatus::Dead {
                continue;
            }
            running += u64::from(!g.status.stands_still());
            let stands = g.status.stands_still() && (g.stack_lo..g.stack_hi).contains(&g.sp);
            let start = if stands { g.sp } else { g.stack_lo };
            if start == 0 || start > g.stack_hi {
                found.unread += 1;
                continue;
            }
            found.found.push(Stack {
                function: g.startpc,
                start,
                end: g.stack_hi,
                goid: g.goid,
                pc: g.pc,
                lr: g.lr,
                // While the collector holds it, what points to the stack may lag behind.
                stands: stands && !g.is_scanned && g.sp.is_multiple_of(8),
            });
        }
    }
    found.found.sort_unstable();
    Ok(Stacks { stacks: found, running, structures })
}
