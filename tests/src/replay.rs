//! A server that answers as a test says, one request a connection, and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The first line and the headers, whose names are in lower case, up to the empty line and with it.
    pub head: String,
    /// What was sent; nothing for GET.
    pub body: Vec<u8>,
}

impl Request {
    /// Whether it has this header, as `name: value`.
    #[must_use]
    pub fn has(&self, header: &str) -> bool {
        self.head.contains(&format!("\r\n{header}\r\n"))
    }
}

/// A server on this machine, for as long as the process runs.
#[derive(Debug)]
pub struct Replay {
    /// Where it is.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<Request>>>,
}

impl Replay {
    /// Starts one. It is told how many requests there were before, and gives the status with its words, the
    /// type of the answer and the answer itself.
    ///
    /// # Errors
    /// When there is no port for it.
    pub fn start(
        answer: impl Fn(usize, &Request) -> (&'static str, &'static str, Vec<u8>) + Send + 'static,
    ) -> Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer)
    }

    /// As [`Replay::start`], at an address.
    ///
    /// # Errors
    /// When somebody else has it.
    pub fn start_at(
        address: SocketAddr,
        answer: impl Fn(usize, &Request) -> (&'static str, &'static str, Vec<u8>) + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(address).context("no port")?;
        let address = listener.local_addr().context("no address")?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // Who is stopped leaves in the midst of it.
                let Some(request) = read(&stream) else { continue };
                let mut heard = told.lock().unwrap_or_else(PoisonError::into_inner);
                let (status, kind, body) = answer(heard.len(), &request);
                heard.push(request);
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Ok(Self { address, heard })
    }

    /// What it was asked so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut read = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if read.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(Some(0), |length| length.parse().ok())?];
    read.read_exact(&mut body).ok()?;
    Some(Request { head, body })
}
