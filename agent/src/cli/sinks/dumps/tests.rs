use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use super::*;
use crate::analyze::settings::Rule;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::sample::leaking;

fn dumps(level: FailOn, path: &Path, limit: usize) -> Dumps {
    Dumps {
        level,
        filter: Filter::default(),
        folder: Folder::new(
            path.to_owned(),
            NonZeroUsize::new(limit).expect("some"),
            FORMS.to_vec(),
        ),
        targets: BTreeMap::new(),
        kept: 0,
        removed: 0,
        failed: None,
    }
}

/// A leak that grows from sample to sample, and is gone in the last.
fn updates(generation: u32) -> Vec<Update> {
    let mut window = Window::default();
    let counts = (0..40).map(|second| second * 20).chain([0]);
    let update = |(second, leaked)| {
        let mut sample = leaking(leaked);
        sample.generation = generation;
        let observation = sample.observe(second);
        window.push(&observation);
        let assessment = judge(&window, &Settings::default(), &mut CodeFiles::default());
        Update {
            assessment: assessment.expect("observed").into(),
            now: None,
            replaced: None,
            observation: Some(observation.into()),
        }
    };
    (0..).zip(counts).map(update).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn said(dumps: &mut Dumps, updates: Vec<Update>) -> Vec<String> {
    updates.into_iter().filter_map(|update| dumps.take(update)).collect()
}

#[test]
fn a_dump_is_kept_once_when_a_finding_reaches_the_level_and_again_in_the_next_program() {
    let scratch = tempfile::tempdir().expect("a directory for the test");
    let mut dumps = dumps(FailOn::Likely, scratch.path(), 9);
    let lines = said(&mut dumps, updates(0));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("(channel-send) is likely, "), "{lines:?}");
    let kept = names(scratch.path());
    let [profile, text] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(profile.strip_suffix(".pb.gz"), text.strip_suffix(".txt"));
    assert!(text.starts_with("leak-agent-dump-potato-4711-20261120T0800"), "{text}");
    let dump = fs::read_to_string(scratch.path().join(text)).expect("text");
    assert!(dump.contains("[chan send") && dump.contains("main.leakGoroutines.func1"), "{dump}");
    // The same findings, in another program of the process.
    assert_eq!(said(&mut dumps, updates(1)).len(), 1);
}

#[test]
fn what_is_filtered_out_or_never_reaches_the_level_keeps_nothing() {
    let scratch = tempfile::tempdir().expect("a directory for the test");
    let mut proven = dumps(FailOn::Proven, scratch.path(), 9);
    assert_eq!(said(&mut proven, updates(0)), [""; 0]);
    let mut others = dumps(FailOn::Likely, scratch.path(), 9);
    let exclude = vec![Rule::new("main.leak*", None)];
    others.filter = Filter { exclude, ..Filter::default() };
    assert_eq!(said(&mut others, updates(0)), [""; 0]);
    assert_eq!(names(scratch.path()), [""; 0]);
}

#[test]
fn the_oldest_go_and_nothing_else() {
    let scratch = tempfile::tempdir().expect("a directory for the test");
    let old =
        ["leak-agent-dump-a-1-20261001T000000.000Z", "leak-agent-dump-b-20261002T000000.000Z"];
    for name in old {
        for end in [".txt", ".pb.gz"] {
            fs::write(scratch.path().join(format!("{name}{end}")), "old").expect("written");
        }
    }
    fs::write(scratch.path().join("mine.txt"), "mine").expect("written");
    let mut dumps = dumps(FailOn::Likely, scratch.path(), 2);
    let lines = said(&mut dumps, updates(0));
    assert!(lines[0].ends_with("; 1 older dump removed (--save-limit)"), "{lines:?}");
    let kept = names(scratch.path());
    assert_eq!(kept.len(), 5, "{kept:?}");
    assert!(!kept.iter().any(|name| name.starts_with(old[0])), "{kept:?}");
    assert!(kept.contains(&"mine.txt".to_owned()));
    // One that is older than all others, as of a recording, is kept for all that.
    dumps.folder = Folder::new(scratch.path().to_owned(), NonZeroUsize::MIN, FORMS.to_vec());
    fs::write(scratch.path().join("leak-agent-dump-c-20270101T000000.000Z.txt"), "later")
        .expect("written");
    let lines = said(&mut dumps, updates(1));
    assert!(lines[0].ends_with("; 2 older dumps removed (--save-limit)"), "{lines:?}");
    assert_eq!(names(scratch.path()).len(), 3);
}

#[test]
fn a_failure_is_said_once_and_the_dump_is_kept_once_it_can_be() {
    let scratch = tempfile::tempdir().expect("a directory for the test");
    let folder = scratch.path().join("later");
    let mut dumps = dumps(FailOn::Suspect, &folder, 9);
    let mut updates = updates(0);
    updates.truncate(39);
    let last = updates.pop().expect("many");
    let lines = said(&mut dumps, updates);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("warning: cannot keep a dump as "), "{lines:?}");
    fs::create_dir(&folder).expect("made");
    assert!(said(&mut dumps, vec![last])[0].starts_with("dump: "));
    assert_eq!(names(&folder).len(), 2);
}
