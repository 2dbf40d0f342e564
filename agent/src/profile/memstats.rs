//! What Go says of its memory at the end of a heap profile as text (`heap?debug=1`): lines such as
//! `# HeapAlloc = 123` (`runtime/pprof/pprof.go`, Go 1.21 to 1.27).

/// Bytes of a line that are kept: the times of 256 collections have 20 digits each.
const MAX_LINE: usize = 16 << 10;

/// What Go says of its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemStats {
    /// Bytes of objects on the heap that are in use, or were not yet found to be not: `HeapAlloc`.
    pub heap_bytes: u64,
    /// How many those are: `HeapObjects`.
    pub heap_objects: u64,
    /// Bytes allocated since the start: `TotalAlloc`.
    pub allocated_bytes: u64,
    /// Collections since the start: `NumGC`.
    pub collections: u64,
    /// When the latest ended, in nanoseconds since the Unix epoch, and 0 without any: `LastGC`.
    pub last_collection_ns: u64,
    /// When the latest 256 ended, in no order: `PauseEnd`.
    pub collection_ends_ns: Vec<u64>,
}

impl MemStats {
    /// Whether this is of the program that an earlier one is of: it remembers the collection that was the
    /// latest then. `None` where nothing tells: there was none, or 256 others followed.
    #[must_use]
    pub fn is_of_same_program(&self, earlier: &Self) -> Option<bool> {
        if self.collections < earlier.collections || self.allocated_bytes < earlier.allocated_bytes
        {
            return Some(false);
        }
        let since = self.collections - earlier.collections;
        if earlier.collections == 0 || since >= self.collection_ends_ns.len() as u64 {
            return None;
        }
        Some(self.collection_ends_ns.contains(&earlier.last_collection_ns))
    }
}

/// Reads it, in pieces of any size.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    stats: MemStats,
    found: bool,
}

impl Reader {
    /// Reads on.
    pub fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    /// Ends; `None` where nothing was said of memory.
    #[must_use]
    pub fn finish(mut self) -> Option<MemStats> {
        self.end_line();
        self.found.then_some(self.stats)
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        if let Some((name, value)) = line.strip_prefix("# ").and_then(|it| it.split_once(" = ")) {
            let value = value.trim();
            let number = || value.parse().unwrap_or_default();
            match name {
                "HeapAlloc" => (self.stats.heap_bytes, self.found) = (number(), true),
                "HeapObjects" => self.stats.heap_objects = number(),
                "TotalAlloc" => self.stats.allocated_bytes = number(),
                "NumGC" => self.stats.collections = number(),
                "LastGC" => self.stats.last_collection_ns = number(),
                "PauseEnd" => {
                    let times = value.trim_matches(['[', ']']).split(' ');
                    self.stats.collection_ends_ns =
                        times.filter_map(|it| it.parse().ok()).collect();
                }
                _ => {}
            }
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, piece: usize) -> Option<MemStats> {
        let mut reader = Reader::default();
        text.as_bytes().chunks(piece).for_each(|piece| reader.feed(piece));
        reader.finish()
    }

    #[test]
    fn lines_are_read_in_any_pieces() {
        let text = "heap profile: 3: 5 [7: 9] @ heap/1048576\n1: 5 [1: 5] @ 0x1 0x2\n#\t0x1\tmain.x+0x1\t/m.go:1\n\n\
            # runtime.MemStats\n# Alloc = 7\n# TotalAlloc = 70\n# HeapAlloc = 7\n# HeapObjects = 3\n\
            # LastGC = 1700000000000000002\n# PauseNs = [1 2]\n\
            # PauseEnd = [1700000000000000001 1700000000000000002 0]\n# NumGC = 2\n# DebugGC = false";
        let expected = MemStats {
            heap_bytes: 7,
            heap_objects: 3,
            allocated_bytes: 70,
            collections: 2,
            last_collection_ns: 1_700_000_000_000_000_002,
            collection_ends_ns: vec![1_700_000_000_000_000_001, 1_700_000_000_000_000_002, 0],
        };
        for piece in [1, 7, 4096] {
            assert_eq!(read(text, piece).as_ref(), Some(&expected));
        }
        assert_eq!(read("# HeapAlloc", 5), None);
        assert_eq!(read(&"x".repeat(100_000), 4096), None);
        assert_eq!(read("# HeapAlloc = potato\n", 4096).map(|it| it.heap_bytes), Some(0));
    }

    #[test]
    fn a_program_remembers_its_collections() {
        let at = |collections: u64, allocated_bytes| MemStats {
            allocated_bytes,
            collections,
            last_collection_ns: 1_000 + collections,
            collection_ends_ns: (0..4)
                .map(|back| (1_000 + collections).saturating_sub(back))
                .collect(),
            ..MemStats::default()
        };
        assert_eq!(at(5, 50).is_of_same_program(&at(3, 30)), Some(true));
        assert_eq!(at(2, 50).is_of_same_program(&at(3, 30)), Some(false));
        assert_eq!(at(5, 20).is_of_same_program(&at(3, 30)), Some(false));
        assert_eq!(at(7, 70).is_of_same_program(&at(3, 30)), None);
        assert_eq!(at(3, 40).is_of_same_program(&at(0, 30)), None);
        let another = MemStats { last_collection_ns: 7, ..at(3, 30) };
        assert_eq!(at(5, 50).is_of_same_program(&another), Some(false));
    }
}
