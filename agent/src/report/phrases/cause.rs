//! The cause of a finding, in one sentence with its numbers.

use std::time::Duration;

use super::lock::does;
use super::place::place;
use super::resource;
use crate::model::{
    Cause, ChannelNumber, Channels, Finding, LockWait, MemoryGrowth, MemoryKind, NamedWait,
    StackTable, Subject, Verdict, function,
};
use crate::report::format::{bytes, count, counted, duration, plural};

/// What leaks waits for longer, but for what has only just begun to.
const LONG: Duration = Duration::from_secs(5);

/// The sentence: `40 goroutines, 18 more each second, wait to send on one unbuffered channel, from which
/// nobody receives (premature-return).`
#[must_use]
pub fn cause(finding: &Finding, stacks: &StackTable) -> String {
    let leak = match &finding.subject {
        Subject::Goroutines(leak) => leak,
        Subject::Memory(memory) => return memory_grows(*memory, finding),
        Subject::Resource(held) => return resource::cause(held, finding),
    };
    let who = counted(leak.count, "goroutine", "goroutines");
    let rises = finding.growth.filter(|growth| growth.pattern.rises() && growth.per_second > 0.0);
    let more = rises.map(|growth| format!(", {},", faster(growth.per_second))).unwrap_or_default();
    // Who waits anew now and then is served, if too seldom.
    let is_served = leak.oldest.is_some_and(|oldest| oldest < LONG) && leak.proven_count.is_none();
    let seldom = is_served || finding.verdict == Verdict::Suspect;
    let does = clause(&finding.cause, leak.count, (&leak.lock_wait, seldom), stacks);
    let since = leak
        .oldest
        .filter(|oldest| oldest.as_secs() >= 1 && rises.is_none())
        .map(|oldest| format!(", {} now", duration(oldest)))
        .unwrap_or_default();
    let known = finding.pattern.map(|known| format!(" ({})", known.name())).unwrap_or_default();
    let holds = finding.heap_held().map(|held| {
        let share = super::share_of_heap(held);
        format!(" They hold {}, {share} of the live heap.", bytes(held.holder.holds.bytes))
    });
    let piled_up: Vec<String> = leak.piled_up.iter().map(resource::piled_up_in_brief).collect();
    let piled_up = match piled_up.is_empty() {
        true => String::new(),
        false => format!(" With them pile up {}.", piled_up.join("; and ")),
    };
    format!("{who}{more} {does}{since}{known}.{}{}", holds.unwrap_or_default(), piled_up)
}

/// What became more, and what does not free it.
fn memory_grows(memory: MemoryGrowth, finding: &Finding) -> String {
    let MemoryGrowth { kind, from_bytes, to_bytes } = memory;
    let (what, but) = match kind {
        MemoryKind::Heap => ("What Go's heap keeps reachable", "no collection frees it"),
        MemoryKind::OffHeap => ("Memory outside of Go's heap", "no collection can free it"),
    };
    let rate = super::rate(finding).map(|rate| format!(" ({rate})")).unwrap_or_default();
    let held = finding.heap_held().map(super::heap_held_brief);
    let held = held.map(|it| format!(" Held by {it}.")).unwrap_or_default();
    let line = super::allocation_in_brief(finding.allocated_at());
    let line = line.map(|it| format!(" Allocated at {it}.")).unwrap_or_default();
    let (from, to) = (bytes(from_bytes), bytes(to_bytes));
    format!("{what} grew from {from} to {to}{rate}: {but}.{line}{held}")
}

/// A rate as people say it.
fn faster(per_second: f64) -> String {
    match per_second {
        rate if rate >= 10.0 => format!("{rate:.0} more each second"),
        rate if rate >= 0.95 => format!("{rate:.1} more each second"),
        rate if rate * 60.0 >= 1.0 => format!("{:.0} more each minute", rate * 60.0),
        rate => format!("{:.1} more each hour", rate * 3600.0),
    }
}

