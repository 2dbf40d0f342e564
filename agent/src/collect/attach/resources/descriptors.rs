//! Open descriptors: how many, and what they lead to.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustc_hash::FxHashSet;

use super::groups::{Groups, Member};
use super::link::Link;
use super::pattern;
use super::sockets::Sockets;
use crate::model::{CoverageNote, ResourceKey, ResourceKind, ResourceName, ResourcePart};

/// Descriptors that are looked at in one reading.
const MAX_READ: u64 = 1 << 14;
/// Numbers that are tried for that where descriptors are sampled.
const MAX_TRIED: usize = 1 << 16;
/// Numbers beyond this are not tried.
const MAX_NUMBER: u64 = 1 << 24;
/// Entries that are counted where the kernel does not say how many there are (before Linux 6.2).
const MAX_COUNTED: usize = 1 << 20;
/// What is read of the list of mounts.
const MAX_MOUNTS: usize = 1 << 20;
/// File systems that ask somebody else, who may never answer, before they say what a file is.
const REMOTE: [&str; 8] = ["nfs", "cifs", "smb", "9p", "ceph", "afs", "fuse", "gfs2"];

/// How many descriptors a process has open; `None` where the kernel does not say (before Linux 6.2).
pub(super) fn count(folder: &Path) -> Option<u64> {
    let size = fs::metadata(folder.join("fd")).ok()?.len();
    (size > 0).then_some(size)
}

/// Reads descriptors, time after time.
#[derive(Default)]
pub(super) struct Descriptors {
    /// Room for what is read.
    sockets: Vec<(Member, u64)>,
}

/// What was read.
pub(super) struct Read {
    /// How many are open.
    pub(super) count: u64,
    /// One of so many was looked at.
    pub(super) one_in: u64,
    /// Those that were looked at, by their numbers.
    pub(super) found: Vec<(u64, Member)>,
    pub(super) notes: Vec<CoverageNote>,
}

impl Descriptors {
    /// Reads what a process's descriptors lead to into groups. `table` is the size of its table of them.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub(super) fn read(
        &mut self,
        folder: &Path,
        table: Option<u64>,
        groups: &mut Groups,
    ) -> io::Result<Read> {
        let links = folder.join("fd");
        let Chosen { numbers, count, one_in } = Chosen::of(folder, table)?;
        let remote = Remote::read(folder);
        let mut found = Vec::with_capacity(numbers.len());
        let mut denied = None;
        for number in numbers {
            let link = match fs::read_link(links.join(number.to_string())) {
                Ok(link) => link,
                // Closed since it was listed, or never there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    denied = Some(error);
                    continue;
                }
            };
            let text = link.to_string_lossy();
            let member = Member::of(&(number, text.as_ref()));
            found.push((number, member));
            let key = match Link::parse(&text) {
                Link::Socket(inode) => {
                    self.sockets.push((member, inode));
                    continue;
                }
                Link::Known(kind, name) => ResourceKey { kind, name },
                Link::Path(path) => match groups.known(member) {
                    Some(key) => key.clone(),
                    None => of_path(path, &links.join(number.to_string()), &remote),
                },
            };
            groups.add(&key, member, None);
        }
        let wanted: FxHashSet<u64> = self.sockets.iter().map(|(_, inode)| *inode).collect();
        let (sockets, mut notes) = Sockets::read(folder, &wanted);
        for (member, inode) in self.sockets.drain(..) {
            let (key, state) = sockets.name(inode);
            groups.add(&key, member, state);
        }
        if let Some(error) = denied {
            let (part, why) = (ResourcePart::Descriptors, error.to_string());
            notes.push(CoverageNote::ResourcesUnread { part, why });
        }
        if one_in > 1 {
            let read = found.len() as u64;
            notes.push(CoverageNote::DescriptorsSampled { read, of: count });
        }
        Ok(Read { count, one_in, found, notes })
    }
}

/// The numbers of descriptors that are looked at.
struct Chosen {
    numbers: Vec<u64>,
    count: u64,
    one_in: u64,
}

