//! What a process holds of the kernel's, in words.

use std::collections::BTreeMap;

use super::reached::reached;
use crate::model::{
    Finding, Level, PiledUp, ResourceAccount, ResourceGroup, ResourceGrowth, ResourceKey,
    ResourceKind, ResourceLimit, ResourceName, ResourceTrend, TcpState, Usage,
};
use crate::report::format::{count, counted, growth, plural};

/// What things of a kind are called: one, and many.
const fn nouns(kind: ResourceKind) -> (&'static str, &'static str) {
    match kind {
        ResourceKind::Descriptor => ("descriptor", "descriptors"),
        ResourceKind::File => ("open file", "open files"),
        ResourceKind::Directory => ("open directory", "open directories"),
        ResourceKind::TcpSocket => ("TCP connection", "TCP connections"),
        ResourceKind::UdpSocket => ("UDP socket", "UDP sockets"),
        ResourceKind::UnixSocket => ("Unix socket", "Unix sockets"),
        ResourceKind::OtherSocket => ("other socket", "other sockets"),
        ResourceKind::Pipe => ("end of a pipe", "ends of pipes"),
        ResourceKind::Eventfd => ("eventfd", "eventfds"),
        ResourceKind::Epoll => ("epoll instance", "epoll instances"),
        ResourceKind::Inotify => ("inotify instance", "inotify instances"),
        ResourceKind::Timerfd => ("timerfd", "timerfds"),
        ResourceKind::Signalfd => ("signalfd", "signalfds"),
        ResourceKind::Pidfd => ("pidfd", "pidfds"),
        ResourceKind::Memfd => ("file in memory", "files in memory"),
        ResourceKind::Device => ("open device", "open devices"),
        ResourceKind::AnonInode => ("anonymous inode", "anonymous inodes"),
        ResourceKind::OtherDescriptor => ("other descriptor", "other descriptors"),
        ResourceKind::Mapping => ("mapping", "mappings"),
        ResourceKind::Thread => ("thread", "threads"),
        ResourceKind::Child => ("child process", "child processes"),
        ResourceKind::Zombie => {
            ("child process never waited for", "child processes never waited for")
        }
        ResourceKind::Unknown => ("thing of an unknown kind", "things of an unknown kind"),
    }
}

/// So many things of a kind: `3 open files`.
#[must_use]
pub fn resources_counted(number: u64, kind: ResourceKind) -> String {
    let (one, many) = nouns(kind);
    counted(number, one, many)
}

/// What they lead to, to follow what they are called.
fn suffix(key: &ResourceKey) -> String {
    match (&key.name, key.kind) {
        (None, _) => String::new(),
        (Some(ResourceName::Path(path)), ResourceKind::Mapping) => format!(" of {path}"),
        (Some(ResourceName::Path(path)), _) => format!(" {path}"),
        (Some(ResourceName::Peer(peer)), _) => format!(" to {peer}"),
        (Some(ResourceName::AcceptedOn(port)), _) => format!(" accepted on port {port}"),
        (Some(ResourceName::ListensOn(port)), _) => format!(" on port {port}"),
        (Some(ResourceName::Inode(name) | ResourceName::Program(name)), _) => format!(" ({name})"),
    }
}

/// `open files /tmp/upload-#.part`, `TCP connections to 10.0.0.1:80`.
#[must_use]
pub fn resource(key: &ResourceKey) -> String {
    let many = match (key.kind, &key.name) {
        (ResourceKind::TcpSocket, Some(ResourceName::ListensOn(_))) => "listening TCP sockets",
        (kind, _) => nouns(kind).1,
    };
    format!("{many}{}", suffix(key))
}

/// So many of them: `3 open files /tmp/upload-#.part`.
#[must_use]
pub fn resources_named(number: u64, key: &ResourceKey) -> String {
    format!("{}{}", resources_counted(number, key.kind), suffix(key))
}

/// What is open, and does not end.
const fn why(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Thread | ResourceKind::Child => "they are started, and do not end",
        ResourceKind::Zombie => "they have ended, and nobody waits for them",
        ResourceKind::Mapping => "they are mapped, and not unmapped",
        _ => "they are opened, and not closed",
    }
}

/// What the other end has done, and the program has not.
const CLOSED: &str = "the other end has closed them, and the program has not (CLOSE_WAIT)";

