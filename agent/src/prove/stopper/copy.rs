//! A target's copy: how it is made, what it is made to do, and how nothing is left of it.
//!
//! Runs behind a fork: no allocation, no lock, no panic.

use super::arch::{self, CODE, Sites, Wait};
use super::inject::{self, Injected};
use super::messages::Failure;
use super::progress::Progress;
use super::stat::{self, Stat};
use super::threads::{Thread, Threads};
use crate::host::bare::{self, Deadline, Path};
use crate::host::trace::{self, MARK_CALLS, Registers, Seen};

/// For the one thread that makes the copy, when the others have long gone on: the kernel copies page tables at a gigabyte
/// of memory in some 20 ms.
const COPYING_NS: u64 = 10_000_000_000;
/// Earlier copies are removed in this time, or later.
const EARLIER_NS: u64 = 5_000_000_000;
/// The kernel ends this process so long after it was to be done with a thread.
const LATE_NS: u64 = 1_000_000_000;
/// What a stopped thread does within a system call that does not wait.
const PROMPTLY_NS: u64 = 2_000_000_000;
/// What the kernel takes at most to end a process with much memory.
const ENDING_NS: u64 = 30_000_000_000;
/// In which a thread that has a signal comes to where it gets it.
const BRIEFLY_NS: u64 = 2_000_000;
/// Threads in which the call is tried.
const MAX_TRIES: usize = 8;
/// What `clone` gives while a signal is pending (`ERESTARTNOINTR`): the call would be begun again after it.
const SIGNAL_PENDING: i64 = -513;

/// How often a thread that was to make a copy is looked for where it was to.
const MAX_SETTLINGS: usize = 50;
/// How far from where its stack was it is still there: the frames of `futexsleep` and of who called it.
const NEAR: u64 = 512;

/// `CLOSE_RANGE_UNSHARE`: a table of descriptors of its own first, without those that are closed.
const UNSHARE: u64 = 2;

/// What a copy ends with: 111, as `runtime.clone` has it.
const EXIT_CODE: [u64; 4] = [111, 0, 0, 0];
/// How `wait` has that.
const EXITED: u64 = 111 << 8;
/// How it has the end with its tracer.
const KILLED: u64 = libc::SIGKILL as u64;

/// A copy of a target: a process that is traced from birth and never runs an instruction of its own accord.
#[derive(Clone, Copy)]
pub(super) struct Copy {
    pub(super) pid: u32,
    sites: Sites,
}

/// Clones a target all threads of which stand, until a time at the latest. They still do when this returns, with the
/// registers that they had; but for the thread that was to clone, where that took too long: whoever watches this process
/// must clean up then, as soon as it has ended.
pub(super) fn make(
    threads: &mut Threads,
    progress: &Progress,
    until_ns: u64,
) -> Result<Copy, Failure> {
    let mut failure = Failure::NoWaiter;
    let mut tries = 0;
    for thread in threads.all().iter_mut().filter(|thread| thread.is_quiet()) {
        if bare::now_ns() > until_ns {
            return Err(Failure::TookTooLong);
        }
        let Ok(registers) = trace::registers(thread.tid) else { continue };
        let Some(wait) = arch::waiting(&registers).filter(|wait| still_waits(thread.tid, wait))
        else {
            continue;
        };
        // In other namespaces it would be somebody else's: the first process of a new one, by whose end that ends.
        if !stat::forks_where_it_is(thread.tid) {
            continue;
        }
        if stat::is_filtered(thread.tid) {
            failure = Failure::Filtered;
            continue;
        }
        let mut code = [0; CODE];
        let sites =
            read_code(thread.tid, wait.call, &mut code).then(|| arch::sites(wait.call, &code));
        let Some(sites) = sites.flatten() else {
            failure = Failure::UnknownCode;
            continue;
        };
        if tries == MAX_TRIES
            || trace::set_options(thread.tid, MARK_CALLS | trace::TRACE_CLONES).is_err()
        {
            continue;
        }
        tries = tries.wrapping_add(1);
        progress.begin_changing(thread.tid, arch::parts(&registers).1);
        let with = arch::cloning(&registers, &sites);
        let after = arch::begun_again(&registers);
        match inject::call(thread.tid, &with, &after, until_ns) {
            Injected::Returned { cloned: Some(pid), .. } => {
                progress.set_copy(pid);
                return Ok(Copy { pid, sites });
            }
            Injected::Returned { value: SIGNAL_PENDING, .. } => {
                failure = Failure::Signals;
                take_signal(thread, until_ns)?;
            }
            Injected::Returned { value, .. } => {
                return Err(Failure::NotCloned(i32::try_from(value.wrapping_neg()).unwrap_or(0)));
            }
            Injected::Interrupted(signal) => {
                thread.hold_back(signal);
                failure = Failure::Signals;
            }
            Injected::Ended => failure = Failure::Gone,
            Injected::Late => return Err(Failure::TookTooLong),
        }
    }
    Err(failure)
}

