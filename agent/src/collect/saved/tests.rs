//! Saved, read again, and what becomes of damaged files.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::collect::Source;
use crate::model::{CoverageNote, Observation, StackView, TargetId, Timestamp, WaitClass};
use crate::sample::{Prepared, leaking};

/// A directory of its own for a test, removed when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("leak-agent-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    /// What a source of this many samples showed while it was recorded here.
    fn record(&self, samples: u32) -> Vec<Observation> {
        let samples: VecDeque<_> =
            (0..samples).map(|second| leaking(u64::from(second) * 10).observe(second)).collect();
        let source = Box::new(Prepared(samples));
        drain(&mut Recorder::new(source, &self.0).expect("it can be written to"))
    }

    /// Forgets what was recorded: another recording from the same millisecond stands beside it.
    fn clear(&self) {
        for entry in fs::read_dir(&self.0).expect("it is there") {
            fs::remove_file(entry.expect("an entry").path()).expect("a file of ours");
        }
    }

    fn recordings(&self) -> Vec<Recording> {
        let entries = fs::read_dir(&self.0).expect("it is there");
        let files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        Recording::of(&files)
    }

    fn recording(&self) -> Recording {
        let mut all = self.recordings();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// The error of reading a first observation that holds this.
    fn error_of(&self, text: &[u8]) -> Error {
        self.clear();
        self.record(1);
        let file = File::create(self.recording().file(1)).expect("a file");
        let mut packer = GzEncoder::new(file, Compression::fast());
        packer.write_all(text).expect("written");
        packer.finish().expect("written");
        match Replay::new(self.recording()).observe() {
            Err(crate::collect::CollectError::Saved(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    fn text(&self) -> String {
        let file = File::open(self.recording().file(1)).expect("it is there");
        io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn drain(source: &mut dyn Source) -> Vec<Observation> {
    std::iter::from_fn(|| source.observe().expect("it is read")).collect()
}

#[test]
fn what_was_saved_is_read_again_as_it_was() {
    let scratch = Scratch::new("again");
    let live = scratch.record(3);
    let mut again = drain(&mut Replay::new(scratch.recording()));
    assert_eq!(live.len(), 3);
    for seen in &mut again {
        let recording = Arc::make_mut(&mut seen.target).id.recording.take();
        assert_eq!(recording, Some(live[0].at), "that is all that tells them apart");
    }
    assert_eq!(format!("{live:?}").len(), format!("{again:?}").len());
    let verdict = |samples: &[Observation]| {
        let mut window = Window::default();
        samples.iter().for_each(|sample| window.push(sample));
        let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
        let judged = judged.expect("observed");
        format!("{:?} {:?} {:?}", judged.groups, judged.judgement, judged.coverage)
    };
    assert_eq!(verdict(&live), verdict(&again));
    let names: Vec<_> = fs::read_dir(&scratch.0).expect("there").flatten().collect();
    assert_eq!(names.len(), 3, "nothing is left beside: {names:?}");
}

/// What a profile counts is not made into goroutines with ids.
#[test]
fn counted_goroutines_are_saved_as_such() {
    let scratch = Scratch::new("counted");
    let mut sample = leaking(2);
    let stack = sample.stack(&[("main.send", "/src/app/leak.go", 33)]);
    sample.add_counted(2_189, WaitClass::ChanSend, StackView::Read(stack));
    let source = Box::new(Prepared([sample.observe(0)].into()));
    drain(&mut Recorder::new(source, &scratch.0).expect("it can be written to"));
    let again = drain(&mut Replay::new(scratch.recording())).remove(0);
    let counted = again.goroutines.last().expect("it is there");
    assert_eq!((counted.goid, counted.weight, counted.stack_bytes), (None, 2_189, None));
    assert_eq!(again.goroutines.iter().map(|it| it.weight).sum::<u32>(), 2_189 + 5);
    let nobody = scratch.text().replacen(",2189,false]", ",0,false]", 1);
    assert!(matches!(scratch.error_of(nobody.as_bytes()), Error::Absurd { .. }));
}

/// Two processes that had one pid after each other, and two recordings of the second of them.
#[test]
fn recordings_of_one_pid_are_targets_of_their_own() {
    let scratch = Scratch::new("lives");
    for (started, second) in [(1, 0), (2, 60), (2, 120)] {
        let mut sample = leaking(2);
        sample.started = Some(Timestamp::from_unix_ns(started));
        let source = Box::new(Prepared([sample.observe(second)].into()));
        drain(&mut Recorder::new(source, &scratch.0).expect("it can be written to"));
    }
    let all = scratch.recordings();
    let ids: Vec<TargetId> = (all.into_iter())
        .map(|recording| drain(&mut Replay::new(recording)).remove(0).target.id.clone())
        .collect();
    let started: Vec<_> = ids.iter().map(|id| id.started.map(Timestamp::unix_ns)).collect();
    assert_eq!(started, [Some(1), Some(2), Some(2)]);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3, "{ids:?}");
    assert!(ids.iter().all(|id| id.to_string() == "pid 4711"));
}

#[test]
fn recordings_that_begin_at_once_each_have_files_of_their_own() {
    let scratch = Scratch::new("at-once");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let seen = scratch.record(2);
                assert!(seen.iter().all(|it| it.coverage.notes.is_empty()), "all is saved");
            });
        }
    });
    let all = scratch.recordings();
    assert_eq!(all.len(), 16);
    assert!(all.iter().all(|it| it.numbers == [1, 2]));
}

