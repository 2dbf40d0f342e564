//! Limits that a process has of its own accord: raised as far as nobody has to be asked.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

/// Raises the soft limit of open files to the hard one: each probe of each target takes a few, and the
/// usual soft limit of 1,024 is one for programs that use `select`.
///
/// # Errors
/// When the kernel refuses. The limit is then what it was.
pub fn raise_open_files() -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(())
}

/// Makes a write beyond the limit of a file's size (`ulimit -f`) an error of that write, as where the disk
/// is full: by default the kernel ends the process by SIGXFSZ.
///
/// # Errors
/// When the signal cannot be caught. Such a write is then the end.
pub fn survive_file_size_limit() -> io::Result<()> {
    // That there is a handler is enough.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn afterwards_nothing_is_left_to_raise() {
        raise_open_files().expect("no permission is needed");
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is one");
        assert_eq!(soft, hard);
    }
}
