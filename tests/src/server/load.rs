//! Load on a server, by clients of ours: some that ask all the time, and more that only stay.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{Kind, Server};

/// An answer that takes longer will never come.
const SILENCE: Duration = Duration::from_secs(20);
/// How often a busy client that may not ask looks whether it may again.
const PAUSED: Duration = Duration::from_millis(5);

/// How many clients, and what they do.
#[derive(Clone, Copy, Debug)]
pub struct Clients {
    /// Clients that ask all the time.
    pub busy: usize,
    /// What a busy one waits before it asks again.
    pub pause: Duration,
    /// Clients that asked once, and keep their connections.
    pub idle: usize,
    /// The first one's number. No two of a server may have the same.
    pub first: usize,
}

impl Default for Clients {
    fn default() -> Self {
        Self { busy: 4, pause: Duration::ZERO, idle: 40, first: 0 }
    }
}

/// Clients of a server. They end when this value is dropped.
pub struct Load {
    shared: Arc<Shared>,
    clients: Clients,
    busy: Vec<JoinHandle<Result<()>>>,
    idle: Vec<Client>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    pause: AtomicBool,
    answers: AtomicU64,
    /// Busy clients that have noticed the pause.
    paused: AtomicU64,
}

impl Load {
    /// Starts clients of a server.
    ///
    /// # Errors
    /// When it does not answer them.
    pub fn start(server: &Server) -> Result<Self> {
        Self::start_with(server, Clients::default())
    }

    /// As [`Load::start`], with so many clients.
    ///
    /// # Errors
    /// As [`Load::start`].
    pub fn start_with(server: &Server, clients: Clients) -> Result<Self> {
        let Clients { busy, pause, idle, first } = clients;
        let client =
            |number, purpose| Client::connect(server.kind(), server.address(), number, purpose);
        let idle = (first + busy..first + busy + idle)
            .map(|number| {
                let mut client = client(number, Purpose::Idle)?;
                client.ask()?;
                Ok(client)
            })
            .collect::<Result<_>>()?;
        let shared = Arc::new(Shared::default());
        let mut load = Self { shared, clients, busy: Vec::new(), idle };
        for number in first..first + busy {
            let (mut client, shared) = (client(number, Purpose::Busy)?, Arc::clone(&load.shared));
            load.busy.push(thread::spawn(move || shared.ask_all_the_time(&mut client, pause)));
        }
        Ok(load)
    }

    /// How many answers the busy clients have had.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.shared.answers.load(Ordering::Relaxed)
    }

    /// Has the busy clients wait, their connections kept; returns when all of them do.
    ///
    /// # Errors
    /// When one of them has failed.
    pub fn pause(&mut self) -> Result<()> {
        self.shared.pause.store(true, Ordering::Relaxed);
        while self.shared.paused.load(Ordering::Relaxed) < self.clients.busy as u64 {
            self.check()?;
            thread::sleep(PAUSED);
        }
        Ok(())
    }

    /// Whether all clients are still at it.
    ///
    /// # Errors
    /// When one of them has failed.
    pub fn check(&mut self) -> Result<()> {
        if let Some(at) = self.busy.iter().position(JoinHandle::is_finished) {
            match self.busy.remove(at).join() {
                Ok(ended) => ended.context("a client has failed")?,
                Err(_) => bail!("a client has panicked"),
            }
        }
        // Still here, so that nobody says that they were never used.
        ensure!(self.idle.len() == self.clients.idle);
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for busy in self.busy.drain(..) {
            // What went wrong at the end is of no interest.
            let _ = busy.join();
        }
    }
}

impl Shared {
    fn ask_all_the_time(&self, client: &mut Client, pause: Duration) -> Result<()> {
        let mut noticed = false;
        while !self.stop.load(Ordering::Relaxed) {
            if self.pause.load(Ordering::Relaxed) {
                if !std::mem::replace(&mut noticed, true) {
                    self.paused.fetch_add(1, Ordering::Relaxed);
                }
                thread::sleep(PAUSED);
            } else {
                client.ask()?;
                self.answers.fetch_add(1, Ordering::Relaxed);
                if !pause.is_zero() {
                    thread::sleep(pause);
                }
            }
        }
        Ok(())
    }
}

/// What a client is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Busy,
    Idle,
}

