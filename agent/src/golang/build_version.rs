//! Go's version where the build information was stripped away, or does not name it (garble writes
//! `unknown`).
//!
//! By memory: the linker sets the string variable `runtime.buildVersion` of every program. Among its
//! initialised variables it is the one string that is a version, whatever the release and the build
//! mode. Or else by the names of the runtime's functions, which tell the minor version alone.

use std::collections::BTreeSet;
use std::ops::Range;

use super::gather::Gather;
use super::memory::{Memory, ReadError, Span};
use super::pclntab::Pclntab;
use super::version::GoVersion;

/// How much of the variables is read at once.
const CHUNK: usize = 1 << 20;
/// Strings that are examined, at most: the largest programs have some hundred thousand.
const MAX_STRINGS: usize = 1 << 20;
/// No version is shorter (`go1.21`), and none longer than some dozen bytes.
const LENGTHS: Range<u64> = 6..128;

/// Functions that are in every program from a minor version on, and in none before it. Found by
/// comparing the symbol tables of a program as built by each release from 1.21.13 to 1.27.3 (amd64).
const MARKERS: [(u16, &str); 7] = [
    (21, "runtime.gopark"),
    (22, "runtime.bootstrapRand"),
    (23, "runtime.blockTimerChan"),
    (24, "runtime.mallocgcSmallNoscan"),
    (25, "runtime.defaultGOMAXPROCSInit"),
    (26, "runtime.entersyscallHandleGCWait"),
    (27, "runtime.addModuleItabs"),
];

/// The minor version of a program, by the names of its runtime's functions; `None` where those are
/// gone.
#[must_use]
pub fn minor_by_functions(pclntab: &Pclntab) -> Option<u16> {
    let minor = |name: &str| MARKERS.iter().find(|(_, marker)| *marker == name).map(|it| it.0);
    pclntab.functions().filter_map(|function| minor(function.name()?)).max()
}

/// The version that the variables in `data` name, if they name exactly one. Strings are searched for in
/// `loaded`, where the file is.
///
/// # Errors
/// When memory cannot be read any more.
pub fn find(
    memory: &dyn Memory,
    data: &[Range<u64>],
    loaded: &Range<u64>,
) -> Result<Option<String>, ReadError> {
    let mut spans = Vec::new();
    let mut chunk = Vec::new();
    for range in data {
        let mut at = range.start;
        while at < range.end && spans.len() < MAX_STRINGS {
            let len = CHUNK.min((range.end - at) as usize);
            chunk.resize(len, 0);
            match memory.read(at, &mut chunk) {
                Ok(()) => spans.extend(strings(&chunk, loaded)),
                Err(error @ (ReadError::Exited | ReadError::Denied)) => return Err(error),
                Err(_) => {}
            }
            // A string that is cut in two by the chunk's end stands whole in the next chunk.
            at = at.saturating_add(if len == CHUNK { (CHUNK - 8) as u64 } else { len as u64 });
        }
    }
    spans.truncate(MAX_STRINGS);
    let mut gather = Gather::default();
    let mut versions = BTreeSet::new();
    for spans in spans.chunks(1 << 12) {
        gather.read(memory, spans)?;
        versions.extend((0..spans.len()).filter_map(|index| version(gather.get(index)?)));
    }
    Ok(if versions.len() == 1 { versions.pop_first() } else { None })
}

/// What may be strings among words: an address and a length.
fn strings(words: &[u8], loaded: &Range<u64>) -> impl Iterator<Item = Span> {
    let (words, _) = words.as_chunks::<8>();
    words.windows(2).filter_map(|pair| {
        let (addr, len) = (u64::from_le_bytes(pair[0]), u64::from_le_bytes(pair[1]));
        let is_string = LENGTHS.contains(&len) && loaded.contains(&addr);
        is_string.then_some(Span { addr, len: len as u32 })
    })
}

fn version(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let begins = text.starts_with("go1.") || text.starts_with("devel go1.");
    (begins && text.parse::<GoVersion>().is_ok()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: u64 = 0x1000;
    const TEXT: u64 = 0x4000;

    /// Variables at `DATA`, strings at `TEXT`.
    struct Two(Vec<u8>, Vec<u8>);

    impl Memory for Two {
        fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
            let unmapped = ReadError::Unmapped { addr, len: buf.len() };
            let (start, bytes) = if addr < TEXT { (DATA, &self.0) } else { (TEXT, &self.1) };
            let from = addr.checked_sub(start).map(|at| at as usize);
            let found = from.and_then(|from| bytes.get(from..from + buf.len()));
            found.ok_or(unmapped).map(|found| buf.copy_from_slice(found))
        }
    }

    fn find_in(texts: &[&str]) -> Option<String> {
        let (mut data, mut bytes) = (vec![0; 8], Vec::new());
        for text in texts {
            data.extend((TEXT + bytes.len() as u64).to_le_bytes());
            data.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.bytes());
        }
        let (end, text_end) = (DATA + data.len() as u64, TEXT + bytes.len() as u64);
        let range = DATA..end;
        find(&Two(data, bytes), std::slice::from_ref(&range), &(TEXT..text_end))
            .expect("it can be read")
    }

    #[test]
    fn the_one_string_that_is_a_version_is_it() {
        let found = find_in(&["go to hell", "go1.26.6-X:nogreenteagc", "go1.x", "unknown"]);
        assert_eq!(found.as_deref(), Some("go1.26.6-X:nogreenteagc"));
    }

    #[test]
    fn none_and_two_different_ones_tell_nothing() {
        assert_eq!(find_in(&["unknown", "server"]), None);
        assert_eq!(find_in(&["go1.26.6", "go1.21.13"]), None);
        assert_eq!(find_in(&["go1.26.6", "go1.26.6"]).as_deref(), Some("go1.26.6"));
    }
}
