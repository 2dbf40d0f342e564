use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::analyze::{CodeFiles, Settings, Window, judge};
use crate::collect::{CollectError, Source as _};
use crate::model::{Counted, Goroutine, Observation, ProfileForm, Status, TimeBasis, Verdict};
use crate::profile::write;
use crate::sample::leaking;

/// A folder for one test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("leak-agent-files-{}-{name}", std::process::id()));
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the test");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that was last changed so many seconds after a moment.
    fn put(&self, name: &str, seconds: u64, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        fs::write(&path, bytes).expect("it can be written to");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        File::open(&path).and_then(|file| file.set_modified(at)).expect("a time");
        path
    }

    fn find(&self) -> Found {
        find(std::slice::from_ref(&self.0)).expect("something can be read")
    }

    /// The observations of the only series.
    fn seen(&self) -> Vec<Observation> {
        only(self.find())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn only(mut found: Found) -> Vec<Observation> {
    assert_eq!(found.series.len(), 1);
    observe(found.series.remove(0)).expect("it can be read")
}

fn observe(series: Series) -> Result<Vec<Observation>, CollectError> {
    let mut source = Files::new(series);
    let mut all = Vec::new();
    while let Some(observation) = source.observe()? {
        all.push(observation);
    }
    Ok(all)
}

/// A dump of goroutines that wait to send, made by one that runs.
fn dump(by: u64, waiting: impl IntoIterator<Item = u64>) -> String {
    let mut text = format!(
        "goroutine {by} [running]:\nmain.dump()\n\t/src/app/dump.go:9 +0x1d\n\
         created by net/http.(*Server).Serve in goroutine 1\n\t/go/src/net/http/server.go:3285 +0x4b4\n\n"
    );
    for goid in waiting {
        text.push_str(&format!(
            "goroutine {goid} [chan send]:\nmain.send(0xc000102000)\n\t/src/app/leak.go:33 +0x2b\n\
             created by main.leak in goroutine 1\n\t/src/app/leak.go:31 +0x25\n\n"
        ));
    }
    text
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes.as_ref()).expect("a vector takes everything");
    packer.finish().expect("a vector takes everything")
}

fn counts(seen: &[Observation]) -> Vec<usize> {
    seen.iter().map(|it| it.goroutines.len()).collect()
}

fn ids(seen: &Observation) -> Vec<u64> {
    seen.goroutines.iter().filter_map(Goroutine::id).collect()
}

fn files(seen: &Observation) -> &crate::model::FilesCoverage {
    seen.coverage.files.as_ref().expect("of files")
}

fn seconds(seen: &[Observation]) -> Vec<u64> {
    seen.iter().map(|it| it.elapsed.as_secs()).collect()
}

