//! Goroutines into groups: which goroutine belongs where, in time linear in their number.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::busy::Runners;
use super::ids;
use super::kind::Kind;
use super::life::{self, Life, Span};
use super::relatives;
use super::signature::Signatures;
use super::summary::{self, Members};
use super::verdicts::Told;
use crate::model;
use crate::model::{Goroutine, Group, Member, Observation, WaitClass};

/// A kind, and how many goroutines are of it.
struct KindCount {
    kind: Kind,
    /// How many records there are of them, each of which may stand for several.
    records: u32,
    goroutines: u64,
}

/// A group before its members are looked at.
struct Draft {
    signature: Arc<str>,
    /// The kind of most members, and how many have it.
    kind: Kind,
    of_kind: u64,
    records: u32,
    count: u64,
}

/// Every goroutine of an observation in exactly one group: largest group first, then by
/// signature; the lives of each group's members; and the group of each goroutine. History (`previous`, `growth_per_second`) is
/// left open.
pub(super) fn groups(
    observation: &Observation,
    (span, runners): (Span, &Runners),
    signatures: &mut Signatures,
) -> (Vec<Group>, Vec<Life>, Vec<u32>) {
    let (kinds, kind_of) = kinds(&observation.goroutines);
    let (drafts, group_of_kind) = drafts(observation, &kinds, signatures);
    let (drafts, group_of_kind) = in_order(drafts, group_of_kind);

    let kept = observation.coverage.proof.iter().filter_map(|proof| proof.kept.as_ref());
    let kept: FxHashMap<u64, u64> =
        kept.flat_map(|kept| &kept.alone).map(|it| (it.goid, it.bytes)).collect();
    let told = Told::of(observation);
    // One pass in memory order: a million goroutines do not fit any cache.
    let mut members: Vec<Members> =
        drafts.iter().map(|draft| Members::with_capacity(draft.records as usize)).collect();
    let mut lives = vec![Life::default(); drafts.len()];
    for (goroutine, &kind) in observation.goroutines.iter().zip(&kind_of) {
        let group = group_of_kind[kind as usize] as usize;
        members[group].add(observation, goroutine);
        lives[group].add(goroutine, span, runners);
        if let Some(told) = told {
            let alone = told.marked_alone(goroutine);
            lives[group].marked_alone = lives[group].marked_alone.plus(alone);
        }
        if goroutine.proven
            && let Some(bytes) = goroutine.id().and_then(|goid| kept.get(&goid))
        {
            lives[group].keeps(*bytes);
        }
        let draft = &drafts[group];
        if group < ids::MAX_GROUPS
            && draft.count >= ids::MIN_MEMBERS
            && ids::waits_for_another(draft.kind.wait)
        {
            lives[group].ids.add(goroutine);
        }
        lives[group].meet_channel(observation.objects_of(goroutine), &observation.channels);
    }
    let waits: Vec<WaitClass> = drafts.iter().map(|draft| draft.kind.wait).collect();
    ids::relate(&observation.goroutines, lives.iter_mut().map(|life| &mut life.ids));
    let group_of = |index: usize| group_of_kind[kind_of[index] as usize];
    life::kinship(&observation.goroutines, &mut lives, span, group_of);
    relatives::relate(observation, &mut lives, &waits, span, group_of);
    let waiters = summary::object_waiters(&mut members);
    let creators = summary::creation_stacks(observation);
    let groups = drafts.iter().zip(members);
    let groups = groups
        .map(|(draft, members)| {
            members.group(observation, &draft.signature, draft.kind, (&waiters, &creators))
        })
        .collect();
    let group_of = kind_of.into_iter().map(|kind| group_of_kind[kind as usize]).collect();
    (groups, lives, group_of)
}

/// Who is in each of so many groups, `group_of` being the group of each goroutine.
pub(super) fn members(
    observation: &Observation,
    group_of: &[u32],
    groups: usize,
) -> model::Members {
    // Sorted by counting: each group's members one behind the other.
    let mut ends = vec![0_usize; groups + 1];
    for group in group_of {
        ends[*group as usize + 1] += 1;
    }
    for at in 1..ends.len() {
        ends[at] += ends[at - 1];
    }
    let starts = ends.clone();
    let mut order = vec![0_u32; group_of.len()];
    for (at, group) in group_of.iter().enumerate() {
        let end = &mut ends[*group as usize];
        order[*end] = index(at);
        *end += 1;
    }
    let member = |at: &u32| {
        let goroutine = observation.goroutines.get(*at as usize)?;
        Some(Member { goid: goroutine.id()?, objects: observation.objects_of(goroutine) })
    };
    model::Members::of(
        starts.windows(2).map(|part| order[part[0]..part[1]].iter().filter_map(member)),
    )
}

/// The distinct kinds with their counts, and each goroutine's.
fn kinds(goroutines: &[Goroutine]) -> (Vec<KindCount>, Vec<u32>) {
    let mut ids: FxHashMap<Kind, u32> = FxHashMap::default();
    let mut kinds: Vec<KindCount> = Vec::new();
    let mut kind_of = Vec::with_capacity(goroutines.len());
    let mut last = None;
    for goroutine in goroutines {
        let kind = Kind::of(goroutine);
        // Goroutines created together stand together: most look-ups end here.
        let id = match last {
            Some((known, id)) if known == kind => id,
            _ => *ids.entry(kind).or_insert_with(|| {
                kinds.push(KindCount { kind, records: 0, goroutines: 0 });
                index(kinds.len() - 1)
            }),
        };
        last = Some((kind, id));
        let counted = &mut kinds[id as usize];
        counted.records += 1;
        counted.goroutines += u64::from(goroutine.weight);
        kind_of.push(id);
    }
    (kinds, kind_of)
}

