//! A process that lies: each test spoils one thing in a synthetic program. The answer is a clear error or a bounded
//! observation, after a bounded number of reads; never a panic.
#![allow(clippy::expect_used)]

use leak_agent::collect::CollectError;
use leak_agent::collect::attach::Attach;
use leak_agent::golang::Error;
use leak_agent::golang::arch::Arch;
use leak_agent::golang::memory::ReadError;
use leak_agent::golang::sudog::Sudog;
use leak_agent::model::{Coverage, CoverageNote, Observation, StackView};
use leak_agent_tests::Observe;
use leak_agent_tests::image::memory::SharedMemory;
use leak_agent_tests::image::{
    ALLGLEN, CALL, DATA, Goroutine, INLINED, Image, REASONS, RUNNING, TREES, pc,
};

const HUGE: u64 = 1 << 63;
const ALLGPTR: u64 = ALLGLEN + 8;
const RECEIVE: [&str; 3] = ["runtime.gopark", "runtime.chanrecv", "main.worker"];
const NO_SUDOG: Sudog = Sudog { g: 0, next: 0, elem: 0, channel: 0, wait_link: 0 };
/// Reads that one snapshot of a handful of goroutines may take.
const MAX_READS: u64 = 50_000;

/// A main goroutine, number 1, and one that waits to receive, number 7.
fn program(minor: u16) -> (Image, u64) {
    let mut image = Image::new(minor, Arch::Amd64);
    image.add(&Goroutine::waiting(1, "sleep", &["runtime.gopark", "main.main"]));
    let g = image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
    (image, g)
}

fn waiting(minor: u16, reason: &'static str, function: &'static str) -> (Image, u64) {
    let (mut image, _) = program(minor);
    let stack = ["runtime.gopark", function, "main.worker"];
    let g = image.add(&Goroutine::waiting(8, reason, &stack));
    (image, g)
}

/// Attaches to it whole, then spoils it.
fn spoiled(image: &Image, spoil: impl FnOnce(&SharedMemory)) -> (Attach, SharedMemory) {
    let memory = image.memory();
    let attach = image.attach(&memory).expect("attach");
    spoil(&memory);
    (attach, memory)
}

/// One look; few reads.
fn look(attach: &mut Attach, memory: &SharedMemory) -> Result<Observation, CollectError> {
    let (reads, bytes) = (memory.reads(), memory.bytes_read());
    let seen = attach.next();
    assert!(memory.reads() - reads <= MAX_READS, "{} reads", memory.reads() - reads);
    assert!(memory.bytes_read() - bytes <= 64 << 20, "{} bytes", memory.bytes_read() - bytes);
    seen
}

fn seen_spoiled(image: &Image, spoil: impl FnOnce(&SharedMemory)) -> Observation {
    let (mut attach, memory) = spoiled(image, spoil);
    look(&mut attach, &memory).expect("observation")
}

fn stack_of(seen: &Observation, goid: u64) -> StackView {
    seen.goroutines.iter().find(|it| it.is(goid)).expect("the goroutine").stack
}

fn objects_of(seen: &Observation, goid: u64) -> &[u64] {
    seen.objects_of(seen.goroutines.iter().find(|it| it.is(goid)).expect("the goroutine"))
}

fn refused(image: &Image, spoil: impl FnOnce(&SharedMemory)) -> Error {
    let memory = image.memory();
    spoil(&memory);
    let refused = image.attach(&memory).err().expect("an error");
    assert!(memory.reads() <= MAX_READS);
    refused
}

#[test]
fn a_list_of_goroutines_that_is_too_long_or_nowhere_is_refused() {
    let (image, _) = program(26);
    for (addr, word) in [(ALLGLEN, HUGE), (ALLGLEN, u64::MAX), (ALLGPTR, 0)] {
        let error = refused(&image, |memory| memory.set(addr, word));
        assert!(matches!(error, Error::SelfCheck { .. }), "{error}");
        let (mut attach, memory) = spoiled(&image, |memory| memory.set(addr, word));
        let error = look(&mut attach, &memory).expect_err("an error");
        assert!(!matches!(error, CollectError::Ended), "{error}");
    }
    for word in [8, HUGE, u64::MAX - 7] {
        let error = refused(&image, |memory| memory.set(ALLGPTR, word));
        assert!(matches!(error, Error::Read { .. }), "{error}");
        let (mut attach, memory) = spoiled(&image, |memory| memory.set(ALLGPTR, word));
        let error = look(&mut attach, &memory).expect_err("an error");
        assert!(!matches!(error, CollectError::Ended), "{error}");
    }
    let error = refused(&image, |memory| memory.set(ALLGLEN, 0));
    assert!(matches!(error, Error::SelfCheck { .. }), "{error}");
}

