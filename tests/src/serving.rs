//! A process that serves, and says on standard error where it can be asked.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

/// Such a process. It is killed in the end.
#[derive(Debug)]
pub struct Serving {
    /// The process.
    pub child: Child,
    /// Where it can be asked.
    pub url: String,
    /// What it says later.
    pub stderr: BufReader<ChildStderr>,
}

impl Serving {
    /// Starts it, and waits until it says where.
    ///
    /// # Panics
    /// When it does not start, or ends without saying it.
    #[must_use]
    #[allow(clippy::expect_used)]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(stderr.read_line(&mut line).expect("a line") > 0, "it ended: {line}");
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break url.to_owned();
            }
        };
        Self { child, url, stderr }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Errors mean that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
