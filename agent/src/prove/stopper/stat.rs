//! `/proc/PID/stat` and `/proc/PID/status` without allocation (proc_pid_stat(5)).

use crate::host::bare::{self, Path};

/// What matters of a process here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// The letter of its state.
    pub(super) state: u8,
    pub(super) parent: u32,
    /// When it started, in clock ticks since boot.
    pub(super) start: u64,
    /// What its parent is sent when it ends; 0 for nothing.
    pub(super) exit_signal: u64,
    /// How it ended, as `wait` has it; 0 where it has not.
    pub(super) exit_code: u64,
}

impl Stat {
    /// Of a process that is there.
    pub(super) fn of(pid: u32) -> Option<Self> {
        Self::at(&Path::of(pid).text(b"/stat"))
    }

    /// Of this process.
    pub(super) fn of_self() -> Option<Self> {
        Self::at(&Path::new(b"/proc/self/stat"))
    }

    fn at(path: &Path) -> Option<Self> {
        let mut room = [0; 1024];
        Self::parse(bare::read(path, &mut room)?)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut stat = Self { state: state(text)?, ..Self::default() };
        for (index, field) in behind_name(text)?.split(|byte| *byte == b' ').enumerate() {
            match index.wrapping_add(3) {
                4 => stat.parent = u32::try_from(bare::number(field)?).ok()?,
                22 => stat.start = bare::number(field)?,
                38 => stat.exit_signal = bare::number(field)?,
                52 => {
                    stat.exit_code = bare::number(field)?;
                    return Some(stat);
                }
                _ => {}
            }
        }
        None
    }
}

/// The letter of the state.
pub(super) fn state(text: &[u8]) -> Option<u8> {
    behind_name(text)?.first().copied()
}

/// What stands behind the name, which stands in parentheses and may hold any.
fn behind_name(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().rposition(|byte| *byte == b')')?;
    text.get(end.checked_add(2)?..)
}

/// What a process is called in its own pid namespace.
pub(super) fn own_pid(pid: u32) -> Option<u32> {
    let mut room = [0; 4096];
    last_pid(bare::read(&Path::of(pid).text(b"/status"), &mut room)?)
}

fn last_pid(status: &[u8]) -> Option<u32> {
    // A name's line is the first, and has its line feeds escaped.
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"NSpid:"))?;
    let last = line.rsplit(|byte| *byte == b'\t').next()?;
    u32::try_from(bare::number(last)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_name() {
        let text = b"42 (a) S (b) Z 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9870000000 0 0 18446744073709551615 \
                     0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0 28416\n";
        let stat = Stat {
            state: b'Z',
            parent: 7,
            start: 9_870_000_000,
            exit_signal: 17,
            exit_code: 111 << 8,
        };
        assert_eq!(Stat::parse(text), Some(stat));
        assert_eq!(Stat::parse(b"42 (a) S 1"), None);
        let own = Stat::of_self().expect("we run");
        assert_eq!(
            (own.exit_signal, own.parent),
            (libc::SIGCHLD as u64, std::os::unix::process::parent_id())
        );
    }

    #[test]
    fn the_innermost_pid_is_the_last() {
        assert_eq!(last_pid(b"Name:\tNSpid:\t9\nNSpid:\t4711\t12\nX:\t1\n"), Some(12));
        assert_eq!(last_pid(b"Name:\tx\n"), None);
        assert_eq!(own_pid(std::process::id()), Some(std::process::id()));
    }
}