#[test]
fn goroutines_that_are_nowhere_are_counted_and_not_read_again_and_again() {
    const COUNT: u64 = 100_000;
    let (image, _) = program(26);
    let (mut attach, memory) = spoiled(&image, |memory| {
        let list = (0..COUNT).flat_map(|index| (HUGE + index * 8192).to_le_bytes()).collect();
        memory.map(0xd0_0000_0000, list);
        memory.set(ALLGPTR, 0xd0_0000_0000);
        memory.set(ALLGLEN, COUNT);
    });
    let reads = memory.reads();
    let seen = attach.next().expect("observation");
    assert_eq!((seen.goroutines.len(), seen.coverage.torn), (0, COUNT));
    let each = (memory.reads() - reads) / COUNT;
    assert!(each <= 4, "{each} reads of each");
}

#[test]
fn impossible_stacks_are_not_walked() {
    let (image, g) = program(26);
    let at = image.layout().g;
    for (field, word) in [
        (at.stack_hi, 0),
        (at.stack_lo, u64::MAX),
        (at.sched_sp, 0),
        (at.sched_sp, u64::MAX),
        (at.sched_sp, HUGE),
        (at.sched_pc, 0),
        (at.sched_pc, u64::MAX),
    ] {
        let seen = seen_spoiled(&image, |memory| memory.set(g + u64::from(field), word));
        assert_eq!(stack_of(&seen, 7), StackView::NotUnwound, "{field} {word:#x}");
        assert_eq!(seen.coverage.not_unwound, 1);
        assert!(stack_of(&seen, 1).id().is_some());
    }
    // The whole address space as a stack: the frames are there, so it can be walked, or not at all.
    let seen = seen_spoiled(&image, |memory| {
        memory.set(g + u64::from(at.stack_lo), 0);
        memory.set(g + u64::from(at.stack_hi), u64::MAX);
    });
    assert_eq!(seen.goroutines.len(), 2);
}

#[test]
fn a_program_of_impossible_stacks_is_refused() {
    let mut image = Image::new(26, Arch::Amd64);
    for goid in 1..10 {
        let g = image.add(&Goroutine::waiting(goid, "sleep", &["runtime.gopark", "main.main"]));
        image.set_g(g, image.layout().g.stack_hi, u64::MAX - 7);
    }
    let error = refused(&image, |_| {});
    assert!(error.to_string().contains("impossible stack"), "{error}");
}

#[test]
fn frames_that_never_end_are_given_up() {
    // Every word is a return address into the same frame, up to the end of a stack of 64 MiB.
    for arch in [Arch::Amd64, Arch::Arm64] {
        let mut image = Image::new(26, arch);
        let g = image.add(&Goroutine::waiting(1, "sleep", &["main.recurse"]));
        let (mut attach, memory) = spoiled(&image, |memory| {
            let word = pc("main.recurse", CALL).to_le_bytes();
            memory.map(0xd0_0000_0000, word.repeat(8 << 20));
            let at = image.layout().g;
            memory.set(g + u64::from(at.stack_lo), 0xd0_0000_0000);
            memory.set(g + u64::from(at.sched_sp), 0xd0_0000_0000);
            memory.set(g + u64::from(at.stack_hi), 0xd0_0000_0000 + (64 << 20));
        });
        let bytes = memory.bytes_read();
        let seen = attach.next().expect("observation");
        assert_eq!(stack_of(&seen, 1), StackView::NotUnwound);
        assert!(memory.bytes_read() - bytes <= 1 << 30);
    }
}