/// A signal for the process waits, and as long as it does the kernel clones nothing. Lets the thread that would get it
/// come to where it does, before any instruction of its own; it keeps it until it is let go.
fn take_signal(thread: &mut Thread, until_ns: u64) -> Result<(), Failure> {
    let until = bare::now_ns().wrapping_add(BRIEFLY_NS).min(until_ns);
    let mut seen = match trace::run(thread.tid) {
        Ok(()) => inject::until_stopped(thread.tid, until),
        Err(_) => return Ok(()),
    };
    if seen == Seen::Running && trace::interrupt(thread.tid).is_ok() {
        // Another was quicker. It waits again.
        seen = inject::until_stopped(thread.tid, until_ns);
    }
    match seen {
        Seen::Running => return Err(Failure::TookTooLong),
        Seen::Signal(signal) => thread.hold_back(signal),
        _ => {}
    }
    Ok(())
}

/// Whether a thread that was stopped in a wait was not woken before: the word is what it waits on.
fn still_waits(thread: u32, wait: &Wait) -> bool {
    let mut word = [0; 4];
    bare::read_memory(thread, wait.word, &mut word) && u32::from_le_bytes(word) == wait.expected
}

/// Reads the code from an instruction on, up to the end of its page if no more is there.
fn read_code(thread: u32, from: u64, code: &mut [u8; CODE]) -> bool {
    if bare::read_memory(thread, from, code) {
        return true;
    }
    let left = 4096_u64.wrapping_sub(from % 4096) as usize;
    code.get_mut(..left).is_some_and(|part| bare::read_memory(thread, from, part))
}

impl Copy {
    /// Makes it end with this process, or when it ever runs.
    pub(super) fn bind(&self, until_ns: u64) -> Result<(), Failure> {
        if !inject::until_stopped(self.pid, until_ns).is_stopped() {
            return Err(Failure::TookTooLong);
        }
        let options = MARK_CALLS | trace::END_WITH_TRACER;
        let bound = trace::set_options(self.pid, options).and_then(|()| {
            let registers = trace::registers(self.pid)?;
            trace::set_registers(self.pid, self.exiting(&registers))
        });
        bound.map_err(Failure::Refused)
    }

    /// Sees to it that it goes before the target where memory is short, as far as this process may say so: the target's
    /// user may, and root where it may write what is others'.
    pub(super) fn offer_first(&self) {
        bare::write(&Path::of(self.pid).text(b"/oom_score_adj"), b"1000");
    }

    /// Lets go the target's descriptors. Says whether that worked: where not, it shares them, which does no harm as
    /// long as the target does not end.
    pub(super) fn close(&self) -> Result<bool, Failure> {
        let until = bare::now_ns().wrapping_add(PROMPTLY_NS);
        let exit = trace::registers(self.pid).map_err(Failure::Refused)?;
        let close = [0, u64::from(u32::MAX), UNSHARE, 0];
        let closing = arch::calling(&exit, self.sites.clone, libc::SYS_close_range, close);
        match inject::call(self.pid, &closing, &exit, until) {
            Injected::Returned { value, .. } => Ok(value == 0),
            // It still is to exit.
            Injected::Interrupted(_) => Ok(false),
            Injected::Ended => Err(Failure::Gone),
            Injected::Late => Err(Failure::NotStopped(self.pid)),
        }
    }

    fn exiting(&self, registers: &Registers) -> Registers {
        arch::calling(registers, self.sites.clone, libc::SYS_exit_group, EXIT_CODE)
    }

    /// Ends it. The target has it as a child that has ended, and does not know.
    pub(super) fn end(&self) {
        let _ = trace::run(self.pid);
        let until = bare::now_ns().wrapping_add(ENDING_NS);
        loop {
            match inject::until_stopped(self.pid, until) {
                Seen::Running | Seen::Ended | Seen::Unknown => return,
                // A signal from somebody who signals whole groups.
                _ if trace::run(self.pid).is_err() => return,
                _ => {}
            }
        }
    }

    /// Makes the target forget it, when it has ended. Whether it has.
    pub(super) fn reap(&self, target: u32, deadline: &Deadline, within_ns: u64) -> bool {
        reap(target, self.pid, deadline, within_ns)
    }
}

/// Copies that were left in a target when all that held them were killed at once, made to end and forgotten. Whether
/// none is left.
pub(super) fn remove_earlier(target: u32, deadline: &Deadline) -> bool {
    let mut is_clean = true;
    let processes = bare::each_number(&Path::new(b"/proc"), &mut |pid| {
        // One that is traced is held by somebody.
        let is_left = is_clean
            && Stat::of(pid).is_some_and(|it| it.parent == target && it.exit_signal == 0)
            && stat::tracer(pid) == Some(0);
        if is_left {
            is_clean &= remove(target, pid, deadline, EARLIER_NS);
        }
    });
    processes.is_ok() && is_clean
}

