#![allow(clippy::unwrap_used)]

use super::*;

const BASE: u64 = 0x1_0000;
const HEAD: u64 = BASE;
const CYCLE: u64 = BASE + 8;
const RATE: u64 = BASE + 16;
const FIRST: u64 = BASE + 0x100;

/// Memory that begins at [`BASE`].
struct Image(Vec<u8>);

impl Memory for Image {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        let at = addr.checked_sub(BASE).and_then(|at| usize::try_from(at).ok());
        let bytes = at.and_then(|at| self.0.get(at..at.checked_add(buf.len())?));
        match bytes {
            Some(bytes) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(ReadError::Unmapped { addr, len: buf.len() }),
        }
    }
}

impl Image {
    fn set(&mut self, at: u64, words: &[u64]) {
        for (word, at) in words.iter().zip((at - BASE..).step_by(8)) {
            self.0[at as usize..at as usize + 8].copy_from_slice(&word.to_le_bytes());
        }
    }

    /// A bucket of objects of 64 bytes, and where the next would be. `counts` are those of its four cycles.
    fn bucket(&mut self, at: u64, next: u64, pcs: &[u64], counts: &[[u64; 2]; 4]) -> u64 {
        let header = [0, next, MEMORY, hash_of(pcs, 64), 64, pcs.len() as u64];
        self.set(at, &header);
        self.set(at + 48, pcs);
        let counts_at = at + 48 + 8 * pcs.len() as u64;
        for (at, [allocs, frees]) in (counts_at..).step_by(32).zip(counts) {
            self.set(at, &[*allocs, *frees, allocs * 64, frees * 64]);
        }
        counts_at + 128
    }
}

const NOTHING: [u64; 2] = [0, 0];

fn buckets() -> Buckets {
    Buckets { head: HEAD, cycle: CYCLE, rate: RATE, has_bytes: true }
}

/// Two buckets, in a list of two, while the first of three cycles is complete.
fn image() -> Image {
    let mut image = Image(vec![0; 0x1000]);
    image.set(HEAD, &[FIRST, 0, 1]);
    let second = FIRST + 0x400;
    image.bucket(FIRST, second, &[0x40, 0x41], &[[5, 2], [3, 0], [9, 9], [7, 0]]);
    image.bucket(second, 0, &[0x50], &[[1, 1], NOTHING, NOTHING, NOTHING]);
    image
}

fn read(image: &Image) -> MemoryProfile {
    buckets().read(image).unwrap()
}

fn objects(profile: &MemoryProfile) -> Vec<(u64, u64)> {
    profile.buckets.iter().map(|it| (it.allocated.objects, it.in_use.objects)).collect()
}

#[test]
fn what_is_published_is_the_active_counts_and_the_complete_cycle() {
    let mut image = image();
    let profile = read(&image);
    assert_eq!(objects(&profile), [(8, 6), (1, 0)]);
    assert!(profile.is_whole && profile.is_steady && !profile.is_before_collection);
    assert_eq!((profile.rate_bytes, profile.torn), (1, 0));
    let first = &profile.buckets[0];
    assert_eq!((&*first.pcs, first.in_use.bytes), (&[0x40, 0x41][..], 6 * 64));
    // Cycle 5, of which the lowest bit says that it was added: index 2 of the ring.
    image.set(CYCLE, &[5 << 1 | 1]);
    assert_eq!(objects(&read(&image)), [(12, 10), (1, 0)]);
}

#[test]
fn before_the_first_collection_all_cycles_count() {
    let mut image = image();
    let end = image.bucket(FIRST, 0, &[0x40], &[NOTHING, NOTHING, [2, 1], [7, 0]]);
    assert!(end < BASE + 0x1000);
    let profile = read(&image);
    assert_eq!(objects(&profile), [(9, 8)]);
    assert!(profile.is_before_collection);
}

#[test]
fn newer_versions_count_objects_alone() {
    let mut image = image();
    let pcs = [0x40];
    image.bucket(FIRST, 0, &pcs, &[NOTHING; 4]);
    // Two words a cycle.
    image.set(FIRST + 48 + 8, &[4, 1, 2, 0, 0, 0, 0, 0]);
    let buckets = Buckets { has_bytes: false, ..buckets() };
    let profile = buckets.read(&image).unwrap();
    assert_eq!(objects(&profile), [(6, 5)]);
    assert_eq!(profile.buckets[0].allocated, Sampled { objects: 6, bytes: 6 * 64 });
}

#[test]
fn a_program_that_samples_nothing_has_no_profile() {
    let mut image = image();
    for rate in [0, -1_i64] {
        image.set(RATE, &[rate.cast_unsigned()]);
        let read = buckets().read(&image);
        assert!(matches!(read, Err(NoProfile::Off { rate: is }) if is == rate));
    }
    let read = Buckets { rate: 8, ..buckets() }.read(&image);
    assert!(matches!(read, Err(NoProfile::Memory(ReadError::Unmapped { .. }))));
}

#[test]
fn a_list_that_leads_astray_ends_there_and_is_not_whole() {
    let second = FIRST + 0x400;
    let spoilt: [fn(&mut Image); 8] = [
        // To itself, and in a circle.
        |it| it.set(FIRST + 8, &[FIRST]),
        |it| it.set(FIRST + 0x408, &[FIRST]),
        // Nowhere.
        |it| it.set(FIRST + 0x408, &[0xdead_0000]),
        |it| it.set(FIRST + 0x408, &[u64::MAX]),
        // Of another type, another hash, an impossible size, and too deep.
        |it| it.set(FIRST + 0x410, &[2]),
        |it| it.set(FIRST + 0x418, &[1]),
        |it| it.set(FIRST + 0x420, &[u64::MAX]),
        |it| it.set(FIRST + 0x428, &[1 << 60]),
    ];
    for (way, spoil) in spoilt.iter().enumerate() {
        let mut image = image();
        spoil(&mut image);
        let profile = read(&image);
        assert!(!profile.is_whole, "spoilt in way {way}");
        assert_eq!(profile.buckets[0].allocated.objects, 8, "spoilt in way {way}");
        assert!(profile.buckets.len() <= 2);
    }
    let mut image = image();
    image.set(HEAD, &[second - 8]);
    let profile = read(&image);
    assert!(profile.buckets.is_empty() && !profile.is_whole);
}

#[test]
fn counts_that_cannot_be_true_are_left_out_and_counted() {
    let mut image = image();
    let counts = FIRST + 48 + 16;
    // More freed than allocated; more than a signed number holds.
    for words in [[5, 50, 320, 3200], [1 << 63, 0, 64, 0], [5, 2, 0, 6400]] {
        image.set(counts, &words);
        let profile = read(&image);
        assert_eq!((objects(&profile), profile.torn), (vec![(1, 0)], 1), "{words:?}");
        assert!(profile.is_whole);
    }
}

#[test]
fn counts_beyond_what_is_mapped_are_left_out_and_counted() {
    let mut image = image();
    let last = BASE + 0x1000 - 64;
    image.set(FIRST + 8, &[last]);
    image.set(last, &[0, 0, MEMORY, hash_of(&[0x60], 64), 64, 1, 0x60]);
    let profile = read(&image);
    assert_eq!((objects(&profile), profile.torn), (vec![(8, 6)], 1));
    assert!(profile.is_whole);
}