#[test]
fn frames_of_no_size_do_not_loop() {
    let mut image = Image::new(26, Arch::Arm64);
    let it = Goroutine::waiting(1, "", &["main.leaf", "main.leaf", "main.main"]);
    let g = image.add(&Goroutine { status: 1, ..it });
    // The word that each of the two finds as its return address is the other's.
    image.set_g(g, image.layout().g.sched_lr, pc("main.leaf", CALL));
    image.set_slot(g, 0, pc("main.leaf", CALL));
    let seen = seen_spoiled(&image, |_| {});
    assert_eq!(stack_of(&seen, 1), StackView::NotUnwound);
}

#[test]
fn a_select_whose_sudogs_loop_or_never_end_names_a_bounded_number() {
    let (mut image, g) = waiting(26, "select", "runtime.selectgo");
    let sudog = image.sudog(&Sudog { g, channel: 0x1000, ..NO_SUDOG });
    image.set(sudog + u64::from(image.layout().sudog.wait_link), sudog);
    image.set_g(g, image.layout().g.waiting, sudog);
    assert_eq!(objects_of(&seen_spoiled(&image, |_| {}), 8), [0x1000]);

    let mut wait_link = 0;
    for channel in 1..10_000 {
        wait_link = image.sudog(&Sudog { g, channel, wait_link, ..NO_SUDOG });
    }
    image.set_g(g, image.layout().g.waiting, wait_link);
    assert_eq!(objects_of(&seen_spoiled(&image, |_| {}), 8).len(), 64);
}

#[test]
fn sudogs_that_are_nowhere_or_of_somebody_else_lead_to_nothing() {
    let (mut image, g) = waiting(26, "select", "runtime.selectgo");
    let other = image.sudog(&Sudog { g: g + 16, channel: 0x1000, ..NO_SUDOG });
    for word in [other, 8, HUGE, u64::MAX] {
        image.set_g(g, image.layout().g.waiting, word);
        let seen = seen_spoiled(&image, |_| {});
        assert!(objects_of(&seen, 8).is_empty(), "{word:#x}");
        assert!(stack_of(&seen, 8).id().is_some());
    }
}

#[test]
fn waiters_of_a_cond_that_loop_are_followed_a_bounded_number_of_times() {
    let mut image = Image::new(25, Arch::Amd64);
    image.add(&Goroutine::waiting(1, "sleep", &["runtime.gopark", "main.main"]));
    let cond = image.allocate(64);
    let stack = ["runtime.gopark", "sync.runtime_notifyListWait", "main.worker"];
    // Many goroutines, each with a sudog that is in no list, and a list that never ends.
    let endless = image.sudog(&NO_SUDOG);
    image.set(endless + u64::from(image.layout().sudog.next), endless);
    image.set(cond + 32, endless);
    for goid in 10..200 {
        let g = image.add(&Goroutine::waiting(goid, "sync.Cond.Wait", &stack));
        let mine = image.sudog(&Sudog { g, ..NO_SUDOG });
        for at in (0x28..0x78).step_by(8) {
            image.set_slot(g, at, cond);
        }
        image.set_slot(g, 0x30, mine);
    }
    let (mut attach, memory) = spoiled(&image, |_| {});
    for _ in 0..2 {
        let reads = memory.reads();
        let seen = attach.next().expect("observation");
        assert!(seen.objects.is_empty());
        assert!(seen.coverage.notes.contains(&CoverageNote::SearchesFull));
        assert!(memory.reads() - reads <= 400_000, "{} reads", memory.reads() - reads);
    }
}

#[test]
fn an_inline_tree_that_is_a_circle_leaves_the_frame_unnamed() {
    let mut image = Image::new(26, Arch::Amd64);
    let mut it = Goroutine::waiting(1, "sleep", &["runtime.gopark"]);
    it.stack.push(("main.worker", INLINED));
    image.add(&it);
    // The call that was inlined was inlined into itself; its parent is where it stands.
    image.table.trees[8..12].copy_from_slice(&(INLINED - 1).to_le_bytes());
    let seen = seen_spoiled(&image, |_| {});
    let id = stack_of(&seen, 1).id().expect("a stack");
    let frames = seen.stacks.frames_of(id);
    assert_eq!(frames.len(), 2);
    assert_eq!(seen.stacks.lookup(frames[1]), Err(pc("main.worker", INLINED) - 1));
    assert_eq!(seen.coverage.unresolved_frames, 1);
}

