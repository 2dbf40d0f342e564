//! The types of an executable's variables, as its DWARF describes them.
//!
//! Each entry is read when it is asked for: references are followed by the caller, who bounds their depth. What does
//! not make sense is not there.

use std::collections::hash_map::Entry;

use gimli::constants as dw;
use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugInfo, DwTag, EndianSlice,
    EntriesRaw, LittleEndian, UnitHeader, UnitOffset,
};
use object::Object;
use rustc_hash::FxHashMap;

use super::debug_section::DebugSection;
use super::dwarf_error::DwarfError;

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// Larger sections are not read: all of it must be in memory.
const MAX_INFO: usize = 128 << 20;
const MAX_ABBREV: usize = 8 << 20;
const MAX_UNITS: usize = 1 << 16;
const MAX_VARIABLES: usize = 1 << 18;
/// Members of a struct.
const MAX_MEMBERS: usize = 1 << 12;
/// Go's own attributes (`cmd/internal/dwarf`): the kind of a type, and where the runtime has it.
const GO_KIND: gimli::DwAt = gimli::DwAt(0x2900);
const GO_RUNTIME_TYPE: gimli::DwAt = gimli::DwAt(0x2904);

/// An entry of the section, by its offset.
pub type EntryAt = u64;

/// What is read of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// What kind of entry.
    pub form: Form,
    /// `abi.Kind`, where Go says it; else 0.
    pub go_kind: u8,
    /// Its name.
    pub name: String,
    /// The size of its values, in bytes.
    pub size: Option<u64>,
    /// Where the runtime has its type: an offset from where types begin.
    pub runtime: Option<u64>,
    /// The type that it leads to, consists of or renames.
    pub of: Option<EntryAt>,
}

/// What kind of entry a type has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Another name for a type.
    Name,
    /// A pointer.
    Pointer,
    /// A struct.
    Struct,
    /// An array.
    Array,
    /// A function.
    Function,
    /// Any other.
    #[default]
    Other,
}

/// A member of a struct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it is in the struct, in bytes.
    pub offset: u64,
    /// Its type.
    pub of: EntryAt,
}

/// The debug information of an executable.
pub struct DebugTypes {
    info: Vec<u8>,
    abbrev: Vec<u8>,
}

/// The same, with its units found.
pub struct DebugUnits<'d> {
    units: Vec<(u64, UnitHeader<Bytes<'d>>)>,
    abbrevs: FxHashMap<usize, Abbreviations>,
}

/// What an entry says.
#[derive(Default)]
struct Attributes {
    tag: Option<DwTag>,
    go_kind: u8,
    name: String,
    size: Option<u64>,
    runtime: Option<u64>,
    of: Option<EntryAt>,
    offset: Option<u64>,
    address: Option<u64>,
}

impl DebugTypes {
    /// Reads the sections of a file.
    ///
    /// # Errors
    /// When they are not there, or too large.
    pub fn read<'data>(file: &impl Object<'data>) -> Result<Self, DwarfError> {
        let mut info = DebugSection::open(file, ".debug_info")?;
        let mut abbrev = DebugSection::open(file, ".debug_abbrev")?;
        let info = info.peek(MAX_INFO)?.to_vec();
        if info.len() >= MAX_INFO {
            return Err(DwarfError::Limit { what: "debug information" });
        }
        Ok(Self { info, abbrev: abbrev.peek(MAX_ABBREV)?.to_vec() })
    }

    /// Finds its units; those that make no sense, and what is behind them, are not there.
    #[must_use]
    pub fn units(&self) -> DebugUnits<'_> {
        let mut found = DebugUnits { units: Vec::new(), abbrevs: FxHashMap::default() };
        let mut start = 0;
        let mut units = DebugInfo::new(&self.info, LittleEndian).units();
        while let Ok(Some(unit)) = units.next() {
            let at = unit.debug_abbrev_offset().0;
            let abbrev = DebugAbbrev::new(&self.abbrev, LittleEndian);
            if let Entry::Vacant(unread) = found.abbrevs.entry(at) {
                let Ok(read) = abbrev.abbreviations(DebugAbbrevOffset(at)) else { break };
                unread.insert(read);
            }
            let len = unit.length_including_self() as u64;
            found.units.push((start, unit));
            start += len;
            if found.units.len() >= MAX_UNITS {
                break;
            }
        }
        found
    }
}