/// One draft a signature, and each kind's draft.
fn drafts(
    observation: &Observation,
    kinds: &[KindCount],
    signatures: &mut Signatures,
) -> (Vec<Draft>, Vec<u32>) {
    signatures.trim();
    let mut ids: FxHashMap<Arc<str>, u32> = FxHashMap::default();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut group_of_kind = Vec::with_capacity(kinds.len());
    for &KindCount { kind, records, goroutines } in kinds {
        let signature = signatures.of(&observation.stacks, kind.stack, kind.wait, kind.created_by);
        let id = *ids.entry(signature).or_insert_with_key(|signature| {
            let signature = Arc::clone(signature);
            drafts.push(Draft { signature, kind, of_kind: 0, records: 0, count: 0 });
            index(drafts.len() - 1)
        });
        let draft = &mut drafts[id as usize];
        draft.records += records;
        draft.count += goroutines;
        if goroutines > draft.of_kind {
            (draft.kind, draft.of_kind) = (kind, goroutines);
        }
        group_of_kind.push(id);
    }
    (drafts, group_of_kind)
}

/// Sorts the drafts as their groups are to stand, and says each kind's draft anew.
fn in_order(drafts: Vec<Draft>, mut group_of_kind: Vec<u32>) -> (Vec<Draft>, Vec<u32>) {
    let mut order: Vec<u32> = (0..index(drafts.len())).collect();
    order.sort_unstable_by(|&a, &b| {
        let (a, b) = (&drafts[a as usize], &drafts[b as usize]);
        b.count.cmp(&a.count).then_with(|| a.signature.cmp(&b.signature))
    });
    let mut place = vec![0; drafts.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old as usize] = index(new);
    }
    for group in &mut group_of_kind {
        *group = place[*group as usize];
    }
    let mut drafts: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    let drafts = order.iter().filter_map(|&old| drafts[old as usize].take()).collect();
    (drafts, group_of_kind)
}

/// Sources bound a snapshot's goroutines far below 2^32.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeptAlone, KeptHeap, ProofAttempt, ProofCoverage, StackView};
    use crate::sample::{Sample, leaking};

    fn group(observation: &Observation) -> Vec<Group> {
        groups(observation, (Span::default(), &Runners::default()), &mut Signatures::default()).0
    }

    #[test]
    fn what_proven_goroutines_keep_counts_for_their_group() {
        let mut observation = leaking(40).observe(0);
        let sends = |it: &&mut Goroutine| it.wait == WaitClass::ChanSend;
        let one = observation.goroutines.iter_mut().find(sends).expect("some send");
        one.proven = true;
        let kept = |goid, bytes| KeptAlone { goid, bytes };
        let alone = vec![kept(one.id().expect("an id"), 4096), kept(1, 512)];
        observation.coverage.proof = Some(ProofCoverage {
            latest: ProofAttempt::NoCandidate,
            held: 1,
            proven: 1,
            contradicted: 0,
            kept: Some(KeptHeap { alone, shared_bytes: 0 }),
            decided: None,
        });
        let span = (Span::default(), &Runners::default());
        let (_, lives, _) = groups(&observation, span, &mut Signatures::default());
        assert_eq!(lives[0].kept_bytes, Some(4096));
        assert!(lives[1..].iter().all(|life| life.kept_bytes.is_none()), "main is not proven");
    }

    #[test]
    fn every_goroutine_is_in_one_group_largest_first() {
        let observation = leaking(40).observe(0);
        let groups = group(&observation);
        assert_eq!(groups.iter().map(|g| g.count).sum::<u64>(), 43);
        assert_eq!(groups[0].count, 40);
        assert_eq!(groups[0].wait, WaitClass::ChanSend);
        let singles: Vec<_> = groups[1..].iter().map(|g| g.signature.as_str()).collect();
        assert!(singles.is_sorted(), "{singles:?}");
    }

    #[test]
    fn instances_and_reasons_of_one_signature_are_one_group() {
        let mut sample = Sample::new();
        let int = sample.stack(&[("main.send[go.shape.int]", "/a.go", 3)]);
        let text = sample.stack(&[("main.send[go.shape.string]", "/a.go", 3)]);
        sample.add(1, WaitClass::ChanSend, StackView::Read(int));
        sample.add(2, WaitClass::ChanSend, StackView::Read(text));
        sample.add(3, WaitClass::ChanSend, StackView::Read(text)).reason = None;
        sample.add(4, WaitClass::ChanSend, StackView::Read(text));
        let groups = group(&sample.observe(0));
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].count, 4);
        assert_eq!(groups[0].reason.as_deref(), Some("chan send"));
        assert_eq!(groups[0].stack, Some(text), "the stack that most of them have");
    }

    #[test]
    fn wait_class_and_creation_site_tell_groups_apart() {
        let mut sample = Sample::new();
        let stack = sample.stack(&[("main.work", "/a.go", 3)]);
        let site = sample.frame("main.start", "/a.go", 9);
        sample.add(1, WaitClass::ChanSend, StackView::Read(stack));
        sample.add(2, WaitClass::ChanReceive, StackView::Read(stack));
        sample.add(3, WaitClass::ChanSend, StackView::Read(stack)).created_by = Some(site);
        assert_eq!(group(&sample.observe(0)).len(), 3);
    }

    #[test]
    fn nothing_to_group() {
        assert!(group(&Sample::new().observe(0)).is_empty());
    }
}
