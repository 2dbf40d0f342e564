//! What can be wrong with what is packed.

use std::io;

use thiserror::Error;

/// Why it cannot be unpacked.
#[derive(Debug, Error)]
pub enum Error {
    /// It is larger than allowed.
    #[error("unpacked it has more than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// It unpacks to far more than anything honest does.
    #[error("it unpacks to more than {ratio} times its size, as no dump or profile does")]
    Ratio {
        /// How many times its size is allowed.
        ratio: u64,
    },
    /// An archive with more files than allowed.
    #[error("the archive holds more than {limit} files")]
    TooManyEntries {
        /// How many are.
        limit: usize,
    },
    /// An archive where one file is wanted.
    #[error("it is a zip archive{}", if *.nested { " within what is packed" } else { "" })]
    Archive {
        /// Whether it is in another, or in gzip or zstd.
        nested: bool,
    },
    /// What is unpacked is packed once more.
    #[error("it is packed more than once")]
    Nested,
    /// It is damaged, incomplete, or cannot be read.
    #[error("cannot unpack {packing}")]
    Broken {
        /// In what it is packed.
        packing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of an archive is packed or encrypted in a way that is not read here.
    #[error("cannot unpack a file of the archive: {0}")]
    Unsupported(String),
}

impl Error {
    /// As readers give it.
    pub(super) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Broken { source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }

    /// Of what a reader gave.
    #[must_use]
    pub fn from_io(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(|source| Self::Broken { packing: "it", source })
    }
}
