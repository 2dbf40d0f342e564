//! `hold_still PID clone|freeze|either [LIVES]`: holds a Go program still again and again, reads some of it, and says how
//! that went, one line each: for the tests to kill, it and the processes that it starts. It ends by itself after so many.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use leak_agent::prove::{How, Request, Stopper};

fn main() -> Result<()> {
    let usage = "usage: hold_still PID clone|freeze|either [LIVES]";
    let mut args = std::env::args().skip(1);
    let pid = args.next().context(usage)?.parse()?;
    let how = match args.next().as_deref() {
        Some("clone") => Some(How::Clone),
        Some("freeze") => Some(How::Freeze),
        Some("either") => None,
        _ => bail!(usage),
    };
    let lives = args.next().map_or(Ok(u64::MAX), |lives| lives.parse())?;
    let second = Duration::from_secs(1);
    let stopper = Stopper::start(second)?;
    let mut out = std::io::stdout();
    writeln!(out, "STARTED {}", stopper.pid())?;
    let request = Request { how, max_pause: second, reading: Duration::ZERO, ..Request::new(pid) };
    for _ in 0..lives {
        match stopper.hold(&request) {
            Ok(held) => {
                let word = held.threads().first().map(|thread| held.memory().read_u64(thread.sp));
                let (how, pause) = (held.how(), held.pause());
                match (word, held.end()) {
                    (Some(Ok(_)), Ok(ended)) => {
                        writeln!(
                            out,
                            "HELD {how:?} {} {}",
                            pause.as_micros(),
                            ended.left_a_zombie
                        )?;
                    }
                    (word, ended) => writeln!(out, "LOST {word:?} {ended:?}")?,
                }
            }
            Err(error) => writeln!(out, "REFUSED {error}")?,
        }
    }
    Ok(())
}
