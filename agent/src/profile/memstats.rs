//! What Go says of its memory at the end of a heap profile as text (`heap?debug=1`): lines such as
//! `# HeapAlloc = 123` (`runtime/pprof/pprof.go`, Go 1.21 to 1.27).

use crate::model::Heap;

/// Bytes of a line that are kept: the times of 256 collections have 20 digits each.
const MAX_LINE: usize = 16 << 10;

/// What Go says of its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemStats {
    /// All that was taken from the kernel: `Sys`.
    pub sys_bytes: u64,
    /// That of it which is for the heap: `HeapSys`.
    pub heap_sys_bytes: u64,
    /// Spans in use: `HeapInuse`.
    pub in_use_bytes: u64,
    /// Spans that are not, given back or not: `HeapIdle`.
    pub idle_bytes: u64,
    /// What of those was given back: `HeapReleased`.
    pub released_bytes: u64,
    /// Goroutines' stacks: the first of `Stack`.
    pub stacks_bytes: u64,
    /// Objects allocated since the start, and those of them that were freed: `Mallocs`, `Frees`.
    pub allocated_objects: u64,
    /// `Frees`.
    pub freed_objects: u64,
    /// At which size the heap is collected next: `NextGC`.
    pub goal_bytes: u64,
    /// How many of the collections the program asked for: `NumForcedGC`.
    pub forced_collections: u64,
    /// For how long the latest 256 collections stopped the program, in a ring: `PauseNs`.
    pub pauses_ns: Vec<u64>,
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
    /// As the heap of a sample.
    #[must_use]
    pub fn heap(&self) -> Heap {
        let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let ring = self.pauses_ns.len() as u64;
        let last = self.collections.checked_sub(1).and_then(|it| it.checked_rem(ring));
        let last_pause_ns = last.and_then(|it| self.pauses_ns.get(usize::try_from(it).ok()?));
        Heap {
            objects_bytes: self.heap_bytes,
            objects: self.heap_objects,
            in_use_bytes: self.in_use_bytes,
            idle_bytes: self.idle_bytes.saturating_sub(self.released_bytes),
            released_bytes: self.released_bytes,
            stacks_bytes: self.stacks_bytes,
            runtime_bytes: self
                .sys_bytes
                .saturating_sub(self.heap_sys_bytes)
                .saturating_sub(self.stacks_bytes),
            // What it is where no collection will come is no size.
            goal_bytes: Some(self.goal_bytes).filter(|goal| *goal < u64::MAX / 2),
            allocated_bytes: self.allocated_bytes,
            freed_bytes: self.allocated_bytes.saturating_sub(self.heap_bytes),
            allocated_objects: self.allocated_objects,
            freed_objects: self.freed_objects,
            collections: number(self.collections),
            forced_collections: number(self.forced_collections),
            last_collection_ns: Some(self.last_collection_ns).filter(|at| *at > 0),
            last_pause_ns: last_pause_ns.copied(),
            is_served: true,
            ..Heap::default()
        }
    }

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
    /// Whether the heap was told, and the collections, which come near the end.
    found: [bool; 2],
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
        (self.found == [true; 2]).then_some(self.stats)
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        if let Some((name, value)) = line.strip_prefix("# ").and_then(|it| it.split_once(" = ")) {
            let value = value.trim();
            let number = || value.parse().unwrap_or_default();
            match name {
                "HeapAlloc" => (self.stats.heap_bytes, self.found[0]) = (number(), true),
                "HeapObjects" => self.stats.heap_objects = number(),
                "Sys" => self.stats.sys_bytes = number(),
                "HeapSys" => self.stats.heap_sys_bytes = number(),
                "HeapInuse" => self.stats.in_use_bytes = number(),
                "HeapIdle" => self.stats.idle_bytes = number(),
                "HeapReleased" => self.stats.released_bytes = number(),
                // What is in use, and what was taken for it.
                "Stack" => {
                    let in_use = value.split(' ').next().unwrap_or_default();
                    self.stats.stacks_bytes = in_use.parse().unwrap_or_default();
                }
                "Mallocs" => self.stats.allocated_objects = number(),
                "Frees" => self.stats.freed_objects = number(),
                "NextGC" => self.stats.goal_bytes = number(),
                "NumForcedGC" => self.stats.forced_collections = number(),
                "PauseNs" => self.stats.pauses_ns = ring(value),
                "TotalAlloc" => self.stats.allocated_bytes = number(),
                "NumGC" => (self.stats.collections, self.found[1]) = (number(), true),
                "LastGC" => self.stats.last_collection_ns = number(),
                "PauseEnd" => self.stats.collection_ends_ns = ring(value),
                _ => {}
            }
        }
        self.line.clear();
    }
}

/// `[1 2 3]`
fn ring(text: &str) -> Vec<u64> {
    text.trim_matches(['[', ']']).split(' ').filter_map(|it| it.parse().ok()).collect()
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
            # Sys = 90\n# HeapSys = 60\n# HeapIdle = 40\n# HeapInuse = 20\n# HeapReleased = 30\n# Stack = 4 / 5\n\
            # Mallocs = 9\n# Frees = 6\n# NextGC = 16\n# NumForcedGC = 1\n\
            # LastGC = 1700000000000000002\n# PauseNs = [1 2 0]\n\
            # PauseEnd = [1700000000000000001 1700000000000000002 0]\n# NumGC = 2\n# DebugGC = false";
        let expected = MemStats {
            heap_bytes: 7,
            heap_objects: 3,
            allocated_bytes: 70,
            collections: 2,
            last_collection_ns: 1_700_000_000_000_000_002,
            collection_ends_ns: vec![1_700_000_000_000_000_001, 1_700_000_000_000_000_002, 0],
            sys_bytes: 90,
            heap_sys_bytes: 60,
            in_use_bytes: 20,
            idle_bytes: 40,
            released_bytes: 30,
            stacks_bytes: 4,
            allocated_objects: 9,
            freed_objects: 6,
            goal_bytes: 16,
            forced_collections: 1,
            pauses_ns: vec![1, 2, 0],
        };
        let heap = expected.heap();
        assert_eq!((heap.idle_bytes, heap.runtime_bytes, heap.freed_bytes), (10, 26, 63));
        assert_eq!((heap.pause_total_ns, heap.last_pause_ns), (None, Some(2)));
        assert_eq!(heap.mapped_bytes(), 90);
        for piece in [1, 7, 4096] {
            assert_eq!(read(text, piece).as_ref(), Some(&expected));
        }
        assert_eq!(read("# HeapAlloc", 5), None);
        assert_eq!(read(&"x".repeat(100_000), 4096), None);
        assert_eq!(
            read("# HeapAlloc = potato\n# NumGC = 1\n", 4096).map(|it| it.heap_bytes),
            Some(0)
        );
        // Cut short.
        assert_eq!(read("# HeapAlloc = 7\n# HeapObjects = 3\n", 4096), None);
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