impl Chosen {
    fn of(folder: &Path, table: Option<u64>) -> io::Result<Self> {
        let said = count(folder);
        // Even where they are not listed, whether they may be read is known from here on.
        let mut listed = fs::read_dir(folder.join("fd"))?;
        let number = |entry: io::Result<fs::DirEntry>| -> Option<u64> {
            entry.ok()?.file_name().to_str()?.parse().ok()
        };
        if said.is_none_or(|count| count <= MAX_READ) {
            let most = usize::try_from(MAX_READ).unwrap_or(usize::MAX);
            let numbers: Vec<u64> = listed.by_ref().filter_map(number).take(most).collect();
            let more = match said {
                Some(_) => 0,
                None => listed.take(MAX_COUNTED).count() as u64,
            };
            let count = said.unwrap_or(numbers.len() as u64 + more);
            if more == 0 {
                return Ok(Self { numbers, count, one_in: 1 });
            }
            return Ok(Self::sample(count, table));
        }
        Ok(Self::sample(said.unwrap_or_default(), table))
    }

    /// Some of many, always the same ones of those that stay: by a hash of their numbers, since what is
    /// opened together has neighbouring numbers.
    fn sample(count: u64, table: Option<u64>) -> Self {
        let one_in = count.div_ceil(MAX_READ).next_power_of_two();
        let last = table.unwrap_or(count).clamp(count, MAX_NUMBER.max(count));
        let numbers =
            (0..last.min(MAX_NUMBER)).filter(|number| mixed(*number).is_multiple_of(one_in));
        Self { numbers: numbers.take(MAX_TRIED).collect(), count, one_in }
    }
}

/// The finalizer of splitmix64: close numbers become far ones.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What a path leads to: by asking the file behind the descriptor, unless that may never answer.
fn of_path(path: &str, link: &Path, remote: &Remote) -> ResourceKey {
    let kind = if remote.holds(path) { None } else { fs::metadata(link).ok() };
    let kind = kind.map_or(ResourceKind::File, |seen| {
        let kind = seen.file_type();
        if kind.is_dir() {
            ResourceKind::Directory
        } else if kind.is_fifo() {
            ResourceKind::Pipe
        } else if kind.is_char_device() || kind.is_block_device() {
            ResourceKind::Device
        } else {
            ResourceKind::File
        }
    });
    ResourceKey { kind, name: Some(ResourceName::Path(pattern::of_path(path))) }
}

/// Where remote file systems are mounted in the target's mount namespace.
struct Remote(Vec<String>);

impl Remote {
    fn read(folder: &Path) -> Self {
        let mounts = fs::read(folder.join("mountinfo")).unwrap_or_default();
        let mounts = &mounts[..mounts.len().min(MAX_MOUNTS)];
        Self::parse(&String::from_utf8_lossy(mounts))
    }

    /// Lines of proc_pid_mountinfo(5).
    fn parse(mounts: &str) -> Self {
        let points = mounts.lines().filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let kind = kind.split(' ').next()?;
            let is_remote = REMOTE.iter().any(|remote| kind.starts_with(remote));
            let point = mount.split(' ').nth(4)?;
            is_remote.then(|| point.trim_end_matches('/').to_owned())
        });
        Self(points.collect())
    }

    fn holds(&self, path: &str) -> bool {
        let below = |point: &String| {
            path.strip_prefix(point.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        self.0.iter().any(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hang_is_not_asked() {
        let mounts = "36 35 98:0 / /mnt/data rw shared:1 - nfs4 server:/x rw\n\
                      37 35 98:1 / / rw - ext4 /dev/vda rw\n\
                      38 35 98:2 / /mnt/s3 rw - fuse.s3fs s3 rw\n";
        let remote = Remote::parse(mounts);
        assert!(remote.holds("/mnt/data/file") && remote.holds("/mnt/s3/a/b"));
        assert!(!remote.holds("/mnt/database/file") && !remote.holds("/etc/passwd"));
    }

    #[test]
    fn a_sample_is_even_and_always_the_same() {
        let chosen = Chosen::sample(1_000_000, Some(1 << 20));
        assert_eq!(chosen.one_in, 64);
        let found = chosen.numbers.iter().filter(|number| **number < 1_000_000).count() as u64;
        let estimate = found * chosen.one_in;
        assert!((950_000..1_050_000).contains(&estimate), "{estimate}");
        // Ends of pipes are opened two by two.
        let even = chosen.numbers.iter().filter(|number| number.is_multiple_of(2)).count();
        let part = even as f64 / chosen.numbers.len() as f64;
        assert!((0.47..0.53).contains(&part), "{part}");
        assert_eq!(chosen.numbers, Chosen::sample(1_010_000, Some(1 << 20)).numbers);
        let hostile = Chosen::sample(20_000, Some(u64::MAX));
        assert!(hostile.numbers.len() <= MAX_TRIED);
    }
}
