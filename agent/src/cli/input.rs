//! Files that arguments name: texts, read whole, and what profiles and recordings there are.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::collect::files::{self, Found};
use crate::model::Instance;

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

/// What the files and folders hold that were named.
pub(super) fn find(named: &[PathBuf]) -> Result<Found, Failure> {
    files::find(named).map_err(|error| match error {
        // A wrong name is a matter of the command line.
        files::Error::Missing { path, source } => Failure::Unreadable { path, source },
        files::Error::Nothing { .. } => {
            let named: Vec<_> = named.iter().map(|path| path.display().to_string()).collect();
            let target = Instance::Files { path: named.join(", ") };
            Failure::Target { target, source: error.into() }
        }
    })
}
