//! Executables that lie: garbage, cut, with hostile headers. The answer is a clear error or what can be read of it.
#![allow(clippy::expect_used)]

use leak_agent::golang::Error;
use leak_agent::golang::arch::Arch;
use leak_agent::golang::binary::Binary;
use leak_agent_tests::image::elf::{Section, executable};
use leak_agent_tests::image::{Image, PCLNTAB, TEXT};

fn read(file: &[u8]) -> Result<Binary, Error> {
    Binary::read("server", file)
}

fn refused(file: &[u8]) -> Error {
    read(file).err().expect("an error")
}

fn image() -> Image {
    Image::new(26, Arch::Amd64)
}

fn section(name: &'static str, address: u64, bytes: Vec<u8>) -> Section {
    Section { name, address, bytes, writable: true }
}

#[test]
fn a_whole_one_is_read_with_and_without_section_headers() {
    let sections = image().sections();
    for names in [true, false] {
        let binary = read(&executable(Arch::Amd64, TEXT, &sections, names)).expect("a binary");
        assert_eq!(binary.version.to_string(), "go1.26.0");
        assert_eq!((binary.pclntab_address, binary.entry), (PCLNTAB, TEXT));
        assert!(binary.stripped && !binary.pie);
        assert!(binary.pclntab.functions().any(|it| it.name() == Some("main.worker")));
    }
}

#[test]
fn garbage_is_no_executable() {
    let script = b"#!/bin/sh\nexec server\n".as_slice();
    for file in [&[], b"\x7fELF".as_slice(), script, &[0xff; 4096]] {
        assert!(matches!(refused(file), Error::BadElf { .. }));
    }
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(4096, 0xff);
    read(&file).err().expect("an error");
}

#[test]
fn another_machine_is_named() {
    let mut file = image().elf();
    file[18] = 40;
    assert!(refused(&file).to_string().contains("Arm"));
    file[4] = 1;
    assert!(refused(&file).to_string().contains("32-bit"));
}

#[test]
fn one_that_is_cut_anywhere_is_an_error() {
    let whole = image().elf();
    for end in 0..whole.len() {
        refused(&whole[..end]);
    }
}

#[test]
fn every_word_of_the_headers_may_be_hostile() {
    let whole = image().elf();
    let sections = image().sections().len();
    let (first, last) = (64 + 56 * sections, whole.len() - 64 * (sections + 2));
    for at in (0..first).chain(last..whole.len()).step_by(4) {
        for value in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let mut file = whole.clone();
            file[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
            if let Ok(binary) = read(&file) {
                assert!(binary.pclntab.len() < file.len());
            }
        }
    }
}

#[test]
fn segments_that_load_the_same_bytes_again_and_again_are_refused() {
    // All but the first of 40 segments are made to load the whole file.
    let sections: Vec<_> = (1..=40).map(|at| section(".data", at << 32, vec![0; 16])).collect();
    let mut file = executable(Arch::Amd64, TEXT, &sections, true);
    let len = file.len() as u64;
    for index in 1..40 {
        let header = 64 + 56 * index;
        file[header + 8..header + 16].copy_from_slice(&0_u64.to_le_bytes());
        file[header + 32..header + 40].copy_from_slice(&len.to_le_bytes());
    }
    assert!(refused(&file).to_string().contains("overlap"));

    let sections: Vec<_> = (1..=1000).map(|at| section(".data", at << 32, vec![0; 16])).collect();
    let error = refused(&executable(Arch::Amd64, TEXT, &sections, true));
    assert!(error.to_string().contains("too many segments"), "{error}");
}

#[test]
fn headers_of_tables_that_hold_none_are_passed_over() {
    // A megabyte of them before the true one: each would be copied with all that follows.
    let mut sections = image().sections();
    let mut false_ones = [0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8].repeat(1 << 17);
    false_ones.extend([0xff; 64]);
    sections.insert(0, section(".rodata", 0x10_0000, false_ones));
    let binary = read(&executable(Arch::Amd64, TEXT, &sections, false)).expect("a binary");
    assert_eq!(binary.pclntab_address, PCLNTAB);
}

#[test]
fn one_without_go_in_it_says_what_is_missing() {
    let without = |names: &[&str]| {
        let kept = image().sections().into_iter().filter(|it| !names.contains(&it.name));
        refused(&executable(Arch::Amd64, TEXT, &kept.collect::<Vec<_>>(), true)).to_string()
    };
    assert!(without(&[".go.buildinfo", ".gopclntab"]).contains("not a Go program"));
    assert!(without(&[".gopclntab"]).contains("function table"));
    let packed = [section("UPX!", TEXT, b"UPX!".to_vec())];
    let error = refused(&executable(Arch::Amd64, TEXT, &packed, true));
    assert!(matches!(error, Error::Packed { .. }), "{error}");
}

#[test]
fn one_without_build_information_is_known_by_its_functions() {
    let kept = image().sections().into_iter().filter(|it| it.name != ".go.buildinfo");
    let sections: Vec<_> = kept.collect();
    let binary = read(&executable(Arch::Amd64, TEXT, &sections, true)).expect("a binary");
    assert!(!binary.is_told, "{}", binary.version);
    assert_eq!(binary.pclntab_address, PCLNTAB);
}

#[test]
fn without_build_information_an_old_function_table_says_which_go() {
    for (magic, releases) in [
        (0xffff_fffb_u32, "Go 1.2 to 1.15"),
        (0xffff_fffa, "Go 1.16 and 1.17"),
        (0xffff_fff0, "Go 1.18 and 1.19"),
    ] {
        let mut sections = image().sections();
        sections.retain(|it| it.name != ".go.buildinfo");
        let table = sections.iter_mut().find(|it| it.name == ".gopclntab").expect("a section");
        table.bytes[..4].copy_from_slice(&magic.to_le_bytes());
        let error = refused(&executable(Arch::Amd64, TEXT, &sections, true));
        let Error::Pclntab { source, .. } = error else { panic!("{magic:#x}: {error}") };
        let text = source.to_string();
        let needed = text.contains(releases) && text.contains("Go 1.21 or later is needed");
        assert!(needed, "{magic:#x}: {text}");
    }
}

#[test]
fn a_version_that_is_none_or_too_old_is_refused() {
    let too_old = "was built by go1.20.3; Go 1.21 or later is needed";
    for (version, part) in [("go1.20.3", too_old), ("gibberish", "cannot make out")] {
        let mut sections = image().sections();
        let info = sections.iter_mut().find(|it| it.name == ".go.buildinfo").expect("a section");
        info.bytes.truncate(32);
        info.bytes.push(version.len() as u8);
        info.bytes.extend(version.bytes());
        let error = refused(&executable(Arch::Amd64, TEXT, &sections, true));
        assert!(error.to_string().contains(part), "{error}");
    }
}
