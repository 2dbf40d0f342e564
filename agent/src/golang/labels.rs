//! Profiler labels of a goroutine (`runtime/pprof.Do`), in both forms that Go has had.

use super::memory::{Memory, ReadError};
use super::version::GoVersion;

/// Labels beyond these bounds are left out: programs have a handful, of a few bytes each.
const MAX_LABELS: u64 = 64;
const MAX_TEXT: u64 = 4096;
/// A Go string or interface: two words.
const STRING: u64 = 16;

/// How labels are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelForm {
    /// `map[string]string` in its classic form, up to Go 1.23.
    Map,
    /// A slice of key and value, since Go 1.24.
    Slice,
}

impl LabelForm {
    /// The form of a Go version.
    #[must_use]
    pub fn of(version: &GoVersion) -> Self {
        if version.minor < 24 { Self::Map } else { Self::Slice }
    }

    /// Reads the labels that `g.labels` points to, sorted by key.
    ///
    /// # Errors
    /// When the memory behind it cannot be read: the goroutine went on meanwhile.
    pub fn read(
        self,
        memory: &dyn Memory,
        address: u64,
    ) -> Result<Vec<(String, String)>, ReadError> {
        let mut labels = match self {
            Self::Map => read_map(memory, memory.read_u64(address)?)?,
            Self::Slice => read_slice(memory, address)?,
        };
        labels.sort();
        Ok(labels)
    }
}

fn read_slice(memory: &dyn Memory, address: u64) -> Result<Vec<(String, String)>, ReadError> {
    let first = memory.read_u64(address)?;
    let count = memory.read_u64(address.wrapping_add(8))?.min(MAX_LABELS);
    (0..count)
        .map(|index| {
            let label = first.wrapping_add(index * 2 * STRING);
            Ok((string(memory, label)?, string(memory, label.wrapping_add(STRING))?))
        })
        .collect()
}

/// Byte offsets of the classic map (`runtime/map.go`, up to Go 1.23).
mod map {
    pub(super) const COUNT: u64 = 0;
    pub(super) const LOG_BUCKETS: u64 = 8;
    pub(super) const BUCKETS: u64 = 16;
    pub(super) const OLD_BUCKETS: u64 = 24;
    pub(super) const SLOTS: u64 = 8;
    /// Far more than so few labels take, old and new array together; chains may loop.
    pub(super) const MAX_BUCKETS: usize = 256;
    /// A slot's first byte is below this while it is empty or was moved.
    pub(super) const MIN_TOP_HASH: u8 = 5;
}

fn read_map(memory: &dyn Memory, header: u64) -> Result<Vec<(String, String)>, ReadError> {
    let (mut labels, mut buckets) = (Vec::new(), 0);
    let count = memory.read_u64(header.wrapping_add(map::COUNT))?;
    if count == 0 || count > MAX_LABELS {
        return Ok(labels);
    }
    let log = (memory.read_u64(header.wrapping_add(map::LOG_BUCKETS))? >> 8) & 0xff;
    let old = memory.read_u64(header.wrapping_add(map::OLD_BUCKETS))?;
    let arrays =
        [(memory.read_u64(header.wrapping_add(map::BUCKETS))?, log), (old, log.saturating_sub(1))];
    // Keys, values and the overflow pointer follow the slots' first bytes.
    let bucket_len = map::SLOTS + map::SLOTS * 2 * STRING + 8;
    for (array, log) in arrays.into_iter().filter(|&(array, log)| array != 0 && log <= 6) {
        for index in 0..1u64 << log {
            let mut bucket = array.wrapping_add(index * bucket_len);
            loop {
                buckets += 1;
                if buckets > map::MAX_BUCKETS {
                    return Ok(labels);
                }
                read_bucket(memory, bucket, &mut labels)?;
                bucket = memory.read_u64(bucket.wrapping_add(bucket_len - 8))?;
                if bucket == 0 {
                    break;
                }
            }
        }
    }
    labels.sort();
    labels.dedup();
    Ok(labels)
}

fn read_bucket(
    memory: &dyn Memory,
    bucket: u64,
    labels: &mut Vec<(String, String)>,
) -> Result<(), ReadError> {
    let mut tops = [0; map::SLOTS as usize];
    memory.read(bucket, &mut tops)?;
    for (slot, _) in (0..).zip(tops).filter(|&(_, top)| top >= map::MIN_TOP_HASH) {
        let key = bucket.wrapping_add(map::SLOTS + slot * STRING);
        let value = key.wrapping_add(map::SLOTS * STRING);
        if labels.len() < MAX_LABELS as usize {
            labels.push((string(memory, key)?, string(memory, value)?));
        }
    }
    Ok(())
}

fn string(memory: &dyn Memory, header: u64) -> Result<String, ReadError> {
    let start = memory.read_u64(header)?;
    let len = memory.read_u64(header.wrapping_add(8))?.min(MAX_TEXT);
    let bytes = memory.read_vec(start, len as usize)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
