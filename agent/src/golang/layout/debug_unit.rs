//! One unit of `.debug_info`: finding structs by name in it, and fields by path.
//!
//! References are followed by offset, never by recursion, and everything read is paid for out of a
//! fixed amount of [`Fuel`]: loops and endless chains end in an error.

use std::cell::Cell;

use gimli::constants as dw;
use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugInfo, DwTag, EndianSlice,
    EntriesRaw, LittleEndian, UnitHeader, UnitOffset,
};

use super::dwarf_error::DwarfError;
use super::fields::REQUIRED;
use super::{Field, SIZE, STRUCTS};

type Bytes<'a> = EndianSlice<'a, LittleEndian>;
type Result<T> = std::result::Result<T, DwarfError>;

/// The abbreviations of one unit; Go's take some 500 bytes.
const MAX_ABBREV: usize = 64 << 10;
/// How many names a type may have before it is a struct.
const MAX_TYPEDEFS: u32 = 8;

/// What may still be spent on reading, in attributes or 16 bytes. A real runtime costs 100,000.
pub(super) struct Fuel(Cell<usize>);

impl Default for Fuel {
    fn default() -> Self {
        Self(Cell::new(8 << 20))
    }
}

impl Fuel {
    fn burn(&self, cost: usize) -> Result<()> {
        let left = self.0.get().checked_sub(cost);
        self.0.set(left.ok_or(DwarfError::Limit { what: "to read for one struct" })?);
        Ok(())
    }
}

/// One unit of `.debug_info`.
pub(super) struct Unit<'a> {
    header: UnitHeader<Bytes<'a>>,
    abbrevs: Abbreviations,
    /// Where it stands in the section: references that count from there are made its own.
    at: u64,
    fuel: &'a Fuel,
}

/// Where the structs of [`STRUCTS`] stand in a unit, if they are there.
pub(super) struct Structs([Option<UnitOffset>; STRUCTS.len()]);

/// What is read of an entry.
struct Entry<'a> {
    tag: DwTag,
    depth: isize,
    name: &'a [u8],
    /// The type of a member, or what a typedef names.
    type_at: Option<UnitOffset>,
    /// A member's offset in its struct.
    location: Option<u64>,
    /// A struct's size.
    size: Option<u64>,
    /// Only announced; described elsewhere.
    declared: bool,
}

impl<'a> Unit<'a> {
    /// Reads the header of the unit that is all of `bytes`, and its abbreviations.
    pub(super) fn parse(bytes: &'a [u8], abbrev: &[u8], at: u64, fuel: &'a Fuel) -> Result<Self> {
        let malformed = |source| DwarfError::Malformed { unit: at, source };
        let header = DebugInfo::new(bytes, LittleEndian)
            .units()
            .next()
            .and_then(|unit| unit.ok_or(gimli::Error::MissingUnitDie))
            .map_err(malformed)?;
        let abbrev = abbrev.get(header.debug_abbrev_offset().0..).unwrap_or(&[]);
        let abbrev = &abbrev[..abbrev.len().min(MAX_ABBREV)];
        let abbrevs = DebugAbbrev::new(abbrev, LittleEndian)
            .abbreviations(DebugAbbrevOffset(0))
            .map_err(malformed)?;
        Ok(Self { header, abbrevs, at, fuel })
    }

    /// Where the runtime's structs stand, or the name of one that it takes to read goroutines and that
    /// this unit does not describe.
    pub(super) fn find_structs(&self) -> Result<std::result::Result<Structs, &'static str>> {
        let mut found = [None; STRUCTS.len()];
        let mut entries = self.entries(None)?;
        // Most entries are variables and types of other kinds.
        let may_count = |tag, depth| depth == 0 || (depth == 1 && tag == dw::DW_TAG_structure_type);
        while let Some((at, entry)) = self.next_of(&mut entries, may_count)? {
            if entry.depth == 0 {
                if entry.tag != dw::DW_TAG_compile_unit || entry.name != b"runtime" {
                    break;
                }
                continue;
            }
            if entry.declared {
                continue;
            }
            let Some(name) = entry.name.strip_prefix(b"runtime.") else { continue };
            let Some(index) = STRUCTS.iter().position(|it| it.as_bytes() == name) else { continue };
            found[index] = Some(at);
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        let absent = STRUCTS.into_iter().zip(found).take(REQUIRED).find(|(_, at)| at.is_none());
        Ok(absent.map_or(Ok(Structs(found)), |(name, _)| Err(name)))
    }

    /// The offset of a field, or a struct's size.
    pub(super) fn offset_of(&self, structs: &Structs, field: Field) -> Result<u32> {
        let absent = || DwarfError::NoField { of: field.of, path: field.path };
        let index = STRUCTS.iter().position(|it| *it == field.of).ok_or_else(absent)?;
        let at = structs.0[index].ok_or_else(absent)?;
        let offset = if field.path == SIZE {
            self.size(at)?
        } else {
            match self.locate(at, field.path)? {
                Some((offset, type_at)) if is_maybe_pair(field) => {
                    self.pair_word(type_at)?.and_then(|word| offset.checked_add(word))
                }
                Some((offset, _)) => Some(offset),
                None => None,
            }
        };
        offset.and_then(|offset| u32::try_from(offset).ok()).ok_or_else(absent)
    }

    /// The word of a sudog's `elem` or `c` that holds the address. Since Go 1.26 they are a pair
    /// whose first word the garbage collector may hide (`maybeTraceablePtr`, in runtime2.go).
    fn pair_word(&self, type_at: Option<UnitOffset>) -> Result<Option<u64>> {
        let Some(pair) = self.struct_behind(type_at)? else { return Ok(Some(0)) };
        for path in ["vu", "maybeTraceablePtr.vu"] {
            if let Some((word, _)) = self.locate(pair, path)? {
                return Ok(Some(word));
            }
        }
        Ok(None)
    }

