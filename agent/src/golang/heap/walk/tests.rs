#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use crate::golang::arch::Arch;
use crate::golang::heap::Marker;
use crate::golang::heap::marker::Slot;
use crate::golang::heap::roots;
use crate::golang::layout::Layout;
use crate::golang::types;
use crate::golang::version::GoVersion;

const MHEAP: u64 = 0x10_0000;
const LIST: u64 = 0x20_0000;
const STRUCTS: u64 = 0x30_0000;
const BITS: u64 = 0x40_0000;
const TYPES: u64 = 0x50_0000;
const RECORDS: u64 = 0x60_0000;
const CODE: u64 = 0x70_0000;
const TABLE: u64 = 0x1000_0000;
const ARENA: u64 = 0x2000_0000;
const HEAP: u64 = 0xc0_0000_0000;
const PAGE: u64 = 8192;

/// Memory of pages that were written to; what else is on them is 0, and there is no other.
struct Written {
    pages: BTreeMap<u64, Vec<u8>>,
    layout: layout::Heap,
    form: Form,
    version: GoVersion,
    spans: u64,
}

impl Memory for Written {
    fn read(&self, addr: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        for (at, byte) in (addr..).zip(buf.iter_mut()) {
            let page = self.pages.get(&(at / PAGE));
            let page = page.ok_or(ReadError::Unmapped { addr: at, len: 1 })?;
            *byte = page[(at % PAGE) as usize];
        }
        Ok(())
    }
}

impl Written {
    /// An empty heap of a Go version.
    fn of(version: &str) -> Self {
        let version: GoVersion = version.parse().unwrap();
        let layout = Layout::for_version(&version, Arch::Amd64).unwrap().layout.heap.unwrap();
        let form = Form::of(&version, Arch::Amd64);
        let mut heap = Self { pages: BTreeMap::new(), layout, form, version, spans: 0 };
        heap.put(MHEAP + u64::from(layout.mheap.all_spans), &[LIST, 0]);
        heap.put(MHEAP + u64::from(layout.mheap.sweep_generation), &[]);
        heap.put(MHEAP + u64::from(layout.mheap.arenas), &[TABLE]);
        heap
    }

    fn bytes(&mut self, at: u64, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes) {
            let page = self.pages.entry(at / PAGE).or_insert_with(|| vec![0; PAGE as usize]);
            page[(at % PAGE) as usize] = *byte;
        }
    }

    fn put(&mut self, at: u64, words: &[u64]) {
        for (at, word) in (at..).step_by(8).zip(words) {
            self.bytes(at, &word.to_le_bytes());
        }
    }

    /// A span in use, with all of its objects allocated; where its structure is.
    fn span(&mut self, start: u64, pages: u64, object_bytes: u64, class: u8) -> u64 {
        let (number, at) = (self.spans, self.layout.mspan);
        let address = STRUCTS + number * 256;
        self.spans += 1;
        self.put(LIST + number * 8, &[address]);
        self.put(MHEAP + u64::from(self.layout.mheap.all_spans), &[LIST, self.spans]);
        self.bytes(address, &[0; 256]);
        let objects = pages * PAGE / object_bytes;
        self.put(address + u64::from(at.start), &[start, pages]);
        self.put(address + u64::from(at.object_bytes), &[object_bytes]);
        self.put(address + u64::from(at.alloc_bits), &[BITS + number * 256]);
        self.bytes(BITS + number * 256, &[0xff; 256]);
        self.bytes(address + u64::from(at.class), &[class]);
        self.bytes(address + u64::from(at.state), &[1]);
        self.bytes(address + u64::from(at.objects), &(objects as u16).to_le_bytes());
        // The memory is there.
        for page in 0..pages {
            self.bytes(start + page * PAGE, &[0]);
        }
        address
    }

    /// Says of a word of a span of small objects that it is a pointer, as Go 1.22 and later do.
    fn is_pointer(&mut self, span_end: u64, behind: u64, word: u64) {
        let at = span_end - behind - PAGE / 64 + word / 8;
        let mut byte = [0];
        self.read(at, &mut byte).unwrap();
        self.bytes(at, &[byte[0] | 1 << (word % 8)]);
    }

    /// A type of so many words, of which some are pointers.
    fn a_type(&mut self, at: u64, words: u64, mask: u8) {
        self.put(at, &[words * 8, words * 8, 0, 0, at + 64]);
        self.bytes(at + 64, &[mask, 0, 0, 0]);
    }

    fn read_spans(&self) -> Spans {
        Spans::read(self, MHEAP, &self.layout).unwrap()
    }

    /// A walk that has reached nothing yet; types may be anywhere in [`TYPES`].
    fn begin<'a>(&'a self, spans: &'a Spans) -> Walk<'a> {
        let types = Types::new(types::Form::of(&self.version), vec![(TYPES, TYPES + 0x10_0000)]);
        let code = std::iter::once(CODE..CODE + 0x1000);
        let known = (types, code.collect());
        Walk::begin(self, (MHEAP, self.layout, self.form), spans, known).unwrap()
    }

    /// What some addresses reach.
    fn walk(&self, from: &[u64]) -> (Tally, Outcome) {
        let spans = self.read_spans();
        let mut walk = self.begin(&spans);
        from.iter().for_each(|address| walk.reach(*address));
        let (tally, is_whole) = walk.follow(&mut || true).unwrap();
        assert!(is_whole);
        let marker = self.marker(&spans);
        marker.mark_all(from);
        marker.run(2).unwrap();
        let marked = marker.marked();
        assert_eq!(
            (marked.objects, marked.bytes),
            (tally.objects, tally.bytes),
            "what a marker marks is what a walk reaches"
        );
        (tally, walk.end().unwrap())
    }

    fn marker<'a>(&'a self, spans: &'a Spans) -> Marker<'a> {
        Marker::new(self, (MHEAP, &self.layout, self.form), spans)
    }
}

