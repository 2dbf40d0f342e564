//! A profile: its tables and what stands beside its samples.

use std::time::Duration;

use super::error::Error;
use super::kind::{Kind, is_release};
use super::own::MARK;
use super::tables::Tables;
use super::wire::{Message, Value, signed};
use crate::model::Timestamp;
use crate::profile::record::Entry;

/// Samples that are looked at to tell the two profiles of contention apart.
const TELLING: usize = 256;

/// A profile, whose samples are decoded as they are asked for.
#[derive(Debug)]
pub struct Profile<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) tables: Tables<'a>,
    pub(super) sample_types: Vec<(u64, u64)>,
    kind: Kind,
    default_type: u64,
    time_ns: i64,
    duration_ns: i64,
    period: i64,
    /// The file and build id of each mapping; the first is the main binary's.
    mappings: Vec<(u64, u64)>,
    comments: Vec<u64>,
}

/// What one of a sample's values is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueType<'a> {
    /// `goroutine`, `inuse_space`, `delay`, ...
    pub name: &'a str,
    /// `count`, `bytes`, `nanoseconds`, ...
    pub unit: &'a str,
}

impl<'a> Profile<'a> {
    /// Reads a profile that is not packed.
    ///
    /// # Errors
    /// When the bytes are no whole profile. What is wrong with a part of it is counted when that is asked
    /// for, and the rest is given.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(Error::Empty);
        }
        let mut this = Self {
            bytes,
            tables: Tables::default(),
            sample_types: Vec::new(),
            kind: Kind::Unknown,
            default_type: 0,
            time_ns: 0,
            duration_ns: 0,
            period: 0,
            mappings: Vec::new(),
            comments: Vec::new(),
        };
        let mut whole = Message::whole(bytes);
        while let Some((field, value)) = whole.field()? {
            this.take(field, value)?;
        }
        if this.sample_types.is_empty() {
            return Err(Error::NoSampleTypes);
        }
        this.kind = this.find_kind();
        Ok(this)
    }

    fn take(&mut self, field: u64, value: Value<'a>) -> Result<(), Error> {
        match (field, value) {
            (1, Value::Bytes(message)) => self.sample_types.push(two(message, 1, 2)?),
            (3, Value::Bytes(message)) => self.mappings.push(two(message, 5, 6)?),
            (4, Value::Bytes(message)) => self.tables.add_location(message)?,
            (5, Value::Bytes(message)) => self.tables.add_function(message)?,
            (6, Value::Bytes(text)) => self.tables.add_string(text)?,
            (9, value) => self.time_ns = signed(value.or_zero()),
            (10, value) => self.duration_ns = signed(value.or_zero()),
            (12, value) => self.period = signed(value.or_zero()),
            (13, value) => value.each(|comment| self.comments.push(comment))?,
            (14, value) => self.default_type = value.or_zero(),
            _ => {}
        }
        Ok(())
    }

    fn find_kind(&self) -> Kind {
        let default_type = self.tables.string(self.default_type).unwrap_or_default();
        let kind = Kind::of_types(self.sample_types().map(|it| it.name), default_type);
        if kind != Kind::Block {
            return kind;
        }
        let (mut releases, mut waits) = (0, 0);
        self.first_samples(TELLING, |sample, _| {
            if let Some(Entry::Call(call)) = sample.stack.first() {
                if is_release(call.function) { releases += 1 } else { waits += 1 }
            }
        });
        if releases > waits { Kind::Mutex } else { Kind::Block }
    }

    /// What it is of.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What each of a sample's values is.
    pub fn sample_types(&self) -> impl Iterator<Item = ValueType<'_>> {
        self.sample_types.iter().map(|&(name, unit)| ValueType {
            name: self.tables.string(name).unwrap_or_default(),
            unit: self.tables.string(unit).unwrap_or_default(),
        })
    }

    /// When it was made; `None` where it does not say.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        (self.time_ns > 0).then_some(Timestamp::from_unix_ns(self.time_ns))
    }

    /// Over how long it was made; `None` for one of a moment.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        u64::try_from(self.duration_ns).ok().filter(|&ns| ns > 0).map(Duration::from_nanos)
    }

    /// One sample in how many events, bytes or nanoseconds; `None` where it does not say.
    #[must_use]
    pub fn period(&self) -> Option<u64> {
        u64::try_from(self.period).ok().filter(|&period| period > 0)
    }

    /// The main binary's path, as its process saw it; `None` where it does not say.
    #[must_use]
    pub fn binary(&self) -> Option<&str> {
        let &(file, _) = self.mappings.first()?;
        self.tables.string(file).filter(|file| !file.is_empty())
    }

    /// The main binary's build id; `None` where it does not say.
    #[must_use]
    pub fn build_id(&self) -> Option<&str> {
        let &(_, build_id) = self.mappings.first()?;
        self.tables.string(build_id).filter(|id| !id.is_empty())
    }

    /// Free text that whoever wrote it added.
    pub fn comments(&self) -> impl Iterator<Item = &str> {
        self.comments.iter().filter_map(|&comment| self.tables.string(comment))
    }

    /// Whether leak-agent wrote it, so that some labels are no program's.
    pub(super) fn is_own(&self) -> bool {
        self.comments().any(|comment| comment.starts_with(MARK))
    }

    /// Which value has one of these names.
    pub(super) fn value(&self, names: &[&str]) -> Option<usize> {
        self.sample_types().position(|it| names.contains(&it.name))
    }
}

/// Two numbers of a message, by their fields.
fn two(mut message: Message<'_>, first: u64, second: u64) -> Result<(u64, u64), Error> {
    let mut both = (0, 0);
    while let Some((field, value)) = message.field()? {
        if field == first {
            both.0 = value.or_zero();
        } else if field == second {
            both.1 = value.or_zero();
        }
    }
    Ok(both)
}