fn nothing(named: &[PathBuf]) -> String {
    match find(named) {
        Err(error @ Error::Nothing { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(found) => panic!("{} series", found.series.len()),
    }
}

#[test]
fn the_dumps_of_a_folder_are_a_series_in_the_order_of_their_times() {
    let scratch = Scratch::new("series");
    scratch.put("b.txt", 0, dump(50, 1..11));
    scratch.put("a.txt.gz", 60, gzip(dump(51, 1..21)));
    scratch.put("c.log", 30, format!("starting\n{}exit status 2\r\n", dump(52, 1..16)));
    scratch.put("README.md", 10, "a folder of dumps\n");
    scratch.put(".hidden", 10, dump(1, 2..3));
    let seen = scratch.seen();
    assert_eq!((counts(&seen), seconds(&seen)), (vec![11, 16, 21], vec![0, 30, 60]));
    let last = &seen[2];
    let stayed = last.goroutines.iter().filter(|it| it.came == Some(false)).count();
    assert_eq!(stayed, 15, "those of the second dump, but for the one that made it");
    assert_eq!(last.goroutines[1].seen_for, Some(Duration::from_secs(60)));
    let read = files(last);
    assert_eq!((read.read, read.files, read.others, read.times), (3, 3, 1, TimeBasis::Modified));
    assert!(read.unread.is_empty() && read.file.ends_with("a.txt.gz"), "{read:?}");
    assert_eq!(last.target.id.instance.to_string(), scratch.0.display().to_string());
}

#[test]
fn names_or_their_order_tell_times_where_files_were_copied() {
    let scratch = Scratch::new("names");
    for minute in [10, 9, 11] {
        let name = format!("shop-2026-01-02T15-{minute:02}-00.txt");
        scratch.put(&name, 0, dump(50, 1..minute));
    }
    let seen = scratch.seen();
    assert_eq!((counts(&seen), seconds(&seen)), (vec![9, 10, 11], vec![0, 60, 120]));
    assert_eq!(files(&seen[0]).times, TimeBasis::Name);

    let scratch = Scratch::new("order");
    for number in [10, 9, 11] {
        scratch.put(&format!("pprof.shop.goroutine.{number}.txt"), 0, dump(50, 1..number));
    }
    let seen = scratch.seen();
    assert_eq!((counts(&seen), seconds(&seen)), (vec![9, 10, 11], vec![0, 1, 2]));
    assert_eq!(files(&seen[0]).times, TimeBasis::Order);
}

#[test]
fn folders_and_forms_are_series_of_their_own() {
    let scratch = Scratch::new("folders");
    scratch.put("0.txt", 0, dump(50, 1..11));
    scratch.put("web-1/a.txt", 0, dump(50, 1..5));
    scratch.put("web-2/a.txt", 0, dump(50, 1..9));
    let mut pprof = Vec::new();
    write::pprof(&leaking(7).observe(0), None, &mut pprof).expect("a vector takes everything");
    scratch.put("a.pb.gz", 0, &pprof);
    // What leads back is walked once.
    symlink(&scratch.0, scratch.path("web-1/again")).expect("a link");
    let found = scratch.find();
    let names: Vec<_> =
        found.series.iter().map(|it| it.path.replace(&*scratch.0.to_string_lossy(), "")).collect();
    assert_eq!(names, [" (debug=2)", " (pprof)", "/web-1", "/web-2"]);
    let seen: Vec<_> = found.series.into_iter().map(|it| observe(it).expect("read")).collect();
    let read = |at: usize| seen[at].last().expect("one").coverage.goroutines_read;
    assert_eq!([0, 1, 2, 3].map(read), [11, 9, 5, 9]);
    let form = seen[1][0].coverage.profile.as_ref().map(|it| it.form);
    assert_eq!(form, Some(ProfileForm::Proto));

    let named = [scratch.path("web-?/a.txt"), scratch.path("0.txt"), scratch.path("0.txt")];
    let seen = only(find(&named).expect("they are there"));
    assert_eq!(counts(&seen), [11, 5, 9], "as one series, each once");
}

#[test]
fn a_log_with_several_dumps_is_a_sample_for_each() {
    let scratch = Scratch::new("log");
    let stamped = |stamp: &str, text: &str| -> String {
        text.lines().map(|line| format!("{stamp} {line}\n")).collect()
    };
    let trace =
        "goroutine 7 [running]:\nruntime/debug.Stack()\n\t/go/src/runtime/debug/stack.go:26\n";
    let text = [
        stamped("2026-01-02T15:00:00Z", trace),
        stamped("2026-01-02T15:00:01Z", "error: again\n"),
        stamped("2026-01-02T15:04:00Z", &dump(50, 1..11)),
        stamped("2026-01-02T15:04:30Z", "GET / 200\n"),
        stamped("2026-01-02T15:05:00Z", &dump(51, 1..21)),
        stamped("2026-01-02T15:07:00Z", &dump(52, 1..31)),
    ];
    scratch.put("svc.log", 0, text.concat());
    let seen = scratch.seen();
    assert_eq!(counts(&seen), [11, 21, 31]);
    assert_eq!(seconds(&seen), [0, 60, 180]);
    assert_eq!(ids(&seen[1])[..3], [51, 1, 2], "the one that makes a dump is of it");
    assert_eq!(files(&seen[2]).times, TimeBasis::Log);

    // What each thread prints of its own goroutine, where GOTRACEBACK=crash, is of the same dump.
    let crash = Scratch::new("crash");
    let on_thread = "goroutine 3 [syscall]:\nmain.read()\n\t/src/app/read.go:9 +0x1d\n\n";
    crash.put(
        "crash.txt",
        0,
        [&dump(50, 4..15), on_thread, "-----\n\nSIGQUIT: quit\n", on_thread].concat(),
    );
    let seen = crash.seen();
    let repeated = seen[0].coverage.profile.as_ref().map(|it| it.repeated);
    assert_eq!((counts(&seen), repeated), (vec![13], Some(1)));

    // Several without a time at all.
    let bare = Scratch::new("bare-log");
    bare.put("svc.log", 0, [dump(50, 1..11), "GET / 200\n".to_owned(), dump(51, 1..21)].concat());
    let seen = bare.seen();
    assert_eq!((counts(&seen), seconds(&seen)), (vec![11, 21], vec![0, 1]));
    assert_eq!(files(&seen[1]).times, TimeBasis::Order);
}

#[test]
fn what_can_be_read_is_and_the_rest_is_told() {
    let scratch = Scratch::new("damaged");
    scratch.put("1.txt", 0, dump(50, 1..11));
    let cut = gzip(dump(5001, 1..4000));
    scratch.put("2.txt.gz", 60, &cut[..cut.len() / 2]);
    scratch.put("3.txt", 120, "");
    scratch.put("4.txt", 180, "<!DOCTYPE html><html><body>404</body></html>");
    scratch.put("5.bin", 240, b"\x0a\x03\0\xff\xff\xff");
    scratch.put("threads.txt", 240, "threadcreate profile: total 9\n");
    scratch.put("9.txt", 300, dump(52, 1..31));
    let seen = scratch.seen();
    assert_eq!(seen.len(), 3);
    assert!((100..4000).contains(&seen[1].goroutines.len()), "{:?}", counts(&seen));
    assert!(seen[1].coverage.profile.as_ref().is_some_and(|it| it.cut_short));
    let last = files(&seen[2]);
    let unread: Vec<_> = last
        .unread
        .iter()
        .map(|it| {
            let name =
                Path::new(&it.file).file_name().expect("a file").to_string_lossy().into_owned();
            (name, it.why.clone())
        })
        .collect();
    let names: Vec<_> = unread.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["3.txt", "4.txt", "5.bin", "2.txt.gz"], "{unread:?}");
    assert!(unread[0].1.contains("empty") && unread[1].1.contains("HTML"), "{unread:?}");
    assert_eq!((last.read, last.files), (3, 3));
    assert_eq!(
        last.not_judged.iter().map(|it| (&*it.kind, it.files)).collect::<Vec<_>>(),
        [("threadcreate", 1)]
    );
}

#[test]
fn where_nothing_can_be_read_each_reason_is_given() {
    let scratch = Scratch::new("nothing");
    let said = nothing(std::slice::from_ref(&scratch.0));
    assert_eq!(said, "there are no files");
    let empty = scratch.put("empty.txt", 0, " \n");
    let page = scratch.put("page.txt", 0, "<html></html>");
    let prose = scratch.put("prose.txt", 0, "no goroutine is here\n");
    let said = nothing(std::slice::from_ref(&scratch.0));
    for reason in
        ["empty.txt: it is empty", "page.txt: it is an HTML page", "prose.txt: no goroutines"]
    {
        assert!(said.contains(reason), "{said}");
    }
    assert!(nothing(&[empty, page, prose]).starts_with("no profile, dump or saved observation"));
    let missing = [scratch.path("not.txt"), scratch.path("*.pb.gz")].map(|path| find(&[path]));
    assert!(missing.iter().all(|it| matches!(it, Err(Error::Missing { .. }))));
    // A folder of broken files beside a good one is a target that fails, and no all-clear.
    scratch.put("good/1.txt", 0, dump(50, 1..11));
    let found = scratch.find();
    let ends: Vec<_> = found.series.into_iter().map(|it| observe(it).map(|it| it.len())).collect();
    assert!(
        matches!(ends[..], [Err(CollectError::Files(Error::Nothing { .. })), Ok(1)]),
        "{ends:?}"
    );
}

#[test]
fn pipes_are_read_once_where_they_are_named_and_passed_over_where_not() {
    let scratch = Scratch::new("pipes");
    let pipe = scratch.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    scratch.put("1.txt", 0, dump(50, 1..11));
    assert_eq!(counts(&scratch.seen()), [11], "nobody writes to the pipe");
    let mut pprof = Vec::new();
    write::pprof(&leaking(7).observe(0), None, &mut pprof).expect("a vector takes everything");
    for (bytes, read) in [(gzip(dump(50, 1..5)), 5), (pprof, 9), (archive(31), 31)] {
        let pipe = pipe.clone();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, bytes).expect("it is read")
        });
        let seen = only(find(&[pipe]).expect("it is there"));
        writer.join().expect("it was written");
        assert_eq!(seen[0].coverage.goroutines_read, read);
    }
}

