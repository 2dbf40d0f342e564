//! A series of files as a source: an observation for each dump in them.
//!
//! Files are read on a thread of their own, which goes no further than an observation ahead: however large
//! they are, one piece of them is in memory, and no more than two observations.

use std::cell::{Cell, RefCell};
use std::io::{self, Read as _};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use memchr::{memchr, memmem, memrchr};

use super::collector::{Collector, Origin};
use super::item::{self, Bytes, Item, PIECE};
use super::plan::Series;
use super::{Error, Unread, archive, beside, time};
use crate::collect::{CollectError, Source};
use crate::model::{
    FilesCoverage, Instance, Observation, ProfileForm, Target, TargetId, TimeBasis, Timestamp,
    UnreadFile,
};
use crate::profile::proto::{Kind, Profile};
use crate::profile::{Reading, Record, Take as _, counts, dump};
use crate::units::counted;

/// Files that could not be read that are told one by one.
const MAX_UNREAD: usize = 8;

/// Shows the profiles and dumps of a series, in the order of their times.
pub struct Files {
    /// Until the first observation is asked for.
    series: Option<Series>,
    reading: Option<(Receiver<Seen>, JoinHandle<()>)>,
}

type Seen = Result<Observation, CollectError>;

impl Files {
    /// Shows a series from its beginning.
    #[must_use]
    pub const fn new(series: Series) -> Self {
        Self { series: Some(series), reading: None }
    }
}

impl Source for Files {
    fn observe(&mut self) -> Result<Option<Observation>, CollectError> {
        if let Some(series) = self.series.take() {
            let (give, seen) = sync_channel(0);
            let thread = thread::spawn(move || Worker::new(&series, give).read(series));
            self.reading = Some((seen, thread));
        }
        let Some((seen, thread)) = self.reading.take() else { return Ok(None) };
        match seen.recv() {
            Ok(observation) => {
                self.reading = Some((seen, thread));
                observation.map(Some)
            }
            Err(_) => match thread.join() {
                Ok(()) => Ok(None),
                Err(defect) => resume_unwind(defect),
            },
        }
    }
}

/// Reads the files.
struct Worker {
    give: SyncSender<Seen>,
    collector: RefCell<Collector>,
    coverage: FilesCoverage,
    unread: Vec<Unread>,
    instance: Instance,
    exe: Option<String>,
    /// Observations that were given.
    seen: Cell<u64>,
}

/// That nobody wants any more.
struct Unwanted;

impl Worker {
    fn new(series: &Series, give: SyncSender<Seen>) -> Self {
        let Series { path, items, times, unread, not_judged, others } = series;
        let instance = Instance::Files { path: path.clone() };
        let coverage = FilesCoverage {
            file: String::new(),
            read: 0,
            files: items.len() as u64,
            bytes: 0,
            times: *times,
            unread: Vec::new(),
            more_unread: 0,
            not_judged: not_judged.clone(),
            others: *others,
        };
        let exe = items.iter().find_map(|item| item.exe.clone());
        let target = target(&instance, exe.clone());
        let origin = Origin { target, form: ProfileForm::Dump, only_leaked: false, at: None };
        let collector = RefCell::new(Collector::new(origin));
        let mut this = Self {
            give,
            collector,
            coverage,
            unread: Vec::new(),
            instance,
            exe,
            seen: Cell::new(0),
        };
        for Unread { file, why } in unread {
            this.skip(file, why.clone());
        }
        this
    }

    fn read(mut self, series: Series) {
        let mut left = series.items.len();
        for item in series.items {
            left -= 1;
            if self.item(item, left).is_err() {
                return;
            }
        }
        if self.seen.get() == 0 {
            let files = self.coverage.files.max(self.unread.len() as u64);
            let nothing = Error::Nothing { files, unread: self.unread };
            // Whoever does not wait for it does not need it either.
            _ = self.give.send(Err(nothing.into()));
        }
    }

    fn skip(&mut self, file: &str, why: String) {
        let file = file.to_owned();
        if self.coverage.unread.len() < MAX_UNREAD {
            self.coverage.unread.push(UnreadFile { file: file.clone(), why: why.clone() });
        } else {
            self.coverage.more_unread += 1;
        }
        self.unread.push(Unread { file, why });
    }

    /// Reads a file, after which as many are left.
    fn item(&mut self, mut item: Item, left: usize) -> Result<(), Unwanted> {
        if let Some(kind) = item.beside {
            return self.beside(item, kind);
        }
        let name = item.name();
        self.coverage.file.clone_from(&name);
        let origin = self.origin(&mut item);
        self.collector.get_mut().begin(origin);
        let (mut reading, broken) = match item.open() {
            Err(error) => (Reading::default(), Some(item::why(&error))),
            Ok(bytes) if item.form == ProfileForm::Proto => self.proto(bytes),
            Ok(bytes) => self.text(bytes, &item)?,
        };
        reading.cut_short |= broken.is_some();
        self.coverage.bytes += reading.bytes;
        let has_some = self.collector.get_mut().end(&reading);
        self.coverage.read += u64::from(has_some);
        match broken {
            Some(why) => self.skip(&name, why),
            None if !has_some && reading.faults > 0 => {
                self.skip(&name, format!("no goroutines in it: {}", faults(&reading)));
            }
            None if !has_some => self.skip(&name, "no goroutines in it".to_owned()),
            // What the last one lost is said in the coverage of its profile.
            None if reading.faults > 0 && left > 0 => self.skip(&name, faults(&reading)),
            None => {}
        }
        self.give()
    }

    fn origin(&self, item: &mut Item) -> Origin {
        Origin {
            target: target(&self.instance, item.exe.take().or_else(|| self.exe.clone())),
            form: item.form,
            only_leaked: item.only_leaked,
            at: match self.coverage.times {
                TimeBasis::Order if self.seen.get() > 0 => None,
                times => item.times.of(times),
            },
        }
    }