    /// The offset of a field from the start of a struct, through structs within it, and its type.
    fn locate(&self, at: UnitOffset, path: &str) -> Result<Option<(u64, Option<UnitOffset>)>> {
        let mut offset: u64 = 0;
        let mut type_at = Some(at);
        for name in path.split('.') {
            let Some(at) = self.struct_behind(type_at)? else { return Ok(None) };
            let Some(member) = self.member(at, name)? else { return Ok(None) };
            let Some(sum) = member.location.and_then(|it| offset.checked_add(it)) else {
                return Ok(None);
            };
            offset = sum;
            type_at = member.type_at;
        }
        Ok(Some((offset, type_at)))
    }

    /// The member `name` of the struct at `at`.
    fn member(&self, at: UnitOffset, name: &str) -> Result<Option<Entry<'a>>> {
        let mut entries = self.entries(Some(at))?;
        if self.next(&mut entries)?.is_none() {
            return Ok(None);
        }
        // Depth counts from the struct, so a depth of 0 is what follows it.
        while let Some((_, entry)) = self.next(&mut entries)? {
            match entry.depth {
                ..=0 => return Ok(None),
                1 if entry.tag == dw::DW_TAG_member && entry.name == name.as_bytes() => {
                    return Ok(Some(entry));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The struct that a type is, once its names are seen through; nothing if it is no struct.
    fn struct_behind(&self, type_at: Option<UnitOffset>) -> Result<Option<UnitOffset>> {
        let mut next = type_at;
        for _ in 0..MAX_TYPEDEFS {
            let Some(at) = next else { return Ok(None) };
            let Some((_, entry)) = self.next(&mut self.entries(Some(at))?)? else {
                return Ok(None);
            };
            match entry.tag {
                dw::DW_TAG_structure_type => return Ok(Some(at)),
                dw::DW_TAG_typedef => next = entry.type_at,
                _ => return Ok(None),
            }
        }
        Err(DwarfError::Limit { what: "renaming of one type" })
    }

    fn size(&self, at: UnitOffset) -> Result<Option<u64>> {
        let entry = self.next(&mut self.entries(Some(at))?)?;
        Ok(entry.and_then(|(_, entry)| entry.size))
    }

    fn entries(&self, at: Option<UnitOffset>) -> Result<EntriesRaw<'_, '_, Bytes<'a>>> {
        self.header.entries_raw(&self.abbrevs, at).map_err(|source| self.malformed(source))
    }

    /// The next entry and where it stands; nothing at the unit's end, or past the end of the
    /// children of the first one.
    fn next(
        &self,
        entries: &mut EntriesRaw<'_, '_, Bytes<'a>>,
    ) -> Result<Option<(UnitOffset, Entry<'a>)>> {
        self.next_of(entries, |_, _| true)
    }

    /// As [`Unit::next`], passing over entries that by their tag and depth do not count.
    fn next_of(
        &self,
        entries: &mut EntriesRaw<'_, '_, Bytes<'a>>,
        counts: impl Fn(DwTag, isize) -> bool,
    ) -> Result<Option<(UnitOffset, Entry<'a>)>> {
        while !entries.is_empty() && entries.next_depth() >= 0 {
            let (at, depth) = (entries.next_offset(), entries.next_depth());
            let malformed = |source| self.malformed(source);
            let Some(abbrev) = entries.read_abbreviation().map_err(malformed)? else {
                self.fuel.burn(1)?;
                continue;
            };
            self.fuel.burn(1 + abbrev.attributes().len())?;
            if !counts(abbrev.tag(), depth) {
                entries.skip_attributes(abbrev.attributes()).map_err(malformed)?;
                self.fuel.burn((entries.next_offset().0 - at.0) / 16)?;
                continue;
            }
            let mut entry = Entry {
                tag: abbrev.tag(),
                depth,
                name: &[],
                type_at: None,
                location: None,
                size: None,
                declared: false,
            };
            for spec in abbrev.attributes() {
                let attribute = entries.read_attribute(*spec).map_err(malformed)?;
                match attribute.name() {
                    dw::DW_AT_name => {
                        if let AttributeValue::String(name) = attribute.value() {
                            entry.name = name.slice();
                        }
                    }
                    dw::DW_AT_type => entry.type_at = self.reference(attribute.value()),
                    dw::DW_AT_data_member_location => entry.location = attribute.udata_value(),
                    dw::DW_AT_byte_size => entry.size = attribute.udata_value(),
                    dw::DW_AT_declaration => entry.declared = true,
                    _ => {}
                }
            }
            self.fuel.burn((entries.next_offset().0 - at.0) / 16)?;
            return Ok(Some((at, entry)));
        }
        Ok(None)
    }

    /// A reference to another entry of this unit. The linker counts from the section's start.
    fn reference(&self, value: AttributeValue<Bytes<'a>>) -> Option<UnitOffset> {
        match value {
            AttributeValue::UnitRef(at) => Some(at),
            AttributeValue::DebugInfoRef(at) => {
                let at = (at.0 as u64).checked_sub(self.at)?;
                usize::try_from(at).ok().map(UnitOffset)
            }
            _ => None,
        }
    }

    fn malformed(&self, source: gimli::Error) -> DwarfError {
        DwarfError::Malformed { unit: self.at, source }
    }
}

/// Whether a field is a pair of words since Go 1.26.
fn is_maybe_pair(field: Field) -> bool {
    field.of == "sudog" && matches!(field.path, "elem" | "c")
}
