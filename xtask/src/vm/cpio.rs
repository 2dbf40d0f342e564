//! Writes a cpio archive in the `newc` form that Linux unpacks as its first file system.
//!
//! The form is described in the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

use std::io::{self, Write};

/// File type bits of a mode (`stat.h`).
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// An archive that is being written.
pub struct Archive<W: Write> {
    out: W,
    inode: u32,
}

impl<W: Write> Archive<W> {
    /// Starts an archive.
    pub const fn new(out: W) -> Self {
        Self { out, inode: 0 }
    }

    /// Adds a directory. Its parents must have been added before.
    pub fn directory(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, DIRECTORY | 0o755, (0, 0), &[])
    }

    /// Adds a file that may be executed.
    pub fn program(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.entry(path, REGULAR | 0o755, (0, 0), content)
    }

    /// Adds a character device.
    pub fn device(&mut self, path: &str, major: u32, minor: u32) -> io::Result<()> {
        self.entry(path, CHARACTER_DEVICE | 0o600, (major, minor), &[])
    }

    /// Ends the archive and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.inode = 0;
        self.entry("TRAILER!!!", 0, (0, 0), &[])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(
        &mut self,
        path: &str,
        mode: u32,
        device: (u32, u32),
        content: &[u8],
    ) -> io::Result<()> {
        let too_big = |_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{path} is too big for an archive"))
        };
        let size = u32::try_from(content.len()).map_err(too_big)?;
        let name_size = u32::try_from(path.len() + 1).map_err(too_big)?;
        self.inode += 1;
        // Magic, then 13 fields of eight hexadecimal digits: inode, mode, uid, gid, links, mtime,
        // size, device of the file system (2), device that the entry is (2), name's size, checksum.
        let fields = [self.inode, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name_size, 0];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        header.push_str(path);
        header.push('\0');
        self.padded(header.as_bytes())?;
        self.padded(content)
    }

    /// Header with name, and content, each end on a multiple of four bytes.
    fn padded(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; 3][..bytes.len().wrapping_neg() % 4])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Archive;

    #[test]
    fn headers_and_contents_are_aligned() {
        let mut archive = Archive::new(Vec::new());
        archive.directory("dev").unwrap();
        archive.device("dev/console", 5, 1).unwrap();
        archive.program("init", b"#!x\n\n").unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let starts: Vec<usize> = bytes
            .windows(6)
            .enumerate()
            .filter(|(_, w)| w == b"070701")
            .map(|(at, _)| at)
            .collect();
        assert_eq!(starts.len(), 4);
        assert!(starts.iter().all(|at| at % 4 == 0));
    }

    #[test]
    fn a_program_has_its_mode_size_and_content() {
        let mut archive = Archive::new(Vec::new());
        archive.program("init", b"hello").unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(&bytes[14..22], b"000081ed", "mode: regular file, 755");
        assert_eq!(&bytes[54..62], b"00000005", "size");
        // 110 bytes of header and "init\0" end at 115, padded to 116.
        assert_eq!(&bytes[110..124], b"init\0\0hello\0\0\0");
    }
}
