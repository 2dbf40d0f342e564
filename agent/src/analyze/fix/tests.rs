//! What is said of waits with a name, of modules, and of objects, by what stands on the stack.

use std::time::Duration;

use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::model::{
    BlockedBasis, BlockedFor, Cause, ChannelNumber, Channels, Finding, NamedWait, StackView,
    Suggestion, WaitClass,
};
use crate::sample::Sample;

const GO: &str = "/usr/local/go/src";
const USER: (&str, &str, u32) = ("main.(*shop).list", "/src/app/shop.go", 33);

/// The finding of goroutines that become two more each second, with these frames, innermost first;
/// `object` gives what each waits on.
fn leak(wait: WaitClass, frames: &[(&str, &str, u32)], object: impl Fn(u64) -> u64) -> Finding {
    let mut window = Window::default();
    for now in 0..=30_u32 {
        let mut sample = Sample::new();
        let main = sample.stack(&[("main.main", "/src/app/main.go", 9)]);
        sample.add(1, WaitClass::Sleep, StackView::Read(main));
        let stack = sample.stack(frames);
        let site = sample.frame("main.main", "/src/app/main.go", 8);
        for goid in 0..u64::from(now) * 2 {
            let objects = sample.objects(&[object(goid)]);
            let seen = Duration::from_secs(u64::from(now) - goid / 2);
            let goroutine = sample.add(100 + goid, wait, StackView::Read(stack));
            goroutine.objects = objects;
            goroutine.created_by = Some(site);
            goroutine.seen_for = Some(seen);
            goroutine.blocked = Some(BlockedFor { duration: seen, basis: BlockedBasis::FirstSeen });
        }
        window.push(&sample.observe(now));
    }
    let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
    let judgement = assessment.and_then(|it| it.judgement).expect("something was observed");
    judgement.findings.into_iter().next().expect("a leak")
}

fn own(goid: u64) -> u64 {
    0xc000_0000 + goid * 96
}

#[test]
fn an_exhausted_pool_is_named_as_that() {
    let sql = format!("{GO}/database/sql/sql.go");
    let frames = [
        ("database/sql.(*DB).conn", &*sql, 1369),
        ("database/sql.(*DB).query", &*sql, 1762),
        ("database/sql.(*DB).QueryContext", &*sql, 1743),
        USER,
    ];
    let found = leak(WaitClass::Select, &frames, own);
    assert_eq!(found.cause, Cause::Named(NamedWait::SqlPool));
    assert_eq!(found.suggestions, [Suggestion::Named(NamedWait::SqlPool)]);

    // While it dials, the pool is not what it waits for.
    let dials = [("main.(*driver).Open", "/src/app/driver.go", 3), frames[0], frames[1], USER];
    let found = leak(WaitClass::Select, &dials, own);
    assert_eq!(found.cause, Cause::Select);

    let puddle = "/go/pkg/mod/github.com/jackc/puddle/v2@v2.2.2/pool.go";
    let frames = [
        (
            "golang.org/x/sync/semaphore.(*Weighted).Acquire",
            "/go/pkg/mod/golang.org/x/sync@v0.7.0/semaphore/semaphore.go",
            74,
        ),
        ("github.com/jackc/puddle/v2.(*Pool[go.shape.*uint8]).acquire", puddle, 340),
        ("github.com/jackc/puddle/v2.(*Pool[go.shape.*uint8]).Acquire", puddle, 319),
        (
            "github.com/jackc/pgx/v5/pgxpool.(*Pool).Acquire",
            "/go/pkg/mod/github.com/jackc/pgx/v5@v5.6.0/pgxpool/pool.go",
            522,
        ),
        USER,
    ];
    let found = leak(WaitClass::Select, &frames, own);
    assert_eq!(found.cause, Cause::Named(NamedWait::PgxPool));
    assert_eq!(found.suggestions, [Suggestion::Named(NamedWait::PgxPool)]);
}

/// The library whose use is to change, and whether the program's own line that leads there is named.
fn of_library(found: &Finding) -> (&str, bool) {
    match &*found.suggestions {
        [Suggestion::UseOfLibrary { library, from, .. }] => (library, from.is_some()),
        others => panic!("{others:?}"),
    }
}

#[test]
fn a_module_is_used_in_another_way_and_not_changed() {
    let redis = "/go/pkg/mod/github.com/redis/go-redis/v9@v9.5.1/pubsub.go";
    let frames = [
        ("github.com/redis/go-redis/v9.(*PubSub).ReceiveTimeout", redis, 33),
        ("github.com/redis/go-redis/v9.(*PubSub).Receive", redis, 40),
        USER,
    ];
    let found = leak(WaitClass::IoWait, &frames, own);
    assert_eq!(of_library(&found), ("github.com/redis/go-redis/v9", true));

    let bus = "/go/pkg/mod/example.com/bus@v1.0.0/bus.go";
    for wait in [WaitClass::Cond, WaitClass::ChanReceive, WaitClass::ChanSend, WaitClass::Mutex] {
        let found = leak(wait, &[("example.com/bus.(*Topic).Next", bus, 12), USER], own);
        assert_eq!(of_library(&found), ("example.com/bus", true), "{wait:?}");
    }
}

#[test]
fn the_far_end_of_a_pipe_is_named_and_sleep_is_no_ticker() {
    let pipe = format!("{GO}/io/pipe.go");
    let found = leak(WaitClass::Select, &[("io.(*pipe).write", &*pipe, 86), USER], own);
    assert_eq!(found.cause, Cause::Named(NamedWait::IoPipeWrite));
    assert_eq!(found.suggestions, [Suggestion::Named(NamedWait::IoPipeWrite)]);

    let file = format!("{GO}/os/file.go");
    let found = leak(WaitClass::IoWait, &[("os.(*File).Read", &*file, 118), USER], own);
    assert_eq!(found.cause, Cause::Named(NamedWait::FileRead));
    assert!(found.pattern.is_none(), "{:?}", found.pattern);

    let sleep = format!("{GO}/runtime/time.go");
    let found = leak(WaitClass::Sleep, &[("time.Sleep", &*sleep, 338), USER], |_| 0);
    assert_eq!(found.cause, Cause::Sleep { in_endless_loop: false });
    assert_eq!(found.suggestions, [Suggestion::NoSleep]);
}

#[test]
fn how_many_objects_they_wait_on_is_said() {
    let sends = |object: fn(u64) -> u64, number| {
        let found = leak(WaitClass::ChanSend, &[USER], object);
        assert_eq!(found.cause, Cause::Send(Channels { buffer: None, number }));
    };
    sends(own, ChannelNumber::Each);
    sends(|_| own(0), ChannelNumber::Shared);
    sends(|goid| own(goid % 3), ChannelNumber::Several(3));
}