const fn tally(objects: u64, bytes: u64) -> Tally {
    Tally { objects, bytes }
}

/// Objects of 64 bytes, each of which points to the next with its second word, and has the address of the
/// fourth behind where no pointer is. In a second span, without pointers, what the last points into.
fn chain(version: &str, behind: u64) -> Written {
    let mut heap = Written::of(version);
    heap.span(HEAP, 1, 64, 10);
    heap.span(HEAP + 2 * PAGE, 1, 1024, 67);
    for object in 0..8 {
        let at = HEAP + object * 64;
        let next = if object == 7 { HEAP + 2 * PAGE + 1030 } else { at + 64 };
        heap.put(at, &[at + 4 * 64, next]);
        heap.is_pointer(HEAP + PAGE, behind, object * 8 + 1);
    }
    heap
}

#[test]
fn pointers_are_followed_and_other_words_are_not() {
    for (version, behind) in [("go1.22.10", 0), ("go1.26.6-X:nogreenteagc", 0), ("go1.26.6", 128)] {
        let heap = chain(version, behind);
        let (reached, outcome) = heap.walk(&[HEAP + 4 * 64 + 63]);
        assert_eq!(reached, tally(5, 4 * 64 + 1024), "{version}");
        assert_eq!(outcome.reached, reached);
        let (small, large) = (&outcome.classes[0], &outcome.classes[1]);
        assert_eq!((small.object_bytes, small.reached), (Some(64), tally(4, 256)));
        assert_eq!((large.unreached, outcome.moved.spans), (tally(7, 7168), 2));
        // Nothing of it is in objects.
        assert_eq!(heap.walk(&[0, 8, HEAP - 1, HEAP + PAGE, u64::MAX]).0, Tally::default());
    }
}

#[test]
fn what_is_hidden_is_not_followed_and_what_is_watched_is_told() {
    let heap = chain("go1.24.11", 0);
    let spans = heap.read_spans();
    let all = {
        let marker = heap.marker(&spans);
        marker.mark(HEAP);
        marker.run(1).unwrap();
        marker.marked().objects
    };
    assert!(all > 2, "a chain");
    let mut marker = heap.marker(&spans);
    let first = marker.slot(HEAP).unwrap();
    marker.hide(first);
    marker.mark(HEAP);
    marker.run(1).unwrap();
    assert_eq!(marker.marked().objects, 0, "what is hidden leads nowhere");
    // What an object leads to, and not the object.
    let mut marker = heap.marker(&spans);
    let others: Vec<Slot> =
        (0..136).map(|object| first + object).filter(|it| *it != first).collect();
    marker.watch(first);
    others.iter().for_each(|slot| marker.watch(*slot));
    marker.mark_from(&[first]).unwrap();
    marker.run(2).unwrap();
    assert!(!marker.is_reached(first));
    let met = marker.take_met();
    assert_eq!(met.len() as u64, marker.marked().objects);
    assert_eq!(met.len() as u64, all - 1);
    assert!(met.iter().all(|slot| others.contains(slot) && marker.is_reached(*slot)));
}

