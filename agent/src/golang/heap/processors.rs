//! The scheduler's processors (`runtime.p`): what a thread must have to run goroutines.

use super::roots::Found;
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

/// The addresses of all that there are, and how many are not known.
///
/// # Errors
/// When their list cannot be read.
pub(super) fn addresses(
    memory: &dyn Memory,
    gather: &mut Gather,
    all_p: u64,
) -> Result<Found<u64>, ReadError> {
    let [list, len] = [memory.read_u64(all_p)?, memory.read_u64(all_p.wrapping_add(8))?];
    let entry = |at| Span { addr: list.wrapping_add(8 * at), len: 8 };
    let entries: Vec<Span> = (0..len.min(MAX_PROCESSORS)).map(entry).collect();
    gather.read(memory, &entries)?;
    let mut found = Found::new();
    found.unread = len.saturating_sub(MAX_PROCESSORS);
    for at in 0..entries.len() {
        match word(gather, at) {
            Some(address) => found.found.extend(Some(address).filter(|it| *it != 0)),
            None => found.unread += 1,
        }
    }
    Ok(found)
}

/// Those processors, with their threads.
///
/// # Errors
/// When they cannot be read.
pub(super) fn read(
    memory: &dyn Memory,
    all_p: u64,
    layout: &Layout,
) -> Result<Found<Processor>, ReadError> {
    let addresses = addresses(memory, &mut Gather::default(), all_p)?;
    let mut processors = Found { found: Vec::new(), unread: addresses.unread };
    for address in addresses.found {
        let at = address.wrapping_add(u64::from(layout.p.mcache) - BEFORE_CACHE);
        processors.found.push(Processor { address, thread: memory.read_u64(at)? });
    }
    Ok(processors)
}

fn word(gather: &Gather, at: usize) -> Option<u64> {
    gather.get(at)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const ALL_P: u64 = 0x1000;
    const LIST: u64 = 0x2000;

    /// A list that claims so many entries, of which there are these.
    struct List(u64, Vec<u64>);

    impl Memory for List {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            let unmapped = ReadError::Unmapped { addr, len: buf.len() };
            let word = match addr {
                ALL_P => LIST,
                0x1008 => self.0,
                _ => {
                    let at = addr.checked_sub(LIST).map(|offset| offset as usize / 8);
                    let word = at.and_then(|at| self.1.get(at)).filter(|_| buf.len() == 8);
                    *word.ok_or(unmapped)?
                }
            };
            buf.copy_from_slice(&word.to_le_bytes());
            Ok(())
        }
    }

    #[test]
    fn processors_that_cannot_be_read_are_counted() {
        let all = |list: &List| addresses(list, &mut Gather::default(), ALL_P).unwrap();
        assert_eq!(all(&List(3, vec![16, 0, 32])), Found { found: vec![16, 32], unread: 0 });
        assert_eq!(all(&List(3, vec![16, 32])), Found { found: vec![16, 32], unread: 1 });
        let many = all(&List(MAX_PROCESSORS + 5, vec![16; 4096]));
        assert_eq!((many.found.len(), many.unread), (4096, 5));
    }
}