#[test]
fn an_inline_tree_that_is_nowhere_leaves_calls_folded() {
    let mut image = Image::new(26, Arch::Amd64);
    let mut it = Goroutine::waiting(1, "sleep", &["runtime.gopark"]);
    it.stack.push(("main.worker", INLINED));
    image.add(&it);
    let gofunc = DATA + u64::from(image.layout().moduledata.gofunc);
    for word in [8, HUGE, u64::MAX - 1] {
        let memory = image.memory();
        memory.set(gofunc, word);
        let mut attach = image.attach(&memory).expect("attach");
        let seen = look(&mut attach, &memory).expect("observation");
        assert_eq!(seen.stacks.frames_of(stack_of(&seen, 1).id().expect("a stack")).len(), 2);
    }
    let seen = seen_spoiled(&image, |memory| memory.write(TREES + 4, &[0xff; 4]));
    assert_eq!(seen.stacks.frames_of(stack_of(&seen, 1).id().expect("a stack")).len(), 2);
}

#[test]
fn every_word_of_the_function_table_may_be_hostile() {
    let (whole, _) = program(26);
    let words = whole.table.pclntab.len() / 4;
    for word in 0..words {
        for value in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let mut image = whole.clone();
            image.table.pclntab[word * 4..word * 4 + 4].copy_from_slice(&value.to_le_bytes());
            let memory = image.memory();
            if let Ok(mut attach) = image.attach(&memory) {
                let seen = look(&mut attach, &memory).expect("observation");
                assert!(seen.goroutines.len() <= 2);
            }
        }
    }
}

#[test]
fn a_function_table_that_claims_too_much_is_refused() {
    let (mut image, _) = program(26);
    for word in 1..9 {
        let at = word * 8;
        let old = image.table.pclntab[at..at + 8].to_vec();
        for value in [HUGE, u64::MAX, u64::from(u32::MAX)] {
            image.table.pclntab[at..at + 8].copy_from_slice(&value.to_le_bytes());
            // The number of files and the start of the text are not read at all.
            let refused = image.attach(&image.memory()).is_err();
            assert_eq!(refused, word != 2 && word != 3, "word {word}, {value:#x}");
        }
        image.table.pclntab[at..at + 8].copy_from_slice(&old);
    }
}

#[test]
fn modules_that_are_linked_in_a_circle_come_to_an_end() {
    let (image, _) = program(26);
    let memory = image.memory();
    let whole = look(&mut image.attach(&memory).expect("attach"), &memory).expect("observation");
    memory.set(DATA + u64::from(image.layout().moduledata.next), DATA);
    let mut attach = image.attach(&memory).expect("attach");
    let seen = look(&mut attach, &memory).expect("observation");
    assert!(seen.coverage.goroutines_read > 0);
    // The process that stands for the target is the test itself: how long it ran is no part of this.
    let read = |coverage: &Coverage| Coverage { process: None, ..coverage.clone() };
    assert_eq!(read(&seen.coverage), read(&whole.coverage));
}

#[test]
fn module_data_that_is_nowhere_or_senseless_is_refused() {
    let (image, _) = program(26);
    let at = image.layout().moduledata;
    for (field, word) in [
        (at.pc_header, HUGE),
        (at.pc_header + 8, 0),
        (at.text, 0),
        (at.text, u64::MAX),
        (at.etext, 0),
        (at.gofunc, 0),
    ] {
        let error = refused(&image, |memory| memory.set(DATA + u64::from(field), word));
        assert!(matches!(error, Error::Locate { what: "the module data", .. }), "{error}");
    }
}

