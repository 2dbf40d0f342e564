//! Reads much memory quickly: in large pieces, by two threads.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::golang::memory::{Memory, ReadError};

/// As much as is read at a time: beyond, nothing gets quicker, and what was read has left the processor's cache before
/// it is used.
const PIECE: usize = 1 << 20;
/// How many read at a time.
const READERS: usize = 2;

/// Reads ranges, and gives each piece of at most a megabyte to a function, in any order, from two threads. A piece
/// that cannot be read as a whole is given page by page where there are pages (4 KiB); gives how many bytes could not be read.
///
/// # Errors
/// When nothing more can be read at all: whoever's memory it is, is gone, or access is refused.
pub fn read_in_pieces(
    memory: &(dyn Memory + Sync),
    ranges: &[Range<u64>],
    each: &(dyn Fn(u64, &[u8]) + Sync),
) -> Result<u64, ReadError> {
    let pieces: Vec<Range<u64>> = ranges.iter().flat_map(pieces).collect();
    let next = AtomicUsize::new(0);
    let read = || {
        let (mut room, mut missing) = (vec![0; PIECE], 0);
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            missing += read_piece(memory, piece, &mut room, each)?;
        }
        Ok(missing)
    };
    if pieces.len() < 2 {
        return read();
    }
    let outcomes: Vec<Result<u64, ReadError>> = thread::scope(|scope| {
        let others: Vec<_> = (1..READERS).map(|_| scope.spawn(read)).collect();
        let own = read();
        let others = others.into_iter().map(|it| match it.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        others.chain([own]).collect()
    });
    outcomes.into_iter().sum()
}

const PAGE: u64 = 4096;

fn pieces(range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let end = range.end;
    range
        .clone()
        .step_by(PIECE)
        .map(move |start| start..end.min(start.saturating_add(PIECE as u64)))
}

fn read_piece(
    memory: &(dyn Memory + Sync),
    piece: &Range<u64>,
    room: &mut [u8],
    each: &(dyn Fn(u64, &[u8]) + Sync),
) -> Result<u64, ReadError> {
    let mut read = |range: &Range<u64>| {
        let room = &mut room[..(range.end - range.start) as usize];
        match memory.read(range.start, room) {
            Ok(()) => {
                each(range.start, room);
                Ok(true)
            }
            Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => Ok(false),
        }
    };
    if read(piece)? {
        return Ok(0);
    }
    let (mut missing, mut at) = (0, piece.start);
    while at < piece.end {
        let end = piece.end.min((at / PAGE + 1).saturating_mul(PAGE));
        if !read(&(at..end))? {
            missing += end - at;
        }
        at = end;
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Every byte is its address's lowest; the pages from a hole on are missing, or the owner is gone.
    struct Made {
        hole: Range<u64>,
        is_gone: bool,
    }

    impl Memory for Made {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            let end = addr + buf.len() as u64;
            if self.is_gone {
                return Err(ReadError::Exited);
            }
            if addr < self.hole.end && self.hole.start < end {
                return Err(ReadError::Unmapped { addr, len: buf.len() });
            }
            for (at, byte) in (addr..).zip(buf) {
                *byte = at as u8;
            }
            Ok(())
        }
    }

    #[test]
    fn every_byte_is_given_once_and_holes_are_counted() {
        let memory = Made { hole: 0x20_0000..0x20_2000, is_gone: false };
        let ranges = [0x1000..0x45_0007, 0x90_0000..0x90_0003, 5..5];
        let seen = Mutex::new(Vec::new());
        let each = |at: u64, bytes: &[u8]| {
            assert!(bytes.iter().zip(at..).all(|(byte, at)| *byte == at as u8), "{at:#x}");
            seen.lock().expect("no panic").push(at..at + bytes.len() as u64);
        };
        let missing = read_in_pieces(&memory, &ranges, &each).expect("readable");
        assert_eq!(missing, 0x2000);
        let mut seen = seen.into_inner().expect("no panic");
        seen.sort_by_key(|range| range.start);
        assert!(seen.is_sorted_by(|one, next| one.end <= next.start), "{seen:?}");
        let total: u64 = seen.iter().map(|range| range.end - range.start).sum();
        assert_eq!(total, 0x45_0007 - 0x1000 + 3 - 0x2000);
    }

    #[test]
    fn an_owner_that_is_gone_is_an_error() {
        let memory = Made { hole: 0..0, is_gone: true };
        let gone = read_in_pieces(&memory, &[0..0x50_0000, 7..8], &|_, _| {});
        assert!(matches!(gone, Err(ReadError::Exited)), "{gone:?}");
    }
}
