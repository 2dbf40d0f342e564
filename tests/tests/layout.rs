//! The runtime's layout: read from real executables, from made ones, and from spoiled ones.
#![allow(clippy::unwrap_used)]

use leak_agent::golang::arch::Arch;
use leak_agent::golang::layout::{DwarfError, Exactness, Layout, dwarf};
use leak_agent::golang::version::GoVersion;
use leak_agent_tests::dwarf_image::Image;
use leak_agent_tests::reference::layout_of;
use leak_agent_tests::{each_version, target};

/// The versions that are built for arm64 too.
const ARM64: [&str; 3] = ["1.21.13", "1.24.11", "1.27.3"];

fn known(version: &str) -> Layout {
    let version: GoVersion = format!("go{version}").parse().unwrap();
    Layout::for_version(&version, Arch::Amd64).unwrap().layout
}

fn read(image: &Image) -> Result<Layout, DwarfError> {
    let bytes = image.elf(false).unwrap();
    dwarf::layout(&object::File::parse(bytes.as_slice()).unwrap())
}

fn the_table_says_what_dwarf_says(version: &str) {
    let builds = [(Arch::Amd64, "exe"), (Arch::Arm64, "arm64")];
    for (arch, mode) in builds.into_iter().filter(|it| it.1 == "exe" || ARM64.contains(&version)) {
        let from_dwarf = layout_of(&target::path(version, mode, "states").unwrap()).unwrap();
        let version: GoVersion = format!("go{version}").parse().unwrap();
        let hit = Layout::for_version(&version, arch).unwrap();
        assert_eq!(hit.layout, from_dwarf, "{version} {mode}");
        assert_eq!(hit.exactness, Exactness::Exact, "{version} {mode}");
    }
}

each_version!(the_table_says_what_dwarf_says);

#[test]
fn either_version_compressed_or_not() {
    for (go, pairs) in [("1.21.13", false), ("1.27.3", true)] {
        for version in [4, 5] {
            for compressed in [false, true] {
                let bytes = Image::of(&known(go), version, pairs).elf(compressed).unwrap();
                let file = object::File::parse(bytes.as_slice()).unwrap();
                assert_eq!(dwarf::layout(&file).unwrap(), known(go), "{go} {version} {compressed}");
            }
        }
    }
}

#[test]
fn the_runtime_behind_other_units() {
    let image = Image::of(&known("1.26.6"), 5, true);
    let mut other = image.clone();
    // Same length, other name; and one that only ends in the name.
    let name = other.info.windows(8).position(|it| it == b"runtime\0").unwrap();
    other.info[name] = b'R';
    let mut info = other.info.clone();
    let shift = u32::try_from(info.len()).unwrap();
    info.extend(&image.info);
    for at in &image.references {
        let at = at + shift as usize;
        let target = u32::from_le_bytes(info[at..at + 4].try_into().unwrap()) + shift;
        info[at..at + 4].copy_from_slice(&target.to_le_bytes());
    }
    assert_eq!(read(&Image { info, ..image }).unwrap(), known("1.26.6"));
    assert!(matches!(read(&other), Err(DwarfError::NoRuntime)));
}

#[test]
fn no_debug_information() {
    let bytes = std::fs::read(target::path("1.27.3", "exe", "states").unwrap()).unwrap();
    let bytes = {
        // What `-w` leaves out: rename the section in the string table.
        let mut bytes = bytes;
        let at = bytes.windows(12).rposition(|it| it == b".debug_info\0").unwrap();
        bytes[at + 1] = b'x';
        bytes
    };
    let outcome = dwarf::layout(&object::File::parse(bytes.as_slice()).unwrap());
    assert!(matches!(outcome, Err(DwarfError::NoSection { section: ".debug_info" })));
}

