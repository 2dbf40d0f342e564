//! Zip archives: each file, one after the other.

use std::io::{BufReader, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::Error;
use super::limits::{Limits, Meter};
use super::unpacked::Unpacked;

/// A file of an archive.
pub struct Entry<'a> {
    /// Its path in the archive, with slashes. Whoever made the archive chose it: it is no path to write to.
    pub name: &'a str,
    /// What is in it, unpacked; where it is packed by itself too (`heap.pprof` is gzip), that as well.
    pub bytes: &'a mut dyn Read,
}

/// Gives each file of a zip archive, in its order, and then those that could not be given, with the reason.
/// A file of which not all is read counts for what was read.
///
/// # Errors
/// When it is no archive, is damaged as a whole, or holds more than the limits allow.
pub fn entries(
    archive: impl Read + Seek,
    limits: Limits,
    mut give: impl FnMut(Entry<'_>),
) -> Result<Vec<(String, Error)>, Error> {
    let mut archive = ZipArchive::new(archive).map_err(error)?;
    if archive.len() > limits.entries {
        return Err(Error::TooManyEntries { limit: limits.entries });
    }
    let (mut left, mut failed) = (limits, Vec::new());
    for index in 0..archive.len() {
        let file = match archive.by_index(index) {
            Ok(file) if file.is_dir() => continue,
            Ok(file) => file,
            Err(refused) => {
                failed.push((format!("file {}", index + 1), error(refused)));
                continue;
            }
        };
        let name = match file.name() {
            Ok(name) => name.into_owned(),
            Err(_) => format!("file {}", index + 1),
        };
        // The archive packs it once, and gzip or zstd may do so once more; each has the bounds.
        let meter = Meter::of(left, file.compressed_size());
        let unpacked = Unpacked::new(BufReader::new(Bounded { inner: file, meter }), left);
        let mut unpacked = match unpacked {
            Ok(unpacked) => Counted { inner: unpacked, count: 0 },
            Err(refused) => {
                failed.push((name, refused.within()));
                continue;
            }
        };
        give(Entry { name: &name, bytes: &mut unpacked });
        left.bytes = left.bytes.saturating_sub(unpacked.count);
    }
    Ok(failed)
}

fn error(error: ZipError) -> Error {
    match error {
        ZipError::Io(source) => Error::Broken { packing: "zip", source },
        ZipError::InvalidArchive(why) => Error::Broken {
            packing: "zip",
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, why.into_owned()),
        },
        other => Error::Unsupported(other.to_string()),
    }
}

impl Error {
    /// Of a file of an archive.
    fn within(self) -> Self {
        match self {
            Self::Archive { .. } => Self::Archive { nested: true },
            other => other,
        }
    }
}

/// Ends with an error where the archive gives more than is allowed.
struct Bounded<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.meter.add(read).map_err(Error::into_io)?;
        Ok(read)
    }
}

/// Counts what was read.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count += read as u64;
        Ok(read)
    }
}