    /// Reads a profile of another kind, which goes with the observation to come, or makes one.
    fn beside(&mut self, mut item: Item, kind: Kind) -> Result<(), Unwanted> {
        let name = item.name();
        let origin = self.origin(&mut item);
        let collector = self.collector.get_mut();
        if item.is_seen {
            self.coverage.file.clone_from(&name);
            collector.begin(origin);
        }
        let mut bytes = Vec::new();
        let read = item.open().and_then(|it| archive::whole(it, &mut bytes));
        self.coverage.bytes += bytes.len() as u64;
        let read = read
            .map_err(|error| item::why(&error))
            .and_then(|()| beside::read(&bytes, (item.form, kind), &name, collector.intake()));
        match read {
            Ok(lost) => {
                self.coverage.read += 1;
                if let Some(why) = lost {
                    self.skip(&name, why);
                }
            }
            Err(why) => {
                collector.intake().drop_contention();
                self.skip(&name, why);
                return Ok(());
            }
        }
        if item.is_seen {
            self.collector.get_mut().close_contention();
            self.give()?;
        }
        Ok(())
    }

    fn proto(&self, bytes: Bytes) -> (Reading, Option<String>) {
        let mut whole = Vec::new();
        let read = archive::whole(bytes, &mut whole).map_err(|error| item::why(&error));
        let mut take = |record: &Record<'_>| self.collector.borrow_mut().take(record);
        let reading = read.and_then(|()| {
            let profile = Profile::read(&whole).map_err(|error| error.to_string())?;
            profile.goroutines(&mut take).map_err(|error| error.to_string())
        });
        match reading {
            Ok(reading) => (reading, None),
            Err(why) => (Reading::default(), Some(why)),
        }
    }

    /// Reads a text, and says what broke it off.
    fn text(&self, bytes: Bytes, item: &Item) -> Result<(Reading, Option<String>), Unwanted> {
        let is_stamped = item.times.of(TimeBasis::Log).is_some();
        let stamped = item.times.of(TimeBasis::Modified).filter(|_| is_stamped);
        let mut take = |record: &Record<'_>| self.collector.borrow_mut().take(record);
        if item.form == ProfileForm::Counts {
            let mut reader = counts::Reader::new(&mut take);
            let broken = self.pieces(bytes, stamped, &mut |piece| reader.feed(piece))?;
            Ok((reader.finish(), broken))
        } else {
            let mut reader = dump::Reader::new(&mut take);
            let broken = self.pieces(bytes, stamped, &mut |piece| reader.feed(piece))?;
            Ok((reader.finish(), broken))
        }
    }

    /// Feeds bytes piece by piece, lines that are whole.
    fn pieces(
        &self,
        mut bytes: Bytes,
        stamped: Option<Timestamp>,
        feed: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<String>, Unwanted> {
        let mut rest = Vec::new();
        loop {
            let kept = rest.len();
            rest.resize(kept + PIECE, 0);
            let read = bytes.read(&mut rest[kept..]);
            rest.truncate(kept + read.as_ref().copied().unwrap_or(0));
            let broken = match read {
                Ok(0) => {
                    feed(&rest);
                    return Ok(None);
                }
                Ok(_) => None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Some(item::why(&error)),
            };
            let whole = memrchr(b'\n', &rest).map_or(0, |end| end + 1);
            // A line that is longer than what is read at a time says nothing of when it was written.
            let whole = if whole == 0 && rest.len() > PIECE { rest.len() } else { whole };
            match stamped {
                Some(latest) => self.stamped(&rest[..whole], latest, feed),
                None => feed(&rest[..whole]),
            }
            rest.drain(..whole);
            self.give()?;
            if broken.is_some() {
                feed(&rest);
                return Ok(broken);
            }
        }
    }

    /// Feeds lines of a log, which say when they were written: that of a line with which a dump may begin is
    /// noted before it is read.
    fn stamped(&self, text: &[u8], latest: Timestamp, feed: &mut dyn FnMut(&[u8])) {
        let note = |start: usize| {
            let end = memchr(b'\n', &text[start..]).map_or(text.len(), |end| start + end);
            if let Some(stamp) = time::of_line(&text[start..end], latest) {
                self.collector.borrow_mut().stamp = Some(stamp);
            }
        };
        note(0);
        let mut fed = 0;
        for at in memmem::find_iter(text, b"[running") {
            let start = memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
            if start > fed {
                feed(&text[fed..start]);
                fed = start;
                note(start);
            }
        }
        feed(&text[fed..]);
    }

    /// Gives the observations that are whole.
    fn give(&self) -> Result<(), Unwanted> {
        loop {
            let mut collector = self.collector.borrow_mut();
            let Some(mut observation) = collector.next() else { return Ok(()) };
            let mut files = self.coverage.clone();
            if collector.guesses_times() {
                files.times = TimeBasis::Order;
            }
            drop(collector);
            observation.coverage.files = Some(files);
            self.seen.set(self.seen.get() + 1);
            self.give.send(Ok(observation)).map_err(|_| Unwanted)?;
        }
    }
}

/// What of a profile was not understood.
fn faults(reading: &Reading) -> String {
    let first = reading.first_fault.as_ref();
    let first = first.map(|fault| format!("; the first at {}: {}", fault.at, fault.what));
    let parts = counted(reading.faults, "part", "parts");
    format!("{parts} could not be understood{}", first.unwrap_or_default())
}

fn target(instance: &Instance, exe: Option<String>) -> Arc<Target> {
    let id = TargetId { instance: instance.clone(), started: None, generation: 0, recording: None };
    Arc::new(Target { exe, ..Target::of(id) })
}