#[test]
fn the_object_at_an_address_is_found_without_a_division() {
    let mut heap = Written::of("go1.27.3");
    let sizes = &crate::golang::heap::classes::BYTES[1..];
    for (number, size) in (0..).zip(sizes) {
        heap.span(HEAP + number * 10 * PAGE, 10, *size, 4);
    }
    let spans = heap.read_spans();
    assert_eq!((spans.all().len(), spans.torn()), (sizes.len(), 0));
    for span in spans.all() {
        for address in span.start..span.end() {
            let object = (address - span.start) / span.object_bytes;
            let expected = (object < u64::from(span.objects)).then_some(object as u32);
            assert_eq!(span.object_at(address), expected, "{} bytes", span.object_bytes);
        }
        assert_eq!((span.object_at(span.end()), span.object_at(span.start - 1)), (None, None));
    }
}

#[test]
fn circles_end_and_every_object_counts_once() {
    let mut heap = chain("go1.27.3", 128);
    heap.put(HEAP + 7 * 64 + 8, &[HEAP]);
    assert_eq!(heap.walk(&[HEAP, HEAP, HEAP + 3 * 64]).0, tally(8, 512));
}

#[test]
fn what_came_after_spans_were_read_is_followed_and_counted() {
    let mut heap = chain("go1.26.6", 128);
    // The first three by the index; of the others the fourth alone.
    heap.bytes(BITS, &[1 << 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let at = heap.layout.mspan.free_index;
    heap.bytes(STRUCTS + u64::from(at), &[3, 0]);
    let (reached, outcome) = heap.walk(&[HEAP]);
    // All eight, and what the last leads to.
    assert_eq!((reached, outcome.moved.astray), (tally(9, 8 * 64 + 1024), 4));
    assert_eq!(outcome.unreached, tally(7, 7168));
    // What is free and nobody leads to is neither.
    let (reached, outcome) = heap.walk(&[HEAP + 2 * PAGE]);
    assert_eq!((reached, outcome.unreached), (tally(1, 1024), tally(4 + 7, 256 + 7168)));
}

/// A span that was not there when the walk began, with an object that alone points to one that was.
#[test]
fn what_is_in_new_spans_is_searched_and_in_no_sum() {
    for (version, behind) in [("go1.22.10", 0), ("go1.27.3", 128)] {
        let mut heap = chain(version, behind);
        let spans = heap.read_spans();
        let new = HEAP + 6 * PAGE;
        let structure = heap.span(new, 1, 64, 10);
        // One object of it is there, in the first place.
        heap.bytes(BITS + 2 * 256, &[0; 16]);
        heap.bytes(structure + u64::from(heap.layout.mspan.free_index), &[1, 0]);
        heap.put(new, &[HEAP + 6 * 64]);
        heap.is_pointer(new + PAGE, behind, 0);
        let mut walk = heap.begin(&spans);
        walk.reach(HEAP + 7 * 64);
        walk.follow(&mut || true).unwrap();
        let before = walk.reach_from_what_came(&mut || false).unwrap();
        assert_eq!((before.all, before.unsearched), (tally(1, 64), tally(1, 64)), "{version}");
        let came = walk.reach_from_what_came(&mut || true).unwrap();
        assert_eq!((came.all, came.unsearched), (tally(1, 64), tally(0, 0)), "{version}");
        // The seventh leads to the eighth, which was reached before.
        assert_eq!(walk.follow(&mut || true).unwrap(), (tally(1, 64), true), "{version}");
        assert_eq!(walk.end().unwrap().reached, tally(3, 128 + 1024), "{version}");
    }
}

#[test]
fn objects_that_came_in_a_known_span_are_searched_unless_they_were_reached() {
    let mut heap = chain("go1.26.6", 128);
    heap.bytes(BITS, &[0; 16]);
    let at = STRUCTS + u64::from(heap.layout.mspan.free_index);
    heap.bytes(at, &[2, 0]);
    let spans = heap.read_spans();
    heap.bytes(at, &[4, 0]);
    let mut walk = heap.begin(&spans);
    walk.reach(HEAP);
    // All eight, and what the last leads to: most of them came.
    assert_eq!(walk.follow(&mut || true).unwrap().0, tally(9, 8 * 64 + 1024));
    assert_eq!(walk.reach_from_what_came(&mut || true).unwrap(), Came::default());
    let mut walk = heap.begin(&spans);
    assert_eq!(walk.reach_from_what_came(&mut || true).unwrap().all, tally(2, 128));
    assert_eq!(walk.follow(&mut || true).unwrap().0, tally(5 + 1, 5 * 64 + 1024));
}

#[test]
fn what_an_object_is_taken_for_is_noted_when_it_is_reached() {
    let heap = chain("go1.26.6", 128);
    let spans = heap.read_spans();
    let mut walk = heap.begin(&spans);
    walk.watch(HEAP + 3 * 64 + 5);
    walk.reach(HEAP + 5 * 64);
    walk.follow(&mut || true).unwrap();
    assert_eq!(walk.watched().unwrap(), None);
    walk.watch(HEAP + 3 * 64 + 5);
    walk.reach(HEAP);
    walk.follow(&mut || true).unwrap();
    assert_eq!(walk.watched().unwrap(), Some(Shape::Unknown));
}

#[test]
fn larger_objects_tell_their_type() {
    let mut heap = Written::of("go1.24.11");
    heap.span(HEAP, 1, 1024, 66);
    // Two words, of which the second is a pointer, again and again.
    heap.a_type(TYPES, 2, 0b10);
    heap.put(HEAP, &[TYPES, HEAP + 1024, HEAP + 2048, 0, HEAP + 3072]);
    heap.put(HEAP + 2048, &[0, 0, HEAP]);
    let (reached, outcome) = heap.walk(&[HEAP]);
    // The header is before the type's first word; an object without a header has no pointers yet.
    assert_eq!((reached, outcome.moved.untyped), (tally(3, 3072), 0));
}

#[test]
fn an_object_with_a_span_of_its_own_has_its_type_there() {
    let mut heap = chain("go1.26.6", 128);
    let pages = 80;
    let large = heap.span(HEAP + 64 * PAGE, pages, pages * PAGE, 0);
    heap.a_type(TYPES, 3, 0b100);
    heap.put(large + u64::from(heap.layout.mspan.large_type.unwrap()), &[TYPES]);
    // In the first chunk and in another.
    heap.put(HEAP + 64 * PAGE, &[HEAP + 5 * 64, HEAP + 5 * 64, HEAP + 7 * 64]);
    let element = 24 * 20_000;
    heap.put(HEAP + 64 * PAGE + element, &[HEAP, HEAP, HEAP + 6 * 64]);
    let (reached, outcome) = heap.walk(&[HEAP + 100 * PAGE]);
    assert_eq!(reached, tally(4, pages * PAGE + 2 * 64 + 1024));
    let class = outcome.classes.last().unwrap();
    assert_eq!((class.object_bytes, class.reached), (None, tally(1, pages * PAGE)));
}

#[test]
fn types_that_cannot_be_leave_every_word_a_pointer() {
    for (size, pointers, mask) in [
        (1 << 63, 1 << 63, TYPES + 64),
        (16, 24, TYPES + 64),
        (0, 0, TYPES + 64),
        (16, 16, 0),
        (16, 16, 1 << 60),
        (4096, 4096, TYPES + 64),
    ] {
        let mut heap = Written::of("go1.25.5");
        heap.span(HEAP, 1, 1024, 66);
        heap.put(TYPES, &[size, pointers, 0, 0, mask]);
        heap.put(HEAP, &[TYPES, HEAP + 1024, HEAP + 2048]);
        let (reached, outcome) = heap.walk(&[HEAP]);
        assert_eq!((reached.objects, outcome.moved.untyped), (3, 1), "{size} {pointers} {mask:x}");
    }
    let mut heap = Written::of("go1.25.5");
    heap.span(HEAP, 1, 1024, 66);
    heap.put(HEAP, &[0xdead_0000, HEAP + 1024]);
    assert_eq!(heap.walk(&[HEAP]).0.objects, 2);
}

#[test]
fn a_mask_that_is_made_on_demand_is_behind_a_pointer() {
    for (version, objects) in [("go1.24.11", 2), ("go1.23.9", 1)] {
        let mut heap = Written::of(version);
        heap.span(HEAP, 1, 1024, 66);
        heap.a_type(TYPES, 2, 0b10);
        heap.bytes(TYPES + 20, &[1 << 4]);
        heap.put(TYPES + 32, &[TYPES + 80, 0]);
        heap.put(TYPES + 80, &[TYPES + 64]);
        heap.bytes(TYPES + 64, &[0b10]);
        // Before Go 1.24 the flag means something else: the mask is the pointer itself, without bits here.
        heap.put(HEAP, &[TYPES, HEAP + 2048, HEAP + 1024]);
        if version == "go1.23.9" {
            heap.put(TYPES + 80, &[0]);
        }
        assert_eq!(heap.walk(&[HEAP]).0.objects, objects, "{version}");
    }
}

/// A heap of Go 1.21 with objects of 1,024 bytes, and the words of its bitmap.
fn arena(bitmap: &[u64], no_more: u8) -> Written {
    let mut heap = Written::of("go1.21.13");
    heap.span(HEAP, 2, 1024, 66);
    heap.put(TABLE + ((HEAP + 0x8000_0000_0000) >> 26) * 8, &[ARENA]);
    heap.put(ARENA, bitmap);
    heap.bytes(ARENA + (1 << 20), &[no_more, 0]);
    heap.put(HEAP, &[0, HEAP + 1024]);
    heap.put(HEAP + 512, &[0, 0, HEAP + 2048]);
    heap
}

#[test]
fn go_1_21_has_bitmaps_of_arenas() {
    assert_eq!(arena(&[0b10, 0b100], 0).walk(&[HEAP]).0.objects, 3);
    assert_eq!(arena(&[0b10, 0b010], 0).walk(&[HEAP]).0.objects, 2);
    // Behind the first word of the bitmap the object has no more, whatever is left there.
    assert_eq!(arena(&[0b10, 0b100], 1).walk(&[HEAP]).0.objects, 2);
    let mut none = arena(&[0b10, 0b100], 0);
    none.put(TABLE + ((HEAP + 0x8000_0000_0000) >> 26) * 8, &[0]);
    let (reached, outcome) = none.walk(&[HEAP]);
    // Nothing tells where the pointers of that one are.
    assert_eq!((reached.objects, outcome.moved.unread), (1, 1));
}

#[test]
fn spans_that_make_no_sense_are_counted_and_left_out() {
    let spoil: [fn(&mut Written, u64); 9] = [
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.pages), &[u64::MAX]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.pages), &[1 << 40]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.start), &[HEAP + 1]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.start), &[u64::MAX - PAGE + 1]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.start), &[HEAP]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.object_bytes), &[0]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.object_bytes), &[1 << 62]),
        |heap, at| heap.bytes(at + u64::from(heap.layout.mspan.objects), &[0xff, 0xff]),
        |heap, at| heap.put(at + u64::from(heap.layout.mspan.alloc_bits), &[8]),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut heap = chain("go1.26.6", 128);
        let other = heap.span(HEAP + 8 * PAGE, 1, 64, 10);
        spoil(&mut heap, other);
        let spans = heap.read_spans();
        assert_eq!((spans.all().len(), spans.torn()), (2, 1), "spoiled in way {number}");
        assert_eq!(heap.walk(&[HEAP]).1.moved.torn_spans, 1);
    }
    // A structure that is not there, and a list that is longer than what is mapped.
    let mut heap = chain("go1.26.6", 128);
    heap.put(LIST + 16, &[8]);
    heap.put(MHEAP + u64::from(heap.layout.mheap.all_spans), &[LIST, 3]);
    assert_eq!(heap.read_spans().torn(), 1);
    heap.put(MHEAP + u64::from(heap.layout.mheap.all_spans), &[LIST, u64::MAX]);
    assert!(Spans::read(&heap, MHEAP, &heap.layout).is_err());
}

