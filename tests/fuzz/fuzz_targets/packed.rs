//! Unpacks any bytes, and gzip and zip that were spoiled.
//!
//! It needs no seeds. The first byte says what the others are.
#![no_main]

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use leak_agent::profile::packed::{self, Limits, Packing};
use leak_agent_fuzz::spoil;
use libfuzzer_sys::fuzz_target;

const ROOM: Limits = Limits { bytes: 1 << 16, ratio: 100, entries: 4 };

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let mut bytes = match flags & 3 {
        0 => gzip(&[7; 3000]),
        1 => archive(),
        _ => rest.to_vec(),
    };
    if flags & 3 < 2 {
        spoil(&mut bytes, rest);
    }
    match packed::whole(&bytes, ROOM) {
        Ok(unpacked) => assert!(unpacked.len() as u64 <= ROOM.bytes),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let mut given = 0;
    let entries = packed::entries(Cursor::new(&bytes), ROOM, |entry| {
        let mut unpacked = Vec::new();
        // What comes before an error counts too.
        let _ = entry.bytes.read_to_end(&mut unpacked);
        given += unpacked.len() as u64;
    });
    // Of the last file a buffer's worth may come before it is seen to be too much.
    assert!(given <= ROOM.bytes);
    assert!(entries.is_err() || Packing::of(&bytes) == Packing::Zip || !bytes.starts_with(b"PK\x03\x04"));
});

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("a vector takes everything");
    packed.finish().expect("a vector takes everything")
}

/// Two files, stored: one as it is, one in gzip.
fn archive() -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in [("a", vec![7; 300]), ("b", gzip(&[7; 3000]))] {
        let at = zip.len() as u32;
        let len = (bytes.len() as u32).to_le_bytes();
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 33, 0][..],
            &crc.sum().to_le_bytes(),
            &len,
            &len,
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        zip.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &bytes].concat());
        directory.extend(
            [b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()]
                .concat(),
        );
    }
    let (at, len) = (zip.len() as u32, directory.len() as u32);
    zip.extend(directory);
    let end =
        [&[0, 0, 0, 0, 2, 0, 2, 0][..], &len.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat();
    zip.extend([b"PK\x05\x06", &end[..]].concat());
    zip
}
