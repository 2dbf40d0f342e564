//! Reads whole executables: well-formed ones that were spoiled, or any bytes.
//!
//! It needs no seeds. The first byte says what the others are.
#![no_main]

use leak_agent::golang::arch::Arch;
use leak_agent::golang::binary::Binary;
use leak_agent_fuzz::spoil;
use leak_agent_tests::image::{Image, TEXT, elf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let arch = if flags & 1 == 0 { Arch::Amd64 } else { Arch::Arm64 };
    let file = if flags & 8 == 0 {
        let image = Image::new(if flags & 2 == 0 { 21 } else { 27 }, arch);
        let mut file = elf::executable(arch, TEXT, &image.sections(), flags & 4 == 0);
        spoil(&mut file, rest);
        file
    } else {
        rest.to_vec()
    };
    match Binary::read("fuzzed", file.as_slice()) {
        // No more can be held than was there.
        Ok(binary) => assert!(binary.pclntab.len() <= file.len() / 8),
        Err(error) => assert!(error.to_string().len() < 4096),
    }
});
