//! What the fuzz targets share: spoiling well-formed bytes, so that the fuzzer starts behind the first checks.

/// Words that lengths, counts and addresses are most likely to be wrong with.
pub const HOSTILE: [u64; 12] = [
    0,
    1,
    8,
    0xffff,
    1 << 20,
    1 << 24,
    1 << 31,
    u32::MAX as u64,
    1 << 32,
    1 << 63,
    i64::MAX as u64,
    u64::MAX,
];

/// Applies edits of five bytes each: what to do, where (24 bits), and with which value.
pub fn spoil(bytes: &mut Vec<u8>, edits: &[u8]) {
    for edit in edits.as_chunks::<5>().0 {
        let at = u32::from_le_bytes([edit[1], edit[2], edit[3], 0]) as usize;
        let at = at.checked_rem(bytes.len()).unwrap_or(0);
        let value = edit[4];
        let word = HOSTILE[usize::from(value) % HOSTILE.len()].to_le_bytes();
        let aligned = at & !7;
        match edit[0] % 6 {
            0 => put(bytes, at, &[value]),
            1 => put(bytes, aligned, &word),
            2 => put(bytes, at & !3, &word[..4]),
            3 => {
                // A little more or less than what stood there.
                let old = bytes.get(aligned..).and_then(|rest| rest.first_chunk());
                let new = old.map(|word| u64::from_le_bytes(*word).wrapping_add(u64::from(value)));
                put(bytes, aligned, &new.unwrap_or(0).wrapping_sub(128).to_le_bytes());
            }
            4 => {
                let end = (at + usize::from(value)).min(bytes.len());
                bytes.extend_from_within(at..end);
            }
            _ => bytes.truncate(at),
        }
    }
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    for (to, byte) in bytes.iter_mut().skip(at).zip(new) {
        *to = *byte;
    }
}