/// Has a child at whose end a target hears nothing end and be forgotten, if it is a copy. Whether none is left.
fn remove(target: u32, pid: u32, deadline: &Deadline, within_ns: u64) -> bool {
    match make_end(pid, deadline) {
        // Go has such a child of its own for a moment (`checkPidfd`), which ends well, and which it waits for.
        Some(true) => {
            let ended_as_ours =
                Stat::of(pid).is_some_and(|it| matches!(it.exit_code, EXITED | KILLED));
            !ended_as_ours || reap(target, pid, deadline, within_ns)
        }
        Some(false) => false,
        // Another one's.
        None => true,
    }
}

/// What of a copy is left in a target whose tracer was killed, made to end and forgotten. Whether nothing is left.
pub(super) fn sweep(progress: &Progress) -> bool {
    let deadline = Deadline::new();
    let (target, copy, since) = (progress.target(), progress.copy(), progress.since());
    // The thread may still be in the call that makes the copy, or before it.
    let mut is_clean = copy.is_some() || settle(progress.thread(), progress.stack(), &deadline);
    let processes = bare::each_number(&Path::new(b"/proc"), &mut |pid| {
        let is_copy = Stat::of(pid).is_some_and(|stat| {
            stat.parent == target
                && stat.exit_signal == 0
                && stat.start >= since
                && copy.is_none_or(|copy| copy == pid)
        });
        if is_copy {
            is_clean &= remove(target, pid, &deadline, ENDING_NS);
        }
    });
    processes.is_ok() && is_clean
}

/// Sees to it that a thread makes no copy any more: waits until it has left the system call in which it is, unless that
/// waits for something else, and if it has yet to make one, it does not. Whether that is so.
fn settle(thread: u32, stack: u64, deadline: &Deadline) -> bool {
    for _ in 0..MAX_SETTLINGS {
        deadline.set(bare::now_ns().wrapping_add(COPYING_NS + LATE_NS));
        let settled = settle_once(thread, stack);
        deadline.clear();
        match settled {
            // In a signal's handler, it may be, behind which it goes on where it was.
            Settled::Elsewhere => bare::sleep_us(2000),
            Settled::Yes => return true,
            Settled::No => return false,
        }
    }
    // No handler of Go's takes that long: it has other work.
    true
}

/// Whether a thread makes no copy any more.
enum Settled {
    Yes,
    /// It is not where it was to make one.
    Elsewhere,
    /// It cannot be found out.
    No,
}

fn settle_once(thread: u32, stack: u64) -> Settled {
    if trace::seize(thread, MARK_CALLS).is_err() || trace::interrupt(thread).is_err() {
        return if Stat::of(thread).is_none() { Settled::Yes } else { Settled::No };
    }
    let seen = inject::until_stopped(thread, bare::now_ns().wrapping_add(COPYING_NS));
    let mut settled = if seen == Seen::Running { Settled::No } else { Settled::Yes };
    if let Ok(registers) = trace::registers(thread) {
        let mut room = [0; CODE];
        let is_read = read_code(thread, arch::next_code(&registers), &mut room);
        let code = if is_read { &room[..] } else { &[] };
        match arch::not_cloning(&registers, code) {
            Some(not) if trace::set_registers(thread, not).is_err() => settled = Settled::No,
            Some(_) => {}
            None if arch::parts(&registers).1.abs_diff(stack) > NEAR => {
                settled = Settled::Elsewhere
            }
            None => {}
        }
    }
    let signal = if let Seen::Signal(signal) = seen { signal } else { 0 };
    inject::leave(thread, signal);
    settled
}

/// Waits until a copy that nobody else traces has ended, and makes it where it does not by itself. Whether it has; `None` of
/// what runs on, since it is no copy.
fn make_end(pid: u32, deadline: &Deadline) -> Option<bool> {
    let has_ended = || Stat::of(pid).is_none_or(|stat| matches!(stat.state, b'Z' | b'X'));
    let until = bare::now_ns().wrapping_add(ENDING_NS);
    let mut round = 0_u32;
    while !has_ended() {
        let stands = Stat::of(pid).is_some_and(|stat| stat.state == b't');
        // One that was born while this process traced who made it is traced by this process too from then on.
        if stands && stat::tracer(pid) == Some(std::process::id()) {
            inject::leave(pid, 0);
        }
        // What ends by itself mostly has done so in this time.
        if round % 50 == 49 && Stat::of(pid).is_some_and(|stat| stat.state == b'S') {
            deadline.set(bare::now_ns().wrapping_add(PROMPTLY_NS + 2 * LATE_NS));
            let is_to_end = arch::COPY_WAITS && have_exit(pid);
            deadline.clear();
            if !is_to_end {
                return has_ended().then_some(true);
            }
        }
        if bare::now_ns() > until {
            return Some(false);
        }
        bare::sleep_us(1000);
        round = round.wrapping_add(1);
    }
    Some(true)
}

