//! Mappings of memory (proc_pid_maps(5)).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use rustc_hash::FxHashMap;

use super::groups::Groups;
use super::pattern;
use crate::model::{CoverageNote, ResourceKey, ResourceKind, ResourceName, ResourcePart};

/// What is read of them: about 80,000, more than `vm.max_map_count` allows unless it was raised.
const MAX_BYTES: u64 = 8 << 20;
/// Fields before the name.
const FIELDS: usize = 5;

/// Counts a process's mappings by what they map. How many there are, and whether that is not all.
pub(super) fn read(folder: &Path, groups: &mut Groups) -> io::Result<(u64, Option<CoverageNote>)> {
    let file = File::open(folder.join("maps"))?;
    let mut maps = BufReader::with_capacity(1 << 16, file.take(MAX_BYTES));
    let mut names: FxHashMap<Vec<u8>, u64> = FxHashMap::default();
    let (mut line, mut read) = (Vec::new(), 0);
    loop {
        line.clear();
        if maps.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        read += 1;
        let name = name(&line);
        match names.get_mut(name) {
            Some(count) => *count += 1,
            None => _ = names.insert(name.to_vec(), 1),
        }
    }
    for (name, count) in names {
        let name = named(&String::from_utf8_lossy(&name));
        groups.count(ResourceKey { kind: ResourceKind::Mapping, name }, count);
    }
    let is_cut = maps.get_ref().limit() == 0;
    let note = CoverageNote::ResourcesCut { part: ResourcePart::Mappings, read };
    Ok((read, is_cut.then_some(note)))
}

/// The last field of a line, which may hold spaces.
fn name(line: &[u8]) -> &[u8] {
    let mut rest = line.trim_ascii();
    for _ in 0..FIELDS {
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        rest = rest[end..].trim_ascii_start();
    }
    rest
}

fn named(name: &str) -> Option<ResourceName> {
    let name = name.strip_suffix(" (deleted)").unwrap_or(name);
    match name.strip_prefix('[') {
        _ if name.is_empty() => None,
        Some(special) => Some(ResourceName::Inode(pattern::of_path(special.trim_end_matches(']')))),
        None => Some(ResourceName::Path(pattern::of_path(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_behind_five_fields() {
        let line =
            b"7f00-7f01 r--s 00000000 fe:01 123456                     /tmp/a b7 (deleted)\n";
        assert_eq!(name(line), b"/tmp/a b7 (deleted)");
        assert_eq!(name(b"c000000000-c000400000 rw-p 00000000 00:00 0 \n"), b"");
        assert_eq!(name(b"cut"), b"");
        assert_eq!(named("/tmp/a b7 (deleted)"), Some(ResourceName::Path("/tmp/a b#".to_owned())));
        assert_eq!(named("[heap]"), Some(ResourceName::Inode("heap".to_owned())));
        assert_eq!(named(""), None);
    }
}
