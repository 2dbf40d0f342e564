//! `cargo xtask bench parse`: how fast dumps and counts are read, beside the parsers that others use, in the
//! same run and in turns; and what memory an endless dump takes.
//!
//! Ours read texts in pieces, as they come from a disk or a server; the peers have them in memory. Ours are
//! measured twice: giving records to who counts them, which is what the peers do, and to what makes
//! observations of them.

mod input;
mod peer;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use leak_agent::profile::intake::Intake;
use leak_agent::profile::packed::{self, Limits};
use leak_agent::profile::proto::Profile;
use leak_agent::profile::{Reading, Record, Take, counts, dump};
use leak_agent_tests::bench::figure::Figure;
use leak_agent_tests::bench::file;
use leak_agent_tests::bench::machine::busy_percent;
use serde::Serialize;
use serde_json::json;

use peer::Peer;

/// Rounds of which the median counts.
const ROUNDS: usize = 5;
/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// Bytes of the endless dump, and after how many the memory is looked at first.
const ENDLESS: u64 = 10 << 30;
const BEGINNING: u64 = 256 << 20;
/// How much more memory may be taken at its end, in MiB.
const MAX_GROWTH: f64 = 8.0;

/// What is to be reached: times as fast as the peer.
const DUMP_GOAL: f64 = 3.0;
const COUNTS_GOAL: f64 = 2.0;
const PROTO_GOAL: f64 = 2.0;
/// Bytes of the profile in pprof's own form, unpacked.
const MAX_PROTO: u64 = 1 << 30;

/// One form, read by us and by others.
#[derive(Serialize)]
struct Measured {
    form: &'static str,
    peer: &'static str,
    bytes: u64,
    found: u64,
    goal: f64,
    ours_seconds: Figure,
    /// The same, with observations made of it.
    observed_seconds: Figure,
    peer_seconds: Figure,
    /// The peer's time over ours, round by round.
    ratios: Figure,
    observed_ratios: Figure,
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let busy = busy_percent()?;
    println!("the machine is {busy:.0} % busy with other things; medians of {ROUNDS} rounds\n");
    let all = [
        measure("debug=2", "gostackparse", &input::dump()?, DUMP_GOAL, read_dump)?,
        measure("debug=1", "pprof", &input::counts()?, COUNTS_GOAL, read_counts)?,
        measure("proto", "pprof", &input::proto()?, PROTO_GOAL, read_proto)?,
    ];
    println!(
        "{:<8} {:>7} {:>9} {:>11} {:>13} {:>9} {:>7} {:>8}",
        "form", "size", "found", "ours", "observed", "peer", "ratio", "observed"
    );
    for it in &all {
        let rate = |seconds: &Figure| {
            seconds.median().map_or(f64::NAN, |seconds| it.bytes as f64 / 1e6 / seconds)
        };
        println!(
            "{:<8} {:>4} MB {:>9} {:>6.0} MB/s {:>8.0} MB/s {:>4.0} MB/s {:>6.1}x {:>7.1}x",
            it.form,
            it.bytes / 1_000_000,
            it.found,
            rate(&it.ours_seconds),
            rate(&it.observed_seconds),
            rate(&it.peer_seconds),
            it.ratios.median().unwrap_or(f64::NAN),
            it.observed_ratios.median().unwrap_or(f64::NAN),
        );
    }
    let growth = endless()?;
    file::write(
        "parse",
        &json!({ "busy_percent": busy, "forms": all, "endless_growth_mib": growth }),
    )?;
    for it in &all {
        let ratio = it.ratios.median().unwrap_or(0.0);
        ensure!(ratio >= it.goal, "{}: {ratio:.1} times {} is below {}", it.form, it.peer, it.goal);
    }
    ensure!(growth < MAX_GROWTH, "an endless dump took {growth:.1} MiB more at its end");
    Ok(())
}