#[test]
fn a_missing_struct_or_field_is_named() {
    let image = Image::of(&known("1.26.6"), 5, true);
    for (name, message) in [
        ("runtime.sudog", "does not describe the struct runtime.sudog"),
        ("parentGoid", "does not place field parentGoid of runtime.g"),
        ("vu", "does not place field elem of runtime.sudog"),
    ] {
        let mut image = image.clone();
        let name: Vec<_> = [b"\0", name.as_bytes(), b"\0"].concat();
        // Entries begin with a code, names follow it: the byte in front of a name is no 0 here.
        let at = image.info.windows(name.len() - 1).position(|it| it == &name[1..]).unwrap();
        image.info[at] ^= 0x20;
        let error = read(&image).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn names_that_go_in_circles_end() {
    let mut image = Image::of(&known("1.26.6"), 5, true);
    let name = b"runtime.maybeTraceablePtr\0";
    let at = image.info.windows(name.len()).position(|it| it == name).unwrap();
    let itself = u32::try_from(at - 1).unwrap();
    image.info[at + name.len()..][..4].copy_from_slice(&itself.to_le_bytes());
    assert!(matches!(read(&image), Err(DwarfError::Limit { .. })));
}

#[test]
fn any_reference_to_any_entry_is_survived() {
    let image = Image::of(&known("1.26.6"), 5, true);
    let right = read(&image).unwrap();
    let mut wrong = 0;
    for reference in &image.references {
        for target in image.types.iter().copied().chain([0, 1, image.info.len(), 0xffff_ffff]) {
            let mut image = image.clone();
            let target = u32::try_from(target).unwrap();
            image.info[*reference..][..4].copy_from_slice(&target.to_le_bytes());
            match read(&image) {
                Ok(layout) => assert!(layout == right || layout.is_plausible()),
                Err(_) => wrong += 1,
            }
        }
    }
    assert!(wrong > 0);
}

#[test]
fn every_truncation_is_an_error() {
    let image = Image::of(&known("1.26.6"), 4, true);
    // The last byte closes the unit; what lacks only that is whole to a reader.
    for len in 0..image.info.len() - 1 {
        let info = image.info[..len].to_vec();
        assert!(read(&Image { info, ..image.clone() }).is_err(), "{len} bytes of .debug_info");
    }
    for len in 0..image.abbrev.len() - 1 {
        let abbrev = image.abbrev[..len].to_vec();
        assert!(read(&Image { abbrev, ..image.clone() }).is_err(), "{len} of .debug_abbrev");
    }
    let bytes = image.elf(true).unwrap();
    for len in 0..bytes.len() {
        if let Ok(file) = object::File::parse(&bytes[..len]) {
            assert!(dwarf::layout(&file).is_err(), "{len} bytes of the file");
        }
    }
}

#[test]
fn every_spoiled_byte_is_survived() {
    for version in [4, 5] {
        let image = Image::of(&known("1.26.6"), version, true);
        let mut refused = 0;
        for value in [0, 1, 0x7f, 0xff] {
            for at in 0..image.info.len() + image.abbrev.len() {
                let mut image = image.clone();
                match at.checked_sub(image.info.len()) {
                    None => image.info[at] = value,
                    Some(at) => image.abbrev[at] = value,
                }
                match read(&image) {
                    Ok(layout) => assert!(layout.is_plausible(), "{at} = {value}"),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > 0);
    }
}

#[test]
fn monstrous_lengths_are_refused() {
    let image = Image::of(&known("1.26.6"), 5, true);
    for len in [[0xff; 12].as_slice(), &[0xff, 0xff, 0xff, 0x7f], &[0xf0, 0xff, 0xff, 0xff]] {
        let mut image = image.clone();
        image.info[..len.len()].copy_from_slice(len);
        assert!(read(&image).is_err(), "{len:x?}");
    }
    let abbrev = [&[1, 0x11, 1][..], &[0x03, 0x19].repeat(30_000), &[0, 0, 0]].concat();
    let unit = [&[0xff, 0xff, 0x1f, 0, 4, 0, 0, 0, 0, 0, 8, 1][..], b"runtime\0"].concat();
    let info = [unit, vec![1; 2 << 20]].concat();
    // Each byte is an entry of 30,000 attributes that take no room.
    let outcome = read(&Image { abbrev, info, ..image });
    assert!(
        matches!(outcome, Err(DwarfError::Limit { .. } | DwarfError::NoStruct { .. })),
        "{outcome:?}"
    );
}