/// Has a process exit that waits where a copy does. Whether it will: any other goes on as it was.
fn have_exit(pid: u32) -> bool {
    // Another's wait could not be begun again.
    if !seems_to_wait(pid, pid) || stat::is_filtered(pid) || trace::seize(pid, MARK_CALLS).is_err()
    {
        return false;
    }
    let until = bare::now_ns().wrapping_add(PROMPTLY_NS);
    let seen = match trace::interrupt(pid) {
        Ok(()) => inject::until_stopped(pid, until),
        Err(_) => Seen::Unknown,
    };
    let mut code = [0; CODE];
    let exit = trace::registers(pid).ok().and_then(|registers| {
        let wait = arch::waiting(&registers)?;
        let is_ours = read_code(pid, wait.call, &mut code) && arch::is_futex(&code);
        is_ours.then(|| arch::calling(&registers, wait.call, libc::SYS_exit_group, EXIT_CODE))
    });
    let is_to_end = exit.is_some_and(|exit| trace::set_registers(pid, exit).is_ok());
    let signal = if let Seen::Signal(signal) = seen { signal } else { 0 };
    inject::leave(pid, signal);
    is_to_end
}

/// Has a target wait for a child that has ended: in one of its threads that wait in the runtime's `futex`, while the
/// others run on. Whether it has none of that pid any more.
fn reap(target: u32, child: u32, deadline: &Deadline, within_ns: u64) -> bool {
    let until = bare::now_ns().wrapping_add(within_ns);
    loop {
        // What has no parent any more is reaped by whoever took it over. That the target cannot be read says nothing: it may
        // be about to be replaced.
        if Stat::of(child).is_none_or(|stat| stat.parent != target) {
            return true;
        }
        let mut is_reaped = false;
        let own_pid = stat::pid_within(child, target);
        let _ = bare::each_number(&Path::of(target).text(b"/task"), &mut |thread| {
            if let Some(own_pid) = own_pid
                && !is_reaped
                && seems_to_wait(target, thread)
            {
                deadline.set(bare::now_ns().wrapping_add(PROMPTLY_NS + 2 * LATE_NS));
                is_reaped = reap_in(thread, own_pid);
                deadline.clear();
            }
        });
        if is_reaped {
            return true;
        }
        if bare::now_ns() > until {
            return false;
        }
        bare::sleep_us(2000);
    }
}

/// Whether a thread is in a futex wait, by what /proc says, so that no other is stopped for it.
fn seems_to_wait(target: u32, thread: u32) -> bool {
    let path = Path::of(target).text(b"/task/").number(thread).text(b"/syscall");
    let mut room = [0; 256];
    let text = bare::read(&path, &mut room);
    // Where /proc does not say, each is tried.
    text.is_none_or(|text| bare::number(text) == Some(libc::SYS_futex as u64))
}

/// Has one thread wait for a child. Whether there is none any more.
fn reap_in(thread: u32, own_pid: u32) -> bool {
    if stat::is_filtered(thread) || trace::seize(thread, MARK_CALLS).is_err() {
        return false;
    }
    let until = bare::now_ns().wrapping_add(PROMPTLY_NS);
    let mut signal = 0;
    let seen = match trace::interrupt(thread) {
        Ok(()) => inject::until_stopped(thread, until),
        Err(_) => Seen::Unknown,
    };
    let mut is_reaped = false;
    match seen {
        Seen::Standing => {
            let waiting = trace::registers(thread).ok();
            let waiting = waiting.and_then(|it| arch::waiting(&it).map(|wait| (it, wait)));
            let mut code = [0; CODE];
            if let Some((registers, wait)) = waiting
                && read_code(thread, wait.call, &mut code)
                && arch::is_futex(&code)
                && !stat::is_filtered(thread)
            {
                let args = [u64::from(own_pid), 0, (libc::__WALL | libc::WNOHANG) as u64, 0];
                let with = arch::calling(&registers, wait.call, libc::SYS_wait4, args);
                let after = arch::begun_again(&registers);
                match inject::call(thread, &with, &after, until) {
                    Injected::Returned { value, .. } => {
                        is_reaped =
                            value == i64::from(own_pid) || value == -i64::from(libc::ECHILD);
                    }
                    Injected::Interrupted(it) => signal = it,
                    Injected::Ended | Injected::Late => {}
                }
            }
        }
        Seen::Signal(it) => signal = it,
        _ => {}
    }
    inject::leave(thread, signal);
    is_reaped
}
