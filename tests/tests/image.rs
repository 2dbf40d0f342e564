//! What the agent sees of a synthetic program is what the program was made to be. Needs no root, and no Go.
#![allow(clippy::expect_used)]

use std::time::Duration;

use leak_agent::golang::arch::Arch;
use leak_agent::golang::memory::ReadError;
use leak_agent::golang::sudog::Sudog;
use leak_agent::model::{BlockedBasis, Goroutine as Seen, Observation, StackView, WaitClass};
use leak_agent_tests::Observe;
use leak_agent_tests::image::{CALL, DEAD, Goroutine, INLINED, Image, RUNNING, pc};

const RECEIVE: [&str; 3] = ["runtime.gopark", "runtime.chanrecv", "main.worker"];
const LOCK: [&str; 3] = ["runtime.gopark", "runtime.semacquire1", "main.worker"];
const NO_SUDOG: Sudog = Sudog { g: 0, next: 0, elem: 0, channel: 0, wait_link: 0 };

/// With the main goroutine, as every program.
fn program(minor: u16, arch: Arch) -> Image {
    let mut image = Image::new(minor, arch);
    let stack = ["runtime.gopark", "main.main", "runtime.main"];
    image.add(&Goroutine { parent: 0, ..Goroutine::waiting(1, "sleep", &stack) });
    image
}

fn observe(image: &Image) -> Observation {
    image.attach(&image.memory()).expect("attach").next().expect("observation")
}

fn goroutine(seen: &Observation, goid: u64) -> &Seen {
    let found: Vec<_> = seen.goroutines.iter().filter(|it| it.is(goid)).collect();
    assert_eq!(found.len(), 1, "goroutine {goid}");
    found[0]
}

/// `function file:line`, an inlined one in brackets.
fn stack(seen: &Observation, goid: u64) -> Vec<String> {
    let id = goroutine(seen, goid).stack.id().expect("a stack");
    let frames = seen.stacks.frames_of(id).iter();
    frames.map(|&frame| shown(seen, frame)).collect()
}

fn shown(seen: &Observation, frame: leak_agent::model::FrameId) -> String {
    match seen.stacks.lookup(frame) {
        Ok(it) if it.inlined => format!("[{} {}:{}]", it.function, it.file, it.line),
        Ok(it) => format!("{} {}:{}", it.function, it.file, it.line),
        Err(pc) => format!("{pc:#x}"),
    }
}

fn whole(image: &Image) {
    let seen = observe(image);
    assert_eq!(
        stack(&seen, 7),
        [
            "runtime.gopark /go/src/runtime/proc.go:401",
            "runtime.chanrecv /go/src/runtime/chan.go:501",
            "main.worker /src/app/main.go:21"
        ]
    );
    let it = goroutine(&seen, 7);
    assert_eq!(seen.reason_of(it), Some("chan receive"));
    assert_eq!(it.wait, WaitClass::ChanReceive);
    assert_eq!(it.parent.map(u64::from), Some(1));
    let created = it.created_by.map(|frame| shown(&seen, frame));
    assert_eq!(created.as_deref(), Some("main.main /src/app/main.go:11"));
    let started = it.started_in.map(|frame| shown(&seen, frame));
    assert_eq!(started.as_deref(), Some("main.worker /src/app/main.go:20"));
    assert_eq!((seen.coverage.goroutines_seen, seen.coverage.goroutines_read), (2, 2));
    assert_eq!((seen.coverage.torn, seen.coverage.retried), (0, 0));
    assert_eq!(seen.coverage.unresolved_frames, 0);
}

#[test]
fn a_stack_is_whole_in_every_version_and_architecture() {
    for minor in 21..=27 {
        for arch in [Arch::Amd64, Arch::Arm64] {
            let mut image = program(minor, arch);
            image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
            whole(&image);
        }
    }
}

#[test]
fn inlined_calls_are_unfolded_and_wrappers_left_out() {
    let mut image = program(26, Arch::Amd64);
    let mut it = Goroutine::waiting(7, "chan send", &["runtime.gopark", "runtime.chansend"]);
    it.stack.extend([("main.worker", INLINED), ("main.main.gowrap1", CALL)]);
    image.add(&it);
    assert_eq!(
        stack(&observe(&image), 7)[2..],
        ["[main.work /src/app/main.go:90]", "main.worker /src/app/main.go:23"]
    );
}