/// What `n` goroutines do, to follow their number. They may be served, where that is `seldom`.
fn clause(
    cause: &Cause,
    n: u64,
    (lock_wait, seldom): (&LockWait, bool),
    stacks: &StackTable,
) -> String {
    let waits = plural(n, "waits", "wait");
    let nobody = if seldom { "hardly anybody" } else { "nobody" };
    match cause {
        Cause::Send(channels) => {
            format!("{waits} to send on {}, from which {nobody} receives", channel(channels))
        }
        Cause::Receive(channels) => format!(
            "{waits} to receive from {}, on which {nobody} sends and which nobody closes",
            channel(channels)
        ),
        Cause::NilChannel => {
            format!("{waits} on a nil channel, which never lets anybody go on")
        }
        Cause::Select if seldom => {
            format!("{waits} in a select of which hardly any case comes true")
        }
        Cause::Select => format!("{waits} in a select of which no case comes true"),
        Cause::EmptySelect => {
            format!("{} in select {{}}, which never ends", plural(n, "stands", "stand"))
        }
        Cause::Lock { read_write } => {
            let what = if *read_write { "a read-write mutex" } else { "a mutex" };
            format!("{waits} for {}", held(what, lock_wait, stacks))
        }
        Cause::DeadlockCycle => cycle(n, lock_wait),
        Cause::Cond => format!("{waits} on a condition that nobody signals"),
        Cause::WaitGroup { nobody_left: true } => {
            format!("{waits} for a wait group, and nobody is left to call Done")
        }
        Cause::WaitGroup { nobody_left: false } => {
            format!("{waits} for a wait group whose goroutines have not called Done yet")
        }
        Cause::Context => {
            format!("{waits} for a context to be cancelled, and nobody cancels it")
        }
        Cause::Network => format!("{waits} for the network without progress"),
        Cause::KeptAlive => {
            format!("{waits} for requests on connections that clients opened and keep open")
        }
        Cause::Sleep { in_endless_loop: true } => {
            format!("{} again and again in a loop that nothing ends", plural(n, "sleeps", "sleep"))
        }
        Cause::Sleep { in_endless_loop: false } => {
            format!("{} in time.Sleep, which nothing can end early", plural(n, "sleeps", "sleep"))
        }
        Cause::TimerOnly => format!("{waits} for a timer, and for nothing else"),
        Cause::Ticker => {
            let wakes = plural(n, "wakes, waits and wakes", "wake, wait and wake");
            format!("{wakes} again on a timer that nobody stops")
        }
        Cause::Loop => {
            plural(n, "runs on and on, and nothing ends it", "run on and on, and nothing ends them")
                .to_owned()
        }
        Cause::Finalizer => format!(
            "{} inside of a finalizer or cleanup, so that no other one runs",
            plural(n, "blocks", "block")
        ),
        Cause::SyscallOrCgo => format!(
            "{} in a system call or in C that does not return, each on a thread of its own",
            plural(n, "is", "are")
        ),
        Cause::NotClosed { what, below } => {
            let runs = plural(n, "runs", "run");
            let by = below.and_then(|frame| stacks.lookup(frame).ok());
            let by = by.map(|frame| format!(" below {}", function::short(frame.function)));
            let what = what.as_ref().map(|what| format!(" ({what})")).unwrap_or_default();
            format!(
                "{runs} for what is made again and again{} and never closed{what}",
                by.unwrap_or_default()
            )
        }
        Cause::Named(wait) => format!("{waits} {}", named(*wait)),
        Cause::Unknown => format!("{waits}, and nothing says for what"),
    }
}

/// What a wait with a name is for, to follow `wait`.
const fn named(wait: NamedWait) -> &'static str {
    match wait {
        NamedWait::SqlPool => {
            "for a connection of a sql.DB whose pool is exhausted: rows, transactions or connections \
             are not given back"
        }
        NamedWait::PgxPool => {
            "for a connection of a pgx pool that is exhausted: rows, transactions or connections are \
             not given back"
        }
        NamedWait::RedisPool => "for a connection of a redis client whose pool is exhausted",
        NamedWait::MongoPool => {
            "for a connection of a mongo.Client whose pool is exhausted: cursors or sessions are not \
             given back"
        }
        NamedWait::WeightedSemaphore => "for a semaphore.Weighted that is not given back",
        NamedWait::IoPipeWrite => "to write into an io.Pipe from which nobody reads",
        NamedWait::IoPipeRead => {
            "to read from an io.Pipe into which nobody writes, and whose writer is not closed"
        }
        NamedWait::NetPipeWrite => "to write into a net.Pipe from whose other end nobody reads",
        NamedWait::NetPipeRead => "to read from a net.Pipe into whose other end nobody writes",
        NamedWait::FileRead => {
            "to read from a pipe, terminal or device whose other end is open and silent"
        }
        NamedWait::FileWrite => "to write into a pipe, terminal or device that nobody reads from",
    }
}

