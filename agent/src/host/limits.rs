//! Limits that a process has of its own accord: raised as far as nobody has to be asked.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

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
