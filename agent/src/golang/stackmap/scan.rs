//! Searches a stack that stands still for pointers.

use super::{MAX_MAPS, Map, StackMaps, readable};
use crate::golang::arch::Arch;
use crate::golang::memory::ReadError;
use crate::golang::unwind::{End, Frame, Registers, Trail, Unwinder};

/// What is below this is no address.
const MIN_ADDRESS: u64 = 4096;

/// What the search of a stack came upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Frames of which it is known where pointers are.
    pub(crate) precise: u64,
    /// Frames all of whose words were taken for pointers.
    pub(crate) whole: u64,
    /// Whether its frames were not understood, so that all of its words were taken for pointers.
    pub(crate) is_whole: bool,
    /// Whether a signal handler interrupted it.
    pub(crate) is_interrupted: bool,
}

/// What is needed for a while, kept for the next stack.
#[derive(Default)]
pub(super) struct Room {
    trail: Trail,
    frames: Vec<Frame>,
    /// Variables whose address is taken: start, end, end of pointers, and whether they were searched.
    objects: Vec<(usize, usize, usize, bool)>,
    /// Places on the stack that were pointed to.
    inner: Vec<usize>,
}

/// A stack, and who is told of its pointers.
struct Search<'s> {
    start: u64,
    stack: &'s [u8],
    inner: &'s mut Vec<usize>,
    found: &'s mut dyn FnMut(u64),
}

impl Search<'_> {
    fn value(&mut self, value: u64) {
        let offset = value.wrapping_sub(self.start);
        if offset < self.stack.len() as u64 {
            self.inner.push(offset as usize);
        } else if value >= MIN_ADDRESS {
            (self.found)(value);
        }
    }

    fn word(&mut self, at: usize) {
        let word = self.stack.get(at..).and_then(<[u8]>::first_chunk);
        if let Some(word) = word {
            self.value(u64::from_le_bytes(*word));
        }
    }

    fn range(&mut self, start: usize, end: usize) {
        for at in (start..end.min(self.stack.len())).step_by(8) {
            self.word(at);
        }
    }
}

impl StackMaps<'_> {
    /// Calls `found` with every pointer on the stack of a goroutine that stands still: `stack` is what is there from
    /// its stack pointer to its end, `others` are pointers that lead there from elsewhere. Words that may be
    /// pointers count as such where it is not known.
    ///
    /// # Errors
    /// When nothing can be read any more.
    pub(crate) fn scan(
        &mut self,
        start: Registers,
        stack: &[u8],
        others: &[u64],
        found: &mut dyn FnMut(u64),
    ) -> Result<Scanned, ReadError> {
        let mut room = std::mem::take(&mut self.room);
        room.frames.clear();
        room.objects.clear();
        room.inner.clear();
        let mut unwinder = Unwinder::new(self.codes, self.arch, &mut self.steps);
        let frames = &mut room.frames;
        let end = unwinder.frames(start, stack, &mut room.trail, &mut |frame| frames.push(frame));
        let mut search = Search { start: start.sp, stack, inner: &mut room.inner, found };
        let mut scanned = Scanned::default();
        let rest = match end {
            End::Top => stack.len(),
            End::Early(at) => at,
            End::NeedsMore | End::Broken => {
                scanned.is_whole = true;
                0
            }
        };
        search.range(rest, stack.len());
        if !scanned.is_whole {
            let mut takes_any = false;
            for frame in &room.frames {
                scanned.is_interrupted |= frame.is_injected;
                // The last, of which only its start is known, is in the rest.
                let Some(size) = frame.size else { continue };
                let map = self.map(frame, size)?;
                room.objects.extend(map.objects.iter().map(|object| {
                    let at = |offset: u32| frame.start + offset as usize;
                    (at(object.start), at(object.end), at(object.pointers_end), false)
                }));
                let mut is_whole = frame.is_injected || frame.is_interrupted || takes_any;
                takes_any = map.takes_any;
                if let Some(entry) = map.reflects.filter(|_| !is_whole) {
                    is_whole = !self.reflected(&mut search, frame, (size, entry))?;
                    takes_any = is_whole;
                    if !is_whole {
                        scanned.precise += 1;
                        continue;
                    }
                }
                match &map.words {
                    Some(words) if !is_whole => {
                        scanned.precise += 1;
                        for offset in words {
                            search.word(frame.start + *offset as usize);
                        }
                    }
                    _ => {
                        scanned.whole += 1;
                        whole(&mut search, frame, size, &map);
                    }
                }
            }
        }
        for other in others {
            search.value(*other);
        }
        if !room.objects.is_sorted() {
            room.objects.sort_unstable();
        }
        while let Some(at) = search.inner.pop() {
            let number = room.objects.partition_point(|object| object.1 <= at);
            let Some(object) = room.objects.get_mut(number) else { continue };
            let (start, _, end, is_searched) = *object;
            if start <= at && !is_searched {
                object.3 = true;
                search.range(start, end);
            }
        }
        self.room = room;
        Ok(scanned)
    }
}

