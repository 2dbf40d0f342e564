//! The samples of a profile, one after the other.

use std::borrow::Cow;

use super::error::Error;
use super::read::Profile;
use super::tables::{Faults, Places};
use super::wire::{Message, Value, signed};
use crate::profile::record::Entry;

/// Entries of a stack that are given at most. Go records 128 frames; what is asked for here is only that
/// a few bytes do not make a stack without an end.
const MAX_DEPTH: usize = 4096;

/// Labels of a sample that are given at most.
const MAX_LABELS: usize = 256;

/// A key and a value.
type Label<'s> = (Cow<'s, str>, Cow<'s, str>);

/// A sample: what was counted or measured at a stack.
#[derive(Debug)]
pub(super) struct Sample<'s> {
    /// Where it begins, in the profile's bytes.
    pub(super) at: u64,
    /// One for each sample type.
    pub(super) values: &'s [i64],
    pub(super) labels: &'s [Label<'s>],
    /// Innermost first.
    pub(super) stack: &'s [Entry<'s>],
}

impl Profile<'_> {
    /// Gives every sample that can be understood, in the profile's order, and says what could not be.
    pub(super) fn each_sample(&self, give: impl FnMut(&Sample<'_>, &mut Faults)) -> Faults {
        self.first_samples(usize::MAX, give)
    }

    /// As [`Self::each_sample`], of the first samples alone.
    pub(super) fn first_samples(
        &self,
        mut count: usize,
        mut give: impl FnMut(&Sample<'_>, &mut Faults),
    ) -> Faults {
        let mut places = self.tables.places();
        let mut faults = std::mem::take(&mut places.faults);
        let mut reader = Reader { profile: self, places, scratch: Scratch::default() };
        let mut whole = Message::whole(self.bytes);
        // It was read to its end before, without an error.
        while let Ok(Some((field, value))) = whole.field() {
            let (2, Value::Bytes(message)) = (field, value) else { continue };
            if count == 0 {
                break;
            }
            count -= 1;
            match reader.sample(message, &mut faults) {
                Ok(()) => give(&reader.scratch.sample(message.at()), &mut faults),
                Err(error) => faults.add_error(&error),
            }
        }
        faults
    }
}

struct Reader<'p> {
    profile: &'p Profile<'p>,
    places: Places<'p>,
    scratch: Scratch<'p>,
}

/// What a sample is put together in, used again for each.
#[derive(Default)]
struct Scratch<'p> {
    values: Vec<i64>,
    labels: Vec<Label<'p>>,
    stack: Vec<Entry<'p>>,
}

impl Scratch<'_> {
    fn sample(&self, at: u64) -> Sample<'_> {
        Sample { at, values: &self.values, labels: &self.labels, stack: &self.stack }
    }
}

impl<'p> Reader<'p> {
    fn sample(&mut self, mut message: Message<'p>, faults: &mut Faults) -> Result<(), Error> {
        let at = message.at();
        let Scratch { values, labels, stack } = &mut self.scratch;
        values.clear();
        labels.clear();
        stack.clear();
        let types = self.profile.sample_types.len();
        let mut left_out = 0_u64;
        while let Some((field, value)) = message.field()? {
            match (field, value) {
                (1, value) => value.each(|id| match self.places.at(id) {
                    Some(place) if stack.len() + place.len() <= MAX_DEPTH => {
                        stack.extend_from_slice(place);
                    }
                    Some(_) => left_out += 1,
                    None => faults.add(at, "a location that is named and not there"),
                })?,
                (2, value) => value.each(|number| {
                    if values.len() < types {
                        values.push(signed(number));
                    }
                })?,
                (3, Value::Bytes(label)) if labels.len() < MAX_LABELS => {
                    labels.extend(self.profile.label(label)?);
                }
                _ => {}
            }
        }
        if left_out > 0 {
            stack.push(Entry::Elided(Some(left_out)));
        }
        Ok(())
    }
}

impl Profile<'_> {
    /// A label's key and value; of a number, with its unit. `None` where its strings are not there.
    fn label(&self, mut message: Message<'_>) -> Result<Option<Label<'_>>, Error> {
        let (mut key, mut text, mut number, mut unit) = (0, 0, 0, 0);
        while let Some((field, value)) = message.field()? {
            match field {
                1 => key = value.or_zero(),
                2 => text = value.or_zero(),
                3 => number = signed(value.or_zero()),
                4 => unit = value.or_zero(),
                _ => {}
            }
        }
        let look_up = || {
            let key = self.tables.string(key)?;
            let value = match (text, number) {
                (0, 0) => Cow::Borrowed(""),
                (0, _) => Cow::Owned(format!("{number}{}", self.tables.string(unit)?)),
                _ => Cow::Borrowed(self.tables.string(text)?),
            };
            Some((Cow::Borrowed(key), value))
        };
        Ok(look_up())
    }
}
