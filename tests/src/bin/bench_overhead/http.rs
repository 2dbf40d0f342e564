//! Clients of a server: connections that stay, one request at a time on each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Connections, each with a thread of its own.
pub const CLIENTS: u32 = 16;
/// An answer that takes longer will never come.
const SILENCE: Duration = Duration::from_secs(20);

/// What a window of load came to.
pub struct Served {
    /// For how long.
    pub took: Duration,
    /// How long each request took, in seconds, quickest first.
    latencies: Vec<f32>,
}

impl Served {
    /// Answers by the second.
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// How many answers there were.
    pub fn answers(&self) -> f64 {
        self.latencies.len() as f64
    }

    /// The time that a share of all requests stayed below, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> Result<f64> {
        let at = (share * self.latencies.len() as f64) as usize;
        let latency = self.latencies.get(at).or(self.latencies.last());
        Ok(f64::from(*latency.context("nothing was answered")?) * 1e3)
    }
}

/// Connections to a server.
pub struct Clients(Vec<BufReader<TcpStream>>);

impl Clients {
    pub fn connect(address: &str) -> Result<Self> {
        let connect = |_| -> Result<_> {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(SILENCE))?;
            Ok(BufReader::new(stream))
        };
        Ok(Self((0..CLIENTS).map(connect).collect::<Result<_>>()?))
    }

    /// Asks on all connections for a while: all the time, or `rate` times a second in all.
    pub fn ask(&mut self, window: Duration, rate: Option<u32>) -> Result<Served> {
        let pause = rate.map(|rate| Duration::from_secs(1) * CLIENTS / rate);
        let start = Instant::now();
        let failed = AtomicBool::new(false);
        let latencies = thread::scope(|scope| {
            let ask = |(number, stream)| {
                let offset = pause.unwrap_or_default() * number / CLIENTS;
                let schedule = pause.map(|pause| (start + offset, pause));
                let latencies = client(stream, start + window, schedule, &failed);
                failed.fetch_or(latencies.is_err(), Ordering::Relaxed);
                latencies
            };
            let threads: Vec<_> =
                (0..).zip(&mut self.0).map(|client| scope.spawn(move || ask(client))).collect();
            let mut all = Vec::new();
            for thread in threads {
                match thread.join() {
                    Ok(latencies) => all.extend(latencies?),
                    Err(_) => bail!("a client has panicked"),
                }
            }
            Ok(all)
        });
        let took = start.elapsed();
        let mut latencies: Vec<f32> = latencies?;
        latencies.sort_unstable_by(f32::total_cmp);
        Ok(Served { took, latencies })
    }
}

fn client(
    stream: &mut BufReader<TcpStream>,
    end: Instant,
    schedule: Option<(Instant, Duration)>,
    failed: &AtomicBool,
) -> Result<Vec<f32>> {
    let mut latencies = Vec::with_capacity(1 << 16);
    let mut due = schedule;
    let mut free = Instant::now();
    while free < end && !failed.load(Ordering::Relaxed) {
        let mut start = free;
        if let Some((at, pause)) = &mut due {
            if free < *at {
                thread::sleep(*at - free);
                start = Instant::now();
            } else {
                // The server was late, and whoever asks by the clock would have waited since then.
                start = *at;
            }
            *at += *pause;
        }
        ask(stream)?;
        free = Instant::now();
        latencies.push((free - start).as_secs_f32());
    }
    Ok(latencies)
}

fn ask(stream: &mut BufReader<TcpStream>) -> Result<()> {
    stream.get_mut().write_all(b"GET /tea HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    let (mut line, mut length) = (String::new(), 0);
    loop {
        let is_first = line.is_empty();
        line.clear();
        ensure!(stream.read_line(&mut line)? > 0, "the server has hung up");
        if is_first {
            ensure!(line.starts_with("HTTP/1.1 200 "), "the answer was {line:?}");
        } else if line == "\r\n" {
            break;
        } else if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim_end().parse()?;
        }
    }
    let mut body = [0; 64];
    let body = body.get_mut(..length).context("a longer answer than any")?;
    Ok(stream.read_exact(body)?)
}
