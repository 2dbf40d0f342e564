//! Reading `abi.Type` and what follows it (`internal/abi/type.go`, Go 1.21 to 1.27).

use super::{Info, Kind, Name};
use crate::golang::memory::{Memory, ReadError};

const SIZE: usize = 0;
const POINTER_BYTES: usize = 8;
const FLAGS: usize = 20;
const KIND: usize = 23;
const NAME: usize = 40;
/// The size of `abi.Type`; what belongs to the kind follows.
pub(super) const LEN: usize = 48;
/// `TFlagExtraStar`.
const EXTRA_STAR: u8 = 1 << 1;
/// `TFlagDirectIface` or `KindDirectIface`.
const DIRECT: u8 = 1 << 5;
/// `KindMask`.
const KINDS: u8 = 0x1f;
/// No type is larger.
const MAX_SIZE: u64 = 1 << 47;

/// Kinds with more behind `abi.Type` than it takes to tell them (`abi.Kind`).
mod kinds {
    pub(super) const ARRAY: u8 = 17;
    pub(super) const CHANNEL: u8 = 18;
    pub(super) const FUNCTION: u8 = 19;
    pub(super) const INTERFACE: u8 = 20;
    pub(super) const MAP: u8 = 21;
    pub(super) const POINTER: u8 = 22;
    pub(super) const SLICE: u8 = 23;
    pub(super) const STRING: u8 = 24;
    pub(super) const STRUCT: u8 = 25;
    pub(super) const UNSAFE: u8 = 26;
}

/// The type at an address, if it can be one.
///
/// # Errors
/// When it cannot be read.
pub(super) fn info(
    memory: &dyn Memory,
    direct_in_flags: bool,
    address: u64,
) -> Result<Option<Info>, ReadError> {
    let mut head = [0; LEN];
    memory.read(address, &mut head)?;
    let (size, pointer_bytes) = (word(&head, SIZE), word(&head, POINTER_BYTES));
    let kind = head[KIND] & KINDS;
    if kind == 0 || kind > kinds::UNSAFE || size > MAX_SIZE || pointer_bytes > size {
        return Ok(None);
    }
    let more = |words: usize| memory.read_vec(address.wrapping_add(LEN as u64), words * 8);
    let kind = match kind {
        kinds::ARRAY => {
            let more = more(3)?;
            Kind::Array { element: word(&more, 0), len: word(&more, 16) }
        }
        kinds::CHANNEL => Kind::Channel(word(&more(1)?, 0)),
        kinds::FUNCTION => Kind::Function,
        kinds::INTERFACE => Kind::Interface,
        kinds::MAP => Kind::Map { cells: word(&more(3)?, 16) },
        kinds::POINTER => Kind::Pointer(word(&more(1)?, 0)),
        kinds::SLICE => Kind::Slice(word(&more(1)?, 0)),
        kinds::STRING => Kind::Text,
        kinds::STRUCT => {
            let more = more(3)?;
            Kind::Struct { fields: word(&more, 8), count: word(&more, 16) }
        }
        kinds::UNSAFE => Kind::Anything,
        _ => Kind::Plain,
    };
    let is_pointer = matches!(
        kind,
        Kind::Channel(_) | Kind::Function | Kind::Map { .. } | Kind::Pointer(_) | Kind::Anything
    );
    let expected = match kind {
        Kind::Plain => Some((size, 0)),
        Kind::Text => Some((16, 8)),
        Kind::Interface => Some((16, 16)),
        Kind::Slice(_) => Some((24, 8)),
        Kind::Array { .. } | Kind::Struct { .. } | Kind::Described => None,
        // A pointer to what is not in the heap counts for none.
        _ => is_pointer.then_some((8, pointer_bytes)),
    };
    if expected.is_some_and(|it| it != (size, pointer_bytes)) {
        return Ok(None);
    }
    let direct = if direct_in_flags { head[FLAGS] } else { head[KIND] };
    let offset = head[NAME..].first_chunk().map_or(0, |it| u32::from_le_bytes(*it));
    Ok(Some(Info {
        address,
        size,
        pointer_bytes,
        is_direct: direct & DIRECT != 0 && size == 8,
        kind,
        name: Name::At { offset, extra_star: head[FLAGS] & EXTRA_STAR != 0 },
        layout: None,
    }))
}

/// A word of what was read.
pub(super) fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk);
    word.map_or(0, |word| u64::from_le_bytes(*word))
}