/// A zip archive of a dump and of what is none.
fn archive(waiting: u64) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let mut put = |name: &str, bytes: &[u8]| {
        let options = zip::write::SimpleFileOptions::default();
        archive
            .start_file(name, options)
            .and_then(|()| Ok(archive.write_all(bytes)?))
            .expect("put");
    };
    put("goroutines.txt", dump(50, 1..waiting).as_bytes());
    put("threads.txt", b"threadcreate profile: total 9\n");
    put("metrics.json", b"[[\"go_alloc_bytes_total\", 7]]");
    archive.finish().expect("finished").into_inner()
}

#[test]
fn counts_that_no_process_reaches_are_no_goroutines() {
    let scratch = Scratch::new("absurd");
    let text = "goroutine profile: total 9223372036854775808\n9223372036854775808 @ 0x1\n\
        #\t0x1\tmain.f+0x1\t/a/main.go:3\n\n";
    scratch.put("huge.txt", 0, text);
    let error = observe(scratch.find().series.remove(0)).expect_err("there are none");
    let said = crate::error_chain::one_line(&error);
    assert!(said.contains("1 part could not be understood"), "{said}");
}

#[test]
fn the_files_of_an_archive_are_read_one_by_one() {
    let scratch = Scratch::new("archive");
    for (number, waiting) in [(1, 11), (2, 31)] {
        scratch.put(&format!("{number}.zip"), 60 * number, archive(waiting));
    }
    let seen = scratch.seen();
    assert_eq!((counts(&seen), seconds(&seen)), (vec![11, 31], vec![0, 60]));
    let read = files(&seen[1]);
    assert!(read.file.ends_with("2.zip/goroutines.txt"), "{}", read.file);
    assert_eq!((read.others, read.not_judged[0].files), (2, 2));
}

