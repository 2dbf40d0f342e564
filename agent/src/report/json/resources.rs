//! What a process holds of the kernel's.

use std::borrow::Cow;

use super::frame::{frame, stack};
use super::memory::holder;
use super::seconds;
use crate::model::{
    HeldDescriptors, OpenedAt, ResourceAccount, ResourceGroup, ResourceGrowth, ResourceKey,
    ResourceKind, ResourceLimit, ResourceName, ResourcePoint, StackTable, Usage,
};
use crate::report::phrases;
use crate::report::schema::{
    HeldDescriptorsDoc, LeadsTo, OpenedAtDoc, ResourceAccountDoc, ResourceChangeDoc,
    ResourceGroupDoc, ResourceGrowthDoc, ResourceLimitDoc, ResourcePointDoc, ResourceSampleDoc,
    UsageDoc,
};

/// The account.
pub(super) fn resources<'a>(
    account: &'a ResourceAccount,
    stacks: &'a StackTable,
) -> ResourceAccountDoc<'a> {
    let now = &account.now;
    let details = now.details.as_ref();
    let groups = details.iter().flat_map(|details| &details.groups);
    ResourceAccountDoc {
        level: account.level,
        descriptors: now.descriptors.map(usage),
        threads: now.threads.map(usage),
        mappings: now.mappings.map(usage),
        children: now.children.map(usage),
        held: groups
            .filter(|it| it.count > 0)
            .map(|it| {
                let opened = account.opened.iter().filter(|(key, _)| *key == it.key);
                let opened_at = opened.map(|(_, line)| opened_at(line, stacks)).collect();
                ResourceGroupDoc { opened_at, ..group(it) }
            })
            .collect(),
        held_at_seconds: seconds(account.details_at),
        one_in: details.map(|details| details.one_in),
        limits: account.limits.iter().map(limit).collect(),
        history: account.history.iter().map(point).collect(),
    }
}

/// Things that are more or fewer.
#[must_use]
pub fn change(key: &ResourceKey, before: u64, after: u64) -> ResourceChangeDoc<'_> {
    let (name, leads_to) = name(key);
    ResourceChangeDoc { kind: key.kind, name, leads_to, before, after }
}

/// The key that a group or a change is of.
#[must_use]
pub fn key(kind: ResourceKind, name: Option<&str>, leads_to: Option<LeadsTo>) -> ResourceKey {
    let name = name.zip(leads_to).and_then(|(name, leads_to)| {
        let port = || name.strip_prefix(':')?.parse().ok();
        Some(match leads_to {
            LeadsTo::Path => ResourceName::Path(name.to_owned()),
            LeadsTo::Peer => ResourceName::Peer(name.to_owned()),
            LeadsTo::AcceptedOn => ResourceName::AcceptedOn(port()?),
            LeadsTo::ListensOn => ResourceName::ListensOn(port()?),
            LeadsTo::Inode => ResourceName::Inode(name.to_owned()),
            LeadsTo::Program => ResourceName::Program(name.to_owned()),
            LeadsTo::Unknown => return None,
        })
    });
    ResourceKey { kind, name }
}

/// What piles up, with how its number went.
pub(super) fn growth<'a>(
    held: &'a ResourceGrowth,
    history: &[(f64, u64)],
    stacks: &'a StackTable,
) -> ResourceGrowthDoc<'a> {
    let (name, leads_to) = name(&held.key);
    let sample = |&(seconds, count): &(f64, u64)| ResourceSampleDoc { seconds, count };
    ResourceGrowthDoc {
        kind: held.key.kind,
        name,
        leads_to,
        from: held.from,
        to: held.to,
        closed_by_peer: held.closed_by_peer,
        limit: held.limit.as_ref().map(limit),
        history: history.iter().map(sample).collect(),
        opened_at: held.opened_at.iter().map(|line| opened_at(line, stacks)).collect(),
        held_by: held.held_by.as_ref().map(|held| held.iter().map(held_by).collect()),
    }
}

/// Descriptors that are held in one way.
pub(in crate::report) fn held_by(held: &HeldDescriptors) -> HeldDescriptorsDoc<'_> {
    HeldDescriptorsDoc {
        kind: held.key.kind,
        name: name(&held.key).0,
        holder: held.by.as_ref().map(|by| holder(by.holder.clone())),
        path: phrases::held_descriptors(held).into(),
        count: held.count,
    }
}

fn opened_at<'a>(opened: &OpenedAt, stacks: &'a StackTable) -> OpenedAtDoc<'a> {
    OpenedAtDoc {
        frame: frame(stacks, opened.frame),
        basis: opened.basis,
        count: opened.count,
        stack: stack(stacks, opened.stack),
    }
}

fn usage(usage: Usage) -> UsageDoc {
    UsageDoc {
        count: usage.count,
        limit: usage.limit.map(|limit| limit.limit),
        used: usage.limit.map(|limit| limit.used),
    }
}

fn group(group: &ResourceGroup) -> ResourceGroupDoc<'_> {
    let (name, leads_to) = name(&group.key);
    ResourceGroupDoc {
        kind: group.key.kind,
        name,
        leads_to,
        count: group.count,
        states: group.states.clone(),
        opened_at: Vec::new(),
    }
}

fn name(key: &ResourceKey) -> (Option<Cow<'_, str>>, Option<LeadsTo>) {
    let Some(name) = &key.name else { return (None, None) };
    let leads_to = match name {
        ResourceName::Path(_) => LeadsTo::Path,
        ResourceName::Peer(_) => LeadsTo::Peer,
        ResourceName::AcceptedOn(_) => LeadsTo::AcceptedOn,
        ResourceName::ListensOn(_) => LeadsTo::ListensOn,
        ResourceName::Inode(_) => LeadsTo::Inode,
        ResourceName::Program(_) => LeadsTo::Program,
    };
    (Some(name.to_string().into()), Some(leads_to))
}

fn limit(limit: &ResourceLimit) -> ResourceLimitDoc {
    ResourceLimitDoc {
        kind: limit.kind,
        limit: limit.bound.limit,
        used: limit.bound.used,
        level: limit.level,
        reached_in_seconds: seconds(limit.reached_in.map(|it| it.earliest)),
        reached_in_seconds_likely: seconds(limit.reached_in.and_then(|it| it.likely)),
        reached_in_seconds_at_most: seconds(limit.reached_in.and_then(|it| it.latest)),
    }
}

fn point(point: &ResourcePoint) -> ResourcePointDoc {
    ResourcePointDoc {
        seconds: point.elapsed.as_secs_f64(),
        descriptors: point.descriptors,
        threads: point.threads,
        mappings: point.mappings,
        children: point.children,
    }
}