#[test]
fn labels_that_claim_too_much_are_cut_or_left_out() {
    // A slice: how many, and the length of the first key.
    let (mut image, g) = program(26);
    image.label(g, &[("job", "import")]);
    let set = word_of(&image, g, image.layout().g.labels);
    let list = word_at(&image, set);
    for (addr, word) in
        [(set, HUGE), (set + 8, HUGE), (set + 8, u64::MAX), (list, HUGE), (list + 8, HUGE)]
    {
        let seen = seen_spoiled(&image, |memory| memory.set(addr, word));
        assert!(labels_of(&seen, 7).len() <= 64);
        assert!(stack_of(&seen, 7).id().is_some());
    }
    // A map: how many, two to the power of 255 buckets, chains that loop.
    let (mut image, g) = program(23);
    image.label(g, &[("job", "import")]);
    let map = word_at(&image, word_of(&image, g, image.layout().g.labels));
    let bucket = word_at(&image, map + 16);
    for (addr, word) in [
        (map, HUGE),
        (map + 8, 0xff00),
        (map + 8, 0x0600),
        (map + 16, HUGE),
        (map + 24, bucket),
        (bucket + 8 + 256, bucket),
        (bucket + 8 + 8, HUGE),
    ] {
        let seen = seen_spoiled(&image, |memory| memory.set(addr, word));
        assert!(labels_of(&seen, 7).len() <= 64);
        assert!(stack_of(&seen, 7).id().is_some());
    }
    // All of it at once.
    let seen = seen_spoiled(&image, |memory| {
        memory.set(map, 64);
        memory.set(map + 8, 0x0600);
        memory.set(map + 24, bucket);
        memory.set(bucket + 8 + 256, bucket);
    });
    assert!(labels_of(&seen, 7).len() <= 64);
}

fn word_of(image: &Image, g: u64, field: u32) -> u64 {
    word_at(image, g + u64::from(field))
}

fn word_at(image: &Image, addr: u64) -> u64 {
    use leak_agent::golang::memory::Memory;
    image.memory().read_u64(addr).expect("a word")
}

fn labels_of(seen: &Observation, goid: u64) -> &[(String, String)] {
    let it = seen.goroutines.iter().find(|it| it.is(goid)).expect("the goroutine");
    seen.labels_of(it.labels)
}

#[test]
fn wait_reasons_that_are_no_text_end_the_list() {
    let (image, _) = program(26);
    for (addr, word) in [(REASONS + 16, HUGE), (REASONS + 24, HUGE), (REASONS + 24, u64::MAX)] {
        let memory = image.memory();
        memory.set(addr, word);
        let mut attach = image.attach(&memory).expect("attach");
        assert!(attach.program().reasons().len() <= 1);
        let seen = look(&mut attach, &memory).expect("observation");
        assert!(seen.goroutines.iter().all(|it| seen.reason_of(it).is_none()));
        assert!(stack_of(&seen, 7).id().is_some());
    }
}

#[test]
fn two_goroutines_with_one_id_or_one_address_are_refused() {
    let (mut image, g) = program(26);
    for goid in 8..12 {
        let g = image.add(&Goroutine::waiting(goid, "chan receive", &RECEIVE));
        image.set_g(g, image.layout().g.goid, 7);
    }
    let error = refused(&image, |_| {});
    assert!(error.to_string().contains("two goroutines have the id 7"), "{error}");
    // After the attach: one goroutine in every slot.
    let seen = seen_spoiled(&image_with(g), |memory| {
        let list = g.to_le_bytes().repeat(1000);
        memory.map(0xd0_0000_0000, list);
        memory.set(ALLGPTR, 0xd0_0000_0000);
        memory.set(ALLGLEN, 1000);
    });
    assert!(seen.goroutines.len() <= 1000);
}

fn image_with(g: u64) -> Image {
    let (image, same) = program(26);
    assert_eq!(g, same);
    image
}

/// Lets `count` reads pass, then fails each.
fn failing(memory: &SharedMemory, count: u64, error: fn() -> ReadError) {
    let mut left = count;
    memory.meddle(move |_, _, _| {
        left = left.saturating_sub(1);
        if left == 0 { Err(error()) } else { Ok(()) }
    });
}

fn has_ended(attach: &mut Attach) {
    assert!(matches!(attach.next(), Err(CollectError::Ended)));
}

#[test]
fn an_exit_at_any_read_is_an_orderly_end() {
    let (image, _) = program(26);
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let attaching = memory.reads();
    look(&mut attach, &memory).expect("observation");
    let looking = memory.reads() - attaching;
    assert!(looking > 5);
    for count in 1..=attaching {
        let memory = image.memory();
        failing(&memory, count, || ReadError::Exited);
        // What is read only to name things may be missing; then the next read tells.
        match image.attach(&memory) {
            Err(error) => assert!(matches!(error, Error::Exited { .. }), "read {count}"),
            Ok(mut attach) => has_ended(&mut attach),
        }
    }
    for count in 1..=looking {
        let (mut attach, _) =
            spoiled(&image, |memory| failing(memory, count, || ReadError::Exited));
        if let Err(error) = attach.next() {
            assert!(matches!(error, CollectError::Ended), "read {count}: {error}");
        }
        has_ended(&mut attach);
    }
}

