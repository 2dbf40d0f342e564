//! Where the pointers in a goroutine's stack are, as Go's own collector finds them.
//!
//! Of each call in a function the compiler says which words of the frame are pointers that will still be used
//! (`runtime/stkframe.go`, `(*stkframe).getStackMap`), and which variables there have their address taken: those
//! are searched when something on the stack points to them (`runtime/mgcmark.go`, `scanstack`; Go 1.21 to 1.27).

mod scan;

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::arch::Arch;
use super::memory::{Memory, ReadError};
use super::pclntab::{Func, StackData};
use super::plugins::{Code, Codes};
use super::unwind::{Frame, Steps};

/// No function has more bitmaps, nor words in one.
const MAX_MAPS: u32 = 1 << 20;
/// No function has more variables whose address is taken.
const MAX_OBJECTS: u64 = 1 << 16;
/// More places in functions than this are not remembered.
const MAX_KEPT: usize = 1 << 20;
/// A word.
const WORD: u32 = 8;

/// Where the pointers in frames are; remembers what it learns of each place in a function.
pub(crate) struct StackMaps<'a> {
    codes: Codes<'a>,
    arch: Arch,
    memory: &'a dyn Memory,
    steps: Steps,
    known: FxHashMap<(u64, usize), Rc<Map>>,
    room: scan::Room,
}

/// Where the pointers of a frame are that stands at one place of a function. All in bytes from the frame's start.
#[derive(Debug)]
struct Map {
    /// Words that are pointers; `None` where that is not known, so that any may be.
    words: Option<Box<[u32]>>,
    /// Variables whose address is taken, in the order of their addresses.
    objects: Box<[Object]>,
    /// Where arguments and results begin, in the caller's frame, and where they end.
    arguments: (u32, u32),
    /// Whether how many arguments there are is not known, so that any word of the caller's frame may be one.
    takes_any: bool,
    /// Where the function begins, of one that keeps what tells of its arguments.
    reflects: Option<u64>,
}

/// Functions that reflection makes, by which others are called with any arguments.
const REFLECTING: [&str; 2] = ["reflect.makeFuncStub", "reflect.methodValueCall"];

/// A variable whose address is taken.
#[derive(Clone, Copy, Debug)]
struct Object {
    start: u32,
    end: u32,
    /// Where the part of it ends that has pointers.
    pointers_end: u32,
}

impl<'a> StackMaps<'a> {
    /// Of a program with this code, whose read-only data `memory` has.
    pub(crate) fn new(codes: Codes<'a>, arch: Arch, memory: &'a dyn Memory) -> Self {
        Self {
            codes,
            arch,
            memory,
            steps: Steps::default(),
            known: FxHashMap::default(),
            room: scan::Room::default(),
        }
    }

    /// The map of a frame whose size is known.
    fn map(&mut self, frame: &Frame, size: usize) -> Result<Rc<Map>, ReadError> {
        if let Some(known) = self.known.get(&(frame.pc, size)) {
            return Ok(known.clone());
        }
        let map = Rc::new(self.learn(frame.pc, size)?);
        if self.known.len() > MAX_KEPT {
            self.known.clear();
        }
        self.known.insert((frame.pc, size), map.clone());
        Ok(map)
    }

    fn learn(&self, pc: u64, size: usize) -> Result<Map, ReadError> {
        let nowhere = Map {
            words: None,
            objects: Box::default(),
            arguments: (0, 0),
            takes_any: true,
            reflects: None,
        };
        let (Some((code, func, offset)), Ok(size)) = (self.codes.find(pc), u32::try_from(size))
        else {
            return Ok(nowhere);
        };
        // A saved frame pointer is at the top of each frame that has any room, below a return address that a call
        // pushed; where a link register holds that, it is at the bottom.
        let top = size.saturating_sub(if size > 0 { WORD } else { 0 });
        let (end, min) = if self.arch.uses_link_register() {
            (size.saturating_add(WORD), 2 * WORD)
        } else {
            (size.saturating_add(WORD), 0)
        };
        let bytes = func.argument_bytes();
        let place = Place { code, func, memory: self.memory };
        // At a function's entry the first map holds, as where no call is.
        let index = if offset == func.entry() { None } else { func.stack_map_index(offset - 1) };
        let index = index.unwrap_or(0);
        let mut words = Vec::new();
        let mut is_known = bytes.is_some();
        if top > min {
            is_known &= place.bitmap(StackData::Locals, index, |bits, bit| {
                let below = bits.checked_sub(bit)?.checked_mul(WORD)?;
                words.push(top.checked_sub(below)?);
                Some(())
            })?;
        }
        if bytes.is_some_and(|bytes| bytes > 0) {
            is_known &= place.bitmap(StackData::Arguments, index, |_, bit| {
                words.push(end.checked_add(bit.checked_mul(WORD)?)?);
                Some(())
            })?;
        }
        let objects = place.objects((top, end))?;
        is_known &= objects.is_some();
        Ok(Map {
            words: is_known.then(|| words.into_boxed_slice()),
            objects: objects.unwrap_or_default().into_boxed_slice(),
            arguments: (end, end.saturating_add(bytes.unwrap_or(0))),
            takes_any: bytes.is_none(),
            reflects: func
                .name()
                .filter(|name| bytes.is_none() && REFLECTING.contains(name))
                .map(|_| code.text.wrapping_add(func.entry().into())),
        })
    }
}