/// Before targets had ids, a file told a library behind the executable's name, and no start.
#[test]
fn a_file_of_before_targets_had_ids_is_read() {
    let scratch = Scratch::new("old");
    scratch.record(1);
    let text = scratch.text();
    let (start, end) =
        (text.find("\"target\":").expect("there"), text.find(",\"reasons\"").expect("there"));
    let target = r#""target":{"kind":"pid","pid":4711,"exe":"host/libmail.so","go_version":null,"build":null}"#;
    let old = format!("{}{target}{}", &text[..start], &text[end..]);
    let form: form::Form = serde_json::from_str(&old).expect("a form");
    let id = form.observation().expect("possible").target.id.clone();
    assert_eq!((id.to_string().as_str(), id.started), ("pid 4711 (libmail.so)", None));
}

#[test]
fn what_is_missing_is_said() {
    let scratch = Scratch::new("gap");
    scratch.record(5);
    for number in [2, 3] {
        fs::remove_file(scratch.recording().file(number)).expect("it was there");
    }
    let seen = drain(&mut Replay::new(scratch.recording()));
    assert_eq!(seen.len(), 3);
    assert!(seen[0].coverage.notes.is_empty());
    let missing = CoverageNote::ObservationsMissing { first: 2, last: 3 };
    assert_eq!(seen[2].coverage.notes, [missing]);
}

#[test]
fn damaged_files_are_told_apart() {
    let scratch = Scratch::new("damaged");
    scratch.record(1);
    let good = scratch.text();
    assert!(matches!(scratch.error_of(b"potato"), Error::Form { .. }));
    let future = good.replacen("observation/v1", "observation/v9", 1);
    assert!(matches!(scratch.error_of(future.as_bytes()), Error::Version { .. }));
    assert!(matches!(scratch.error_of(&good.as_bytes()[..good.len() / 2]), Error::Form { .. }));
    let strange = good.replacen("{\"read\":2}", "{\"read\":4000000000}", 1);
    assert_ne!(strange, good);
    assert!(matches!(scratch.error_of(strange.as_bytes()), Error::Absurd { .. }));
    let huge = good.replacen("\"torn\":0", "\"torn\":18446744073709551615", 1);
    assert_ne!(huge, good);
    assert!(matches!(scratch.error_of(huge.as_bytes()), Error::Absurd { .. }));
    // The packed bytes themselves, cut short.
    scratch.clear();
    scratch.record(1);
    let file = scratch.recording().file(1);
    let bytes = fs::read(&file).expect("there");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("written");
    let error = Replay::new(scratch.recording()).observe().expect_err("cut short");
    assert!(error.to_string().contains("cut short"), "{error}");
}

/// Whoever can write into the folder can write any number: none of them may end the agent.
#[test]
fn no_number_in_a_file_is_too_much() {
    let scratch = Scratch::new("numbers");
    let mut sample = leaking(2);
    sample.sites = vec![crate::model::Site {
        created_by: None,
        creation_stack: None,
        created_in: None,
        started_in: None,
        created: 3,
        exited: 1,
        created_per_second: Some(1.5),
        rate_basis: crate::model::RateBasis::Exact,
        created_interval: None,
        lifetimes: vec![crate::model::Lifetimes { below: None, count: 1 }],
    }];
    let samples = VecDeque::from([sample.observe(0), sample.observe(1)]);
    drain(&mut Recorder::new(Box::new(Prepared(samples)), &scratch.0).expect("there"));
    let good = drain(&mut Replay::new(scratch.recording())).remove(1);
    let text = scratch.text();
    let (mut read, mut refused) = (0, 0);
    for (at, _) in text.match_indices(|c: char| c.is_ascii_digit()) {
        for more in ["0", "9999999", "9999999999999", "99999999999999999", "e300"] {
            let strange = format!("{}{more}{}", &text[..=at], &text[at + 1..]);
            let form = serde_json::from_str::<form::Form>(&strange).map_err(drop);
            let Ok(strange) = form.and_then(|form| form.observation().map_err(drop)) else {
                refused += 1;
                continue;
            };
            read += 1;
            let mut window = Window::default();
            window.push(&strange);
            if good.elapsed >= strange.elapsed {
                window.push(&good);
            }
            judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed");
        }
    }
    assert!(read > 100 && refused > 100, "{read} {refused}");
}

#[test]
fn files_of_other_names_are_of_no_recording() {
    let names = ["seen/a.txt", "seen/4711-7-x.observation.gz", "7-000002.observation.gz", ""];
    assert_eq!(Recording::of(&names.map(PathBuf::from)), []);
    let names = ["b/4711-7-000002.observation.gz", "a/4711-7-000001.observation.gz"];
    let found = Recording::of(&names.map(PathBuf::from));
    let found: Vec<_> = found.iter().map(|it| (it.to_string(), &it.numbers[..])).collect();
    assert_eq!(found, [("a/4711-7".to_owned(), &[1][..]), ("b/4711-7".to_owned(), &[2])]);
}

#[test]
fn a_disk_that_fails_ends_the_saving_and_not_the_sampling() {
    let scratch = Scratch::new("fails");
    let samples = VecDeque::from([leaking(1).observe(0), leaking(2).observe(1)]);
    let mut recorder = Recorder::new(Box::new(Prepared(samples)), &scratch.0).expect("there");
    recorder.observe().expect("saved");
    fs::remove_dir_all(&scratch.0).expect("it was there");
    let second = recorder.observe().expect("seen all the same").expect("not the end");
    assert!(matches!(&*second.coverage.notes, [CoverageNote::NotSaved { .. }]));
}