#[test]
fn what_save_wrote_is_told_by_its_name_and_left_to_who_reads_it() {
    let scratch = Scratch::new("saved");
    scratch.put("1.txt", 0, dump(50, 1..11));
    scratch.put("4711-7-000001.observation.gz", 0, gzip("{}"));
    scratch.put("renamed.gz", 0, gzip("{\"schema\":\"leak-agent/observation/v1\""));
    let found = scratch.find();
    assert_eq!(found.observations, [scratch.path("4711-7-000001.observation.gz")]);
    let seen = only(found);
    assert!(files(&seen[0]).unread[0].why.contains("--save"), "{:?}", files(&seen[0]));
}

#[test]
fn a_leak_is_found_in_a_series_of_any_form() {
    type Write = fn(&Observation, &mut Vec<u8>);
    let forms: [(&str, Write); 3] = [
        ("txt", |seen, out| write::dump(seen, out).expect("written")),
        ("counts", |seen, out| write::counts(seen, out).expect("written")),
        ("pb.gz", |seen, out| write::pprof(seen, None, out).expect("written")),
    ];
    let leak = |observations: &[Observation]| {
        let mut window = Window::default();
        for observation in observations {
            window.push(observation);
        }
        let seen =
            judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed");
        let findings = seen.judgement.map(|it| it.findings).unwrap_or_default();
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        let leak = finding.goroutines().expect("goroutines");
        let at = seen.groups[leak.group].blocked_at.expect("it blocks somewhere");
        let at = seen.stacks.lookup(at).expect("named");
        (finding.verdict, leak.count, at.function.to_owned(), at.line)
    };
    let samples: Vec<_> =
        (0..30).map(|second| leaking(u64::from(second) * 20).observe(second)).collect();
    let attached = leak(&samples);
    assert_eq!(attached.0, Verdict::Likely);
    for (extension, write) in forms {
        let scratch = Scratch::new(&format!("leak-{extension}"));
        for (second, sample) in samples.iter().enumerate() {
            let mut text = Vec::new();
            write(sample, &mut text);
            scratch.put(&format!("{second}.{extension}"), second as u64, text);
        }
        let seen = scratch.seen();
        assert_eq!(seen.len(), 30);
        assert_eq!(leak(&seen), attached, "{extension}");
    }
}