#[test]
fn a_frame_below_a_faked_one_stands_at_its_exact_line() {
    let mut image = program(26, Arch::Amd64);
    let mut it = Goroutine::waiting(7, "", &["runtime.asyncPreempt"]);
    // At the first byte of a line: one before it would be the line before.
    it.stack.push(("main.worker", 0x20));
    it.stack.push(("main.main", CALL));
    image.add(&Goroutine { status: 1, ..it });
    let seen = observe(&image);
    assert_eq!(
        stack(&seen, 7)[1..],
        [
            "[main.work /src/app/main.go:90]",
            "main.worker /src/app/main.go:23",
            "main.main /src/app/main.go:11"
        ]
    );
    assert_eq!(goroutine(&seen, 7).wait, WaitClass::Runnable);
}

#[test]
fn an_arm64_leaf_goes_on_at_the_link_register() {
    let mut image = program(26, Arch::Arm64);
    let it = Goroutine::waiting(7, "", &["main.leaf", "main.worker", "main.main"]);
    let g = image.add(&Goroutine { status: 1, ..it });
    image.set_g(g, image.layout().g.sched_lr, pc("main.worker", CALL));
    assert_eq!(
        stack(&observe(&image), 7),
        [
            "main.leaf /src/app/main.go:61",
            "main.worker /src/app/main.go:21",
            "main.main /src/app/main.go:11"
        ]
    );
}

#[test]
fn a_channel_is_found_through_the_goroutine() {
    for minor in [21, 27] {
        let mut image = program(minor, Arch::Amd64);
        let channel = image.allocate(96);
        for goid in [7, 8] {
            let g = image.add(&Goroutine::waiting(goid, "chan receive", &RECEIVE));
            let sudog = image.sudog(&Sudog { g, channel, ..NO_SUDOG });
            image.set_g(g, image.layout().g.waiting, sudog);
        }
        let seen = observe(&image);
        assert_eq!(seen.objects_of(goroutine(&seen, 7)), [channel]);
        assert_eq!(seen.objects_of(goroutine(&seen, 8)), [channel]);
        assert!(seen.objects_of(goroutine(&seen, 1)).is_empty());
    }
}

#[test]
fn a_select_names_each_of_its_channels_once() {
    let mut image = program(26, Arch::Amd64);
    let stack = ["runtime.gopark", "runtime.selectgo", "main.worker"];
    let g = image.add(&Goroutine::waiting(7, "select", &stack));
    let channels = [0; 3].map(|_| image.allocate(96));
    let mut wait_link = 0;
    for channel in [channels[0], channels[1], channels[2], channels[1]] {
        wait_link = image.sudog(&Sudog { g, channel, wait_link, ..NO_SUDOG });
    }
    image.set_g(g, image.layout().g.waiting, wait_link);
    let seen = observe(&image);
    assert_eq!(seen.objects_of(goroutine(&seen, 7)), channels);
}

#[test]
fn a_lock_is_found_through_the_goroutine_or_on_its_stack() {
    for (minor, on_stack) in [(25, true), (26, false)] {
        for (reason, back) in
            [("sync.Mutex.Lock", 4), ("sync.RWMutex.RLock", 12), ("semacquire", 0)]
        {
            let mut image = program(minor, Arch::Amd64);
            let lock = image.allocate(32);
            let g = image.add(&Goroutine::waiting(7, reason, &LOCK));
            let sudog = image.sudog(&Sudog { g, elem: lock + back, ..NO_SUDOG });
            // Of somebody else, and not ours.
            let other = image.sudog(&Sudog { g: g + 8, elem: lock + 64, ..NO_SUDOG });
            if on_stack {
                image.set_slot(g, 0x48, sudog);
                image.set_slot(g, 0x50, other);
            } else {
                image.set_g(g, image.layout().g.waiting, sudog);
            }
            let seen = observe(&image);
            assert_eq!(seen.objects_of(goroutine(&seen, 7)), [lock], "{reason} of 1.{minor}");
        }
    }
}

