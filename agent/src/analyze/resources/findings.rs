//! Findings about resources: what grows as leaks do, and what gives itself away in one sample.

use std::time::Duration;

use super::opened;
use super::series::{Series, closed_by_peer};
use crate::analyze::code_files::CodeFiles;
use crate::analyze::investigate::{Candidates, Context, Investigate};
use crate::analyze::{score, signature};
use crate::model::{
    Cause, CauseClass, DetectorKind, Evidence, Finding, Growth, Judgement, Lack, Level, NotEnough,
    ResourceAccount, ResourceGrowth, ResourceKey, ResourceKind, ResourceLimit, ResourceName,
    ResourceTrend, Subject, Suggestion, Verdict,
};

/// In a shorter window growth is suspect at most.
const MIN_WINDOW: Duration = Duration::from_secs(20);
/// That of connections which the other end has closed: no load leaves those.
const MIN_WINDOW_CLOSED: Duration = Duration::from_secs(10);
/// What has to come for more than a suspicion.
const MIN_MORE: u64 = 10;
/// The same of connections that the other end has closed.
const MIN_MORE_CLOSED: u64 = 5;
/// And of threads, of which the runtime starts some whenever many calls block.
const MIN_MORE_THREADS: u64 = 20;
/// Connections that the other end has closed, or children that nobody waited for, that are suspect at once.
const MANY: u64 = 8;
/// How often details must be read to tell what grows.
const MIN_READINGS: u64 = 5;

/// Resources that pile up.
pub(in crate::analyze) struct GrowingResources;

impl Investigate for GrowingResources {
    fn candidates(&mut self, context: Context<'_>, _: &mut CodeFiles) -> Candidates {
        let Some(account) = &context.assessment.resources else { return Candidates::default() };
        let series = context.window.resources();
        let growing = account.growing.iter().map(|trend| of_trend(trend, account, series));
        let mut findings: Vec<Finding> = growing.collect();
        for finding in at_once(account) {
            // Two that would have one id are about the same.
            if !findings.iter().any(|other| other.id == finding.id) {
                findings.push(finding);
            }
        }
        for finding in &mut findings {
            if let Subject::Resource(held) = &mut finding.subject {
                held.opened_at = opened::of_key(account, &held.key, &context.assessment.stacks);
            }
        }
        let lacks = context.assessment.window.observations > 1
            && account.now.details.is_some()
            && account.readings < MIN_READINGS;
        let not_enough = lacks.then_some(NotEnough {
            detector: DetectorKind::ResourceGrowth,
            lack: Lack::Count { samples: MIN_READINGS },
        });
        Candidates { findings, not_enough: not_enough.into_iter().collect() }
    }

    fn account(&mut self, _: &mut Judgement) {}
}

/// What is found of what grows.
fn of_trend(trend: &ResourceTrend, account: &ResourceAccount, series: &Series) -> Finding {
    let key = &trend.key;
    let closed = closed(account, key);
    let history = match (key.kind, trend.is_closed_by_peer) {
        (ResourceKind::Descriptor, _) => series.of(|point| point.descriptors),
        (ResourceKind::Thread, _) => series.of(|point| point.threads),
        (_, true) => series.closed_by_peer(key),
        (_, false) => series.history(key),
    };
    let mut evidence = vec![Evidence::ResourceGrowth(Box::new(trend.clone()))];
    if closed > 0 {
        evidence.push(Evidence::CloseWait { sockets: closed, of: total(account, key) });
    }
    let limit = limit(key.kind, account);
    let nears = limit.filter(|it| it.reached_in.is_some() || it.level > Level::Normal);
    evidence.extend(nears.map(Evidence::ResourceLimit));
    Finding {
        growth: Some(Growth { forecast: None, ..trend.growth }),
        history,
        evidence,
        verdict: verdict(trend),
        ..finding(
            ResourceGrowth {
                key: key.clone(),
                from: trend.from,
                to: trend.to,
                closed_by_peer: if trend.is_closed_by_peer { trend.to } else { closed },
                limit,
                opened_at: Vec::new(),
                held_by: None,
            },
            trend.is_closed_by_peer,
            Some(&trend.growth),
        )
    }
}

/// How sure it is that what grows leaks.
fn verdict(trend: &ResourceTrend) -> Verdict {
    let more = trend.to.saturating_sub(trend.from);
    let is_sure = if trend.is_closed_by_peer {
        trend.window >= MIN_WINDOW_CLOSED && more >= MIN_MORE_CLOSED
    } else {
        let least = match trend.key.kind {
            ResourceKind::Thread => MIN_MORE_THREADS,
            _ => MIN_MORE,
        };
        let is_long = trend.window >= MIN_WINDOW && more >= least;
        is_long && trend.stays && is_own_doing(trend)
    };
    if is_sure { Verdict::Likely } else { Verdict::Suspect }
}

/// Whether it is known who came and went, and the program itself decides how many there are: clients
/// decide how many connections they keep open to it, and the kernel where it splits mappings.
fn is_own_doing(trend: &ResourceTrend) -> bool {
    match (trend.key.kind, &trend.key.name) {
        (ResourceKind::TcpSocket, Some(ResourceName::AcceptedOn(_)))
        | (ResourceKind::UnixSocket, Some(ResourceName::Path(_)))
        | (ResourceKind::Mapping, None | Some(ResourceName::Inode(_)))
        | (ResourceKind::Descriptor, _) => false,
        (ResourceKind::Mapping | ResourceKind::Thread, _) => true,
        _ => trend.churn.is_some(),
    }
}

