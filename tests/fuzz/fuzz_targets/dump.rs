//! Reads goroutine dumps out of any bytes: spoiled ones of Go, as they are, in a log, or in a string.
//!
//! It needs no seeds. The first byte says what stands around the dump, the next which version's it is, and
//! all others are edits. Whatever the pieces that it is fed in, the same must be read.
#![no_main]

use leak_agent::profile::{Reading, Record, dump};
use leak_agent_fuzz::spoil;
use libfuzzer_sys::fuzz_target;

const DUMPS: [&str; 3] = [
    include_str!("../../fixtures/dumps/1.27.3/goroutineleak.dump"),
    include_str!("../../fixtures/dumps/1.26.6/goroutine.dump"),
    include_str!("../../fixtures/dumps/1.21.13/ancestors.txt"),
];
/// How much of a dump is taken: what comes later is like it.
const TAKEN: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&[around, which], edits)) = data.split_first_chunk() else { return };
    let text = DUMPS[usize::from(which) % DUMPS.len()];
    let text = text.get(..TAKEN).unwrap_or(text);
    let lines = text.lines();
    let mut bytes = match around % 6 {
        0 => edits.to_vec(),
        1 => text.to_owned().into_bytes(),
        2 => lines
            .map(|line| format!("2026-01-02T15:04:05.1Z stderr F {line}\n"))
            .collect::<String>()
            .into(),
        3 => lines
            .map(|line| {
                format!("{{\"log\":{line:?},\"n\":1}}\n").replacen("\",\"n\"", "\\n\",\"n\"", 1)
            })
            .collect::<String>()
            .into(),
        4 => format!("{{\"a\":1}}\n{{\"level\":\"error\",\"stack\":{text:?}}}\n").into_bytes(),
        _ => format!("2026/01/02 15:04:05 {text}").into_bytes(),
    };
    spoil(&mut bytes, edits);
    let whole = read(&bytes, bytes.len().max(1));
    assert_eq!(whole, read(&bytes, 1 + usize::from(which)));
    let (records, reading) = whole;
    assert_eq!((reading.bytes, reading.records), (bytes.len() as u64, records.len() as u64));
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    assert!(reading.first_fault.is_none_or(|fault| (1..=lines).contains(&fault.at)));
});

fn read(bytes: &[u8], piece: usize) -> (Vec<String>, Reading) {
    let mut records = Vec::new();
    let mut take = |record: &Record<'_>| records.push(format!("{record:?}"));
    let mut reader = dump::Reader::new(&mut take);
    bytes.chunks(piece).for_each(|bytes| reader.feed(bytes));
    let reading = reader.finish();
    (records, reading)
}
