//! `cargo xtask bench daemon [MINUTES]`: the node agent at its defaults beside fifty Go programs, ten of which leak, and
//! others that are gone in seconds. Meanwhile its receiver is out for a while, and it is killed and started again. Who was
//! told of what, how often and when, and what it cost. Ends with 1 where anything was lost, told twice, or false.

mod agent;
mod programs;
mod told;

use std::env;
use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use leak_agent_tests::bench::file;
use serde_json::json;

use agent::Daemon;
use programs::{Programs, SHORT};
use told::Receiver;

/// How long it all takes, where nothing else is asked for.
const MINUTES: u64 = 30;
/// Less, and what is over is not told before the end.
const LEAST_MINUTES: u64 = 10;
/// The longest that the receiver is out.
const OUTAGE: Duration = Duration::from_secs(300);
/// How long nobody watches.
const DEAD: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_secs(1);

/// Of the whole, in percent: when the receiver goes out,...
const OUT_AT: u32 = 20;
/// ... when the agent is killed, and two programs that leak end before it is back,...
const KILLED_AT: u32 = 60;
/// ... and when the others that leak end.
const ENDED_AT: u32 = 75;

fn main() -> ExitCode {
    match minutes().and_then(bench) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn minutes() -> Result<u64> {
    let Some(asked) = env::args().nth(1) else { return Ok(MINUTES) };
    let minutes = asked.parse().with_context(|| format!("{asked} is no number of minutes"))?;
    ensure!(minutes >= LEAST_MINUTES, "less than {LEAST_MINUTES} minutes show too little");
    Ok(minutes)
}

/// Whether all was told as it should have been.
fn bench(minutes: u64) -> Result<bool> {
    let whole = Duration::from_secs(60 * minutes);
    let outage = OUTAGE.min(whole / 6);
    let mut receiver = Receiver::start()?;
    let mut programs = Programs::start()?;
    let (early, late) = programs.leaking().split_at(7);
    let (early, late) = (early.to_vec(), late.to_vec());
    let folder = programs.folder();
    let config = format!(
        "[[watch]]\nname = \"{}*\"\n[[alert]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://{}/\"\n",
        programs::PREFIX,
        receiver.address()
    );
    fs::write(folder.join("config.toml"), config)?;
    println!("{minutes} minutes, {} programs; {} s outage", programs.count(), outage.as_secs());
    let start = Instant::now();
    programs.run(&early)?;
    let mut daemon = Daemon::start(&folder)?;

    let until = |all: (&mut Daemon, &mut Programs, &mut Receiver), end: Duration| {
        let (daemon, programs, receiver) = all;
        while start.elapsed() < end {
            thread::sleep(TICK);
            programs.come_and_go()?;
            receiver.look();
            daemon.look()?;
        }
        anyhow::Ok(())
    };
    until((&mut daemon, &mut programs, &mut receiver), whole * OUT_AT / 100)?;
    receiver.set_out(true);
    programs.run(&late)?;
    until((&mut daemon, &mut programs, &mut receiver), whole * OUT_AT / 100 + outage)?;
    receiver.set_out(false);
    until((&mut daemon, &mut programs, &mut receiver), whole * KILLED_AT / 100)?;
    let first = daemon.kill()?;
    programs.end(&early[..2]);
    thread::sleep(DEAD);
    let mut daemon = Daemon::start(&folder)?;
    until((&mut daemon, &mut programs, &mut receiver), whole * ENDED_AT / 100)?;
    programs.end(&early[2..]);
    programs.end(&late);
    until((&mut daemon, &mut programs, &mut receiver), whole)?;
    let second = daemon.stop()?;
    receiver.look();

    let outcome = receiver.outcome(programs.leaking(), |name| programs.started(name))?;
    told::print(&outcome);
    println!();
    for (cost, when) in [(&first, "until it was killed"), (&second, "after that")] {
        println!(
            "{when}: {:.2} % of a processor, {} MB at most",
            100.0 * cost.cpu_ratio,
            cost.peak_bytes >> 20
        );
    }
    file::write(
        "daemon",
        &json!({
            "schema": "leak-agent/bench-daemon/v1",
            "minutes": minutes,
            "outage_seconds": outage.as_secs(),
            "programs": programs.count(),
            "short_lived": { "name": SHORT, "started": programs.short_lived() },
            "leaks": outcome.leaks,
            "false_alerts": outcome.others,
            "cost": [first, second],
        }),
    )?;
    Ok(outcome.is_right())
}