/// What a function that reflection made keeps of a call (`reflect.makeFuncStub`, `reflect.methodValueCall`; since Go
/// 1.17): registers, in three parts (`internal/abi.RegArgs`), of which the last has the pointers.
struct Kept {
    bytes: usize,
    pointers: std::ops::Range<usize>,
}

impl Kept {
    const fn of(arch: Arch) -> Self {
        match arch {
            // 9 integers and 15 floats.
            Arch::Amd64 => Self { bytes: 272, pointers: 192..264 },
            // 16 of each.
            Arch::Arm64 => Self { bytes: 392, pointers: 256..384 },
        }
    }
}

impl StackMaps<'_> {
    /// Searches the frame of a function that reflection made, whose arguments differ from call to call. Whether that
    /// could be done (`runtime/stkframe.go`, `argMapInternal`).
    fn reflected(
        &self,
        search: &mut Search<'_>,
        frame: &Frame,
        (size, entry): (usize, u64),
    ) -> Result<bool, ReadError> {
        let links = self.arch.uses_link_register();
        let at = frame.start + if links { 8 } else { 0 };
        let kept = Kept::of(self.arch);
        let top = frame.start + size.saturating_sub(8);
        let Some(registers) = top.checked_sub(kept.bytes).filter(|it| *it > at + 4 * 8) else {
            return Ok(false);
        };
        let word = |at: usize| {
            let word = search.stack.get(at..).and_then(<[u8]>::first_chunk);
            word.map(|word| u64::from_le_bytes(*word))
        };
        let (Some(value), Some(is_returned)) = (word(at), word(at + 4 * 8)) else {
            return Ok(false);
        };
        // reflectMethodValue: the function, the bitmap of arguments and results, the bytes of arguments.
        let mut head = [0; 24];
        let mut vector = [0; 16];
        if readable(self.memory.read(value, &mut head))?.is_none() {
            return Ok(false);
        }
        let [function, bitmap, bytes] = words(&head);
        if function != entry || readable(self.memory.read(bitmap, &mut vector))?.is_none() {
            return Ok(false);
        }
        let [bits, data] = words(&vector);
        let mut bits = bits as u32;
        if is_returned & 0xff == 0 {
            bits = bits.min((bytes / 8) as u32);
        }
        if bits > MAX_MAPS {
            return Ok(false);
        }
        let Some(mask) = readable(self.memory.read_vec(data, bits.div_ceil(8) as usize))? else {
            return Ok(false);
        };
        let arguments = frame.start + size + 8;
        search.word(at);
        for bit in 0..bits {
            if mask[bit as usize / 8] >> (bit % 8) & 1 == 1 {
                search.word(arguments + bit as usize * 8);
            }
        }
        search.range(registers + kept.pointers.start, registers + kept.pointers.end);
        Ok(true)
    }
}

fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// Any word of a frame, of what a signal handler put behind it, and of its arguments.
fn whole(search: &mut Search<'_>, frame: &Frame, size: usize, map: &Map) {
    let behind = if frame.is_injected { 16 } else { 0 };
    search.range(frame.start, frame.start + size + 8 + behind);
    let (start, end) = map.arguments;
    search.range(frame.start + start as usize, frame.start + end as usize);
}