#[test]
fn counts_are_read_as_text_too() {
    let scratch = Scratch::new("counts");
    let text = "goroutine profile: total 12\n9 @ 0x43a0d6 0x405c1b\n#\t0x405c1a\tmain.send+0x2a\t\t/src/app/leak.go:33\n\n\
                3 @ 0x43a0d6 0x405c1b\n#\t0x405c1a\tmain.wait+0x2a\t/src/app/leak.go:44\n";
    scratch.put("a.txt", 0, text);
    scratch.put("leaks.txt", 0, text.replace("goroutine profile", "goroutineleak profile"));
    let seen: Vec<_> =
        scratch.find().series.into_iter().map(|it| observe(it).expect("read").remove(0)).collect();
    let weights = |at: usize| seen[at].goroutines.iter().map(|it| it.weight).collect::<Vec<_>>();
    assert_eq!((weights(0), weights(1)), (vec![9, 3], vec![9, 3]));
    let leaked = |at: usize| seen[at].goroutines.iter().all(|it| it.status == Status::Leaked);
    assert_eq!((leaked(0), leaked(1)), (false, true));
    assert_eq!(seen[0].coverage.goroutines_seen, 12);
}

/// A block profile in which goroutines waited so often at the line where [`dump`] has them.
fn block(count: u64) -> String {
    format!(
        "--- contention:\ncycles/second=1000000000\n{} {count} @ 0x1 0x2\n\
         #\t0x1\truntime.chansend1+0x1\t/go/src/runtime/chan.go:9\n\
         #\t0x2\tmain.send+0x1\t/src/app/leak.go:33\n\n",
        count * 1_000_000_000
    )
}

fn mutex(count: u64) -> String {
    format!(
        "--- mutex:\ncycles/second=1000000000\nsampling period=1\n{} {count} @ 0x1 0x2\n\
         #\t0x1\tsync.(*Mutex).Unlock+0x1\t/go/src/sync/mutex.go:200\n\
         #\t0x2\tmain.serve+0x1\t/src/app/serve.go:7\n\n",
        count * 1_000_000_000
    )
}

/// How often goroutines waited, and others waited for them, at each observation.
fn contended(seen: &[Observation]) -> Vec<[Option<u64>; 2]> {
    let sum = |counted: &Option<Counted>| -> Option<u64> {
        Some(counted.as_ref()?.stacks.iter().map(|contended| contended.count).sum())
    };
    let of = |it: &Observation| {
        it.contention.as_ref().map_or([None; 2], |it| [sum(&it.waits), sum(&it.releases)])
    };
    seen.iter().map(of).collect()
}

#[test]
fn contention_goes_with_the_goroutines_nearest_in_time() {
    let scratch = Scratch::new("contention");
    for (number, second) in [(1, 0), (2, 60), (3, 120)] {
        scratch.put(&format!("{number}.txt"), second, dump(50 + number, 1..11));
        if number > 1 {
            scratch.put(&format!("{number}.block"), second + 5, block(number));
        }
    }
    scratch.put("mutex", 118, mutex(7));
    let seen = scratch.seen();
    assert_eq!(counts(&seen), [11; 3]);
    assert_eq!(contended(&seen), [[None; 2], [Some(2), None], [Some(3), Some(7)]]);
    let read = files(&seen[2]);
    assert_eq!((read.read, read.files, read.not_judged.len()), (6, 6, 0));
    assert!(read.unread.is_empty(), "{:?}", read.unread);

    let mut window = Window::default();
    seen.iter().for_each(|it| window.push(it));
    let judged = judge(&window, &Settings::default(), &mut CodeFiles::default());
    let waits = judged.expect("observed").contention.waits.expect("a block profile");
    assert_eq!(waits.within, Some(Duration::from_secs(60)));
    let [line] = waits.lines.as_slice() else { panic!("{waits:?}") };
    assert_eq!((line.count, line.delay, line.waiting), (3, Duration::from_secs(3), 10));
    assert_eq!(line.within, Some((1, Duration::from_secs(1))));
}

