//! Unpacking as it is read.

use std::io::{self, BufRead, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::error::Error;
use super::limits::{Limits, Meter};
use super::zstd::Zstd;
use super::{MAGIC_LEN, Packing};

/// What reads something that may be packed gives it unpacked. Its errors hold an [`Error`]
/// ([`Error::from_io`]).
#[derive(Debug)]
pub struct Unpacked<R> {
    from: From<Packed<R>>,
    meter: Meter,
}

#[derive(Debug)]
enum From<R> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(Box<Zstd<R>>),
}

impl<R: BufRead> Unpacked<R> {
    /// Looks at the first bytes.
    ///
    /// # Errors
    /// When they cannot be read, or are a zip archive's, which is not read from its start to its end.
    pub fn new(mut packed: R, limits: Limits) -> Result<Self, Error> {
        let mut start = Vec::with_capacity(MAGIC_LEN);
        let broken = |source| Error::Broken { packing: "it", source };
        packed.by_ref().take(MAGIC_LEN as u64).read_to_end(&mut start).map_err(broken)?;
        let packing = Packing::of(&start);
        let meter = Meter::new(limits);
        let packed = Packed { inner: Cursor::new(start).chain(packed), count: meter.packed() };
        let from = match packing {
            Packing::Plain => From::Plain(packed),
            Packing::Gzip => From::Gzip(Box::new(MultiGzDecoder::new(packed))),
            Packing::Zstd => From::Zstd(Box::new(Zstd::new(packed))),
            Packing::Zip => return Err(Error::Archive { nested: false }),
        };
        Ok(Self { from, meter })
    }
}

impl<R> Unpacked<R> {
    const fn packing(&self) -> Packing {
        match self.from {
            From::Plain(_) => Packing::Plain,
            From::Gzip(_) => Packing::Gzip,
            From::Zstd(_) => Packing::Zstd,
        }
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.from {
            // Whoever reads a plain file bounds it as they like; what it is made of is no fault of ours.
            From::Plain(plain) => plain.read(into)?,
            From::Gzip(gzip) => gzip.read(into).map_err(|error| self.broken(error))?,
            From::Zstd(zstd) => zstd.read(into).map_err(|error| self.broken(error))?,
        };
        if self.meter.unpacked() == 0 {
            self.once(&into[..read]).map_err(Error::into_io)?;
        }
        self.meter.add(read).map_err(Error::into_io)?;
        Ok(read)
    }
}

impl<R> Unpacked<R> {
    /// What is unpacked is not to be packed again.
    fn once(&self, start: &[u8]) -> Result<(), Error> {
        match (self.packing(), Packing::of(start)) {
            (Packing::Plain, _) | (_, Packing::Plain) => Ok(()),
            (_, Packing::Zip) => Err(Error::Archive { nested: true }),
            _ => Err(Error::Nested),
        }
    }

    fn broken(&self, source: io::Error) -> io::Error {
        if source.kind() == io::ErrorKind::Interrupted {
            return source;
        }
        Error::Broken { packing: self.packing().name(), source }.into_io()
    }
}

/// What is packed, and how much of it was taken.
#[derive(Debug)]
struct Packed<R> {
    inner: Chain<Cursor<Vec<u8>>, R>,
    count: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Packed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Packed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.count.fetch_add(bytes as u64, Ordering::Relaxed);
        self.inner.consume(bytes);
    }
}
