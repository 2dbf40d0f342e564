//! What waits to be sent to one receiver, in order, each message a file: it outlives the agent.
//!
//! What the disk does not take is kept in memory. It is bounded; the oldest go, and are counted.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::write;
use crate::report::schema::AlertDoc;

/// Messages that wait, and their bytes, at most.
const MAX_WAITING: usize = 10_000;
const MAX_BYTES: u64 = 64 << 20;

/// Of those, in memory alone.
const MAX_IN_MEMORY: usize = 1_000;

/// What cannot be understood is moved into this folder, and at most so many are kept there.
const ASIDE: &str = "unreadable";
const MAX_ASIDE: usize = 100;

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The receiver took them.
    pub sent: u64,
    /// It did not want them.
    pub refused: u64,
    /// They waited for too long, and made room for newer ones.
    pub dropped: u64,
    /// Their files could no longer be understood, and were set aside.
    pub unreadable: u64,
}

/// Messages that wait, the oldest first.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    waiting: VecDeque<Entry>,
    bytes: u64,
    in_memory: usize,
    /// Those up to this number may be sent.
    released: u64,
    tally: Tally,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    bytes: u64,
    /// Where the disk has not taken it.
    kept: Option<Box<AlertDoc>>,
}

impl Spool {
    /// What waits in a folder, which is made if it is not there. Messages after `last` were never to be sent, and are
    /// removed; with `None` all of them are.
    ///
    /// # Errors
    /// When the folder cannot be read or made.
    pub fn open(folder: PathBuf, last: Option<u64>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut waiting = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            // A folder, or half a message of an agent that was killed.
            let Some(number) = number else { continue };
            if last.is_some_and(|last| number > last) {
                fs::remove_file(entry.path())?;
                continue;
            }
            waiting.push(Entry { number, bytes: entry.metadata()?.len(), kept: None });
        }
        waiting.sort_by_key(|entry| entry.number);
        let released = waiting.last().map_or(0, |entry| entry.number);
        let bytes = waiting.iter().map(|entry| entry.bytes).sum();
        let tally = Tally::default();
        Ok(Self { folder, waiting: waiting.into(), bytes, in_memory: 0, released, tally })
    }

    /// The number of the newest message.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.waiting.back().map_or(0, |entry| entry.number)
    }

    /// Adds the newest, which is not sent before it is released. The oldest go where there is no room.
    ///
    /// # Errors
    /// When the disk has not taken it: it is in memory alone.
    pub fn put(&mut self, number: u64, alert: AlertDoc) -> io::Result<()> {
        let body = serde_json::to_vec(&alert)?;
        let written = write(&self.file(number), &body);
        let kept = written.is_err().then(|| Box::new(alert));
        self.in_memory += usize::from(kept.is_some());
        let bytes = body.len() as u64;
        self.bytes += bytes;
        self.waiting.push_back(Entry { number, bytes, kept });
        if written.is_ok() {
            self.write_kept();
        }
        while self.waiting.len() > MAX_WAITING || self.bytes > MAX_BYTES {
            self.remove();
            self.tally.dropped += 1;
        }
        // What is on disk is safe, and frees no memory.
        let oldest = self.waiting.iter().position(|entry| entry.kept.is_some());
        if self.in_memory > MAX_IN_MEMORY
            && let Some(entry) = oldest.and_then(|at| self.waiting.remove(at))
        {
            (self.bytes, self.in_memory) = (self.bytes - entry.bytes, self.in_memory - 1);
            self.tally.dropped += 1;
        }
        written
    }

    /// Writes what is in memory alone, now that the disk has room again.
    fn write_kept(&mut self) {
        let folder = &self.folder;
        for entry in &mut self.waiting {
            let Some(alert) = &entry.kept else { continue };
            let body = serde_json::to_vec(alert).map_err(io::Error::from);
            let path = folder.join(format!("{:020}.json", entry.number));
            if body.and_then(|body| write(&path, &body)).is_err() {
                return;
            }
            entry.kept = None;
            self.in_memory -= 1;
        }
    }

    /// Lets messages up to this number be sent.
    pub const fn release(&mut self, number: u64) {
        self.released = number;
    }

    /// The oldest and its number, if it may be sent; once it was, [`Spool::settle`] is called. One that can no longer
    /// be understood, or is gone, is set aside.
    ///
    /// # Errors
    /// When it cannot be read now.
    pub fn next(&mut self) -> io::Result<Option<(u64, AlertDoc)>> {
        loop {
            let front = self.waiting.front().filter(|entry| entry.number <= self.released);
            let Some(entry) = front else { return Ok(None) };
            if let Some(alert) = &entry.kept {
                return Ok(Some((entry.number, (**alert).clone())));
            }
            let (number, path) = (entry.number, self.file(entry.number));
            match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes)) {
                Ok(Ok(alert)) => return Ok(Some((number, alert))),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.set_aside(&path),
            }
        }
    }

    /// The receiver has taken the message of this number, or does not want it and would not want it later either.
    pub fn settle(&mut self, number: u64, is_taken: bool) {
        if is_taken {
            self.tally.sent += 1;
        } else {
            self.tally.refused += 1;
        }
        // It may have made room for others meanwhile.
        if self.waiting.front().is_some_and(|entry| entry.number == number) {
            self.remove();
        }
    }

    /// Whether one may be sent.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.waiting.front().is_some_and(|entry| entry.number <= self.released)
    }

    /// What became of messages so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Removes the oldest.
    fn remove(&mut self) {
        let Some(entry) = self.waiting.pop_front() else { return };
        self.bytes -= entry.bytes;
        match entry.kept {
            Some(_) => self.in_memory -= 1,
            // Where that fails it is sent again by the next agent, which is better than never.
            None => drop(fs::remove_file(self.file(entry.number))),
        }
    }

    fn set_aside(&mut self, path: &Path) {
        let aside = self.folder.join(ASIDE);
        let is_room = fs::create_dir_all(&aside).is_ok()
            && fs::read_dir(&aside).is_ok_and(|files| files.count() < MAX_ASIDE);
        if let Some(name) = path.file_name().filter(|_| is_room) {
            _ = fs::rename(path, aside.join(name));
        }
        self.tally.unreadable += 1;
        self.remove();
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:020}.json"))
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::tests::alert;
    use super::*;

    fn titled(title: &str) -> AlertDoc {
        AlertDoc { title: title.to_owned(), ..alert(1) }
    }

    fn open(folder: &TempDir, last: Option<u64>) -> Spool {
        Spool::open(folder.path().join("ops"), last).expect("a folder")
    }

    fn titles(spool: &mut Spool) -> Vec<String> {
        let mut titles = Vec::new();
        while let Some((number, alert)) = spool.next().expect("it is read") {
            titles.push(alert.title);
            spool.settle(number, true);
        }
        titles
    }

    #[test]
    fn what_waits_outlives_the_agent_in_order_as_far_as_it_was_promised() {
        let folder = TempDir::new().expect("a folder");
        let mut spool = open(&folder, Some(0));
        for number in 1..=12 {
            spool.put(number, titled(&number.to_string())).expect("written");
        }
        // Nothing is sent before it is released.
        assert!(spool.next().expect("it is read").is_none() && !spool.has_next());
        spool.release(12);
        let (first, alert) = spool.next().expect("it is read").expect("it waits");
        assert_eq!((first, &*alert.title), (1, "1"));
        spool.settle(first, true);
        drop(spool);
        let mut spool = open(&folder, Some(10));
        assert_eq!((spool.waiting(), spool.last()), (9, 10));
        assert_eq!(titles(&mut spool), (2..=10).map(|it| it.to_string()).collect::<Vec<_>>());
        assert_eq!(open(&folder, None).waiting(), 0);
    }

    #[test]
    fn what_cannot_be_understood_is_set_aside_and_counted() {
        let folder = TempDir::new().expect("a folder");
        let mut spool = open(&folder, Some(0));
        for number in 1..=4 {
            spool.put(number, titled(&number.to_string())).expect("written");
        }
        spool.release(4);
        fs::write(spool.file(1), "{\"schema\":").expect("written");
        fs::remove_file(spool.file(3)).expect("it was there");
        assert_eq!(titles(&mut spool), ["2", "4"]);
        assert_eq!(spool.tally(), Tally { sent: 2, unreadable: 2, ..Tally::default() });
        let aside = spool.folder.join(ASIDE).join(format!("{:020}.json", 1));
        assert!(aside.exists());
        // Neither it nor half a message of one that was killed is looked at again.
        fs::write(spool.folder.join(format!("{:020}.part", 9)), "{").expect("written");
        assert_eq!(open(&folder, None).waiting(), 0);
    }

    #[test]
    fn what_the_disk_does_not_take_is_in_memory_within_bounds() {
        let folder = TempDir::new().expect("a folder");
        let mut spool = open(&folder, Some(0));
        // There is no folder to write into, which root cannot write into either.
        fs::remove_dir_all(&spool.folder).expect("it was there");
        let most = MAX_IN_MEMORY as u64;
        for number in 1..=most + 5 {
            assert!(spool.put(number, titled(&number.to_string())).is_err());
        }
        spool.release(most + 5);
        assert_eq!((spool.waiting(), spool.tally().dropped), (MAX_IN_MEMORY, 5));
        let next = spool.next().expect("it is read");
        assert_eq!(next.map(|(_, alert)| alert.title), Some("6".to_owned()));
        fs::create_dir_all(&spool.folder).expect("a folder");
        spool.put(most + 6, titled("on disk")).expect("written");
        spool.release(most + 6);
        assert_eq!(titles(&mut spool).len(), MAX_IN_MEMORY + 1);
        assert_eq!((spool.waiting(), spool.bytes, spool.in_memory), (0, 0, 0));
    }
}