#[test]
fn a_cond_is_found_through_its_list_of_waiters() {
    let mut image = program(25, Arch::Amd64);
    let cond = image.allocate(64);
    let stack = ["runtime.gopark", "sync.runtime_notifyListWait", "main.worker"];
    let g = image.add(&Goroutine::waiting(7, "sync.Cond.Wait", &stack));
    let mine = image.sudog(&Sudog { g, ..NO_SUDOG });
    let first = image.sudog(&Sudog { g: g + 8, next: mine, ..NO_SUDOG });
    // Behind its Locker (two words) the list: counters, lock, head.
    image.set(cond + 32, first);
    image.set_slot(g, 0x30, mine);
    image.set_slot(g, 0x40, cond);
    let seen = observe(&image);
    assert_eq!(seen.objects_of(goroutine(&seen, 7)), [cond]);
}

#[test]
fn labels_are_read_in_both_forms() {
    for minor in [23, 24] {
        let mut image = program(minor, Arch::Amd64);
        for goid in [7, 8] {
            let g = image.add(&Goroutine::waiting(goid, "chan receive", &RECEIVE));
            image.label(g, &[("tenant", "acme"), ("job", "import")]);
        }
        let seen = observe(&image);
        let labels = goroutine(&seen, 7).labels;
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(seen.labels_of(labels), [pair("job", "import"), pair("tenant", "acme")]);
        // Equal sets are one set, also at different addresses.
        assert_eq!(goroutine(&seen, 8).labels, labels);
        assert!(seen.labels_of(goroutine(&seen, 1).labels).is_empty());
    }
}

#[test]
fn a_very_deep_stack_keeps_its_innermost_frames_and_counts_the_others() {
    for arch in [Arch::Amd64, Arch::Arm64] {
        let mut image = program(26, arch);
        let mut deep = RECEIVE.to_vec();
        deep.extend(std::iter::repeat_n("main.recurse", 100_000));
        image.add(&Goroutine::waiting(7, "chan receive", &deep));
        let seen = observe(&image);
        let frames = stack(&seen, 7);
        assert_eq!(frames.len(), 512);
        assert_eq!(frames[511], "main.recurse /src/app/main.go:51");
        let id = goroutine(&seen, 7).stack.id().expect("a stack");
        assert_eq!(seen.stacks.elided(id), 100_003 - 512);
    }
}

#[test]
fn running_goroutines_have_no_stack_and_ended_ones_are_not_there() {
    let mut image = program(26, Arch::Amd64);
    let it = Goroutine::waiting(7, "", &["main.worker"]);
    image.add(&Goroutine { status: RUNNING, locked: true, ..it.clone() });
    image.add(&Goroutine { goid: 8, status: DEAD, ..it });
    let seen = observe(&image);
    assert_eq!(seen.goroutines.len(), 2);
    let running = goroutine(&seen, 7);
    assert_eq!((running.stack, running.wait), (StackView::Running, WaitClass::Running));
    assert!(running.locked_to_thread && running.blocked.is_none() && running.reason.is_none());
    assert_eq!(seen.coverage.running, 1);
}

#[test]
fn a_goroutine_that_moved_while_it_was_read_is_read_again() {
    let mut image = program(26, Arch::Amd64);
    let g = image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let (goid, mut reads) = (g + u64::from(image.layout().g.goid), 0);
    memory.meddle(move |regions, addr, len| {
        if (addr..addr + len as u64).contains(&goid) {
            reads += 1;
            // Between its first and its second reading another took its place.
            if reads == 2 {
                regions.set(goid, 9);
            }
        }
        Ok(())
    });
    let seen = attach.next().expect("observation");
    assert_eq!(seen.goroutines.iter().filter_map(Seen::id).max(), Some(9));
    assert_eq!(seen.goroutines.len(), 2);
    assert!(seen.coverage.retried >= 1);
    assert_eq!(seen.coverage.torn, 0);
}