#[test]
fn addresses_are_found_whatever_the_gaps() {
    let mut heap = Written::of("go1.27.3");
    let starts: Vec<u64> = (0..40).map(|it| HEAP + (it * it * it) * 3 * PAGE).collect();
    for start in &starts {
        heap.span(*start, 2, 2048, 80);
    }
    heap.span(0x7f00_0000_0000, 1, 2048, 80);
    let spans = heap.read_spans();
    for start in starts.iter().copied().filter(|start| *start > HEAP) {
        let found = |at: u64| spans.find(at).map(|(_, span)| span.start);
        assert_eq!(found(start), Some(start));
        assert_eq!(found(start + 2 * PAGE - 1), Some(start));
        assert_eq!(found(start + 2 * PAGE), None);
        assert_eq!(
            found(start - 1),
            if start == HEAP + 3 * PAGE { None } else { found(start - 1) }
        );
        assert!(found(start - 1) != Some(start));
    }
    assert_eq!(spans.find(0x7f00_0000_0000).unwrap().1.start, 0x7f00_0000_0000);
    assert!(spans.find(0x7e00_0000_0000).is_none() && spans.find(1).is_none());
}

#[test]
fn a_walk_ends_when_it_is_told_to() {
    let mut heap = Written::of("go1.26.6");
    for span in 0..600 {
        let start = HEAP + span * PAGE;
        heap.span(start, 1, 512, 54);
        heap.put(start, &[start + PAGE]);
        heap.is_pointer(start + PAGE, 128, 0);
    }
    let spans = heap.read_spans();
    let mut walk = heap.begin(&spans);
    walk.reach(HEAP);
    let mut left = 10;
    let (some, is_whole) = walk
        .follow(&mut || {
            left -= 1;
            left >= 0
        })
        .unwrap();
    assert!(!is_whole && some.objects == 11, "{some:?}");
    let (rest, is_whole) = walk.follow(&mut || true).unwrap();
    assert!(is_whole && some.objects + rest.objects == 600, "{rest:?}");
}

