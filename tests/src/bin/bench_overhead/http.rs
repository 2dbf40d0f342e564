//! Clients of two servers alike: each asks the one and the other in turns, one request at a time, so
//! that both have as much to do at all times.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Clients, each with a thread of its own and a connection to either server.
pub const CLIENTS: u32 = 32;
/// An answer that takes longer will never come.
const SILENCE: Duration = Duration::from_secs(20);

/// What one server's answers in a window came to: how long each took, in seconds, quickest first.
pub struct Served(Vec<f32>);

impl Served {
    /// How many answers there were.
    pub fn answers(&self) -> f64 {
        self.0.len() as f64
    }

    /// The time that a share of all requests stayed below, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> Result<f64> {
        let at = (share * self.0.len() as f64) as usize;
        let latency = self.0.get(at).or(self.0.last());
        Ok(f64::from(*latency.context("nothing was answered")?) * 1e3)
    }
}

/// A connection to either server.
type Client = [BufReader<TcpStream>; 2];

/// Clients of two servers.
pub struct Clients(Vec<Client>);

impl Clients {
    pub fn connect(addresses: &[String; 2]) -> Result<Self> {
        let [one, other] = addresses;
        let client = |_| Ok([connect(one)?, connect(other)?]);
        Ok(Self((0..CLIENTS).map(client).collect::<Result<_>>()?))
    }

    /// Asks for a while: all the time, or either server `rate` times a second.
    pub fn ask(&mut self, window: Duration, rate: Option<u32>) -> Result<[Served; 2]> {
        let pause = rate.map(|rate| Duration::from_secs(1) * CLIENTS / (2 * rate));
        let start = Instant::now();
        let failed = AtomicBool::new(false);
        let latencies = thread::scope(|scope| {
            let ask = |(number, client): (u32, _)| {
                let offset = pause.unwrap_or_default() * number / CLIENTS;
                let schedule = pause.map(|pause| (start + offset, pause));
                // Half of them begin with the one, half with the other.
                let latencies = turns(client, number % 2 == 0, start + window, schedule, &failed);
                failed.fetch_or(latencies.is_err(), Ordering::Relaxed);
                latencies
            };
            let threads: Vec<_> =
                (0..).zip(&mut self.0).map(|client| scope.spawn(move || ask(client))).collect();
            let mut all = [Vec::new(), Vec::new()];
            for thread in threads {
                match thread.join() {
                    Ok(latencies) => {
                        for (all, latencies) in all.iter_mut().zip(latencies?) {
                            all.extend(latencies);
                        }
                    }
                    Err(_) => bail!("a client has panicked"),
                }
            }
            Ok(all)
        });
        Ok(latencies?.map(|mut latencies: Vec<f32>| {
            latencies.sort_unstable_by(f32::total_cmp);
            Served(latencies)
        }))
    }
}

fn connect(address: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    Ok(BufReader::new(stream))
}

fn turns(
    client: &mut Client,
    with_the_first: bool,
    end: Instant,
    schedule: Option<(Instant, Duration)>,
    failed: &AtomicBool,
) -> Result<[Vec<f32>; 2]> {
    let mut latencies = [Vec::with_capacity(1 << 16), Vec::with_capacity(1 << 16)];
    let mut due = schedule;
    let mut free = Instant::now();
    let mut next = usize::from(!with_the_first);
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
        ask(&mut client[next])?;
        free = Instant::now();
        latencies[next].push((free - start).as_secs_f32());
        next = 1 - next;
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