/// One client and its connection.
enum Client {
    Nats { stream: BufReader<TcpStream>, subject: String },
    Http { stream: BufReader<TcpStream>, requests: Vec<String>, asked: usize },
    DnsTcp { stream: TcpStream, question: Vec<u8> },
    DnsUdp { socket: UdpSocket, question: Vec<u8> },
}

impl Client {
    fn connect(kind: Kind, address: &str, number: usize, purpose: Purpose) -> Result<Self> {
        let connect = || -> Result<TcpStream> {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(SILENCE))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let http = |requests: Vec<String>| -> Result<Self> {
            Ok(Self::Http { stream: BufReader::new(connect()?), requests, asked: 0 })
        };
        match kind {
            Kind::Nats => {
                let subject = format!("load.{number}");
                let mut stream = connect()?;
                write!(stream, "CONNECT {{\"verbose\":false}}\r\nSUB {subject} 1\r\n")?;
                Ok(Self::Nats { stream: BufReader::new(stream), subject })
            }
            Kind::Caddy => http(vec![format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n")]),
            Kind::NodeExporter => {
                http(vec![format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n")])
            }
            // Every other over TCP: queries over UDP leave no goroutine behind.
            Kind::Coredns if number.is_multiple_of(2) || purpose == Purpose::Idle => {
                let message = question(number);
                let mut question = u16::try_from(message.len())?.to_be_bytes().to_vec();
                question.extend(message);
                Ok(Self::DnsTcp { stream: connect()?, question })
            }
            Kind::Coredns => {
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                socket.connect(address)?;
                socket.set_read_timeout(Some(SILENCE))?;
                Ok(Self::DnsUdp { socket, question: question(number) })
            }
        }
    }

    /// Asks once, and reads the answer.
    fn ask(&mut self) -> Result<()> {
        match self {
            Self::Nats { stream, subject } => {
                stream.get_mut().write_all(format!("PUB {subject} 5\r\nhello\r\n").as_bytes())?;
                loop {
                    let line = line(stream)?;
                    match line.split(' ').next() {
                        Some("MSG") => break,
                        Some("PING") => stream.get_mut().write_all(b"PONG\r\n")?,
                        Some("INFO" | "PONG") => {}
                        _ => bail!("nats said {line:?}"),
                    }
                }
                line(stream).map(drop)
            }
            Self::Http { stream, requests, asked } => {
                let request = &requests[*asked % requests.len()];
                *asked += 1;
                stream.get_mut().write_all(request.as_bytes())?;
                let status = line(stream)?;
                ensure!(status.split(' ').nth(1) == Some("200"), "the answer was {status:?}");
                skip_body(stream)
            }
            Self::DnsTcp { stream, question } => {
                stream.write_all(question)?;
                let mut length = [0; 2];
                stream.read_exact(&mut length)?;
                let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut answer)?;
                answered(&answer)
            }
            Self::DnsUdp { socket, question } => {
                socket.send(question)?;
                let mut answer = [0; 512];
                let length = socket.recv(&mut answer)?;
                answered(&answer[..length])
            }
        }
    }
}

/// Reads the headers of an answer, and its body as they say: of a length, or in chunks.
fn skip_body(stream: &mut BufReader<TcpStream>) -> Result<()> {
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(stream)?.to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        chunked |=
            header.strip_prefix("transfer-encoding:").is_some_and(|it| it.trim() == "chunked");
    }
    if !chunked {
        std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
        return Ok(());
    }
    loop {
        let size = line(stream)?;
        let length =
            u64::from_str_radix(&size, 16).with_context(|| format!("a chunk of {size:?}"))?;
        std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
        ensure!(line(stream)?.is_empty(), "a chunk is longer than it says");
        if length == 0 {
            return Ok(());
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    ensure!(stream.read_line(&mut line)? > 0, "the server has hung up");
    Ok(line.trim_end().to_owned())
}

/// A query for the address of a name of the client's own (RFC 1035, section 4).
fn question(number: usize) -> Vec<u8> {
    let mut message = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in [format!("client{number}"), "example".to_owned()] {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// Whether an answer is one, and says that all went well.
fn answered(message: &[u8]) -> Result<()> {
    let (flags, code) = (message.get(2), message.get(3));
    let flags = flags.zip(code).context("an answer without a head")?;
    ensure!(flags.0 & 0x80 != 0 && flags.1 & 0x0f == 0, "the answer's flags are {flags:x?}");
    Ok(())
}