#[test]
fn records_of_objects_are_read_and_lists_in_circles_end() {
    let mut heap = chain("go1.25.5", 0);
    let (special, at) = (heap.layout.special, heap.layout.mspan.specials);
    heap.put(STRUCTS + u64::from(at), &[RECORDS]);
    heap.put(RECORDS, &[RECORDS + 64, 3 * 64]);
    heap.bytes(RECORDS + u64::from(special.kind), &[2]);
    heap.put(RECORDS + u64::from(special.size), &[HEAP + 4 * 64]);
    heap.put(RECORDS + 64, &[0, 5 * 64]);
    heap.bytes(RECORDS + 64 + u64::from(special.kind), &[4]);
    let spans = heap.read_spans();
    let found = roots::specials(&heap, &special, &heap.form, &spans).unwrap();
    let [finalizer, other] = found.found[..] else { panic!("{found:?}") };
    assert_eq!((finalizer.object, finalizer.kind), (HEAP + 3 * 64, roots::RecordKind::Finalizer));
    assert_eq!(finalizer.words[0], HEAP + 4 * 64);
    assert!(other.kind != roots::RecordKind::Finalizer && found.unread == 0);

    heap.put(RECORDS + 64, &[RECORDS]);
    let found = roots::specials(&heap, &special, &heap.form, &spans).unwrap();
    assert!(found.unread > 0);
    // One that says it is of an object beyond the span.
    heap.put(RECORDS, &[0, PAGE]);
    let found = roots::specials(&heap, &special, &heap.form, &spans).unwrap();
    assert_eq!((found.found.len(), found.unread), (0, 1));
}

