//! Reads profiles as text out of any bytes, and out of spoiled ones of Go.
//!
//! It needs no seeds. The first byte says which profile it is, and all others are edits. Whatever the pieces
//! that it is fed in, the same must be read.
#![no_main]

use leak_agent::profile::counts::{Measured, Reader, SiteReader};
use leak_agent::profile::{Reading, Record};
use leak_agent_fuzz::spoil;
use libfuzzer_sys::fuzz_target;

const PROFILES: [&str; 4] = [
    include_str!("../../fixtures/dumps/1.27.3/goroutine.txt"),
    include_str!("../../fixtures/dumps/1.27.3/mutex.txt"),
    include_str!("../../fixtures/dumps/1.21.13/block.txt"),
    include_str!("../../fixtures/dumps/1.27.3/heap.txt"),
];
/// How much of a profile is taken: what comes later is like it.
const TAKEN: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&which, edits)) = data.split_first() else { return };
    let mut bytes = match PROFILES.get(usize::from(which) % (PROFILES.len() + 1)) {
        Some(text) => text.as_bytes().get(..TAKEN).unwrap_or(text.as_bytes()).to_vec(),
        None => edits.to_vec(),
    };
    spoil(&mut bytes, edits);
    let whole = goroutines(&bytes, bytes.len().max(1));
    assert_eq!(whole, goroutines(&bytes, 1 + usize::from(which)));
    let whole = sites(&bytes, bytes.len().max(1));
    assert_eq!(whole, sites(&bytes, 1 + usize::from(which)));
});

fn goroutines(bytes: &[u8], piece: usize) -> (Vec<String>, Reading) {
    let mut records = Vec::new();
    let mut take = |record: &Record<'_>| records.push(format!("{record:?}"));
    let mut reader = Reader::new(&mut take);
    bytes.chunks(piece).for_each(|bytes| reader.feed(bytes));
    let reading = reader.finish();
    assert!(reading.records >= records.len() as u64);
    (records, reading)
}

fn sites(bytes: &[u8], piece: usize) -> (Vec<String>, Reading) {
    let mut all = Vec::new();
    let mut reader = SiteReader::new(|it: &Measured<'_>| all.push(format!("{it:?}")));
    bytes.chunks(piece).for_each(|bytes| reader.feed(bytes));
    let reading = reader.finish();
    (all, reading)
}