/// The cause of a finding: `Open files /tmp/upload-#.part grew from 12 to 312 (+10.0/s): they are opened, and
/// not closed.`
pub(super) fn cause(held: &ResourceGrowth, finding: &Finding) -> String {
    let ResourceGrowth { key, from, to, closed_by_peer, limit, .. } = held;
    let is_closed = closed_by_peer == to && *to > 0;
    let Some(rate) = finding.growth.map(|it| growth(it.per_second)) else {
        return match (limit, key.kind) {
            _ if is_closed => {
                format!("{}{}: {CLOSED}.", resources_counted(*to, key.kind), suffix(key))
            }
            (_, ResourceKind::Zombie) => format!(
                "{}: each keeps its entry in the kernel's table of processes.",
                resources_counted(*to, key.kind)
            ),
            (Some(limit), _) => {
                sentence(&format!("{}: {}.", resource_limit(limit), beyond(limit.kind)))
            }
            (None, _) => format!("{}.", resources_counted(*to, key.kind)),
        };
    };
    let why = if is_closed { CLOSED } else { why(key.kind) };
    let reached = limit.and_then(|limit| Some((limit, reached(&limit.reached_in?))));
    let reached = reached.map(|(limit, reached)| {
        format!("; the limit of {} is reached {reached}", counted_limit(&limit))
    });
    sentence(&format!(
        "{} grew from {} to {} ({rate}): {why}{}.",
        resource(key),
        count(*from),
        count(*to),
        reached.unwrap_or_default()
    ))
}

/// What piles up with goroutines: `TCP connections to 10.0.0.1:80, from 12 to 312`.
pub(super) fn piled_up_in_brief(PiledUp { held, .. }: &PiledUp) -> String {
    format!("{}, from {} to {}", resource(&held.key), count(held.from), count(held.to))
}

/// The same, and when the limit is reached that they count towards.
#[must_use]
pub fn piled_up(piled_up: &PiledUp) -> String {
    let limit = piled_up.held.limit;
    let reached = limit.and_then(|limit| Some((limit, reached(&limit.reached_in?))));
    let reached = reached.map(|(limit, reached)| {
        format!("; the limit of {} is reached {reached}", counted_limit(&limit))
    });
    format!("{}{}", piled_up_in_brief(piled_up), reached.unwrap_or_default())
}

fn counted_limit(limit: &ResourceLimit) -> String {
    resources_counted(limit.bound.limit, limit.kind)
}

