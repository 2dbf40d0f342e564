//! A few samples of a target that outlive the agent, in a folder of their own, in the form of saved observations.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use super::record::write;
use super::replay::read;
use crate::model::Observation;

/// How the files end.
const END: &str = ".observation.gz";
/// More files than this are not ours.
const MAX_FILES: usize = 64;

/// The folder of one target's samples: `000001.observation.gz` and so on.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf in a folder, which is made when something is kept there.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is kept, oldest first, renumbered from 1 on; nothing where there is no folder. What is out of order or cannot be
    /// read any more is removed with all behind it, and why is handed back.
    #[must_use]
    pub fn take(&self) -> (Vec<Observation>, Option<Error>) {
        let mut numbers = self.numbers();
        numbers.truncate(MAX_FILES);
        let mut kept: Vec<Observation> = Vec::new();
        let mut fault = None;
        for number in numbers {
            let file = self.file(number);
            if fault.is_none() {
                match read(&file).and_then(|sample| in_order(&file, kept.last(), sample)) {
                    Ok(sample) => {
                        kept.push(sample);
                        // It can only become a lower number, which is free.
                        _ = fs::rename(&file, self.file(kept.len() as u64));
                        continue;
                    }
                    Err(error) => fault = Some(error),
                }
            }
            _ = fs::remove_file(&file);
        }
        (kept, fault)
    }

    /// Keeps a sample.
    ///
    /// # Errors
    /// When it cannot be written; nothing is there of it then.
    pub fn put(&self, number: u64, sample: &Observation) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        write(&self.file(number), sample).map(|_| ())
    }

    /// Keeps a sample no longer.
    pub fn remove(&self, number: u64) {
        _ = fs::remove_file(self.file(number));
    }

    /// Removes all of them.
    pub fn clear(&self) {
        self.numbers().into_iter().for_each(|number| self.remove(number));
        _ = fs::remove_dir(&self.folder);
    }

    fn numbers(&self) -> Vec<u64> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let number =
            |entry: fs::DirEntry| entry.file_name().to_str()?.strip_suffix(END)?.parse().ok();
        let mut numbers: Vec<u64> = entries.filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}{END}"))
    }
}

fn in_order(
    file: &Path,
    before: Option<&Observation>,
    sample: Observation,
) -> Result<Observation, Error> {
    if before.is_some_and(|before| sample.elapsed <= before.elapsed) {
        let why = "it is no later than the one before it";
        return Err(Error::Absurd { file: file.to_owned(), why });
    }
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::sample::leaking;

    #[test]
    fn samples_come_back_in_order_and_a_damaged_one_ends_them() {
        let folder = TempDir::new().expect("a folder");
        let shelf = Shelf::new(folder.path().join("deep/inside"));
        assert!(shelf.take().0.is_empty());
        for second in [1, 3, 9, 12] {
            shelf.put(second.into(), &leaking(second.into()).observe(second)).expect("written");
        }
        shelf.remove(3);
        let (kept, fault) = shelf.take();
        let seconds: Vec<u64> = kept.iter().map(|it| it.elapsed.as_secs()).collect();
        assert_eq!((seconds, fault.is_none()), (vec![1, 9, 12], true));
        assert_eq!(shelf.numbers(), [1, 2, 3]);
        fs::write(shelf.file(2), "potato").expect("written");
        let (kept, fault) = shelf.take();
        assert_eq!(kept.len(), 1);
        assert!(matches!(fault, Some(Error::Read { .. })), "{fault:?}");
        assert_eq!(shelf.numbers(), [1]);
        // One that would turn time back.
        shelf.put(2, &leaking(1).observe(0)).expect("written");
        assert!(matches!(shelf.take().1, Some(Error::Absurd { .. })));
        shelf.clear();
        assert!(!folder.path().join("deep/inside").exists());
    }
}