#[test]
fn a_lost_permission_is_told_from_an_end() {
    let (image, _) = program(26);
    let (mut attach, _) = spoiled(&image, |memory| failing(memory, 1, || ReadError::Denied));
    let error = attach.next().expect_err("an error");
    assert!(error.is_denied(), "{error}");
}

#[test]
fn memory_that_cannot_be_read_at_all_is_an_error() {
    let (image, _) = program(26);
    let nothing = || ReadError::Unmapped { addr: 0, len: 0 };
    let memory = image.memory();
    failing(&memory, 1, nothing);
    let error = image.attach(&memory).err().expect("an error");
    assert!(matches!(error, Error::Locate { .. }), "{error}");
    // All of it gone, while the process lives: it runs another program now.
    let (mut attach, _) = spoiled(&image, |memory| failing(memory, 1, nothing));
    let error = attach.next().expect_err("an error");
    assert!(matches!(error, CollectError::Program(Error::Replaced { .. })), "{error}");
}

#[test]
fn reads_that_fail_now_and_then_are_no_end() {
    let (image, _) = program(26);
    for every in 2..40 {
        let (mut attach, memory) = spoiled(&image, |memory| {
            let mut count = 0;
            memory.meddle(move |_, addr, len| {
                count += 1;
                let fails = count % every == 0;
                if fails { Err(ReadError::Unmapped { addr, len }) } else { Ok(()) }
            });
        });
        for _ in 0..5 {
            match look(&mut attach, &memory) {
                Ok(seen) => assert!(seen.goroutines.len() <= 2),
                Err(error) => assert!(!matches!(error, CollectError::Ended), "{error}"),
            }
        }
    }
}

#[test]
fn another_program_under_the_same_pid_is_told() {
    let (image, _) = program(26);
    let header = DATA + u64::from(image.layout().moduledata.pc_header);
    let (mut attach, memory) = spoiled(&image, |memory| memory.set(header, 0x7777));
    let error = look(&mut attach, &memory).expect_err("an error");
    assert!(matches!(error, CollectError::Program(Error::Replaced { .. })), "{error}");
    assert!(error.to_string().contains("attach again"));
}

#[test]
fn statuses_that_no_go_has_are_refused_or_survived() {
    let mut image = Image::new(26, Arch::Amd64);
    for goid in 1..10 {
        image.add(&Goroutine { status: 77, ..Goroutine::waiting(goid, "sleep", &RECEIVE) });
    }
    let error = refused(&image, |_| {});
    assert!(error.to_string().contains("unknown status 77"), "{error}");

    let (image, g) = program(26);
    let at = image.layout().g;
    for status in [5, 77, 0xfff, u32::MAX] {
        let seen = seen_spoiled(&image, |memory| {
            memory.write(g + u64::from(at.status), &status.to_le_bytes());
        });
        assert_eq!(seen.goroutines.len(), 2);
        assert!(stack_of(&seen, 7).id().is_none());
    }
    let seen = seen_spoiled(&image, |memory| {
        memory.write(g + u64::from(at.status), &(RUNNING | 0x1000).to_le_bytes());
    });
    assert_eq!(stack_of(&seen, 7), StackView::Running);
}

#[test]
fn clocks_and_ids_at_their_limits_do_not_overflow() {
    let (image, g) = program(26);
    let at = image.layout().g;
    for word in [HUGE, u64::MAX, 2] {
        let (mut attach, memory) = spoiled(&image, |memory| {
            for field in [at.wait_since, at.goid, at.parent_goid, at.gopc, at.startpc, at.labels] {
                memory.set(g + u64::from(field), word);
            }
            memory.write(g + u64::from(at.wait_reason), &[0xff]);
        });
        for _ in 0..2 {
            let seen = look(&mut attach, &memory).expect("observation");
            let it = seen.goroutines.iter().find(|it| it.is(word)).expect("the goroutine");
            assert!(it.created_by.is_none() && it.started_in.is_none());
            assert!(seen.reason_of(it).is_none() && seen.labels_of(it.labels).is_empty());
        }
    }
}