/// A type of 64 bytes whose second word points to another of it, the third to the bytes of a string, and with an
/// interface in the last two.
fn typed(version: &str) -> Written {
    let mut heap = chain(version, if version == "go1.26.6" { 128 } else { 0 });
    let (node, pointer, text, any, fields, names) =
        (TYPES, TYPES + 0x100, TYPES + 0x200, TYPES + 0x300, TYPES + 0x400, TYPES + 0x600);
    let kind = |heap: &mut Written, at: u64, (size, pointers): (u64, u64), kind: u8, name: u64| {
        heap.put(at, &[size, pointers, 0, 0, 0, 0]);
        heap.bytes(at + 23, &[kind]);
        heap.bytes(at + 40, &((name - TYPES) as u32).to_le_bytes());
    };
    for (number, name) in ["main.node", "next", "name", "any"].iter().enumerate() {
        let at = names + number as u64 * 32;
        heap.bytes(at, &[0, name.len() as u8]);
        heap.bytes(at + 2, name.as_bytes());
    }
    kind(&mut heap, node, (64, 64), 25, names);
    heap.put(node + 48, &[0, fields, 3]);
    kind(&mut heap, pointer, (8, 8), 22, names);
    heap.put(pointer + 48, &[node]);
    kind(&mut heap, text, (16, 8), 24, names);
    kind(&mut heap, any, (16, 16), 20, names);
    heap.put(fields, &[names + 32, pointer, 8, names + 64, text, 16, names + 96, any, 48]);
    let behind = if version == "go1.26.6" { 128 } else { 0 };
    for object in 0..8 {
        heap.is_pointer(HEAP + PAGE, behind, object * 8 + 2);
        heap.is_pointer(HEAP + PAGE, behind, object * 8 + 7);
    }
    // The list ends after three; the third has a name, and another in its interface.
    heap.put(HEAP + 2 * 64 + 8, &[0, HEAP + 2 * PAGE, 9, 0, 0, TYPES, HEAP + 5 * 64]);
    heap.put(HEAP + 5 * 64 + 8, &[0]);
    heap
}

