//! Writes small executables whose DWARF describes a given layout, for tests that then spoil it.

use std::io::Write as _;

use anyhow::Result;
use leak_agent::golang::layout::{Field, Layout, SIZE, STRUCTS};

/// The two sections of DWARF that describe structs.
#[derive(Clone, Debug)]
pub struct Image {
    /// `.debug_abbrev`.
    pub abbrev: Vec<u8>,
    /// `.debug_info`: one unit.
    pub info: Vec<u8>,
    /// Where in `info` the references to types stand: 4 bytes each.
    pub references: Vec<usize>,
    /// Where in `info` the entries stand that can be referred to.
    pub types: Vec<usize>,
}

/// Declarations: code, tag, has children, pairs of attribute and form. Numbers of the standard.
const ABBREV: &[&[u8]] = &[
    &[1, 0x11, 1, 0x03, 0x08, 0, 0],             // compile unit: name
    &[2, 0x13, 1, 0x03, 0x08, 0x0b, 0x0f, 0, 0], // struct: name, size
    &[3, 0x0d, 0, 0x03, 0x08, 0x38, 0x0f, 0x49, 0x10, 0, 0], // member: name, offset, type
    &[4, 0x16, 0, 0x03, 0x08, 0x49, 0x10, 0, 0], // typedef: name, type
    &[5, 0x24, 0, 0x03, 0x08, 0, 0],             // base type: name
    &[0],
];

impl Image {
    /// Describes a layout as Go's linker does: in DWARF `version` 4 or 5, and with a sudog's
    /// `elem` and `c` as words or, as since Go 1.26, as pairs.
    #[must_use]
    pub fn of(layout: &Layout, version: u8, pairs: bool) -> Self {
        let abbrev = ABBREV.concat();
        let mut image =
            Self { abbrev, info: vec![0; 4], references: Vec::new(), types: Vec::new() };
        image.info.extend([version, 0]);
        // Version 5 has the kind of unit and the address size in front of the abbreviations.
        image.info.extend_from_slice(if version < 5 {
            &[0, 0, 0, 0, 8]
        } else {
            &[1, 8, 0, 0, 0, 0]
        });
        image.info.extend(b"\x01runtime\0");
        let word = image.begin(5, "uintptr");
        let pair = image.structure("runtime.pair", 16, &[("vp", 0, word), ("vu", 8, word)]);
        let named = image.typedef("runtime.maybeTraceablePtr", pair);
        let fields = layout.fields();
        for of in STRUCTS {
            let mine: Vec<_> = fields.iter().filter(|(field, _)| field.of == of).collect();
            let size = mine.iter().find(|(field, _)| field.path == SIZE).map_or(512, |it| it.1);
            let mut members: Vec<(&str, u32, usize)> = Vec::new();
            for (field, offset) in mine {
                let Field { path, .. } = *field;
                if path == SIZE {
                    continue;
                }
                if let Some((head, _)) = path.split_once('.') {
                    // The first field of a nested struct brings the others with it.
                    if !members.iter().any(|(name, ..)| *name == head) {
                        let inner = image.nested(&fields, of, head, *offset, word);
                        members.push((head, *offset, inner));
                    }
                } else if pairs && of == "sudog" && matches!(path, "elem" | "c") {
                    members.push((path, offset - 8, named));
                } else {
                    members.push((path, *offset, word));
                }
            }
            image.structure(&format!("runtime.{of}"), size, &members);
        }
        image.info.push(0);
        let len = u32::try_from(image.info.len() - 4).unwrap_or(u32::MAX);
        image.info[..4].copy_from_slice(&len.to_le_bytes());
        image
    }

    /// The struct that a member like `sched` is, whose first known field is at `base`.
    fn nested(
        &mut self,
        fields: &[(Field, u32)],
        of: &str,
        head: &str,
        base: u32,
        word: usize,
    ) -> usize {
        let members: Vec<_> = fields
            .iter()
            .filter(|(field, _)| field.of == of)
            .filter_map(|(field, offset)| {
                let tail = field.path.strip_prefix(head)?.strip_prefix('.')?;
                Some((tail, offset - base, word))
            })
            .collect();
        self.structure(head, 64, &members)
    }

    fn structure(&mut self, name: &str, size: u32, members: &[(&str, u32, usize)]) -> usize {
        let at = self.begin(2, name);
        self.uleb(size);
        for (name, offset, type_at) in members {
            self.info.push(3);
            self.name(name);
            self.uleb(*offset);
            self.refer(*type_at);
        }
        self.info.push(0);
        at
    }

    fn typedef(&mut self, name: &str, type_at: usize) -> usize {
        let at = self.begin(4, name);
        self.refer(type_at);
        at
    }

    fn begin(&mut self, code: u8, name: &str) -> usize {
        let at = self.info.len();
        self.types.push(at);
        self.info.push(code);
        self.name(name);
        at
    }

    fn name(&mut self, name: &str) {
        self.info.extend(name.bytes());
        self.info.push(0);
    }

    fn uleb(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.info.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.info.push(value as u8);
    }

    fn refer(&mut self, at: usize) {
        self.references.push(self.info.len());
        self.info.extend(u32::try_from(at).unwrap_or(u32::MAX).to_le_bytes());
    }

    /// An ELF file with these sections, as they are or compressed with zlib.
    ///
    /// # Errors
    /// When compressing fails.
    pub fn elf(&self, compressed: bool) -> Result<Vec<u8>> {
        let names = b"\0.shstrtab\0.debug_abbrev\0.debug_info\0";
        let mut sections = vec![(1_u32, 3_u32, names.to_vec(), 0_u64)];
        for (name, content) in [(11, &self.abbrev), (25, &self.info)] {
            let (content, flags) =
                if compressed { (compress(content)?, 0x800) } else { (content.clone(), 0) };
            sections.push((name, 1, content, flags));
        }
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let body: usize = sections.iter().map(|section| section.2.len()).sum();
        file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        file.extend([0; 16]); // entry, program headers
        file.extend((64 + body as u64).to_le_bytes());
        file.extend([0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 64, 0, 4, 0, 1, 0]);
        let mut headers = vec![0; 64];
        for (name, kind, content, flags) in sections {
            headers.extend(name.to_le_bytes());
            headers.extend(kind.to_le_bytes());
            for word in [flags, 0, file.len() as u64, content.len() as u64, 0, 1, 0] {
                headers.extend(word.to_le_bytes());
            }
            file.extend(content);
        }
        file.extend(headers);
        Ok(file)
    }
}

/// A section as `SHF_COMPRESSED` has it.
fn compress(content: &[u8]) -> Result<Vec<u8>> {
    let mut header = Vec::new();
    for word in [1, content.len() as u64, 1] {
        header.extend(word.to_le_bytes());
    }
    let mut zlib = flate2::write::ZlibEncoder::new(header, flate2::Compression::fast());
    zlib.write_all(content)?;
    Ok(zlib.finish()?)
}