/// A function whose data is read.
struct Place<'a> {
    code: Code<'a>,
    func: Func<'a>,
    memory: &'a dyn Memory,
}

impl Place<'_> {
    fn address(&self, of: StackData) -> Option<u64> {
        Some(self.code.gofunc.wrapping_add(self.func.stack_data(of)?.into()))
    }

    /// Calls `take` with the number of bits of a bitmap (`runtime.stackmap`) and each that is set. Whether there is such
    /// a bitmap, and all was taken.
    fn bitmap(
        &self,
        of: StackData,
        index: u32,
        mut take: impl FnMut(u32, u32) -> Option<()>,
    ) -> Result<bool, ReadError> {
        let Some(address) = self.address(of) else { return Ok(false) };
        let Some(head) = readable(self.memory.read_u64(address))? else { return Ok(false) };
        let (count, bits) = (head as u32, (head >> 32) as u32);
        if count == 0 || count > MAX_MAPS || bits > MAX_MAPS {
            return Ok(false);
        }
        if bits == 0 {
            return Ok(true);
        }
        if index >= count {
            return Ok(false);
        }
        let len = bits.div_ceil(8);
        let at = address.wrapping_add(8 + u64::from(index) * u64::from(len));
        let Some(bytes) = readable(self.memory.read_vec(at, len as usize))? else {
            return Ok(false);
        };
        let set = (0..bits).filter(|bit| bytes[*bit as usize / 8] >> (bit % 8) & 1 == 1);
        for bit in set {
            if take(bits, bit).is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Variables whose address is taken (`runtime.stackObjectRecord`); `None` where the list makes no sense.
    fn objects(&self, (top, end): (u32, u32)) -> Result<Option<Vec<Object>>, ReadError> {
        let Some(address) = self.address(StackData::Objects) else { return Ok(Some(Vec::new())) };
        let Some(count) = readable(self.memory.read_u64(address))? else { return Ok(None) };
        if count > MAX_OBJECTS {
            return Ok(None);
        }
        let read = self.memory.read_vec(address.wrapping_add(8), count as usize * 16);
        let Some(records) = readable(read)? else { return Ok(None) };
        let object = |record: &[u8; 16]| {
            let (words, _) = record.as_chunks::<4>();
            let word = |at: usize| words.get(at).map_or(0, |word| i32::from_le_bytes(*word));
            let (offset, size, pointers) = (word(0), word(1), word(2));
            let base = if offset < 0 { top } else { end };
            // Below the frame's start: it has no room yet.
            let start = base.checked_add_signed(offset)?;
            let size = u32::try_from(size).ok()?;
            // Up to Go 1.21, negative where a program makes the mask.
            let pointers = if pointers < 0 { size } else { (pointers as u32).min(size) };
            let (end, pointers_end) = (start.checked_add(size)?, start.checked_add(pointers)?);
            Some(Object { start, end, pointers_end })
        };
        Ok(Some(records.as_chunks::<16>().0.iter().filter_map(object).collect()))
    }
}

/// What was read; `None` where there is no memory.
fn readable<T>(read: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ (ReadError::Exited | ReadError::Denied)) => Err(error),
        Err(ReadError::Unmapped { .. } | ReadError::Os { .. }) => Ok(None),
    }
}