fn channel(channels: &Channels) -> String {
    let kind = |one: &'static str| match channels.buffer {
        Some(buffer) if buffer.capacity == 0 => format!("unbuffered {one}"),
        Some(buffer) if buffer.length == buffer.capacity => {
            format!("{one} whose buffer of {} is full", buffer.capacity)
        }
        Some(buffer) => format!("{one} with a buffer of {}", buffer.capacity),
        None => one.to_owned(),
    };
    let a = match channels.buffer {
        Some(buffer) if buffer.capacity == 0 => "an",
        _ => "a",
    };
    match channels.number {
        ChannelNumber::Single => format!("{a} {}", kind("channel")),
        ChannelNumber::Shared => format!("one {}", kind("channel")),
        ChannelNumber::Each => format!("{a} {} of its own each", kind("channel")),
        ChannelNumber::Several(some) => format!("{} {}", count(some), kind("channels")),
        ChannelNumber::Unknown => kind("channels"),
    }
}

/// Which lock they wait for, and who holds it, to follow `wait for`.
fn held(what: &str, lock_wait: &LockWait, stacks: &StackTable) -> String {
    match (&lock_wait.likely_holder, &lock_wait.holders) {
        (Some(holder), _) => format!(
            "{what} that goroutine {} probably holds, which itself {}",
            holder.goid,
            does(holder.doing)
        ),
        (None, Some(holders)) => {
            let at = holders.at.and_then(|frame| place(stacks, frame));
            let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
            format!(
                "{} locks, most of them probably held each by a goroutine that {}{at}",
                count(lock_wait.locks),
                does(holders.doing),
            )
        }
        (None, None) if lock_wait.locks > 1 => {
            format!("{} locks that nobody unlocks", count(lock_wait.locks))
        }
        (None, None) => format!("{what} that nobody unlocks"),
    }
}

/// In which cycles goroutines wait, as the lock-wait graph has them.
fn cycle(n: u64, lock_wait: &LockWait) -> String {
    let (members, in_cycles) = (&lock_wait.cycle, lock_wait.in_cycles);
    let others = match n.saturating_sub(in_cycles) {
        0 => String::new(),
        _ => format!("; {} are known to stand in one", count(in_cycles)),
    };
    let ids: Vec<String> = members.iter().map(|waiter| waiter.goid.to_string()).collect();
    let length = match lock_wait.lengths {
        Some((least, most)) if least < most => format!("{least} to {most} goroutines"),
        _ => counted(members.len() as u64, "goroutine", "goroutines"),
    };
    let waits = plural(n, "waits", "wait");
    match (members.as_slice(), lock_wait.cycles) {
        // Without a cycle it is the source that shows it.
        ([], _) => {
            format!(
                "{waits} for a lock that {} own path has taken already",
                plural(n, "its", "their")
            )
        }
        ([only], 1) if n == 1 => {
            format!("(goroutine {}) waits for a lock that it holds itself", only.goid)
        }
        ([only], 1) => {
            format!("wait for a lock that goroutine {}, one of them, holds itself", only.goid)
        }
        ([_], cycles) if lock_wait.lengths == Some((1, 1)) => format!(
            "wait for locks, and {} of them for one that they hold themselves",
            count(cycles)
        ),
        (_, 0 | 1) => format!(
            "{waits} for a lock in a deadlock cycle of {length} ({}), each of which waits for the next{others}",
            ids.join(" -> "),
        ),
        (_, cycles) => format!(
            "{waits} for locks in {} deadlock cycles of {length} (such as {}), each of which waits for the next{others}",
            count(cycles),
            ids.join(" -> "),
        ),
    }
}
