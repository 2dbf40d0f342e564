use std::io::{Cursor, Read, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const ROOM: Limits = Limits::of_bytes(1 << 30);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("a vector takes everything");
    packed.finish().expect("a vector takes everything")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn zip(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).expect("a file");
        zip.write_all(bytes).expect("a vector takes everything");
    }
    zip.finish().expect("a vector takes everything").into_inner()
}

/// Gives a byte at a time, as a slow pipe does.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let len = into.len().min(1);
        self.0.read(&mut into[..len])
    }
}

/// Names and bytes of files, and what is said of those that are not given.
type Files = (Vec<(String, Vec<u8>)>, Vec<String>);

fn files(archive: &[u8], limits: Limits) -> Result<Files, Error> {
    let mut files = Vec::new();
    let failed = entries(Cursor::new(archive), limits, |entry| {
        let mut bytes = Vec::new();
        match entry.bytes.read_to_end(&mut bytes) {
            Ok(_) => files.push((entry.name.to_owned(), bytes)),
            Err(error) => files.push((Error::from_io(error).to_string(), Vec::new())),
        }
    })?;
    Ok((files, failed.into_iter().map(|(name, error)| format!("{name}: {error}")).collect()))
}

#[test]
fn each_packing_is_known_by_its_first_bytes_and_unpacked() {
    let text = b"goroutine 1 [running]:\n".repeat(5000);
    for (packed, packing) in [
        (text.clone(), Packing::Plain),
        (gzip(&text), Packing::Gzip),
        ([gzip(&text[..100]), gzip(&text[100..])].concat(), Packing::Gzip),
        (zstd(&text), Packing::Zstd),
        // A frame to be skipped stands between two others.
        (
            [zstd(&text[..100]), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(&text[100..])]
                .concat(),
            Packing::Zstd,
        ),
    ] {
        assert_eq!(Packing::of(&packed), packing);
        assert_eq!(whole(&packed, ROOM).expect("whole"), text);
        let slow = std::io::BufReader::with_capacity(1, Slow(&packed));
        let mut unpacked = Vec::new();
        let mut reader = Unpacked::new(slow, ROOM).expect("no archive");
        reader.read_to_end(&mut unpacked).expect("whole");
        assert_eq!(unpacked, text);
    }
    assert_eq!(whole(b"", ROOM).expect("nothing is plain"), b"".as_slice());
    assert_eq!(Packing::of(b"\x1f"), Packing::Plain);
}

#[test]
fn an_archive_gives_its_files_and_those_that_are_packed_themselves() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let heap = gzip(b"heap");
        let archive = zip(&[("a/goroutine.txt", b"text"), ("heap.pprof", &heap)], method);
        assert_eq!(Packing::of(&archive), Packing::Zip);
        let (files, failed) = files(&archive, ROOM).expect("an archive");
        let expected = [("a/goroutine.txt", b"text"), ("heap.pprof", b"heap")];
        let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!((files.as_slice(), failed.len()), (&expected[..], 0));
    }
    let empty = zip(&[], CompressionMethod::Stored);
    assert_eq!(Packing::of(&empty), Packing::Zip);
    assert!(files(&empty, ROOM).is_ok_and(|(files, _)| files.is_empty()));
}

#[test]
fn what_is_packed_twice_is_refused() {
    let twice = gzip(&gzip(b"text"));
    assert!(matches!(whole(&twice, ROOM), Err(Error::Nested)));
    assert!(matches!(whole(&zstd(&gzip(b"text")), ROOM), Err(Error::Nested)));
    let archive =
        zip(&[("twice", &twice), ("inner.zip", b"PK\x03\x04")], CompressionMethod::Stored);
    assert!(matches!(whole(&archive, ROOM), Err(Error::Archive { nested: false })));
    assert!(matches!(whole(&gzip(&archive), ROOM), Err(Error::Archive { nested: true })));
    let (files, failed) = files(&archive, ROOM).expect("an archive");
    assert_eq!(files, [("it is packed more than once".to_owned(), Vec::new())]);
    assert_eq!(failed, ["inner.zip: it is a zip archive within what is packed"]);
}

#[test]
fn bombs_meet_a_bound() {
    let zeros = vec![0; 1 << 20];
    for packed in [zeros.clone(), gzip(&zeros), zstd(&zeros)] {
        let few = Limits::of_bytes(1 << 16);
        assert!(matches!(whole(&packed, few), Err(Error::TooLarge { limit: 65536 })));
        assert!(whole(&packed, Limits::of_bytes(1 << 20)).is_ok());
    }
    // Of 17 MiB, so that the ratio counts.
    let mut large = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..17 {
        large.write_all(&zeros).expect("a vector takes everything");
    }
    let large = large.finish().expect("a vector takes everything");
    let strict = Limits { ratio: 100, ..ROOM };
    assert!(matches!(whole(&large, strict), Err(Error::Ratio { ratio: 100 })));
    assert!(whole(&large, Limits { ratio: 2000, ..ROOM }).is_ok());

    let archive = zip(&[("a", &zeros), ("b", &zeros), ("c", &large)], CompressionMethod::Deflated);
    let (got, _) = files(&archive, Limits::of_bytes(3 << 19)).expect("an archive");
    let names: Vec<&str> = got.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[0], "a");
    assert!(names[1..].iter().all(|it| it.starts_with("unpacked it has more than")), "{names:?}");
    let few = Limits { entries: 2, ..ROOM };
    assert!(matches!(files(&archive, few), Err(Error::TooManyEntries { limit: 2 })));
}

#[test]
fn what_is_damaged_gives_what_there_is_and_an_error() {
    let text = b"goroutine 1 [running]:\n".repeat(5000);
    for packed in [gzip(&text), zstd(&text)] {
        for len in [5, packed.len() / 2, packed.len() - 1] {
            let mut got = Vec::new();
            let mut reader = Unpacked::new(&packed[..len], ROOM).expect("no archive");
            let error = reader.read_to_end(&mut got).expect_err("it is cut");
            assert!(matches!(Error::from_io(error), Error::Broken { .. }));
            assert_eq!(got, text[..got.len()]);
        }
        for at in 0..packed.len().min(64) {
            let mut packed = packed.clone();
            packed[at] ^= 0x55;
            // An error or other bytes, but an end.
            let _ = whole(&packed, ROOM);
        }
    }
    let archive = zip(&[("a", &text), ("b", b"b")], CompressionMethod::Deflated);
    for at in 0..archive.len() {
        let mut archive = archive.clone();
        archive[at] ^= 0x55;
        let _ = files(&archive, ROOM);
        let _ = files(&archive[..at], ROOM);
    }
    assert!(matches!(files(b"PK\x03\x04", ROOM), Err(Error::Broken { packing: "zip", .. })));
}
