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

/// What a process is called in the pid namespace of another.
pub(super) fn pid_within(pid: u32, other: u32) -> Option<u32> {
    let mut room = [0; 4096];
    let depth = pids(bare::read(&Path::of(other).text(b"/status"), &mut room)?)?.count();
    pid_at(bare::read(&Path::of(pid).text(b"/status"), &mut room)?, depth)
}

/// The pid in the namespace that is so many from the outermost that is seen, which is 1.
fn pid_at(status: &[u8], depth: usize) -> Option<u32> {
    let at = pids(status)?.nth(depth.checked_sub(1)?)?;
    u32::try_from(bare::number(at)?).ok()
}

/// The pids of a process in each namespace, from the reader's inwards.
fn pids(status: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let pids = line(status, b"NSpid:")?;
    Some(pids.split(|byte| *byte == b'\t').filter(|it| !it.is_empty()))
}

/// Whether system calls of a thread go through a filter; of one that is not there it is taken to be so.
pub(super) fn is_filtered(thread: u32) -> bool {
    let mut room = [0; 4096];
    let status = bare::read(&Path::of(thread).text(b"/status"), &mut room);
    status.is_none_or(has_filter)
}

fn has_filter(status: &[u8]) -> bool {
    // Without such a line the kernel has no filters.
    line(status, b"Seccomp:").is_some_and(|mode| mode != b"\t0")
}

/// Who traces a process; 0 for nobody.
pub(super) fn tracer(pid: u32) -> Option<u32> {
    let mut room = [0; 4096];
    let status = bare::read(&Path::of(pid).text(b"/status"), &mut room)?;
    let tracer = line(status, b"TracerPid:\t")?;
    u32::try_from(bare::number(tracer)?).ok()
}

/// What stands on a line behind its beginning.
fn line<'a>(status: &'a [u8], beginning: &[u8]) -> Option<&'a [u8]> {
    // A name's line is the first, and has its line feeds escaped.
    status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(beginning))
}

/// Whether what a thread forks is in the namespaces of pids and of times in which the thread is.
pub(super) fn forks_where_it_is(thread: u32) -> bool {
    let is_same = |own: &[u8], children: &[u8], may_lack: bool| {
        let (mut first, mut second) = ([0; 64], [0; 64]);
        let folder = Path::of(thread).text(b"/ns/");
        let own = bare::link(&folder.text(own), &mut first);
        let children = bare::link(&folder.text(children), &mut second);
        match (own, children) {
            (None, None) => may_lack,
            (own, children) => own == children,
        }
    };
    // Namespaces of times are not in all kernels.
    is_same(b"pid", b"pid_for_children", false) && is_same(b"time", b"time_for_children", true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_the_name() {
        let text = b"42 (a) S (b) Z 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 9870000000 0 0 18446744073709551615 \
                     0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 28416\n";
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
    fn a_pid_is_that_in_the_namespace_asked_for() {
        let status = b"Name:\tNSpid:\t9\nNSpid:\t4711\t12\t1\nX:\t1\n";
        assert_eq!([1, 2, 3].map(|depth| pid_at(status, depth)), [Some(4711), Some(12), Some(1)]);
        assert_eq!([0, 4].map(|depth| pid_at(status, depth)), [None, None]);
        assert_eq!(pid_at(b"Name:\tx\n", 1), None);
        let me = std::process::id();
        assert_eq!(pid_within(me, me), Some(me));
    }

    #[test]
    fn filters_and_tracers_are_those_of_a_thread() {
        assert!(has_filter(b"Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"));
        assert!(!has_filter(b"Name:\tSeccomp:\t2\nSeccomp:\t0\nSeccomp_filters:\t0\n"));
        assert!(!has_filter(b"Name:\tx\n"));
        assert!(is_filtered(u32::MAX));
        assert_eq!(tracer(std::process::id()), Some(0));
        assert_eq!(tracer(u32::MAX), None);
    }

    #[test]
    fn who_unshares_forks_elsewhere() {
        let (said, heard) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let id = nix::unistd::gettid().as_raw() as u32;
            let before = forks_where_it_is(id);
            // SAFETY: it is of this thread alone, which forks nothing.
            #[allow(unsafe_code)]
            let may = unsafe { libc::unshare(libc::CLONE_NEWPID) } == 0;
            said.send((before, may, forks_where_it_is(id))).expect("heard");
        });
        thread.join().expect("joined");
        let (before, may, after) = heard.recv().expect("said");
        assert!(before);
        // Where this user may not unshare, it still forks where it is.
        assert_eq!(after, !may);
    }
}