/// What happens at a limit.
const fn beyond(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Thread => {
            "at the limit no thread and no process starts, and Go's runtime ends the program"
        }
        ResourceKind::Mapping => "at the limit mmap fails, and with it the heap's growth",
        _ => "at the limit files cannot be opened, and connections neither made nor accepted",
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A limit and what is used of it: `900 of 1,024 descriptors (88 %), moderate; reached in 4m12s`.
#[must_use]
pub fn resource_limit(limit: &ResourceLimit) -> String {
    let percent = (limit.bound.part() * 100.0).floor();
    let used = count(limit.bound.used);
    let mut text = format!("{used} of {} ({percent:.0} %)", counted_limit(limit));
    if limit.level != Level::Normal {
        text.push_str(&format!(", {}", limit.level.name()));
    }
    if let Some(when) = &limit.reached_in {
        text.push_str(&format!("; reached {}", reached(when)));
    }
    text
}

/// How something grew: `open files /tmp/# from 3 to 33 within 30 s, +1.0/s (+0.9 to +1.1), linear; 31 came and 1
/// went`.
pub(super) fn trend(trend: &ResourceTrend) -> String {
    let growth = &trend.growth;
    let churn = trend
        .churn
        .map(|(came, gone)| format!("; {} seen to come, {} to go", count(came), count(gone)));
    format!(
        "{} from {} to {} within {:.0} s, {:+.2} a second ({:+.2} to {:+.2} with 95 % confidence), {}{}",
        resource(&trend.key),
        count(trend.from),
        count(trend.to),
        trend.window.as_secs_f64(),
        growth.per_second,
        growth.low,
        growth.high,
        growth.pattern.name(),
        churn.unwrap_or_default(),
    )
}

/// `12 of 30 are in CLOSE_WAIT: the other end has closed them, and the program has not`.
pub(super) fn close_wait(sockets: u64, of: u64) -> String {
    format!(
        "{} of {} {} in CLOSE_WAIT: the other end has closed them, and no load leaves them so",
        count(sockets),
        counted(of, "connection", "connections"),
        plural(sockets, "is", "are"),
    )
}

/// What there is, a few words each: `23 descriptors of 1,024`, `12 threads`.
#[must_use]
pub fn resources(account: &ResourceAccount) -> Vec<String> {
    let now = &account.now;
    let of = |kind, usage: Option<Usage>| {
        let usage = usage?;
        let limit = usage.limit.filter(|limit| limit.used == usage.count);
        let limit = limit.map(|limit| format!(" of {}", count(limit.limit))).unwrap_or_default();
        Some(format!("{}{limit}", resources_counted(usage.count, kind)))
    };
    let children = now.children.filter(|children| children.count > 0);
    [
        of(ResourceKind::Descriptor, now.descriptors),
        of(ResourceKind::Thread, now.threads),
        of(ResourceKind::Mapping, now.mappings),
        of(ResourceKind::Child, children),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// In a few words: `23 descriptors`; `None` where nothing is known of it.
#[must_use]
pub fn resources_in_brief(account: Option<&ResourceAccount>) -> Option<String> {
    let descriptors = account?.now.descriptors?;
    Some(resources_counted(descriptors.count, ResourceKind::Descriptor))
}

/// Kinds of descriptors, and children that nobody waited for, most first: `8 TCP connections (6 established, 2
/// close-wait)`.
#[must_use]
pub fn resource_kinds(account: &ResourceAccount) -> Vec<String> {
    let mut kinds: BTreeMap<ResourceKind, (u64, BTreeMap<TcpState, u64>)> = BTreeMap::new();
    for group in groups(account) {
        if group.key.kind.is_descriptor() || group.key.kind == ResourceKind::Zombie {
            let (all, states) = kinds.entry(group.key.kind).or_default();
            *all += group.count;
            for (state, number) in &group.states {
                *states.entry(*state).or_default() += number;
            }
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().filter(|(_, (all, _))| *all > 0).collect();
    kinds.sort_by_key(|(_, (all, _))| std::cmp::Reverse(*all));
    let named = kinds.into_iter().map(|(kind, (all, states))| {
        format!("{}{}", resources_counted(all, kind), in_states(&states))
    });
    named.collect()
}

/// What most things lead to: `30 TCP connections to 10.0.0.1:80 (30 close-wait)`.
#[must_use]
pub fn resource_names(account: &ResourceAccount, most: usize) -> Vec<String> {
    let named = groups(account).filter(|group| group.count > 0 && group.key.name.is_some());
    let named = named.filter(|group| group.key.kind != ResourceKind::Mapping);
    let text = |group: &ResourceGroup| {
        let what = resources_counted(group.count, group.key.kind);
        format!("{what}{}{}", suffix(&group.key), in_states(&group.states))
    };
    named.take(most).map(text).collect()
}

fn groups(account: &ResourceAccount) -> impl Iterator<Item = &ResourceGroup> {
    account.now.details.iter().flat_map(|details| &details.groups)
}

fn in_states(states: &BTreeMap<TcpState, u64>) -> String {
    if states.is_empty() {
        return String::new();
    }
    let states =
        states.iter().map(|(state, number)| format!("{} {}", count(*number), state.name()));
    format!(" ({})", states.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bound, Reached};
    use std::time::Duration;

    fn key(kind: ResourceKind, name: Option<ResourceName>) -> ResourceKey {
        ResourceKey { kind, name }
    }

    #[test]
    fn things_by_what_they_lead_to() {
        let path = || Some(ResourceName::Path("/tmp/#".to_owned()));
        for (key, text) in [
            (key(ResourceKind::File, path()), "open files /tmp/#"),
            (key(ResourceKind::Mapping, path()), "mappings of /tmp/#"),
            (
                key(ResourceKind::TcpSocket, Some(ResourceName::Peer("[::1]:80".to_owned()))),
                "TCP connections to [::1]:80",
            ),
            (
                key(ResourceKind::TcpSocket, Some(ResourceName::AcceptedOn(80))),
                "TCP connections accepted on port 80",
            ),
            (
                key(ResourceKind::TcpSocket, Some(ResourceName::ListensOn(80))),
                "listening TCP sockets on port 80",
            ),
            (key(ResourceKind::Pipe, None), "ends of pipes"),
        ] {
            assert_eq!(resource(&key), text);
        }
    }

    #[test]
    fn a_limit_says_when_it_is_reached() {
        let limit = ResourceLimit {
            kind: ResourceKind::Descriptor,
            bound: Bound { used: 900, limit: 1024 },
            level: Level::Moderate,
            reached_in: Some(Reached {
                earliest: Duration::from_secs(12),
                likely: Some(Duration::from_secs(20)),
                latest: Some(Duration::from_secs(30)),
            }),
        };
        assert_eq!(
            resource_limit(&limit),
            "900 of 1,024 descriptors (87 %), moderate; reached in 20.0s (12.0s to 30.0s)"
        );
    }
}
