//! The wire format of protocol buffers: the fields of a message, one after the other, borrowed.

use super::error::Error;

/// A message that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    rest: &'a [u8],
    /// Where `rest` begins, in the whole.
    at: u64,
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Number(u64),
    /// A message, a string, or packed numbers.
    Bytes(Message<'a>),
    /// Of a fixed size, which no field of a profile has.
    Fixed,
}

impl<'a> Message<'a> {
    pub(super) const fn whole(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Where it begins, or goes on, in the whole.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's number and value; `None` at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.skip(8)?,
            2 => Value::Bytes(self.nested()?),
            5 => self.skip(4)?,
            _ => return Err(self.wrong("no field of a protobuf message")),
        };
        Ok(Some((key >> 3, value)))
    }

    /// The next number of packed ones.
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        match self.rest {
            [byte @ 0..=0x7f, rest @ ..] => {
                (self.rest, self.at) = (rest, self.at + 1);
                Ok(u64::from(*byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Error> {
        let mut number = 0;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            // The tenth byte has room for one bit.
            if index == 9 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.advance(index + 1);
                return Ok(number);
            }
        }
        let is_cut = self.rest.len() < 10;
        Err(self.wrong(if is_cut { "it ends in a number" } else { "a number of over 64 bits" }))
    }

    fn nested(&mut self) -> Result<Self, Error> {
        let len = self.number()?;
        let nested = usize::try_from(len).ok().and_then(|len| self.rest.get(..len));
        let Some(rest) = nested else { return Err(self.wrong("it ends in a field")) };
        let nested = Self { rest, at: self.at };
        self.advance(rest.len());
        Ok(nested)
    }

    fn skip(&mut self, len: usize) -> Result<Value<'a>, Error> {
        if self.rest.len() < len {
            return Err(self.wrong("it ends in a field"));
        }
        self.advance(len);
        Ok(Value::Fixed)
    }

    fn advance(&mut self, len: usize) {
        (self.rest, self.at) = (&self.rest[len..], self.at + len as u64);
    }

    const fn wrong(&self, what: &'static str) -> Error {
        Error::Malformed { at: self.at, what }
    }
}

impl<'a> Value<'a> {
    /// A number; 0, which is what an absent one means, for anything else.
    pub(super) const fn or_zero(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Bytes(_) | Self::Fixed => 0,
        }
    }

    /// Each number of a repeated field, packed or not.
    pub(super) fn each(self, mut take: impl FnMut(u64)) -> Result<(), Error> {
        match self {
            Self::Number(number) => take(number),
            Self::Bytes(mut packed) => {
                while !packed.is_empty() {
                    take(packed.number()?);
                }
            }
            Self::Fixed => {}
        }
        Ok(())
    }
}

/// As protobuf keeps an `int64`.
pub(super) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}
