//! What is parsed: made of what a real program said of itself (tests/fixtures/dumps), many times over.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use leak_agent::model::{Instance, ProfileForm, Target, TargetId, Timestamp};
use leak_agent::profile::counts::Reader;
use leak_agent::profile::intake::{Intake, Moment};
use leak_agent::profile::write;
use leak_agent_tests::fixture;

/// The version of Go whose text is taken: the last that the peer reads without an error.
const GO: &str = "1.24.11";
/// Bytes of the dump.
const DUMP: u64 = 500 << 20;
/// Distinct stacks of the profile of counts.
const STACKS: u64 = 200_000;

/// Goroutines of a real dump, without their `goroutine` and id. The peer does not know how Go 1.21 and
/// later say that frames were left out: the one goroutine that is so deep is not among them.
pub fn goroutines() -> Result<Vec<String>> {
    let text = String::from_utf8(fixture::bytes(GO, "goroutine.dump")?)?;
    let all = text.trim_end().split("\n\n").filter(|one| !one.contains(" frames elided"));
    all.map(|one| {
        let state = one.find(" [").context("a goroutine without a state")?;
        Ok(format!("{}\n\n", &one[state..]))
    })
    .collect()
}

/// Writes a large dump, unless it is there, and says where.
pub fn dump() -> Result<PathBuf> {
    cached("dump.txt", |out| {
        let goroutines = goroutines()?;
        let mut written = 0;
        for (goid, rest) in (1_u64..).zip(goroutines.iter().cycle()) {
            let text = format!("goroutine {goid}{rest}");
            out.write_all(text.as_bytes())?;
            written += text.len() as u64;
            if written >= DUMP {
                return Ok(());
            }
        }
        Ok(())
    })
}

/// Writes a profile of many distinct stacks, unless it is there, and says where. Each is a real one, called
/// at another place by another function.
pub fn counts() -> Result<PathBuf> {
    cached("counts.txt", |out| {
        let text = String::from_utf8(fixture::bytes(GO, "goroutine.txt")?)?;
        let stacks: Vec<&str> =
            text.split_once('\n').context("no stacks")?.1.trim_end().split("\n\n").collect();
        writeln!(out, "goroutine profile: total {}", STACKS * 3)?;
        for (at, stack) in (0..STACKS).zip(stacks.iter().cycle()) {
            let (head, frames) = stack.split_once('\n').context("a stack without frames")?;
            let (_, addresses) = head.split_once(" @ ").context("a stack without addresses")?;
            let pc = 0x50_0000 + at * 16;
            writeln!(out, "3 @ {addresses} {pc:#x}\n{frames}")?;
            let (caller, line) = (at / 8, at % 1000 + 1);
            let end = pc - 1;
            writeln!(out, "#\t{end:#x}\tmain.caller{caller}+0x1f\t\t/src/main.go:{line}\n")?;
        }
        Ok(())
    })
}

/// Writes the same in pprof's own form, unless it is there, and says where.
pub fn proto() -> Result<PathBuf> {
    let text = counts()?;
    cached("counts.pb.gz", |out| {
        let mut intake = Intake::default();
        let mut reader = Reader::new(&mut intake);
        reader.feed(&fs::read(text)?);
        let reading = reader.finish();
        let id = TargetId {
            instance: Instance::Process { pid: 1, library: None },
            started: None,
            generation: 0,
            recording: None,
        };
        let observation = intake.observation(Moment {
            target: Arc::new(Target::of(id)),
            at: Timestamp::from_unix_ns(0),
            elapsed: Duration::ZERO,
            form: ProfileForm::Counts,
            only_leaked: false,
            reading: &reading,
        });
        Ok(write::pprof(&observation, None, out)?)
    })
}

fn cached(name: &str, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    let path = folder.join(format!("parse-{name}"));
    if path.exists() {
        return Ok(path);
    }
    println!("writing {name}, once");
    fs::create_dir_all(&folder)?;
    // Half a file is never taken for a whole one.
    let half = path.with_extension("half");
    let mut out = BufWriter::new(File::create(&half)?);
    write(&mut out)?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    fs::rename(&half, &path)?;
    Ok(path)
}