#[test]
fn contention_alone_is_shown_and_is_no_all_clear() {
    let scratch = Scratch::new("contention-alone");
    for number in 1..4 {
        scratch.put(&format!("mutex.{number}.txt"), 60 * number, mutex(5 * number));
    }
    scratch.put("block.txt", 181, block(9));
    scratch.put("broken.txt", 240, &block(9)[..70]);
    let seen = scratch.seen();
    let mutexes = [[None, Some(5)], [None, Some(10)], [Some(9), Some(15)]];
    assert_eq!((contended(&seen), seconds(&seen)), (mutexes.to_vec(), vec![0, 60, 120]));
    assert!(seen.iter().all(|it| it.goroutines.is_empty() && it.coverage.profile.is_none()));
    let unread = &files(&seen[2]).unread;
    assert!(unread[0].why.contains("cut short"), "{unread:?}");

    let mut window = Window::default();
    seen.iter().for_each(|it| window.push(it));
    let seen = judge(&window, &Settings::default(), &mut CodeFiles::default()).expect("observed");
    assert!(seen.coverage.is_without_goroutines());
    assert!(seen.judgement.is_none() && seen.health().is_none());
    assert_eq!(
        seen.contention.releases.expect("a profile").lines[0].within.map(|it| it.0),
        Some(10)
    );
}

#[test]
fn profiles_of_a_part_of_the_time_are_summed() {
    let scratch = Scratch::new("delta");
    for number in 1..4 {
        scratch.put(&format!("{number}/delta-block.pprof"), 60 * number, block(number));
        scratch.put(&format!("{number}/goroutines.txt"), 60 * number, dump(50 + number, 1..11));
    }
    let named: Vec<PathBuf> = (1..4)
        .flat_map(|it| ["delta-block.pprof", "goroutines.txt"].map(|name| format!("{it}/{name}")))
        .map(|name| scratch.path(&name))
        .collect();
    let seen = only(find(&named).expect("it can be read"));
    assert_eq!(contended(&seen), [[Some(1), None], [Some(3), None], [Some(6), None]]);
    let contention = seen[2].contention.as_ref().and_then(|it| it.waits.as_ref());
    assert_eq!(contention.map(|it| it.over), Some(Some(Duration::ZERO)));
}

#[test]
fn the_heap_goes_with_the_goroutines_nearest_in_time() {
    let scratch = Scratch::new("heap");
    for number in 1..7_u64 {
        scratch.put(&format!("{number}.txt"), 60 * number, dump(50 + number, 1..11));
        let heap = format!(
            "heap profile: 1: 2 [3: 4] @ heap/1048576\n\n# runtime.MemStats\n# TotalAlloc = 900000\n\
             # HeapAlloc = {}\n# HeapObjects = {number}\n# NumGC = 1\n",
            1000 * number
        );
        scratch.put(&format!("{number}.heap"), 60 * number + 2, heap);
    }
    scratch.put("old.heap", 62, "heap profile: 1: 2 [3: 4] @ heap/1048576\n");
    let seen = scratch.seen();
    let in_use = |it: &Observation| it.memory.profile.map_or(0, |it| it.in_use_bytes);
    assert_eq!(seen.iter().map(in_use).collect::<Vec<_>>(), [1000, 2000, 3000, 4000, 5000, 6000]);
    let last = files(&seen[5]);
    assert_eq!((last.read, last.files, last.unread.len()), (12, 13, 1));
    assert!(last.unread[0].why.contains("does not say"), "{last:?}");
    let heap = scratch.path("6.heap");
    let said = nothing(&[heap]);
    assert!(said.contains("a heap profile says nothing without goroutines beside it"), "{said}");
}