fn measure(
    form: &'static str,
    peer_name: &'static str,
    path: &Path,
    goal: f64,
    read: fn(&Path, &mut dyn Take) -> Result<Reading>,
) -> Result<Measured> {
    let mut peer = Peer::start(peer_name, path)?;
    // Both have the file in memory, and their own code too.
    let (_, found) = peer.round()?;
    read(path, &mut |_: &Record<'_>| {})?;
    let mut it = Measured {
        form,
        peer: peer_name,
        bytes: fs::metadata(path)?.len(),
        found,
        goal,
        ours_seconds: Figure::default(),
        observed_seconds: Figure::default(),
        peer_seconds: Figure::default(),
        ratios: Figure::default(),
        observed_ratios: Figure::default(),
    };
    for _ in 0..ROUNDS {
        let mut frames = 0;
        let start = Instant::now();
        let reading = read(path, &mut |record: &Record<'_>| frames += record.stack.len())?;
        it.ours_seconds.add(start.elapsed().as_secs_f64());
        ensure!(
            reading.records == found && reading.faults == 0 && frames > 0,
            "{form}: {} records, {} faults; the peer found {found}",
            reading.records,
            reading.faults
        );
        let mut intake = Intake::default();
        let start = Instant::now();
        read(path, &mut intake)?;
        it.observed_seconds.add(start.elapsed().as_secs_f64());
        it.peer_seconds.add(peer.round()?.0);
    }
    it.ratios = it.ours_seconds.ratios(&it.peer_seconds);
    it.observed_ratios = it.observed_seconds.ratios(&it.peer_seconds);
    Ok(it)
}

fn read_dump(path: &Path, take: &mut dyn Take) -> Result<Reading> {
    let mut take = |record: &Record<'_>| take.take(record);
    let mut reader = dump::Reader::new(&mut take);
    each_piece(path, |bytes| reader.feed(bytes))?;
    Ok(reader.finish())
}

fn read_counts(path: &Path, take: &mut dyn Take) -> Result<Reading> {
    let mut take = |record: &Record<'_>| take.take(record);
    let mut reader = counts::Reader::new(&mut take);
    each_piece(path, |bytes| reader.feed(bytes))?;
    Ok(reader.finish())
}

/// Packed, as servers give it; the peer unpacks it too.
fn read_proto(path: &Path, take: &mut dyn Take) -> Result<Reading> {
    let mut take = |record: &Record<'_>| take.take(record);
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let plain = packed::whole(&bytes, Limits::of_bytes(MAX_PROTO))?;
    Ok(Profile::read(&plain)?.goroutines(&mut take)?)
}

fn each_piece(path: &Path, mut feed: impl FnMut(&[u8])) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            len => feed(&piece[..len]),
        }
    }
}

/// Reads a dump that is made as it is read, and gives how much memory that took from its beginning to its
/// end, in MiB.
fn endless() -> Result<f64> {
    let goroutines = input::goroutines()?;
    let mut count = 0_u64;
    let mut take = |_: &Record<'_>| count += 1;
    let mut reader = dump::Reader::new(&mut take);
    let (mut fed, mut goid, mut at_first) = (0, 0_u64, None);
    let mut text = String::new();
    let start = Instant::now();
    while fed < ENDLESS {
        text.clear();
        while text.len() < PIECE {
            let rest = &goroutines[goid as usize % goroutines.len()];
            goid += 1;
            text.push_str("goroutine ");
            text.push_str(&goid.to_string());
            text.push_str(rest);
        }
        reader.feed(text.as_bytes());
        fed += text.len() as u64;
        if fed > BEGINNING && at_first.is_none() {
            at_first = Some(resident()?);
        }
    }
    let reading = reader.finish();
    let (first, last) = (at_first.context("it has a beginning")?, resident()?);
    ensure!(count == goid && reading.faults == 0, "{count} of {goid} goroutines were read");
    println!(
        "\n{} GiB of a dump, {goid} goroutines, in {:.0} s: {first:.1} MiB at the beginning, {last:.1} at the end",
        ENDLESS >> 30,
        start.elapsed().as_secs_f64()
    );
    Ok(last - first)
}

/// What this process holds, in MiB.
fn resident() -> Result<f64> {
    let status =
        fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    Ok(kib.context("VmRSS is missing from /proc/self/status")? / 1024.0)
}
