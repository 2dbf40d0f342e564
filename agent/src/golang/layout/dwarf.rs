//! Offsets of the runtime's struct fields, read from an executable's DWARF.
//!
//! Go's linker writes a unit or a few for each package, in no order to rely on, with the package's
//! name in the unit's first bytes. So units are passed over by their length alone until one is
//! named `runtime`, and nothing behind the one that describes the structs is even inflated.
//! DWARF 4 (Go up to 1.24) and 5 (since 1.25).

use object::Object;

use super::Layout;
use super::debug_section::DebugSection;
use super::debug_unit::{Fuel, Unit};
use super::dwarf_error::DwarfError;

type Result<T> = std::result::Result<T, DwarfError>;

/// A unit of the runtime is some 100 KB; this is what may be held in memory of one.
const MAX_UNIT: usize = 32 << 20;
/// Of `.debug_abbrev`, which is small: some 500 bytes for Go, more with C beside it.
const MAX_ABBREV: usize = 8 << 20;
/// How many units are passed over; the largest programs have some ten thousand.
const MAX_UNITS: u32 = 1 << 20;
/// How many units named `runtime` are read. One describes the types; beside it stand some
/// for functions and for assembly files, nine in all in the `go` command of 1.27.
const MAX_CANDIDATES: u32 = 256;
/// A unit's header and, behind it, the root's name are in its first bytes.
const HEAD: usize = 64;

/// Reads the layout from an executable's debug information.
///
/// Takes less than a millisecond for a small program, and at most one for each megabyte of
/// `.debug_info` of a large one, by where the linker put the runtime. A hostile file costs at most 256 MiB of inflating, some 64 MiB of
/// memory and eight million attributes.
///
/// # Errors
/// When there is no DWARF, or it does not describe every field of [`Layout`], or not plausibly.
pub fn layout<'data>(file: &impl Object<'data>) -> Result<Layout> {
    let mut info = DebugSection::open(file, ".debug_info")?;
    let mut abbrev = DebugSection::open(file, ".debug_abbrev")?;
    let abbrev = abbrev.peek(MAX_ABBREV)?;

    let fuel = Fuel::default();
    let mut at = 0;
    let mut missing = None;
    for _ in 0..MAX_CANDIDATES {
        let Some(unit_len) = find_runtime(&mut info, &mut at)? else { break };
        let len = usize::try_from(unit_len)
            .ok()
            .filter(|len| *len <= MAX_UNIT)
            .ok_or(DwarfError::Limit { what: "in the runtime's unit" })?;
        let bytes = info.peek(len)?;
        let unit = Unit::parse(bytes, abbrev, at, &fuel)?;
        match unit.find_structs()? {
            Ok(structs) => {
                let layout = Layout::from_fields(|field| unit.offset_of(&structs, field))?;
                return layout.is_plausible().then_some(layout).ok_or(DwarfError::Implausible);
            }
            // Of two units named `runtime` one has the types: say what the first lacks.
            Err(absent) => missing = missing.or(Some(absent)),
        }
        info.skip(unit_len)?;
        at = at.saturating_add(unit_len);
    }
    Err(missing.map_or(DwarfError::NoRuntime, |of| DwarfError::NoStruct { of }))
}

/// Goes on to the next unit that may be named `runtime`. Gives its length; `at` is then its offset.
fn find_runtime(info: &mut DebugSection<'_>, at: &mut u64) -> Result<Option<u64>> {
    for _ in 0..MAX_UNITS {
        let head = info.peek(HEAD)?;
        let Some(len) = unit_len(head) else { return Ok(None) };
        if head.windows(NAME.len() + 1).any(starts_with_name) {
            return Ok(Some(len));
        }
        info.skip(len)?;
        *at = at.saturating_add(len);
    }
    Err(DwarfError::Limit { what: "units before the runtime's" })
}

/// The name as Go's linker writes it: in place, the root's first attribute.
const NAME: &[u8] = b"runtime\0";

/// Whether the name follows on a small abbreviation code, and not on more of a path.
fn starts_with_name(window: &[u8]) -> bool {
    window.split_first().is_some_and(|(code, name)| *code < b' ' && name == NAME)
}

/// The length of a unit, its length field included.
fn unit_len(head: &[u8]) -> Option<u64> {
    let word = u32::from_le_bytes(*head.first_chunk()?);
    if word == u32::MAX {
        let long = u64::from_le_bytes(*head.get(4..)?.first_chunk()?);
        return long.checked_add(12);
    }
    Some(u64::from(word) + 4)
}
