//! The memory of a process, read through its `/proc/PID/mem`: pages stay as they are.
//!
//! `process_vm_readv` pins the pages that it reads, and of a page that a process shares with another since a `fork` the
//! kernel then makes a copy first (`FAULT_FLAG_UNSHARE`). What is read of a clone would be there twice by that, and
//! takes longer. Reading this file pins nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use nix::errno::Errno;

use super::memory::{Memory, ReadError};

/// The memory that a process had when this was opened, whatever becomes of its number.
#[derive(Debug)]
pub struct FileMemory {
    file: File,
}

impl FileMemory {
    /// Of the process with this id.
    ///
    /// # Errors
    /// When its file cannot be opened, which takes more than to read: it is its user's.
    pub fn open(pid: u32) -> io::Result<Self> {
        Ok(Self { file: File::open(format!("/proc/{pid}/mem"))? })
    }
}

impl Memory for FileMemory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let mut done = 0;
        while done < buf.len() {
            let (here, rest) = (addr.wrapping_add(done as u64), &mut buf[done..]);
            let len = rest.len();
            match self.file.read_at(rest, here) {
                // The process has ended.
                Ok(0) => return Err(ReadError::Exited),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(match source.raw_os_error().map(Errno::from_raw) {
                        Some(Errno::EIO | Errno::EINVAL | Errno::EOVERFLOW) => {
                            ReadError::Unmapped { addr: here, len }
                        }
                        Some(Errno::EPERM | Errno::EACCES) => ReadError::Denied,
                        _ => ReadError::Os { addr: here, len, source },
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn own() -> FileMemory {
        FileMemory::open(std::process::id()).expect("one's own memory can be opened")
    }

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_said() {
        let words: Vec<u64> = (0..10_000).collect();
        let mut bytes = vec![0; 80_000];
        let address = words.as_ptr() as u64;
        own().read(address, &mut bytes).expect("it is there");
        assert_eq!(own().read_u64(address + 8 * 9_999).expect("it is there"), 9_999);
        assert!(bytes.as_chunks::<8>().0.iter().map(|it| u64::from_le_bytes(*it)).eq(words));
        for nowhere in [0x10, u64::MAX - 16, 1 << 63] {
            let read = own().read(nowhere, &mut bytes[..8]);
            assert!(matches!(read, Err(ReadError::Unmapped { .. })), "{nowhere:#x}: {read:?}");
        }
    }

    #[test]
    fn memory_of_a_process_that_has_ended_is_gone() {
        let mut cat = Command::new("cat");
        let mut child = cat.stdin(Stdio::piped()).spawn().expect("cat is there");
        let memory = FileMemory::open(child.id()).expect("a child's memory can be opened");
        drop(child.stdin.take());
        child.wait().expect("it ends");
        let read = memory.read(0x1000, &mut [0; 8]);
        assert!(matches!(read, Err(ReadError::Exited)), "{read:?}");
    }
}
