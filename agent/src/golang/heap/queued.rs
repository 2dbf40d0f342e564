//! Finalizers and cleanups that are queued to run: the collector keeps what they need until they have run.
//!
//! Up to Go 1.24 cleanups are queued as finalizers are. The blocks have had the same form since there are any
//! (`runtime/mfinal.go`, `runtime/mcleanup.go`, Go 1.21 to 1.27).

use super::form::Form;
use super::roots::Found;
use crate::golang::memory::{Memory, ReadError};

/// More blocks than this are not read: 100 million finalizers.
const MAX_BLOCKS: usize = 1 << 20;
/// Nor more words.
const MAX_WORDS: usize = 1 << 24;

/// A list of blocks of one kind.
struct Blocks {
    /// The size of one (`_FinBlockSize`, `cleanupBlockSize`).
    bytes: usize,
    /// `alllink`: the next of all.
    link: usize,
    /// How many entries are in use; 32 bits.
    count: usize,
    /// Where they begin.
    entries: usize,
    /// Words of an entry.
    words: usize,
}

const FINALIZERS: Blocks = Blocks { bytes: 4096, link: 0, count: 16, entries: 24, words: 5 };

/// Behind a node of a lock-free stack, of two words.
const fn cleanups(words: usize) -> Blocks {
    Blocks { bytes: 512, link: 16, count: 24, entries: 32, words }
}

/// Where the queues are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queues {
    /// `allfin`; `None` where it was not found.
    pub(super) finalizers: Option<u64>,
    /// `gcCleanups`; `None` where it was not found, or there is none.
    pub(super) cleanups: Option<u64>,
}

/// The words that may point to what queued finalizers and cleanups need.
///
/// # Errors
/// When nothing can be read any more.
pub(super) fn read(
    memory: &dyn Memory,
    queues: &Queues,
    form: &Form,
) -> Result<Found<u64>, ReadError> {
    let mut found = Found::new();
    match queues.finalizers {
        Some(at) => list(memory, at, &FINALIZERS, &mut found)?,
        None => found.unread += 1,
    }
    // A program that has no cleanups does not tell where they would be.
    if let (Some(words), Some(at)) = (form.queued_cleanup_words, queues.cleanups) {
        list(memory, at.wrapping_add(form.all_cleanups), &cleanups(words), &mut found)?;
    }
    Ok(found)
}

/// Adds the words of a list whose first block the pointer at `at` leads to. Blocks are never freed.
fn list(
    memory: &dyn Memory,
    at: u64,
    form: &Blocks,
    found: &mut Found<u64>,
) -> Result<(), ReadError> {
    let most = (form.bytes - form.entries) / (form.words * 8);
    let mut next = memory.read_u64(at)?;
    for _ in 0..MAX_BLOCKS {
        if next == 0 {
            return Ok(());
        }
        let block = match memory.read_vec(next, form.bytes) {
            Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
            Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => break,
            Ok(block) => block,
        };
        let word = |at: usize| {
            block.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |it| u64::from_le_bytes(*it))
        };
        let count = (word(form.count) & 0xffff_ffff) as usize;
        if count > most || found.found.len() > MAX_WORDS {
            break;
        }
        let words = (0..count * form.words).map(|index| word(form.entries + index * 8));
        found.found.extend(words.filter(|word| *word != 0));
        next = word(form.link);
    }
    // There is more, or it made no sense.
    found.unread += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::golang::arch::Arch;

    const FINALIZERS_AT: u64 = 0;
    const CLEANUPS_AT: u64 = 0x100;
    const BLOCKS: [u64; 2] = [0x1000, 0x2000];

    struct Image(Vec<u8>);

    impl Memory for Image {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            let bytes = self.0.get(addr as usize..addr as usize + buf.len());
            buf.copy_from_slice(bytes.ok_or(ReadError::Unmapped { addr, len: buf.len() })?);
            Ok(())
        }
    }

    impl Image {
        fn set(&mut self, at: u64, word: u64) {
            self.0[at as usize..at as usize + 8].copy_from_slice(&word.to_le_bytes());
        }

        fn block(&mut self, at: u64, form: &Blocks, next: u64, count: u64) {
            self.set(at + form.link as u64, next);
            self.set(at + form.count as u64, count);
        }
    }

    fn found(image: &Image, version: &str) -> Found<u64> {
        let form = Form::of(&version.parse().unwrap(), Arch::Amd64);
        let (finalizers, cleanups) = (Some(FINALIZERS_AT), Some(CLEANUPS_AT));
        read(image, &Queues { finalizers, cleanups }, &form).unwrap()
    }

    fn image(next: u64, count: u64) -> Image {
        let mut image = Image(vec![0; 0x4000]);
        image.set(FINALIZERS_AT, BLOCKS[0]);
        image.block(BLOCKS[0], &FINALIZERS, next, count);
        // Of the first entry in use, and of one that was.
        image.set(BLOCKS[0] + 24 + 8, 77);
        image.set(BLOCKS[0] + 24 + 40, 88);
        image
    }

    #[test]
    fn entries_in_use_are_read_of_all_blocks() {
        let mut image = image(BLOCKS[1], 1);
        image.block(BLOCKS[1], &FINALIZERS, 0, 2);
        image.set(BLOCKS[1] + 24 + 48, 99);
        assert_eq!(found(&image, "go1.21.13"), Found { found: vec![77, 99], unread: 0 });
        image.set(CLEANUPS_AT + 128, 0x3000);
        // The second entry's first word.
        image.block(0x3000, &cleanups(3), 0, 2);
        image.set(0x3000 + 32 + 3 * 8, 66);
        assert_eq!(found(&image, "go1.27.3").found, [77, 99, 66]);
        image.block(0x3000, &cleanups(1), 0, 4);
        assert_eq!(found(&image, "go1.25.5").found, [77, 99, 66]);
        // Nothing of cleanups is there before.
        assert_eq!(found(&image, "go1.24.11").found, [77, 99]);
    }

    #[test]
    fn what_makes_no_sense_is_counted_and_ends() {
        let unread = |image: &Image| found(image, "go1.21.13").unread;
        assert_eq!(unread(&image(BLOCKS[0], 1)), 1, "a block that leads to itself");
        assert_eq!(unread(&image(0, 102)), 1, "more than fit in");
        assert_eq!(unread(&image(0xffff_0000, 1)), 1, "a block that is nowhere");
        assert_eq!(unread(&image(0, 101)), 0);
    }
}
