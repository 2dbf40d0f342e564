//! The runtime's wait reasons, read from the target: their numbers change with every other version.

use super::memory::Memory;

/// The array has a few dozen entries; the next variable lies behind it.
const MAX_REASONS: u64 = 128;
/// The longest has 27 letters.
const MAX_LEN: u64 = 64;

/// Reads `runtime.waitReasonStrings` at `address`: one string for each number, up to the first
/// that is none. Only the very first, which stands for no reason, is empty.
#[must_use]
pub fn read(memory: &dyn Memory, address: u64) -> Vec<String> {
    (0..MAX_REASONS)
        .map_while(|index| {
            let reason = reason(memory, address.checked_add(index * 16)?)?;
            (index == 0 || !reason.is_empty()).then_some(reason)
        })
        .collect()
}

fn reason(memory: &dyn Memory, header: u64) -> Option<String> {
    let start = memory.read_u64(header).ok()?;
    let len = memory.read_u64(header.checked_add(8)?).ok()?;
    if len > MAX_LEN {
        return None;
    }
    let text = String::from_utf8(memory.read_vec(start, len as usize).ok()?).ok()?;
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ').then_some(text)
}
