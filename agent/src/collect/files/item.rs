//! One profile or dump: where its bytes are, what they are, and when it was made.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::time::SystemTime;

use super::archive::{Archive, MAX_TEXT, whole};
use super::head::{self, Content, HEAD};
use super::time;
use super::walk::Place;
use crate::model::{ProfileForm, TimeBasis, Timestamp};
use crate::profile::packed::{self, Limits, Packing, Unpacked};
use crate::profile::proto::{self, Kind, Profile};

/// Bytes that are read at a time.
pub(super) const PIECE: usize = 256 << 10;

/// Bytes of a file, unpacked as they are read.
pub(super) type Bytes = Box<dyn Read + Send>;

/// One profile or dump.
pub(super) struct Item {
    pub(super) place: Place,
    /// Its name in the archive that it is in.
    entry: Option<String>,
    /// The archive, where that came through a pipe.
    spooled: Option<Archive>,
    pub(super) form: ProfileForm,
    pub(super) only_leaked: bool,
    /// What it is of where that is not goroutines: block, mutex or heap.
    pub(super) beside: Option<Kind>,
    /// Whether it makes an observation: of those contention alone does, where there are no goroutines.
    pub(super) is_seen: bool,
    pub(super) times: Times,
    /// The executable's file name, where the profile says it.
    pub(super) exe: Option<String>,
    /// Of what can be read once: its bytes from the beginning.
    opened: Option<Bytes>,
}

/// When it may have been made, by whom that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    profile: Option<Timestamp>,
    name: Option<Timestamp>,
    log: Option<Timestamp>,
    modified: Option<Timestamp>,
}

impl Times {
    pub(super) const fn of(&self, basis: TimeBasis) -> Option<Timestamp> {
        match basis {
            TimeBasis::Profile => self.profile,
            TimeBasis::Name => self.name,
            TimeBasis::Log => self.log,
            TimeBasis::Modified | TimeBasis::Order => self.modified,
        }
    }
}

/// What a file turned out to be.
pub(super) enum Inspected {
    /// A profile or dump of goroutines, or a profile that goes beside them.
    Item(Item),
    /// A profile of this kind.
    Other(String),
    /// What `--save` wrote.
    Observation,
    /// A text without goroutines.
    NoGoroutines,
    /// Something else, and why it is not read.
    Nothing(String),
}

impl Item {
    /// Its path, with its name in the archive.
    pub(super) fn name(&self) -> String {
        name(&self.place, self.entry.as_deref())
    }

    /// Its bytes, from the beginning.
    pub(super) fn open(&mut self) -> io::Result<Bytes> {
        match (self.opened.take(), &self.entry) {
            (Some(opened), _) => Ok(opened),
            (None, None) => unpacked(Box::new(raw(&self.place)?)),
            (None, Some(entry)) => {
                let archive = match &self.spooled {
                    Some(archive) => Some(archive.clone()),
                    None => Archive::of_file(self.place.path())?,
                };
                let gone = || io::Error::new(io::ErrorKind::NotFound, "it is no longer an archive");
                let bytes = archive.ok_or_else(gone)?.file(entry)?;
                Ok(Box::new(Cursor::new(bytes)))
            }
        }
    }
}

fn name(place: &Place, entry: Option<&str>) -> String {
    let path = place.path().display();
    entry.map_or_else(|| path.to_string(), |entry| format!("{path}/{entry}"))
}

/// As it is packed.
fn raw(place: &Place) -> io::Result<Bytes> {
    Ok(match place {
        Place::File(path) | Place::Pipe(path) => Box::new(File::open(path)?),
        Place::Stdin => Box::new(io::stdin()),
    })
}

fn unpacked(bytes: Bytes) -> io::Result<Bytes> {
    let bytes = BufReader::with_capacity(PIECE, bytes);
    let unpacked = Unpacked::new(bytes, Limits::of_bytes(MAX_TEXT)).map_err(io::Error::other)?;
    Ok(Box::new(unpacked))
}

/// Tells what a file holds; of an archive, what each file in it does.
pub(super) fn inspect(place: &Place) -> io::Result<Vec<(String, Inspected)>> {
    let modified = match place {
        Place::File(path) => modified(path),
        Place::Pipe(_) | Place::Stdin => Some(now()),
    };
    if let Place::File(path) = place
        && let Some(archive) = Archive::of_file(path)?
    {
        return inspect_archive(place, &archive, None, modified);
    }
    let mut bytes = raw(place)?;
    if !matches!(place, Place::File(_)) {
        let mut start = Vec::new();
        bytes.by_ref().take(packed::MAGIC_LEN as u64).read_to_end(&mut start)?;
        let is_archive = Packing::of(&start) == Packing::Zip;
        bytes = Box::new(Cursor::new(start).chain(bytes));
        if is_archive {
            let archive = Archive::of_pipe(bytes)?;
            return inspect_archive(place, &archive, Some(&archive), modified);
        }
    }
    let inspected = inspect_bytes(place, None, modified, unpacked(bytes)?)?;
    Ok(vec![(name(place, None), inspected)])
}

fn modified(path: &Path) -> Option<Timestamp> {
    path.metadata().and_then(|it| it.modified()).ok().map(timestamp)
}

