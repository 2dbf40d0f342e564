//! What profiles and dumps are packed in: gzip (several members too), zstd (several frames too) and zip,
//! known by their first bytes, whatever a file is called.
//!
//! gzip and zstd are unpacked as they are read, so that nothing is ever in memory whole. What is unpacked
//! has bounds that the caller gives: a few kilobytes can be made to unpack to terabytes.

mod archive;
mod error;
mod limits;
mod unpacked;
mod zstd;

use std::borrow::Cow;
use std::io::Read as _;

pub use archive::{Entry, entries};
pub use error::Error;
pub use limits::Limits;
pub use unpacked::Unpacked;

/// What bytes are packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Nothing that is known here.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// A zip archive, which may hold several files.
    Zip,
}

/// As many bytes as it takes to tell.
pub const MAGIC_LEN: usize = 4;

impl Packing {
    /// By the first bytes, [`MAGIC_LEN`] or more.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one to be skipped that others follow.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            // The first entry, or the end of an archive without any.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }
}

/// Bytes unpacked, if they are packed. For what has to be in memory whole.
///
/// # Errors
/// When they are damaged, unpack to more than the limits allow, or are a zip archive, whose entries are
/// [`entries`].
pub fn whole(bytes: &[u8], limits: Limits) -> Result<Cow<'_, [u8]>, Error> {
    if Packing::of(bytes) == Packing::Plain {
        return if bytes.len() as u64 <= limits.bytes {
            Ok(Cow::Borrowed(bytes))
        } else {
            Err(Error::TooLarge { limit: limits.bytes })
        };
    }
    let mut unpacked = Vec::new();
    Unpacked::new(bytes, limits)?.read_to_end(&mut unpacked).map_err(Error::from_io)?;
    Ok(Cow::Owned(unpacked))
}

#[cfg(test)]
mod tests;
