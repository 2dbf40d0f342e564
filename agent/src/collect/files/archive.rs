//! Zip archives: files that are read again for each file in them, and what comes through a pipe, which is kept in
//! a temporary file until then. An archive's list of files is at its end.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::profile::packed::{self, Entry, Limits, MAGIC_LEN, Packing};

/// Bytes of a text, unpacked.
pub(super) const MAX_TEXT: u64 = 1 << 40;

/// Bytes of what must be in memory whole: a profile of pprof's, or a file of an archive.
const MAX_WHOLE: u64 = 256 << 20;

/// Bytes of an archive that comes through a pipe.
const MAX_SPOOLED: u64 = 1 << 30;

/// An archive. Clones read the same file, each at a place of its own.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    file: Arc<File>,
    len: u64,
    at: u64,
}

impl Archive {
    /// A file, if it is an archive.
    pub(super) fn of_file(path: &Path) -> io::Result<Option<Self>> {
        let mut file = File::open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(MAGIC_LEN as u64).read_to_end(&mut start)?;
        if Packing::of(&start) != Packing::Zip {
            return Ok(None);
        }
        Self::of(file).map(Some)
    }

    /// Keeps what a pipe gives in a temporary file without a name, which is gone with the last archive of it.
    pub(super) fn of_pipe(pipe: impl Read) -> io::Result<Self> {
        Self::spool(pipe, MAX_SPOOLED)
    }

    fn spool(pipe: impl Read, max: u64) -> io::Result<Self> {
        let in_file = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot be kept in a temporary file: {error}"))
        };
        let mut file = tempfile::tempfile().map_err(in_file)?;
        let len = io::copy(&mut pipe.take(max + 1), &mut file).map_err(in_file)?;
        if len > max {
            let why =
                format!("a zip archive through a pipe is at most {max} bytes: save it as a file");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        Self::of(file)
    }

    fn of(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len, at: 0 })
    }

    /// Gives each file in it, and then those that could not be given, with the reason.
    pub(super) fn each(
        &self,
        give: impl FnMut(Entry<'_>),
    ) -> io::Result<Vec<(String, packed::Error)>> {
        let archive = BufReader::new(self.clone());
        packed::entries(archive, Limits::of_bytes(MAX_TEXT), give).map_err(io::Error::other)
    }

    /// One file in it, unpacked.
    pub(super) fn file(&self, wanted: &str) -> io::Result<Vec<u8>> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "it is no longer in the archive");
        let mut found = None;
        self.each(|entry| {
            if entry.name == wanted && found.is_none() {
                let mut bytes = Vec::new();
                found = Some(whole(entry.bytes, &mut bytes).map(|()| bytes));
            }
        })?;
        found.unwrap_or_else(|| Err(gone()))
    }
}

/// Reads what must be in memory whole.
pub(super) fn whole(bytes: impl Read, into: &mut Vec<u8>) -> io::Result<()> {
    bytes.take(MAX_WHOLE + 1).read_to_end(into)?;
    if into.len() as u64 > MAX_WHOLE {
        let why = "it is larger than 256 MiB, unpacked, and has to be in memory whole";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(())
}

impl Read for Archive {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Archive {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_through_a_pipe_is_read_where_it_is_sought_and_is_bounded() {
        let mut archive = Archive::spool(&b"PK\x03\x04 and more"[..], 64).expect("it is short");
        assert_eq!(archive.seek(SeekFrom::End(-4)).expect("within"), 9);
        let mut text = String::new();
        archive.read_to_string(&mut text).expect("text");
        assert_eq!(text, "more");
        assert!(archive.seek(SeekFrom::Current(-14)).is_err(), "before its beginning");
        let error = Archive::spool(&[0; 65][..], 64).expect_err("it is longer");
        assert!(error.to_string().contains("at most 64 bytes"), "{error}");
    }
}
