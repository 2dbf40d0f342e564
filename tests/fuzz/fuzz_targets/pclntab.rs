//! Reads everything that a spoiled function table says.
//!
//! It needs no seeds. The first byte says what the others are.
#![no_main]

use leak_agent::golang::arch::Arch;
use leak_agent::golang::pclntab::{Func, Pclntab};
use leak_agent::golang::program::wanted_functions;
use leak_agent::golang::survey::Survey;
use leak_agent_fuzz::spoil;
use leak_agent_tests::image::Image;
use libfuzzer_sys::fuzz_target;

/// Functions that are looked at.
const FUNCTIONS: usize = 64;
/// Offsets in each.
const OFFSETS: u32 = 16;

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let bytes = if flags & 2 == 0 {
        let arch = if flags & 1 == 0 { Arch::Amd64 } else { Arch::Arm64 };
        let mut bytes = Image::new(26, arch).table.pclntab;
        spoil(&mut bytes, rest);
        bytes
    } else {
        rest.to_vec()
    };
    let Ok(table) = Pclntab::parse(bytes) else { return };
    let text_len = u64::from(table.text_len());
    for part in 0..=16 {
        let at = text_len * part / 16;
        if let Some(func) = table.find(at) {
            assert!(at < text_len);
            read(&func);
        }
    }
    for func in table.functions().take(FUNCTIONS) {
        read(&func);
    }
    let _ = Survey::of(&table, wanted_functions());
    let _ = table.name_at(u32::MAX);
    assert!(table.find(u64::MAX).is_none());
});

fn read(func: &Func<'_>) {
    assert!(func.entry() <= func.end());
    let _ = (func.name(), func.func_id(), func.flags(), func.has_frame_sizes(), func.inline_tree());
    let step = ((func.end() - func.entry()) / OFFSETS).max(1);
    for offset in (0..OFFSETS).map(|part| func.entry().wrapping_add(part * step)) {
        let _ = (func.frame_size(offset), func.inline_index(offset));
        if let Some((file, _)) = func.file_line(offset) {
            assert!(file.len() < 4096);
        }
    }
    let _ = (func.frame_size(0), func.frame_size(u32::MAX));
}