#[test]
fn a_goroutine_that_never_stands_still_is_counted_as_torn() {
    let mut image = program(26, Arch::Amd64);
    let g = image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let (goid, mut next) = (g + u64::from(image.layout().g.goid), 100);
    memory.meddle(move |regions, addr, len| {
        if (addr..addr + len as u64).contains(&goid) {
            next += 1;
            regions.set(goid, next);
        }
        Ok(())
    });
    let seen = attach.next().expect("observation");
    let torn: Vec<_> = seen.goroutines.iter().filter(|it| it.stack == StackView::Torn).collect();
    assert_eq!(torn.len(), 1);
    assert!(torn[0].id() > Some(100));
    assert_eq!((seen.coverage.torn, seen.coverage.goroutines_read), (1, 1));
}

#[test]
fn the_time_blocked_grows_while_a_goroutine_stays_and_begins_anew_when_it_moves() {
    let mut image = program(26, Arch::Amd64);
    let g = image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
    image.add(&Goroutine { wait_since_ns: 1, ..Goroutine::waiting(8, "chan receive", &RECEIVE) });
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let blocked = |seen: &Observation, goid| goroutine(seen, goid).blocked.expect("blocked");

    let first = attach.next().expect("observation");
    assert_eq!(blocked(&first, 7).duration, Duration::ZERO);
    assert_eq!(blocked(&first, 8).basis, BlockedBasis::Runtime);
    let second = attach.next().expect("observation");
    let (once, then) = (blocked(&second, 7), second.elapsed);
    assert_eq!((once.duration, once.basis), (then, BlockedBasis::FirstSeen));
    let third = attach.next().expect("observation");
    assert_eq!(blocked(&third, 7).duration, third.elapsed);
    assert!(third.elapsed > then);

    let reason = g + u64::from(image.layout().g.wait_reason);
    memory.write(reason, &[9]);
    let moved = attach.next().expect("observation");
    assert_eq!(blocked(&moved, 7).duration, Duration::ZERO);
    assert_eq!(blocked(&moved, 1).duration, moved.elapsed);

    // It ran, and has come back to where it was.
    memory.write(g + u64::from(image.layout().g.tracking_seq), &[1]);
    let back = attach.next().expect("observation");
    assert_eq!(blocked(&back, 7).duration, Duration::ZERO);
    let came = |seen: &Observation| goroutine(seen, 7).came;
    assert_eq!(
        [&first, &second, &moved, &back].map(came),
        [None, Some(false), Some(true), Some(false)]
    );
}

#[test]
fn creations_and_exits_are_told_apart_also_in_one_slot() {
    let mut image = program(26, Arch::Amd64);
    let slots = [7, 8, 9].map(|goid| image.add(&Goroutine::waiting(goid, "sleep", &RECEIVE)));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let first = attach.next().expect("observation");
    assert!(first.rates.is_none());
    // One ended, one ended and another took its slot.
    let at = image.layout().g;
    memory.write(slots[0] + u64::from(at.status), &DEAD.to_le_bytes());
    memory.set(slots[1] + u64::from(at.goid), 10);
    let second = attach.next().expect("observation");
    let seconds = (second.elapsed - first.elapsed).as_secs_f64();
    let rates = second.rates.expect("rates");
    assert!((rates.created_per_second * seconds - 1.0).abs() < 1e-6);
    assert!((rates.exited_per_second * seconds - 2.0).abs() < 1e-6);
}

#[test]
fn the_stack_of_a_goroutine_that_has_not_run_is_not_read_again() {
    let mut image = program(26, Arch::Amd64);
    let channel = image.allocate(96);
    let g = image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
    let sudog = image.sudog(&Sudog { g, channel, ..NO_SUDOG });
    image.set_g(g, image.layout().g.waiting, sudog);
    let coroutine = image.add(&Goroutine::waiting(8, "coroutine", &RECEIVE));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let first = attach.next().expect("observation");
    let before = [stack(&first, 7), stack(&first, 8)];
    // chanrecv returns elsewhere now, to a function with a frame of the same size.
    for g in [g, coroutine] {
        memory.set(image.slot(g, 0x78), pc("runtime.main", CALL));
    }
    let second = attach.next().expect("observation");
    assert_eq!(stack(&second, 7), before[0]);
    assert_eq!(second.objects_of(goroutine(&second, 7)), [channel]);
    // How often a coroutine was switched to is not counted.
    assert_ne!(stack(&second, 8), before[1]);
    assert_eq!((first.coverage.unmoved, second.coverage.unmoved), (0, 2));

    memory.write(g + u64::from(image.layout().g.tracking_seq), &[1]);
    let third = attach.next().expect("observation");
    assert_eq!(stack(&third, 7), stack(&second, 8));
    assert_eq!(third.coverage.unmoved, 1);
}

