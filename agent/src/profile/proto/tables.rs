//! The tables of a profile: its strings, functions and locations, with what names what looked up.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::error::Error;
use super::wire::{Message, Value, signed};
use crate::profile::record::{Call, Entry, Fault};

/// Entries of one table that are read at most: their numbers have 32 bits.
const MAX_ENTRIES: u32 = u32::MAX - 1;

/// Calls at one address that are kept at most: no compiler inlines deeper.
const MAX_LINES: usize = 200;

/// What could not be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) count: u64,
    pub(super) first: Option<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, at: u64, what: &'static str) {
        self.count += 1;
        self.first.get_or_insert(Fault { at, what });
    }

    /// That a message of a profile is none.
    pub(super) fn add_error(&mut self, error: &Error) {
        if let Error::Malformed { at, what } = *error {
            self.add(at, what);
        }
    }
}

/// The tables, as they are read.
#[derive(Debug, Default)]
pub(super) struct Tables<'a> {
    strings: Vec<Cow<'a, str>>,
    functions: Vec<Function>,
    function_ids: Ids,
    locations: Vec<Location>,
    location_ids: Ids,
    lines: Vec<Line>,
    pub(super) faults: Faults,
}

#[derive(Clone, Copy, Debug)]
struct Function {
    name: u64,
    file: u64,
}

/// A place in the code: the lines from where the one before ends.
#[derive(Clone, Copy, Debug)]
struct Location {
    address: u64,
    lines_end: u32,
    at: u64,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    function: u64,
    line: u32,
}

impl<'a> Tables<'a> {
    pub(super) fn add_string(&mut self, text: Message<'a>) -> Result<(), Error> {
        let at = text.at();
        let text = String::from_utf8_lossy(text.bytes());
        if matches!(text, Cow::Owned(_)) {
            self.faults.add(at, "a name that is not UTF-8");
        }
        self.strings.push(text);
        checked(self.strings.len(), "strings").map(drop)
    }

    pub(super) fn add_function(&mut self, mut message: Message<'a>) -> Result<(), Error> {
        let (mut id, mut function) = (0, Function { name: 0, file: 0 });
        while let Some((field, value)) = message.field()? {
            match field {
                1 => id = value.or_zero(),
                2 => function.name = value.or_zero(),
                4 => function.file = value.or_zero(),
                _ => {}
            }
        }
        self.functions.push(function);
        self.function_ids.add(id, checked(self.functions.len(), "functions")?);
        Ok(())
    }

    pub(super) fn add_location(&mut self, mut message: Message<'a>) -> Result<(), Error> {
        let at = message.at();
        let (mut id, mut address, start) = (0, 0, self.lines.len());
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, value) => id = value.or_zero(),
                (3, value) => address = value.or_zero(),
                (4, Value::Bytes(_)) if self.lines.len() - start >= MAX_LINES => {
                    self.faults.add(at, "an address with too many calls inlined at it");
                }
                (4, Value::Bytes(line)) => self.add_line(line)?,
                _ => {}
            }
        }
        let lines_end = checked(self.lines.len(), "lines")?;
        self.locations.push(Location { address, lines_end, at });
        self.location_ids.add(id, checked(self.locations.len(), "locations")?);
        Ok(())
    }

    fn add_line(&mut self, mut message: Message<'a>) -> Result<(), Error> {
        let mut line = Line { function: 0, line: 0 };
        while let Some((field, value)) = message.field()? {
            match field {
                1 => line.function = value.or_zero(),
                // A line that cannot be is one that is not known.
                2 => line.line = u32::try_from(signed(value.or_zero())).unwrap_or(0),
                _ => {}
            }
        }
        self.lines.push(line);
        Ok(())
    }

    /// A string by its number; the empty one has number 0.
    pub(super) fn string(&self, number: u64) -> Option<&str> {
        let text = self.strings.get(usize::try_from(number).ok()?);
        text.map(|text| &**text).or((number == 0).then_some(""))
    }

    /// What stands at each location, and what could not be looked up.
    pub(super) fn places(&self) -> Places<'_> {
        let mut faults = self.faults.clone();
        let mut entries = Vec::with_capacity(self.lines.len() + self.locations.len() / 8);
        let mut ends = Vec::with_capacity(self.locations.len());
        let mut start = 0;
        for location in &self.locations {
            let end = location.lines_end as usize;
            let lines = self.lines.get(start..end).unwrap_or(&[]);
            start = end;
            let before = entries.len();
            for (index, line) in lines.iter().enumerate() {
                match self.call(*line, index + 1 < lines.len()) {
                    Some(call) => entries.push(Entry::Call(call)),
                    None => faults.add(location.at, "a function that is named and not there"),
                }
            }
            if entries.len() == before {
                entries.push(Entry::Address(location.address));
            }
            ends.push(entries.len() as u32);
        }
        Places { ids: &self.location_ids, entries, ends, faults }
    }

    fn call(&self, line: Line, inlined: bool) -> Option<Call<'_>> {
        let at = self.function_ids.find(line.function)?;
        let function = self.functions.get(at as usize)?;
        let name = self.string(function.name).filter(|name| !name.is_empty())?;
        let file = self.string(function.file).unwrap_or_default();
        Some(Call { function: name, file, line: line.line, inlined })
    }
}

/// What stands at each location: the calls inlined there, innermost first, and the function itself.
#[derive(Debug)]
pub(super) struct Places<'p> {
    ids: &'p Ids,
    entries: Vec<Entry<'p>>,
    /// Where those of each location end.
    ends: Vec<u32>,
    pub(super) faults: Faults,
}

impl<'p> Places<'p> {
    pub(super) fn at(&self, id: u64) -> Option<&[Entry<'p>]> {
        let index = self.ids.find(id)? as usize;
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.entries.get(start..end)
    }
}

/// From ids to places in a table. Most profiles number them from 1 on.
#[derive(Debug, Default)]
struct Ids {
    /// The first so many have their place, from 1, as their id.
    in_order: u64,
    others: FxHashMap<u64, u32>,
}

impl Ids {
    /// The entry that is now the last of so many has this id. Of two with one id the first counts.
    fn add(&mut self, id: u64, len: u32) {
        if id == u64::from(len) && self.in_order + 1 == id {
            self.in_order = id;
        } else if self.find(id).is_none() {
            self.others.insert(id, len - 1);
        }
    }

    fn find(&self, id: u64) -> Option<u32> {
        if (1..=self.in_order).contains(&id) {
            return u32::try_from(id - 1).ok();
        }
        self.others.get(&id).copied()
    }
}

fn checked(len: usize, what: &'static str) -> Result<u32, Error> {
    let len = u32::try_from(len).ok().filter(|&len| len <= MAX_ENTRIES);
    len.ok_or(Error::TooMany { what, limit: MAX_ENTRIES })
}
