//! From what was named to files: what is in folders, and what patterns match that the shell left as they are.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::{Error, Unread};

/// Files of all that was named; what comes after is left out, and that is said.
const MAX_FILES: usize = 1 << 17;

/// Folders within folders.
const MAX_DEPTH: u32 = 32;

/// What names standard input.
const STDIN: &str = "-";

/// Files that belong together.
#[derive(Debug)]
pub(super) struct Group {
    /// The folder; `None` for files that were named one by one.
    pub(super) folder: Option<PathBuf>,
    pub(super) files: Vec<Place>,
}

/// Where the bytes of a file come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A file that can be read again.
    File(PathBuf),
    /// A pipe, which can be read once.
    Pipe(PathBuf),
    /// Standard input.
    Stdin,
}

impl Place {
    /// Its path, or `-`.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Pipe(path) => path,
            Self::Stdin => Path::new(STDIN),
        }
    }
}

/// What walking found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// In the order of their names, those that were named one by one first.
    pub(super) groups: Vec<Group>,
    pub(super) unread: Vec<Unread>,
    named: Vec<Place>,
    count: usize,
    /// Folders that were walked, so that no link leads round and round.
    folders: HashSet<(u64, u64)>,
    seen: HashSet<Place>,
}

impl Walk {
    /// Finds what is named.
    ///
    /// # Errors
    /// When something is named that is not there, or a pattern matches nothing.
    pub(super) fn of(named: &[PathBuf]) -> Result<Self, Error> {
        let mut walk = Self::default();
        for path in named {
            if path.as_os_str() == STDIN {
                walk.name(Place::Stdin);
                continue;
            }
            match fs::metadata(path) {
                Ok(metadata) => walk.named(path, &metadata),
                Err(source) if source.kind() == io::ErrorKind::NotFound => {
                    walk.pattern(path, source)?
                }
                Err(source) => walk.skip(path, source),
            }
        }
        if !walk.named.is_empty() {
            let files = std::mem::take(&mut walk.named);
            walk.groups.insert(0, Group { folder: None, files });
        }
        Ok(walk)
    }

    fn named(&mut self, path: &Path, metadata: &Metadata) {
        let kind = metadata.file_type();
        if kind.is_dir() {
            self.folder(path, metadata, 0);
        } else if kind.is_file() {
            self.name(Place::File(path.to_owned()));
        } else if kind.is_fifo() || kind.is_char_device() {
            self.name(Place::Pipe(path.to_owned()));
        } else {
            self.skip(path, io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
        }
    }

    fn name(&mut self, place: Place) {
        if self.seen.insert(place.clone()) {
            self.named.push(place);
        }
    }

    fn pattern(&mut self, pattern: &Path, not_found: io::Error) -> Result<(), Error> {
        let missing = |source| Error::Missing { path: pattern.to_owned(), source };
        let text = pattern.to_str().filter(|text| text.contains(['*', '?', '[']));
        let Some(text) = text else { return Err(missing(not_found)) };
        let invalid = |error| missing(io::Error::new(io::ErrorKind::InvalidInput, error));
        let before = (self.named.len(), self.groups.len(), self.unread.len());
        for found in glob::glob(text).map_err(invalid)?.take(MAX_FILES) {
            match found {
                Ok(path) => match fs::metadata(&path) {
                    Ok(metadata) => self.named(&path, &metadata),
                    Err(source) => self.skip(&path, source),
                },
                Err(error) => {
                    let path = error.path().to_owned();
                    self.skip(&path, error.into());
                }
            }
        }
        if before == (self.named.len(), self.groups.len(), self.unread.len()) {
            let nothing = "no file matches this pattern";
            return Err(missing(io::Error::new(io::ErrorKind::NotFound, nothing)));
        }
        Ok(())
    }

    /// All files of a folder are one group, and each folder in it has one of its own. What is hidden, and what
    /// is no file, is passed over: nobody named it.
    fn folder(&mut self, folder: &Path, metadata: &Metadata, depth: u32) {
        if !self.folders.insert((metadata.dev(), metadata.ino())) {
            return;
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(source) => return self.skip(folder, source),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in entries {
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => folders.push((path, metadata)),
                Ok(metadata) if metadata.is_file() => files.push(path),
                Ok(_) => {}
                Err(source) => self.skip(&path, source),
            }
        }
        let room = MAX_FILES.saturating_sub(self.count);
        if files.len() > room {
            let why = format!("only {MAX_FILES} files are read");
            self.skip(folder, io::Error::new(io::ErrorKind::QuotaExceeded, why));
            files.truncate(room);
        }
        self.count += files.len();
        let files: Vec<Place> = files.into_iter().map(Place::File).collect();
        self.groups.push(Group { folder: Some(folder.to_owned()), files });
        for (path, metadata) in folders {
            if depth < MAX_DEPTH {
                self.folder(&path, &metadata, depth + 1);
            } else {
                let why = "too many folders within folders";
                self.skip(&path, io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        }
    }

    fn skip(&mut self, path: &Path, source: io::Error) {
        self.unread.push(Unread { file: path.display().to_string(), why: source.to_string() });
    }
}
