//! The cause of a finding, in one plain sentence with its numbers.

use super::case::Case;
use super::caused::Cause;
use super::{not_closed, waits};
use crate::model::text::{count, counted, duration};
use crate::model::{CauseClass, Growth, GrowthPattern, LockWait, Pattern, WaitClass};

/// What is known of a finding by then.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) class: CauseClass,
    pub(super) pattern: Option<Pattern>,
    /// How many goroutines it is about.
    pub(super) leaking: u64,
    /// What leads to them.
    pub(super) origin: Option<&'a Cause>,
}

/// The sentence.
pub(super) fn cause(
    case: &Case<'_>,
    Told { class, pattern, leaking, origin }: Told<'_>,
    growth: Option<&Growth>,
    lock_wait: &LockWait,
) -> String {
    let one = leaking == 1;
    let who = counted(leaking, "goroutine");
    let rises = growth.filter(|growth| {
        matches!(
            growth.pattern,
            GrowthPattern::Linear | GrowthPattern::Exponential | GrowthPattern::Stepped
        ) && growth.per_second > 0.0
    });
    let more = rises.map(|growth| format!(", {},", faster(growth.per_second))).unwrap_or_default();
    let named = waits::of(case).filter(|_| class != CauseClass::NotClosed);
    let does = match class {
        CauseClass::DeadlockCycle => cycle(case, lock_wait),
        _ if named.is_some() => verb(one, named.map_or("", |wait| wait.says)),
        CauseClass::Loop => verb(one, "run on and on, and nothing ends them"),
        CauseClass::Timer if case.wait() == WaitClass::Sleep => match case.hints.pattern {
            Some(Pattern::LoopForEver) => {
                verb(one, "sleep again and again in a loop that nothing ends")
            }
            _ => verb(one, "sleep in time.Sleep, which nothing can end early"),
        },
        CauseClass::Timer if case.hints.is_worker_loop == Some(false) => {
            verb(one, "wait for a timer, and for nothing else")
        }
        CauseClass::Timer => verb(one, "wake, wait and wake again on a timer that nobody stops"),
        CauseClass::RuntimeInternal => {
            verb(one, "block inside of a finalizer or cleanup, so that no other one runs")
        }
        CauseClass::SyscallOrCgo => verb(
            one,
            "are in a system call or in C that does not return, each on a thread of its own",
        ),
        CauseClass::NetworkIo if case.keep_connections_alive() => {
            verb(one, "wait for requests on connections that clients opened and keep open")
        }
        CauseClass::NetworkIo => verb(one, "wait for the network without progress"),
        CauseClass::ContextNotCancelled => {
            verb(one, "wait for a context to be cancelled, and nobody cancels it")
        }
        CauseClass::SelectEmpty => verb(one, "stand in select {}, which never ends"),
        CauseClass::ChannelNil => {
            verb(one, "wait on a nil channel, which never lets anybody go on")
        }
        CauseClass::Select => verb(one, "wait in a select of which no case comes true"),
        CauseClass::ChannelSend => {
            format!(
                "{} {}, from which nobody receives",
                verb(one, "wait to send on"),
                channel(case)
            )
        }
        CauseClass::ChannelReceive => format!(
            "{} {}, on which nobody sends and which nobody closes",
            verb(one, "wait to receive from"),
            channel(case)
        ),
        CauseClass::Mutex => held(one, "a mutex", lock_wait),
        CauseClass::Rwmutex => held(one, "a read-write mutex", lock_wait),
        CauseClass::Cond => verb(one, "wait on a condition that nobody signals"),
        CauseClass::Waitgroup if case.life.kin.are_gone() => {
            verb(one, "wait for a wait group, and nobody is left to call Done")
        }
        CauseClass::Waitgroup => {
            verb(one, "wait for a wait group whose goroutines have not called Done yet")
        }
        CauseClass::NotClosed => not_closed::says(case, one, origin),
        CauseClass::Unknown => verb(one, "wait, and nothing says for what"),
    };
    let known = pattern.map(|pattern| format!(" ({})", pattern.name())).unwrap_or_default();
    let since = case
        .oldest
        .filter(|oldest| oldest.as_secs() >= 1 && rises.is_none())
        .map(|oldest| format!(", {} now", duration(oldest)))
        .unwrap_or_default();
    format!("{who}{more} {does}{since}{known}.")
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

/// The words for several, made to fit one.
fn verb(one: bool, words: &str) -> String {
    if !one {
        return words.to_owned();
    }
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    let first = match first {
        "are" => "is".to_owned(),
        _ => format!("{first}s"),
    };
    let rest = rest.replace("ends them", "ends it");
    format!("{first} {rest}")
        .replace("wake again", "wakes again")
        .replace(", wait and", ", waits and")
}

fn channel(case: &Case<'_>) -> String {
    let kind = match case.life.channel {
        Some(channel) if channel.cap == 0 => "unbuffered channel".to_owned(),
        Some(channel) if channel.len == channel.cap => {
            format!("channel whose buffer of {} is full", channel.cap)
        }
        Some(channel) => format!("channel with a buffer of {}", channel.cap),
        None => "channel".to_owned(),
    };
    let a = if kind.starts_with("unbuffered") { "an" } else { "a" };
    let several = || kind.replacen("channel", "channels", 1);
    match case.objects {
        _ if case.count == 1 => format!("{a} {kind}"),
        Some(1) => format!("one {kind}"),
        Some(own) if own == case.count => format!("{a} {kind} of its own each"),
        Some(some) => format!("{} {}", count(some), several()),
        None => several(),
    }
}

fn held(one: bool, what: &str, lock_wait: &LockWait) -> String {
    let waits = verb(one, "wait for");
    match (&lock_wait.likely_holder, &lock_wait.holders) {
        (Some(holder), _) => format!(
            "{waits} {what} that goroutine {} probably holds, which itself {}",
            holder.goid, holder.doing
        ),
        (None, Some(holders)) => {
            let at = if holders.at.is_empty() { "" } else { " at " };
            format!(
                "{waits} {} locks, most of them probably held each by a goroutine that {}{at}{}",
                count(lock_wait.locks),
                holders.doing,
                holders.at
            )
        }
        (None, None) if lock_wait.locks > 1 => {
            format!("{waits} {} locks that nobody gives back", count(lock_wait.locks))
        }
        (None, None) => format!("{waits} {what} that nobody gives back"),
    }
}

/// In which cycles goroutines wait, as the lock-wait graph has them.
fn cycle(case: &Case<'_>, lock_wait: &LockWait) -> String {
    let one = case.count == 1;
    let (members, in_cycles) = (&lock_wait.cycle, lock_wait.in_cycles);
    let others = match case.count.saturating_sub(in_cycles) {
        0 => String::new(),
        _ => format!("; {} are known to stand in one", count(in_cycles)),
    };
    let ids: Vec<String> = members.iter().map(|waiter| waiter.goid.to_string()).collect();
    let length = match lock_wait.lengths {
        Some((least, most)) if least < most => format!("{least} to {most} goroutines"),
        _ => counted(members.len() as u64, "goroutine"),
    };
    match (members.as_slice(), lock_wait.cycles) {
        // Without a cycle it is the source that says so.
        ([], _) if one => "waits for a lock that its own path has taken already".to_owned(),
        ([], _) => "wait for a lock that their own path has taken already".to_owned(),
        ([only], 1) if one => {
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
            "{} a lock in a deadlock cycle of {length} ({}), each of which waits for the next{others}",
            verb(one, "wait for"),
            ids.join(" -> "),
        ),
        (_, cycles) => format!(
            "{} locks in {} deadlock cycles of {length} (such as {}), each of which waits for the next{others}",
            verb(one, "wait for"),
            count(cycles),
            ids.join(" -> "),
        ),
    }
}
