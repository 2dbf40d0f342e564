//! Reads spoiled profiles of pprof's protobuf, and writes again what was read.
//!
//! It needs no seeds. The first byte says what the others are: edits to a well-formed profile, so that the
//! fuzzer starts behind the first checks, or a whole profile.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use leak_agent::model::{Instance, Observation, ProfileForm, Target, TargetId, Timestamp};
use leak_agent::profile::intake::{Intake, Moment};
use leak_agent::profile::packed::{self, Limits};
use leak_agent::profile::proto::Profile;
use leak_agent::profile::{Call, Entry, Reading, Record, Take, write};
use leak_agent_fuzz::spoil;
use libfuzzer_sys::fuzz_target;

const ROOM: Limits = Limits::of_bytes(1 << 26);

fuzz_target!(|data: &[u8]| {
    let Some((flags, rest)) = data.split_first() else { return };
    let mut bytes = if flags & 1 == 0 { well_formed() } else { rest.to_vec() };
    if flags & 1 == 0 {
        spoil(&mut bytes, rest);
    }
    let Ok(profile) = Profile::read(&bytes) else { return };
    let (mut records, mut intake) = (0, Intake::default());
    let mut take = |record: &Record<'_>| {
        records += 1;
        // However few bytes name however many frames.
        assert!(record.stack.len() <= 8192 && record.labels.len() <= 256);
        intake.take(record);
    };
    match profile.goroutines(&mut take) {
        Ok(reading) => {
            assert_eq!((reading.records, reading.bytes), (records, bytes.len() as u64));
            let seen = observation(&mut intake, &reading);
            write_and_read(&seen);
        }
        Err(not_this) => {
            let mut sites = 0_u64;
            let heap = profile.heap(|_| sites += 1).is_ok();
            let contention = profile.contention(|_| sites += 1).is_ok();
            assert!(!(heap && contention), "{not_this}");
            assert!(sites <= bytes.len() as u64);
        }
    }
});

fn observation(intake: &mut Intake, reading: &Reading) -> Observation {
    let id = TargetId {
        instance: Instance::Files { path: "fuzzed".to_owned() },
        started: None,
        generation: 0,
        recording: None,
    };
    let target = Target::of(id);
    intake.observation(Moment {
        target: Arc::new(target),
        at: Timestamp::from_unix_ns(1),
        elapsed: Duration::ZERO,
        form: ProfileForm::Proto,
        only_leaked: false,
        reading,
    })
}

/// What is written counts as many goroutines as there are, save that the runtime's own may be left out, and is
/// text where it is to be.
fn write_and_read(seen: &Observation) {
    let (mut own, mut others) = (0, 0);
    for goroutine in &seen.goroutines {
        let start = goroutine.started_in.and_then(|frame| seen.stacks.lookup(frame).ok());
        let is_own = start.is_some_and(|start| start.function.starts_with("runtime."));
        *if is_own { &mut own } else { &mut others } += u64::from(goroutine.weight);
    }
    let mut written = Vec::new();
    write::pprof(seen, None, &mut written).expect("a vector takes everything");
    let bytes = packed::whole(&written, ROOM).expect("gzip");
    let again = Profile::read(&bytes).expect("a profile");
    let reading = again.goroutines(&mut |_: &Record<'_>| {}).expect("one of goroutines");
    assert_eq!(reading.faults, 0);
    let there = reading.goroutines;
    assert!((others..=own + others).contains(&there), "{there} of {others} and {own}");
    let mut counts = Vec::new();
    write::counts(seen, &mut counts).expect("a vector takes everything");
    let counts = String::from_utf8(counts).expect("text");
    assert!(counts.starts_with(&format!("goroutine profile: total {there}\n")));
}

fn well_formed() -> Vec<u8> {
    let call = |function, line, inlined| {
        Entry::Call(Call { function, file: "/src/main.go", line, inlined })
    };
    let stack =
        [call("runtime.gopark", 424, false), call("main.a", 7, true), call("main.b", 9, false)];
    let mut intake = Intake::default();
    let labels = [("job".into(), "nightly".into())];
    for (count, stack) in [(7, &stack[..]), (3, &stack[1..]), (1, &[Entry::Address(0x40_1000)][..])]
    {
        let (goid, state, created_by) = (None, None, None);
        intake.take(&Record { count, goid, state, labels: &labels, stack, created_by });
    }
    let seen = observation(&mut intake, &Reading::default());
    let mut written = Vec::new();
    write::pprof(&seen, None, &mut written).expect("a vector takes everything");
    packed::whole(&written, ROOM).expect("gzip").into_owned()
}
