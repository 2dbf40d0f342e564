//! Writes a small executable out of sections.

use leak_agent::golang::arch::Arch;

/// A section, loaded at its address by a segment of its own.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Where it is loaded.
    pub address: u64,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether the program may write to it.
    pub writable: bool,
}

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;

/// The file. Without `names` it has no section headers, as some packers leave it.
#[must_use]
pub fn executable(arch: Arch, entry: u64, sections: &[Section], names: bool) -> Vec<u8> {
    let machine: u16 = match arch {
        Arch::Amd64 => 62,
        Arch::Arm64 => 183,
    };
    let mut strings = b"\0.shstrtab\0".to_vec();
    let mut segments = Vec::new();
    let mut headers = vec![0; 64];
    let mut body = Vec::new();
    let start = HEADER + PROGRAM_HEADER * sections.len();
    for section in sections {
        body.resize(body.len().next_multiple_of(16), 0);
        let (offset, len) = ((start + body.len()) as u64, section.bytes.len() as u64);
        body.extend(&section.bytes);
        // PT_LOAD; readable, and writable or executable.
        segments.extend(half_words(&[1, if section.writable { 6 } else { 5 }]));
        segments.extend(words(&[offset, section.address, section.address, len, len, 16]));
        // SHT_PROGBITS, loaded.
        headers.extend(half_words(&[strings.len() as u32, 1]));
        headers.extend(words(&[2, section.address, offset, len, 0, 16, 0]));
        strings.extend(section.name.bytes().chain([0]));
    }
    let offset = (start + body.len()) as u64;
    headers.extend(half_words(&[1, 3]));
    headers.extend(words(&[0, 0, offset, strings.len() as u64, 0, 1, 0]));
    body.extend(&strings);

    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0]);
    file.extend(machine.to_le_bytes());
    file.extend(half_words(&[1]));
    let section_headers = if names { (start + body.len()) as u64 } else { 0 };
    file.extend(words(&[entry, HEADER as u64, section_headers]));
    file.extend(half_words(&[0]));
    let count = sections.len() as u16;
    let (all, last) = if names { (count + 2, count + 1) } else { (0, 0) };
    for short in [HEADER as u16, PROGRAM_HEADER as u16, count, 64, all, last] {
        file.extend(short.to_le_bytes());
    }
    file.extend(segments);
    file.extend(body);
    if names {
        file.extend(headers);
    }
    file
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn half_words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