impl<'d> DebugUnits<'d> {
    /// Calls `found` with the address of each variable, by the link, and its type.
    pub fn variables(&self, mut found: impl FnMut(u64, EntryAt)) {
        let mut count = 0;
        for (start, unit) in &self.units {
            let Some(abbrevs) = self.abbrevs.get(&unit.debug_abbrev_offset().0) else { continue };
            let Ok(mut entries) = unit.entries_raw(abbrevs, None) else { continue };
            while !entries.is_empty() && count < MAX_VARIABLES {
                let depth = entries.next_depth();
                let Ok(abbrev) = entries.read_abbreviation() else { break };
                let Some(abbrev) = abbrev else { continue };
                if depth != 1 || abbrev.tag() != dw::DW_TAG_variable {
                    if entries.skip_attributes(abbrev.attributes()).is_err() {
                        break;
                    }
                    continue;
                }
                let Some(entry) = attributes(*start, &mut entries, abbrev) else { break };
                if let (Some(address), Some(of)) = (entry.address, entry.of) {
                    found(address, of);
                    count += 1;
                }
            }
        }
    }

    fn entries(&self, at: EntryAt) -> Option<(u64, EntriesRaw<'_, '_, Bytes<'d>>)> {
        let number = self.units.partition_point(|(start, _)| *start <= at).checked_sub(1)?;
        let (start, unit) = &self.units[number];
        let offset = UnitOffset(usize::try_from(at - start).ok()?);
        let abbrevs = self.abbrevs.get(&unit.debug_abbrev_offset().0)?;
        Some((*start, unit.entries_raw(abbrevs, Some(offset)).ok()?))
    }

    /// The type at an offset.
    #[must_use]
    pub fn get(&self, at: EntryAt) -> Option<Described> {
        let (start, mut entries) = self.entries(at)?;
        let abbrev = entries.read_abbreviation().ok()??;
        let entry = attributes(start, &mut entries, abbrev)?;
        let form = match entry.tag? {
            dw::DW_TAG_typedef => Form::Name,
            dw::DW_TAG_pointer_type => Form::Pointer,
            dw::DW_TAG_structure_type => Form::Struct,
            dw::DW_TAG_array_type => Form::Array,
            dw::DW_TAG_subroutine_type => Form::Function,
            _ => Form::Other,
        };
        let Attributes { go_kind, name, size, runtime, of, .. } = entry;
        Some(Described { form, go_kind, name, size, runtime: runtime.filter(|it| *it != 0), of })
    }

    /// The members of the struct at an offset.
    #[must_use]
    pub fn members(&self, at: EntryAt) -> Vec<Member> {
        self.read_members(at).unwrap_or_default()
    }

    fn read_members(&self, at: EntryAt) -> Option<Vec<Member>> {
        let (start, mut entries) = self.entries(at)?;
        let abbrev = entries.read_abbreviation().ok()??;
        entries.skip_attributes(abbrev.attributes()).ok()?;
        let mut members = Vec::new();
        // Depth counts from the struct.
        while !entries.is_empty() && entries.next_depth() > 0 && members.len() < MAX_MEMBERS {
            let Ok(Some(abbrev)) = entries.read_abbreviation() else { break };
            let Some(entry) = attributes(start, &mut entries, abbrev) else { break };
            if let (Some(dw::DW_TAG_member), Some(of)) = (entry.tag, entry.of) {
                members.push(Member { name: entry.name, offset: entry.offset.unwrap_or(0), of });
            }
        }
        Some(members)
    }
}

/// The attributes of an entry of the unit that begins at `start`.
fn attributes(
    start: u64,
    entries: &mut EntriesRaw<'_, '_, Bytes<'_>>,
    abbrev: &gimli::Abbreviation,
) -> Option<Attributes> {
    let mut entry = Attributes { tag: Some(abbrev.tag()), ..Attributes::default() };
    for spec in abbrev.attributes() {
        let attribute = entries.read_attribute(*spec).ok()?;
        let value = attribute.value();
        match attribute.name() {
            dw::DW_AT_name => {
                if let AttributeValue::String(name) = value {
                    entry.name = String::from_utf8_lossy(name.slice()).into_owned();
                }
            }
            dw::DW_AT_type => {
                entry.of = match value {
                    AttributeValue::UnitRef(at) => Some(start + at.0 as u64),
                    AttributeValue::DebugInfoRef(at) => Some(at.0 as u64),
                    _ => None,
                };
            }
            dw::DW_AT_byte_size => entry.size = attribute.udata_value(),
            dw::DW_AT_data_member_location => entry.offset = attribute.udata_value(),
            dw::DW_AT_location => {
                if let AttributeValue::Exprloc(expression) = value {
                    entry.address = address(expression.0.slice());
                }
            }
            GO_KIND => entry.go_kind = attribute.udata_value().unwrap_or(0) as u8,
            GO_RUNTIME_TYPE => {
                if let AttributeValue::Addr(offset) = value {
                    entry.runtime = Some(offset);
                }
            }
            _ => {}
        }
    }
    Some(entry)
}

/// The address that an expression is, if it is one.
fn address(expression: &[u8]) -> Option<u64> {
    let (first, rest) = expression.split_first()?;
    let is_address = *first == dw::DW_OP_addr.0 && rest.len() == 8;
    is_address.then(|| rest.first_chunk().map(|it| u64::from_le_bytes(*it)))?
}
