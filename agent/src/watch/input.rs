//! What is typed and clicked, and whether there is still a terminal to do so.

use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use crossterm::event::{self, Event};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// How long a key is waited for before samples and signals are attended to.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// How long crossterm looks for what is there already: with less it does not look at all.
const AT_ONCE: Duration = Duration::from_millis(1);

/// The next key, click or change of size that is there already. Of a terminal that is gone there is
/// none; [`is_hung_up`] tells it from one at rest.
pub(super) fn next() -> io::Result<Option<Event>> {
    match event::poll(AT_ONCE) {
        Ok(true) => event::read().map(Some),
        Ok(false) => Ok(None),
        Err(_) if is_hung_up(Duration::ZERO)? => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits for input for this long, and says whether the terminal is gone: its window was closed, its
/// connection lost.
pub(super) fn is_hung_up(wait: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut terminal = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
    match poll(&mut terminal, wait) {
        Ok(_) => {
            let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
            Ok(terminal[0].revents().is_some_and(|seen| seen.intersects(gone)))
        }
        // A signal: of another size, or to stop.
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::process::{Command, Stdio};
    use std::time::Instant;
    use std::{env, iter, thread};

    use nix::fcntl::OFlag;
    use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

    use super::*;

    const READS: &str = "LEAK_AGENT_TEST_READS_ITS_TERMINAL";
    const A_KEY: &str = "a key was read";
    const IT_IS_GONE: &str = "the terminal is gone, and reading it has come back";

    /// The terminal may go between the look whether it has and the next that reads it.
    #[test]
    fn reading_a_terminal_that_is_gone_comes_back() {
        if env::var_os(READS).is_some() {
            reads_until_it_is_gone();
            return;
        }
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let pty = posix_openpt(flags).expect("a pseudo terminal");
        grantpt(&pty).expect("its other side");
        unlockpt(&pty).expect("its other side");
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(ptsname_r(&pty).expect("its name"))
            .expect("its other side");
        let mut keys = File::from(pty.as_fd().try_clone_to_owned().expect("a descriptor"));
        drop(pty);
        let test = thread::current().name().expect("of a test").to_owned();
        let mut child = Command::new("setsid")
            .arg(env::current_exe().expect("this test"))
            .args([&test, "--exact", "--nocapture"])
            .env(READS, "1")
            .stdin(terminal)
            .stdout(Stdio::piped())
            .spawn()
            .expect("itself");
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut said = said.lines().map_while(Result::ok);
        keys.write_all(b"a\n").expect("a key");
        assert!(said.any(|line| line.contains(A_KEY)), "it never read a key");
        drop(keys);
        let start = Instant::now();
        while child.try_wait().expect("a child").is_none() {
            if start.elapsed() > Duration::from_secs(60) {
                child.kill().expect("its end");
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert!(said.any(|line| line.contains(IT_IS_GONE)), "it reads on for ever");
    }

    fn reads_until_it_is_gone() {
        let key = iter::repeat_with(next).find_map(|next| next.expect("a terminal"));
        while next().expect("a terminal").is_some() {}
        println!("{A_KEY}: {key:?}");
        while !is_hung_up(TICK).expect("a terminal") {}
        assert_eq!(next().expect("no error"), None);
        println!("{IT_IS_GONE}");
    }
}
