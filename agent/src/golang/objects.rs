//! The files of which a process has code mapped: shared libraries, plugins, its executable.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use super::error::Error;
use super::memory::Memory;
use super::process::Process;

/// Distinct files of a process that are examined.
const MAX_OBJECTS: usize = 4096;
/// No list of mappings is longer: 65,530 of them (`vm.max_map_count`), some 100 bytes each.
const MAX_MAPS: u64 = 64 << 20;
/// What of a file is compared with memory, to know that it is the one that was mapped.
const HEAD: usize = 4096;
/// How the kernel marks a file that was unlinked since.
const DELETED: &str = " (deleted)";

/// A file of which code is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its path, as the process sees it.
    pub path: String,
    /// Whether nothing lies under that path any more, or something else.
    pub is_deleted: bool,
    /// The first address of its first executable mapping...
    pub address: u64,
    /// ... one past its last address...
    end: u64,
    /// ... and where in the file that begins.
    pub offset: u64,
    /// Its inode number.
    pub inode: u64,
    /// Its device, as the kernel spells it (`fd:01`).
    pub device: String,
    /// Where its first byte is mapped.
    head: Option<u64>,
}

impl Object {
    /// Its file name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// All of a process, in the order of their addresses.
    ///
    /// # Errors
    /// When the process is gone or access is refused.
    pub fn all(process: &Process) -> Result<Vec<Self>, Error> {
        let path = process.folder().join("maps");
        let failed = |source| process.proc_error(path.clone(), source, "read the mappings");
        let mut text = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(MAX_MAPS).read_to_end(&mut text))
            .map_err(failed)?;
        Ok(parse(&String::from_utf8_lossy(&text)))
    }

    /// The file, opened for reading: through the kernel's own reference to it where that is allowed,
    /// else by its path as the process sees it.
    ///
    /// # Errors
    /// When it cannot be opened, or another file lies there by now.
    pub fn open(&self, process: &Process, memory: &dyn Memory) -> Result<File, Error> {
        let range = format!("{:x}-{:x}", self.address, self.end);
        let mapped = process.folder().join("map_files").join(range);
        if let Ok(file) = File::open(mapped) {
            return Ok(file);
        }
        let mut path = process.folder().join("root").into_os_string();
        path.push(&self.path);
        let path = PathBuf::from(path);
        let failed = |source| process.proc_error(path.clone(), source, "open a library");
        if self.is_deleted {
            let why = "it was deleted, and without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE it cannot be reached any more";
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, why)));
        }
        // What the process could have put there: a pipe would keep us waiting, a link lead elsewhere.
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
            .open(&path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let is_it =
            metadata.is_file() && (metadata.ino() == self.inode || self.has_head(&file, memory));
        if is_it {
            Ok(file)
        } else {
            let why = "another file lies there than the one that the process has mapped";
            Err(failed(io::Error::new(io::ErrorKind::InvalidData, why)))
        }
    }

    /// Whether a file begins as what is mapped. On an overlay the two have other inode numbers.
    fn has_head(&self, file: &File, memory: &dyn Memory) -> bool {
        let (mut of_file, mut of_memory) = ([0; HEAD], [0; HEAD]);
        self.head.is_some_and(|head| {
            file.read_exact_at(&mut of_file, 0).is_ok()
                && memory.read(head, &mut of_memory).is_ok()
                && of_file == of_memory
        })
    }
}

/// Reads `/proc/PID/maps` (proc_pid_maps(5)).
fn parse(maps: &str) -> Vec<Object> {
    let mut objects: Vec<Object> = Vec::new();
    let mut heads: Vec<(u64, &str, u64)> = Vec::new();
    for line in maps.lines() {
        let Some(Mapping { range, is_executable, offset, device, inode, path }) = mapping(line)
        else {
            continue;
        };
        if offset == 0 && heads.len() < 16 * MAX_OBJECTS {
            heads.push((inode, device, range.0));
        }
        let is_known = || objects.iter().any(|it| it.inode == inode && it.device == device);
        if !is_executable || objects.len() >= MAX_OBJECTS || is_known() {
            continue;
        }
        let known = path.strip_suffix(DELETED);
        // Libraries are mapped upwards from their first byte.
        let of_file = heads.iter().rev().find(|head| (head.0, head.1) == (inode, device));
        objects.push(Object {
            path: known.unwrap_or(path).to_owned(),
            is_deleted: known.is_some(),
            address: range.0,
            end: range.1,
            offset,
            inode,
            device: device.to_owned(),
            head: of_file.map(|head| head.2),
        });
    }
    objects
}

struct Mapping<'a> {
    range: (u64, u64),
    is_executable: bool,
    offset: u64,
    device: &'a str,
    inode: u64,
    path: &'a str,
}

/// One line: `55d0-55e0 r-xp 00001000 fd:01 1234   /usr/lib/x.so`. `None` for what is of no file.
fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let range = (hex(start)?, hex(end)?);
    let is_executable = fields.next()?.contains('x');
    let offset = hex(fields.next()?)?;
    let device = fields.next()?;
    let inode = fields.next()?.parse().ok().filter(|&inode| inode != 0)?;
    let path = fields.next()?.trim_start_matches(' ');
    path.starts_with('/').then_some(Mapping { range, is_executable, offset, device, inode, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
7f00-7f10 r--p 00000000 fd:01 77 /lib/a b.so
7f10-7f20 r-xp 00001000 fd:01 77 /lib/a b.so
7f20-7f30 r-xp 00003000 fd:01 77 /lib/a b.so
8000-8010 r-xp 00000000 00:00 0
8010-8020 r-xp 00000000 00:00 0 [vdso]
9000-9010 r-xp 00002000 fd:02 77                  /tmp/c.so (deleted)
a000-a010 rw-p 00000000 fd:01 5 /data
nonsense
b000-zz r-xp 00002000 fd:02 79 /tmp/d.so
";

    #[test]
    fn each_file_with_code_is_an_object() {
        let objects = parse(MAPS);
        let [a, c] = &objects[..] else { panic!("{objects:?}") };
        assert_eq!((a.path.as_str(), a.name(), a.is_deleted), ("/lib/a b.so", "a b.so", false));
        assert_eq!((a.address, a.offset, a.head), (0x7f10, 0x1000, Some(0x7f00)));
        assert_eq!((c.path.as_str(), c.is_deleted, c.head), ("/tmp/c.so", true, None));
    }

    #[test]
    fn the_file_of_our_own_code_is_found_and_opened() {
        let process = Process::find(std::process::id()).expect("we run");
        let memory = crate::golang::live::LiveMemory::new(process.pid);
        let objects = Object::all(&process).expect("our own");
        let here = the_file_of_our_own_code_is_found_and_opened as *const () as u64;
        let ours = objects.iter().find(|it| it.name() == process.exe).expect("our executable");
        assert!(ours.address <= here && here < ours.end, "{here:#x}: {ours:?}");
        let file = ours.open(&process, &memory).expect("it can be opened");
        assert_eq!(file.metadata().expect("a file").ino(), ours.inode);
        assert!(ours.has_head(&file, &memory));
    }

    #[test]
    fn another_file_under_the_path_is_refused() {
        let process = Process::find(std::process::id()).expect("we run");
        let memory = crate::golang::live::LiveMemory::new(process.pid);
        let mut objects = Object::all(&process).expect("our own");
        let ours = objects.iter_mut().find(|it| it.name() == process.exe).expect("ours");
        // No such mapping, so that the path is all there is.
        (ours.end, ours.path) = (1, "/proc/self/maps".to_owned());
        assert!(ours.open(&process, &memory).is_err());
    }
}
