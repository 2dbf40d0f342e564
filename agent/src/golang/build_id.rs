//! What an executable calls itself: the build id that Go's linker writes into it, or else that of the C linker.

use std::fs::File;
use std::path::Path;

use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, ReadCache};

/// The kinds of both notes (Go's `cmd/internal/buildid`, and `NT_GNU_BUILD_ID`).
const GO: u32 = 4;
const GNU: u32 = 3;
/// Longer ones are none.
const MAX: usize = 256;

/// The build id of an ELF file: Go's own as it is, the C linker's in hexadecimal. `None` where it has none, or cannot
/// be read.
#[must_use]
pub fn build_id(path: &Path) -> Option<String> {
    let data = ReadCache::new(File::open(path).ok()?);
    let elf = ElfFile64::<Endianness, _>::parse(&data).ok()?;
    let endian = elf.elf_header().endian().ok()?;
    let mut of_c = None;
    for segment in elf.elf_program_headers() {
        let Ok(Some(mut notes)) = segment.notes(endian, &data) else { continue };
        while let Ok(Some(note)) = notes.next() {
            let id = note.desc();
            if id.is_empty() || id.len() > MAX {
                continue;
            }
            match (note.name(), note.n_type(endian)) {
                (b"Go", GO) => return String::from_utf8(id.to_vec()).ok(),
                (b"GNU", GNU) => of_c = Some(id.iter().map(|byte| format!("{byte:02x}")).collect()),
                _ => {}
            }
        }
    }
    of_c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_executable_has_none() {
        assert_eq!(build_id(Path::new("/proc/self/cmdline")), None);
        assert_eq!(build_id(Path::new("/nonexistent")), None);
    }
}