/// What one sample shows.
fn at_once(account: &ResourceAccount) -> Vec<Finding> {
    let groups = account.now.details.iter().flat_map(|details| &details.groups);
    let mut zombies = 0;
    let mut found = Vec::new();
    for group in groups {
        let closed = closed_by_peer(group);
        if closed >= MANY {
            found.push(pile(&group.key, closed, account));
        }
        if group.key.kind == ResourceKind::Zombie {
            zombies += group.count;
        }
    }
    let grow = account.growing.iter().any(|it| it.key.kind == ResourceKind::Zombie);
    if zombies >= MANY && !grow {
        let key = ResourceKey { kind: ResourceKind::Zombie, name: None };
        let held = ResourceGrowth {
            key,
            from: zombies,
            to: zombies,
            closed_by_peer: 0,
            limit: None,
            opened_at: Vec::new(),
            held_by: None,
        };
        found.push(Finding {
            evidence: vec![Evidence::Unreaped { children: zombies }],
            ..finding(held, false, None)
        });
    }
    let near = account.limits.iter().filter(|limit| limit.level > Level::Normal);
    found.extend(near.map(|limit| {
        let key = ResourceKey { kind: limit.kind, name: None };
        let count = limit.bound.used;
        let held = ResourceGrowth {
            key,
            from: count,
            to: count,
            closed_by_peer: 0,
            limit: Some(*limit),
            opened_at: Vec::new(),
            held_by: None,
        };
        let most = most_of(account, limit.kind, count);
        let release = most.as_ref().map_or(Suggestion::Class(CauseClass::Resource), |(key, _)| {
            Suggestion::Release { key: key.clone(), closed_by_peer: false }
        });
        let mostly = most.map(|(key, most)| Evidence::MostlyOf { key, count: most, of: count });
        Finding {
            suggestions: vec![release, Suggestion::RaiseLimit(limit.kind)],
            evidence: [Evidence::ResourceLimit(*limit)].into_iter().chain(mostly).collect(),
            // At its limit a program fails, whether that is a leak or load.
            verdict: if limit.level == Level::Critical {
                Verdict::Likely
            } else {
                Verdict::Suspect
            },
            ..finding(held, false, None)
        }
    }));
    found
}

/// What more than half of so many of a kind are, and how many.
fn most_of(account: &ResourceAccount, kind: ResourceKind, all: u64) -> Option<(ResourceKey, u64)> {
    let is_counted =
        |of: ResourceKind| of == kind || (kind == ResourceKind::Descriptor && of.is_descriptor());
    let groups = account.now.details.iter().flat_map(|details| &details.groups);
    let most = groups.filter(|it| is_counted(it.key.kind)).max_by_key(|it| it.count)?;
    (2 * most.count > all).then(|| (most.key.clone(), most.count.min(all)))
}

/// Connections that the other end has closed.
fn pile(key: &ResourceKey, closed: u64, account: &ResourceAccount) -> Finding {
    let of = total(account, key);
    let held = ResourceGrowth {
        key: key.clone(),
        from: closed,
        to: closed,
        closed_by_peer: closed,
        limit: limit(key.kind, account),
        opened_at: Vec::new(),
        held_by: None,
    };
    Finding {
        evidence: vec![Evidence::CloseWait { sockets: closed, of }],
        ..finding(held, true, None)
    }
}

/// What all findings about resources have.
fn finding(held: ResourceGrowth, closed_by_peer: bool, growth: Option<&Growth>) -> Finding {
    let used = held.limit.map(|limit| limit.bound.part());
    let key = held.key.clone();
    let name = key.name.as_ref().map(ToString::to_string).unwrap_or_default();
    let named = format!("{}; {}; {name}", CauseClass::Resource.name(), key.kind.name());
    Finding {
        id: format!("f-{:016x}", signature::hash(&named)),
        class: CauseClass::Resource,
        verdict: Verdict::Suspect,
        score: score::of_resources(held.to, growth, used),
        subject: Subject::Resource(Box::new(held)),
        caused_at: None,
        growth: None,
        history: Vec::new(),
        pattern: None,
        cause: Cause::Unknown,
        source: None,
        suggestions: vec![Suggestion::Release { key, closed_by_peer }],
        evidence: Vec::new(),
    }
}

/// How many there are of a name now, and how many of those the other end has closed.
fn counts(account: &ResourceAccount, key: &ResourceKey) -> (u64, u64) {
    let groups = account.now.details.iter().flat_map(|details| &details.groups);
    let named = groups.filter(|group| {
        group.key.kind == key.kind && (key.name.is_none() || group.key.name == key.name)
    });
    named.fold((0, 0), |(all, closed), group| (all + group.count, closed + closed_by_peer(group)))
}

fn total(account: &ResourceAccount, key: &ResourceKey) -> u64 {
    counts(account, key).0
}

fn closed(account: &ResourceAccount, key: &ResourceKey) -> u64 {
    counts(account, key).1
}

/// The limit that things of a kind count towards.
fn limit(kind: ResourceKind, account: &ResourceAccount) -> Option<ResourceLimit> {
    let of = if kind.is_descriptor() { ResourceKind::Descriptor } else { kind };
    account.limits.iter().find(|limit| limit.kind == of).copied()
}
