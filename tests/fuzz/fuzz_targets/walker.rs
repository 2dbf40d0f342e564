//! Attaches to a process whose memory lies, and looks at it three times.
//!
//! It needs no seeds. The input is overwrites of the memory of a well-formed program: before it
//! is attached to, and before each further sample. Its function table can be spoiled too.
#![no_main]

use leak_agent_tests::Observe;
use leak_agent::golang::arch::Arch;
use leak_agent::golang::sudog::Sudog;
use leak_agent_fuzz::{HOSTILE, spoil};
use leak_agent_tests::image::memory::SharedMemory;
use leak_agent_tests::image::{CALL, DATA, Goroutine, HEAP, INLINED, Image, PCLNTAB, TEXT, TREES};
use libfuzzer_sys::fuzz_target;

/// Reads that attaching and three samples may take: what is read for one goroutine is bounded, and
/// the list cannot be longer than the memory that holds it.
const MAX_READS: u64 = 4_000_000;

fuzz_target!(|data: &[u8]| {
    let Some(([flags, table, first, second], rest)) = data.split_first_chunk() else { return };
    let arch = if flags & 1 == 0 { Arch::Amd64 } else { Arch::Arm64 };
    let mut image = program([21, 24, 25, 27][usize::from(flags >> 1 & 3)], arch);
    let len = image.sections().iter().map(|it| it.bytes.len()).max().unwrap_or(0);
    let (table, rest) = rest.split_at(usize::from(*table).min(rest.len()));
    spoil(&mut image.table.pclntab, table);
    let (first, rest) = rest.split_at(usize::from(*first).min(rest.len()));
    let (second, third) = rest.split_at(usize::from(*second).min(rest.len()));

    let memory = image.memory();
    overwrite(&image, &memory, first, len);
    let Ok(mut attach) = image.attach(&memory) else { return };
    for edits in [&[], second, third] {
        overwrite(&image, &memory, edits, len);
        let Ok(seen) = attach.next() else { continue };
        let coverage = &seen.coverage;
        assert_eq!(coverage.goroutines_seen, seen.goroutines.len() as u64);
        for goroutine in &seen.goroutines {
            assert!(seen.objects_of(goroutine).len() <= 64);
            assert!(seen.labels_of(goroutine.labels).len() <= 64);
            if let Some(stack) = goroutine.stack.id() {
                // Frames kept of one stack, each with its inlined calls.
                assert!(seen.stacks.frames_of(stack).len() <= 512 * 200);
            }
        }
    }
    assert!(memory.reads() <= MAX_READS, "{} reads", memory.reads());
});

/// Goroutines of every kind.
fn program(minor: u16, arch: Arch) -> Image {
    let mut image = Image::new(minor, arch);
    let nobody = Sudog { g: 0, next: 0, elem: 0, channel: 0, wait_link: 0 };
    image.add(&Goroutine::waiting(1, "sleep", &["runtime.gopark", "main.main", "runtime.main"]));
    let shared = image.allocate(96);
    let select = ["runtime.gopark", "runtime.selectgo", "main.worker"];
    let cond = ["runtime.gopark", "sync.runtime_notifyListWait", "main.worker"];
    let lock = ["runtime.gopark", "runtime.semacquire1", "main.worker"];
    for (goid, reason, stack) in [
        (2, "select", &select),
        (3, "select", &select),
        (4, "sync.Cond.Wait", &cond),
        (5, "sync.Cond.Wait", &cond),
        (6, "sync.Mutex.Lock", &lock),
    ] {
        let mut it = Goroutine::waiting(goid, reason, stack);
        it.stack.extend([("main.worker", INLINED), ("main.main.gowrap1", CALL)]);
        let g = image.add(&it);
        image.label(g, &[("job", "import"), ("tenant", "acme")]);
        let last = image.sudog(&Sudog { g, elem: shared + 32, channel: shared, ..nobody });
        let sudog = image.sudog(&Sudog { wait_link: last, next: last, elem: shared, g, ..nobody });
        if minor > 25 || reason == "select" {
            image.set_g(g, image.layout().g.waiting, sudog);
        } else {
            image.set_slot(g, 0x30, sudog);
            image.set_slot(g, 0x48, shared);
            image.set(shared + 32, sudog);
        }
    }
    image.add(&Goroutine {
        status: 1,
        ..Goroutine::waiting(9, "", &["runtime.asyncPreempt", "main.leaf"])
    });
    image
}

/// Overwrites words, by six bytes each: in which region and what, where, and with which value.
fn overwrite(image: &Image, memory: &SharedMemory, edits: &[u8], len: usize) {
    const REGIONS: [u64; 6] = [HEAP, DATA, HEAP, TREES, TEXT, PCLNTAB];
    let g = |value: u16| {
        let all = image.goroutines();
        all.get(usize::from(value) % all.len().max(1)).copied().unwrap_or(0)
    };
    for edit in edits.as_chunks::<6>().0 {
        let at = u16::from_le_bytes([edit[1], edit[2]]);
        let value = u16::from_le_bytes([edit[3], edit[4]]);
        let aligned = u64::from(at) & !7;
        let region = usize::from(edit[0]);
        let place = if region & 0x80 == 0 {
            g(at) + u64::from(edit[5]) * 8 % u64::from(image.layout().g.size)
        } else {
            REGIONS[region % 6] + aligned % len.max(8) as u64
        };
        let word = match region >> 3 & 7 {
            0 => HOSTILE[usize::from(value) % HOSTILE.len()],
            1 => u64::from(value),
            2 => HEAP + u64::from(value) & !7,
            3 => g(value),
            4 => TEXT + u64::from(value),
            5 => DATA + u64::from(value),
            // To itself: the way to loops.
            6 => place,
            _ => u64::from(value) << 48,
        };
        memory.set(place, word);
    }
}
