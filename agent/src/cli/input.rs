//! Files that arguments name, read whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::failure::Failure;

/// A list of patterns, or a configuration, is no larger than this.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a file of at most 1 MiB.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    read(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(text)
}