#[test]
fn a_goroutine_that_parks_again_and_again_is_read_and_not_taken_for_one_that_stands_still() {
    let mut image = program(26, Arch::Amd64);
    let g = image.add(&Goroutine::waiting(7, "chan receive", &RECEIVE));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    let (stops, mut next) = (g + u64::from(image.layout().g.tracking_seq), 0_u8);
    memory.meddle(move |regions, addr, len| {
        if (addr..addr + len as u64).contains(&stops) {
            next = next.wrapping_add(1);
            regions.write(stops, &[next]);
        }
        Ok(())
    });
    for unmoved in [0, 1] {
        let seen = attach.next().expect("observation");
        assert_eq!((seen.coverage.torn, seen.coverage.goroutines_read), (0, 2));
        // The main goroutine.
        assert_eq!(seen.coverage.unmoved, unmoved);
    }
}

#[test]
fn after_a_look_that_failed_the_next_one_reads_everything() {
    let mut image = program(26, Arch::Amd64);
    let channels = [0; 2].map(|_| image.allocate(96));
    let gs = [(7, channels[0]), (8, channels[1])].map(|(goid, channel)| {
        let g = image.add(&Goroutine::waiting(goid, "chan receive", &RECEIVE));
        let sudog = image.sudog(&Sudog { g, channel, ..NO_SUDOG });
        image.set_g(g, image.layout().g.waiting, sudog);
        g
    });
    let restless = image.add(&Goroutine::waiting(9, "sleep", &RECEIVE));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    attach.next().expect("observation");
    // The first runs, so that what the second waits on is the first of all; the third moves, and when
    // it is to be read once more the snapshot ends.
    let at = image.layout().g;
    memory.write(gs[0] + u64::from(at.status), &RUNNING.to_le_bytes());
    let (goid, mut reads) = (restless + u64::from(at.goid), 0);
    memory.meddle(move |regions, addr, len| {
        if (addr..addr + len as u64).contains(&goid) {
            reads += 1;
            regions.set(goid, 100 + reads % 2);
            if reads == 3 {
                return Err(ReadError::Denied);
            }
        }
        Ok(())
    });
    assert!(attach.next().is_err());
    let seen = attach.next().expect("observation");
    assert_eq!(seen.objects_of(goroutine(&seen, 8)), [channels[1]]);
    assert_eq!(seen.coverage.unmoved, 0);
}

#[test]
fn a_stack_without_a_contended_lock_is_searched_for_it_once() {
    let mut image = program(26, Arch::Amd64);
    let lock = image.allocate(32);
    let waits = Goroutine { wait_since_ns: 1, ..Goroutine::waiting(7, "sync.Mutex.Lock", &LOCK) };
    let g = image.add(&waits);
    let sudog = image.sudog(&Sudog { g, elem: lock + 4, ..NO_SUDOG });
    image.set_g(g, image.layout().g.waiting, sudog);
    let holder = image.add(&Goroutine::waiting(8, "chan receive", &RECEIVE));
    for g in [g, holder] {
        // Into the frame of main.worker.
        image.set_slot(g, 0x98, lock);
    }
    image.add(&Goroutine::waiting(9, "sleep", &RECEIVE));
    let memory = image.memory();
    let mut attach = image.attach(&memory).expect("attach");
    // Nothing is contended yet; then all stacks are searched, and those that mention it each time.
    for (unmoved, mentioned) in [(0, 0), (0, 2), (2, 2), (2, 2)] {
        let seen = attach.next().expect("observation");
        assert_eq!(seen.mentions.len(), mentioned, "{:?}", seen.mentions);
        assert_eq!(seen.coverage.unmoved, unmoved);
    }
}