/// Of each path its fields and how many objects are at its end.
fn paths(walk: &Walk<'_>) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for (id, node) in walk.paths().all().filter(|(_, node)| node.own.objects > 0) {
        let mut steps = Vec::new();
        let mut at = Some(id);
        while let Some(node) = at.map(|at| walk.paths().node(at)).filter(|it| it.parent.is_some()) {
            let via = walk.types().text(node.via).unwrap_or_default();
            steps.push(match node.named {
                shape::Named::Type(id) => {
                    format!("{via}>{}", walk.types().name(walk.memory, id).unwrap().unwrap())
                }
                named => format!("{via}>{named:?}"),
            });
            at = node.parent;
        }
        steps.reverse();
        found.push((steps.join(" "), node.own.objects));
    }
    found.sort();
    found
}

#[test]
fn objects_are_held_by_paths_of_types_and_fields() {
    for version in ["go1.24.11", "go1.26.6"] {
        let heap = typed(version);
        let spans = heap.read_spans();
        let mut walk = heap.begin(&spans);
        let node = walk.types_mut().get(&heap, TYPES).unwrap().unwrap();
        walk.reach_as(Label::EMPTY, Shape::One(node), HEAP);
        walk.follow(&mut || true).unwrap();
        let expected = [(">main.node".to_owned(), 4), (">main.node name>Text".to_owned(), 1)];
        assert_eq!(paths(&walk), expected, "{version}");
        // What nobody knows is what it turns out to be behind a pointer that says it.
        let mut walk = heap.begin(&spans);
        let node = walk.types_mut().get(&heap, TYPES).unwrap().unwrap();
        walk.reach(HEAP + 64);
        walk.reach_as(Label::EMPTY, Shape::One(node), HEAP);
        walk.follow(&mut || true).unwrap();
        assert_eq!(paths(&walk), expected, "{version}");
        // Without any, an interface tells.
        let mut walk = heap.begin(&spans);
        walk.reach(HEAP);
        walk.follow(&mut || true).unwrap();
        let expected = [
            (">Unknown".to_owned(), 3),
            (">Unknown >Plain".to_owned(), 1),
            (">Unknown >main.node".to_owned(), 1),
        ];
        assert_eq!(paths(&walk), expected, "{version}");
    }
}

#[test]
fn what_does_not_fit_where_it_is_is_not_believed() {
    let heap = typed("go1.26.6");
    let spans = heap.read_spans();
    let mut walk = heap.begin(&spans);
    let node = walk.types_mut().get(&heap, TYPES).unwrap().unwrap();
    let text = walk.types_mut().get(&heap, TYPES + 0x200).unwrap().unwrap();
    // Within an object, of another size, without pointers, and no text where pointers are.
    walk.reach_as(Label::EMPTY, Shape::One(node), HEAP + 8);
    walk.reach_as(Label::EMPTY, Shape::One(text), HEAP + 64);
    walk.reach_as(Label::EMPTY, Shape::One(node), HEAP + 2 * PAGE);
    walk.reach_as(Label::EMPTY, Shape::Text, HEAP + 4 * 64);
    walk.follow(&mut || true).unwrap();
    let known = paths(&walk).into_iter().filter(|(path, _)| !path.starts_with(">Unknown"));
    assert_eq!(known.collect::<Vec<_>>(), [(">Plain".to_owned(), 1)]);
}