/// What comes through a pipe was made just now, unless it says something else.
fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn inspect_archive(
    place: &Place,
    archive: &Archive,
    spooled: Option<&Archive>,
    modified: Option<Timestamp>,
) -> io::Result<Vec<(String, Inspected)>> {
    let mut inspected = Vec::new();
    let failed = archive.each(|entry| {
        let mut bytes = Vec::new();
        let what = whole(entry.bytes, &mut bytes).and_then(|()| {
            let bytes = Box::new(Cursor::new(bytes));
            inspect_bytes(place, Some(entry.name), modified, bytes)
        });
        let mut what = what.unwrap_or_else(|error| Inspected::Nothing(why(&error)));
        if let Inspected::Item(item) = &mut what {
            item.spooled = spooled.cloned();
        }
        inspected.push((name(place, Some(entry.name)), what));
    })?;
    let failed = failed
        .into_iter()
        .map(|(entry, error)| (name(place, Some(&entry)), Inspected::Nothing(error.to_string())));
    inspected.extend(failed);
    Ok(inspected)
}

/// An error and what is behind it, in one line.
pub(super) fn why(error: &io::Error) -> String {
    crate::error_chain::one_line(error)
}

fn inspect_bytes(
    place: &Place,
    entry: Option<&str>,
    modified: Option<Timestamp>,
    mut bytes: Bytes,
) -> io::Result<Inspected> {
    let mut head = Vec::new();
    // What is cut short may still have something to give.
    let broken = bytes.by_ref().take(HEAD as u64).read_to_end(&mut head).err();
    if let Some(error) = broken
        && head.is_empty()
    {
        return Err(error);
    }
    let file =
        entry.unwrap_or_else(|| place.path().file_name().and_then(|it| it.to_str()).unwrap_or(""));
    let mut item = Item {
        place: place.clone(),
        entry: entry.map(str::to_owned),
        spooled: None,
        form: ProfileForm::Dump,
        only_leaked: false,
        beside: None,
        is_seen: true,
        times: Times { modified, name: time::of_name(file), ..Times::default() },
        exe: None,
        opened: None,
    };
    // What is not there once more is taken for what it may be.
    let is_once = entry.is_none() && !matches!(place, Place::File(_));
    match Content::of(&head) {
        Content::Empty => return Ok(Inspected::Nothing("it is empty".to_owned())),
        Content::Observation => return Ok(Inspected::Observation),
        Content::Report => {
            let why = "it is a report: compare takes those as --before and --after".to_owned();
            return Ok(Inspected::Nothing(why));
        }
        Content::Html => {
            return Ok(Inspected::Nothing("it is an HTML page, and no profile".to_owned()));
        }
        Content::Profile(kind) => {
            match Kind::of_name(kind).filter(|kind| is_contention(*kind) || *kind == Kind::Heap) {
                Some(kind) => (item.form, item.beside) = (ProfileForm::Counts, Some(kind)),
                None => return Ok(Inspected::Other(kind.to_owned())),
            }
        }
        Content::Counts { only_leaked } => {
            (item.form, item.only_leaked) = (ProfileForm::Counts, only_leaked);
        }
        Content::Text => {
            if !is_once && !has_heading(&head, &mut bytes)? {
                return Ok(Inspected::NoGoroutines);
            }
            let latest = modified.unwrap_or_else(now);
            let mut lines = head.split(|&byte| byte == b'\n').take(64);
            item.times.log = lines.find_map(|line| time::of_line(line, latest));
        }
        Content::Binary => {
            whole(&mut bytes, &mut head)?;
            match of_proto(&head, file, &mut item) {
                Ok(None) => {}
                Ok(Some(other)) => return Ok(Inspected::Other(other)),
                Err(error) => {
                    return Ok(Inspected::Nothing(format!("neither text nor a profile: {error}")));
                }
            }
        }
    }
    if is_once {
        item.opened = Some(Box::new(Cursor::new(head).chain(bytes)));
    }
    Ok(Inspected::Item(item))
}

/// Whether it counts who waits for whom.
pub(super) const fn is_contention(kind: Kind) -> bool {
    matches!(kind, Kind::Block | Kind::Mutex)
}

/// Whether a text has a goroutine in it, at its beginning or wherever it is.
fn has_heading(head: &[u8], rest: &mut Bytes) -> io::Result<bool> {
    /// More than a heading's beginning is long.
    const OVERLAP: usize = 64;
    if head::has_heading(head) {
        return Ok(true);
    }
    let mut text = head[head.len().saturating_sub(OVERLAP)..].to_vec();
    loop {
        let kept = text.len();
        text.resize(kept + PIECE, 0);
        let read = rest.read(&mut text[kept..])?;
        text.truncate(kept + read);
        if read == 0 || head::has_heading(&text) {
            return Ok(read > 0);
        }
        text.drain(..text.len().saturating_sub(OVERLAP));
    }
}

/// What a profile says of itself; what it is of where that is not goroutines.
fn of_proto(bytes: &[u8], file: &str, item: &mut Item) -> Result<Option<String>, proto::Error> {
    let profile = Profile::read(bytes)?;
    let kind = profile.kind();
    if is_contention(kind) {
        // Where both have the same functions, the file's name says which it is.
        item.beside = Kind::of_name(file).filter(|kind| is_contention(*kind)).or(Some(kind));
    } else if matches!(kind, Kind::Heap | Kind::Allocs) {
        item.beside = Some(Kind::Heap);
    } else if !kind.is_of_goroutines() {
        // Without its article.
        let kind = kind.to_string();
        return Ok(Some(kind.rsplit(' ').next().unwrap_or(&kind).to_owned()));
    }
    item.form = ProfileForm::Proto;
    item.only_leaked = kind == Kind::GoroutineLeak;
    item.times.profile = profile.time();
    let path = profile.binary().and_then(|path| path.rsplit('/').next());
    item.exe = path.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(None)
}
