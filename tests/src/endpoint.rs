//! Reads what a server on this machine says over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::debug2::Dump;

/// An answer that takes longer will never come.
const SILENCE: Duration = Duration::from_secs(120);

/// A folder of a server: `http://127.0.0.1:6060/debug/pprof/`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    address: String,
    folder: String,
}

impl Endpoint {
    /// From a URL.
    ///
    /// # Errors
    /// When it is not of plain HTTP.
    pub fn of(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").with_context(|| format!("{url} is no http URL"))?;
        let (address, folder) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self { address: address.to_owned(), folder: format!("/{folder}") })
    }

    /// The pprof endpoint that a server offers at an address.
    #[must_use]
    pub fn pprof(address: &str) -> Self {
        Self { address: address.to_owned(), folder: "/debug/pprof/".to_owned() }
    }

    /// Asks for a page, reads it to its end into `body`, and says how long it was.
    ///
    /// # Errors
    /// When the server cannot be reached, or answers anything but 200.
    pub fn read(&self, page: &str, body: &mut dyn Write) -> Result<u64> {
        let Self { address, folder } = self;
        let mut read = || -> Result<u64> {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(SILENCE))?;
            // Version 1.0, so that the body is the rest of the stream.
            write!(stream, "GET {folder}{page} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
            let mut answer = BufReader::with_capacity(1 << 18, stream);
            let mut line = String::new();
            answer.by_ref().take(1024).read_line(&mut line)?;
            ensure!(line.split(' ').nth(1) == Some("200"), "the answer was {line:?}");
            while line.trim_end() != "" {
                line.clear();
                answer.by_ref().take(1 << 16).read_line(&mut line)?;
            }
            Ok(std::io::copy(&mut answer, body)?)
        };
        read().with_context(|| format!("asking for http://{address}{folder}{page}"))
    }

    /// What a pprof endpoint says of all goroutines (`debug=2`).
    ///
    /// # Errors
    /// As [`Endpoint::read`], and when the answer is no dump.
    pub fn dump(&self) -> Result<Dump> {
        let mut text = Vec::new();
        self.read("goroutine?debug=2", &mut text)?;
        Dump::parse(&String::from_utf8(text).context("a dump that is not UTF-8")?)
    }
}
