//! Reads offsets out of spoiled DWARF.
//!
//! It needs no seeds. The first byte says what the others are: edits to a well-formed image of a
//! real layout, so that the fuzzer starts behind the first checks, or a whole `.debug_info`.
#![no_main]

use leak_agent::golang::arch::Arch;
use leak_agent::golang::layout::{Layout, dwarf};
use leak_agent::golang::version::GoVersion;
use leak_agent_tests::dwarf_image::Image;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let minor = if flags & 1 == 0 { 21 } else { 27 };
    let version = if flags & 2 == 0 { 4 } else { 5 };
    let Ok(hit) = Layout::for_version(&GoVersion::release(minor, 0), Arch::Amd64) else { return };
    let mut image = Image::of(&hit.layout, version, minor >= 26);
    if flags & 4 == 0 {
        edit(&mut image, rest);
    } else {
        image.info = rest.to_vec();
    }
    let Ok(bytes) = image.elf(flags & 8 != 0) else { return };
    let Ok(file) = object::File::parse(bytes.as_slice()) else { return };
    if let Ok(layout) = dwarf::layout(&file) {
        assert!(layout.is_plausible());
    }
});

/// Applies edits of four bytes each: what to do, where (16 bits), and with which value.
fn edit(image: &mut Image, edits: &[u8]) {
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([edit[1], edit[2]]));
        let (kind, value) = (edit[0], edit[3]);
        let Image { abbrev, info, references, types } = &mut *image;
        match kind % 6 {
            0 => set(info, at, value),
            1 => set(abbrev, at, value),
            2 => {
                // One type in place of another: the way to loops.
                let reference = references[at % references.len()];
                let target = types[usize::from(value) % types.len()];
                for (index, byte) in (target as u32).to_le_bytes().into_iter().enumerate() {
                    set(info, reference + index, byte);
                }
            }
            3 => info.truncate(at),
            4 => {
                let start = at.min(info.len());
                let end = (start + usize::from(value)).min(info.len());
                info.extend_from_within(start..end);
            }
            _ => abbrev.truncate(at),
        }
    }
}

fn set(bytes: &mut [u8], at: usize, value: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}
