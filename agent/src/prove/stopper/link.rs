//! The agent's side of the socket to the process that stops targets.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

use super::error::StopError;
use super::messages::{Answer, LARGEST, Order, THREAD, bytes, words};
use super::server;
use crate::prove::still::Thread;

/// What has not answered for so long does not do so any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// Who does not listen for so long while a target stands is not waited for.
const UNHEARD: Duration = Duration::from_millis(200);
/// How often it is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// The process, and the socket to it.
#[derive(Debug)]
pub(super) struct Link {
    /// Its end is what ends the process; gone only when this value goes.
    socket: Option<Socket>,
    pid: Pid,
}

impl Link {
    /// Forks it: a copy of this process as it is now. It holds no target up for longer than it is told here, whatever it is
    /// told later.
    pub(super) fn start(max_pause: Duration) -> io::Result<Self> {
        let (socket, its) = Socket::pair(Domain::UNIX, Type::from(libc::SOCK_SEQPACKET), None)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        its.set_write_timeout(Some(UNHEARD))?;
        let pid = server::fork_server(its.as_fd())?;
        let pause_us = u64::try_from(max_pause.as_micros()).unwrap_or(u64::MAX);
        (&socket).write_all(&bytes(Order::Limit { pause_us }.words()))?;
        Ok(Self { socket: Some(socket), pid: Pid::from_raw(pid) })
    }

    /// Its pid.
    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Says something.
    pub(super) fn say(&self, order: Order) -> Result<(), StopError> {
        let mut socket = self.socket.as_ref().ok_or(StopError::ServerGone)?;
        socket.write_all(&bytes(order.words())).map_err(|_| StopError::ServerGone)
    }

    /// The next answer to what has a number, and the threads that were told before it.
    pub(super) fn answer(&self, number: u64) -> Result<(Answer, Vec<Thread>), StopError> {
        let mut socket = self.socket.as_ref().ok_or(StopError::ServerGone)?;
        let mut room = vec![0; LARGEST];
        let mut threads = Vec::new();
        loop {
            let len = match socket.read(&mut room) {
                Ok(0) => return Err(StopError::Died),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // What it holds it lets go all the same, when its time is over.
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Err(StopError::Stuck(PATIENCE));
                }
                Err(_) => return Err(StopError::Died),
            };
            let message = &room[..len];
            if let Some((of, answer)) = words(message).and_then(Answer::from_words)
                && of == number
            {
                return Ok((answer, threads));
            }
            // Anything else is about something that is over.
            threads.extend(thread(message, number));
        }
    }
}

/// A thread's message, if it is one that belongs to a number.
fn thread(message: &[u8], number: u64) -> Option<Thread> {
    let mut words = message.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let (kind, of) = (words.next()?, words.next()?);
    let (tid, ip, sp) = (words.next()?, words.next()?, words.next()?);
    let is_ours = kind == THREAD && of == number;
    is_ours.then(|| Thread { tid: tid as u32, ip, sp, words: words.collect() })
}

impl Drop for Link {
    fn drop(&mut self) {
        drop(self.socket.take());
        let start = Instant::now();
        // One that is stopped is left behind: it cleans up when it runs again.
        while start.elapsed() < PATIENCE {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => thread::sleep(PAUSE),
                Err(Errno::EINTR) => {}
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_belong_to_a_number() {
        let message: Vec<u8> =
            [THREAD, 3, 7, 10, 11, 12, 13].into_iter().flat_map(u64::to_le_bytes).collect();
        let whole = Thread { tid: 7, ip: 10, sp: 11, words: vec![12, 13] };
        assert_eq!(thread(&message, 3), Some(whole));
        assert_eq!(thread(&message, 4), None);
        assert_eq!(thread(&message[..32], 3), None);
    }
}
