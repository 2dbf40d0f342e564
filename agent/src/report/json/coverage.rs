//! Whom a report is of, and how much of it was seen.

use super::{profile, time};
use crate::model::{
    Build, Coverage, Held, Instance, KeptHeap, ProbeCoverage, ProbeSpell, ProofAttempt,
    ProofCoverage, Running, Store, Target,
};
use crate::report::phrases;
use crate::report::schema::{
    BuildDoc, CoverageDoc, HeldDoc, ProbeDoc, ProcessDoc, ProofDoc, ProofStateDoc, SpellDoc,
    TargetDoc, TargetKind,
};

/// Whom the report is of.
pub(in crate::report) fn target(target: &Target) -> TargetDoc<'_> {
    let (kind, library, source) = match &target.id.instance {
        Instance::Process { library, .. } => (TargetKind::Pid, library.as_deref(), None),
        Instance::Endpoint { url } => (TargetKind::Url, None, Some(url.into())),
        Instance::Files { path } => (TargetKind::Files, None, Some(path.into())),
        Instance::Stored(of) => {
            let kind = match of.store {
                Store::Parca => TargetKind::Parca,
                Store::Pyroscope => TargetKind::Pyroscope,
            };
            (kind, None, Some(format!("{} {}", of.url, of.labels).into()))
        }
    };
    TargetDoc {
        kind,
        pid: target.pid(),
        library: library.map(Into::into),
        started: target.id.started.and_then(time).map(Into::into),
        generation: target.id.generation,
        exe: target.exe.as_deref().map(Into::into),
        source,
        go_version: target.go_version.as_deref().map(Into::into),
        build: target.build.map(|Build { stripped, pie, cgo }| BuildDoc { stripped, pie, cgo }),
    }
}

/// A process that could not run.
pub(super) fn held(held: &Held) -> HeldDoc<'static> {
    HeldDoc {
        halt: held.halt,
        seconds: held.held.as_secs_f64(),
        always: held.always,
        reason: phrases::held(held).into(),
    }
}

/// How much was seen, with all that there is to note.
pub(super) fn coverage(coverage: &Coverage, notes: Vec<String>) -> CoverageDoc<'_> {
    CoverageDoc {
        goroutines_seen: coverage.goroutines_seen,
        goroutines_read: coverage.goroutines_read,
        unmoved: coverage.unmoved,
        running: coverage.running,
        torn: coverage.torn,
        retried: coverage.retried,
        not_unwound: coverage.not_unwound,
        unresolved_frames: coverage.unresolved_frames,
        stacks_unsearched: coverage.stacks_unsearched,
        heap_retried: coverage.heap_retried,
        process: coverage.process.map(process),
        profile: coverage.profile.as_ref().map(profile::profile),
        files: coverage.files.as_ref().map(profile::files),
        proof: coverage.proof.as_ref().map(proof),
        events_dropped: coverage.events_dropped,
        probes: coverage.probes.iter().map(probe).collect(),
        notes: notes.into_iter().map(Into::into).collect(),
    }
}

fn proof(proof: &ProofCoverage) -> ProofDoc<'_> {
    let mut doc = ProofDoc {
        state: ProofStateDoc::NoCandidate,
        summary: phrases::proof(proof).1.into(),
        proven: proof.proven,
        contradicted: proof.contradicted,
        held: proof.held,
        method: None,
        pause_seconds: None,
        seconds: None,
        candidates: None,
        reachable: None,
        marked_bytes: None,
        kept_bytes: proof.kept.as_ref().map(KeptHeap::bytes),
        shared_bytes: proof.kept.as_ref().map(|kept| kept.shared_bytes),
        gaps: Vec::new(),
    };
    match &proof.latest {
        ProofAttempt::NoCandidate => {}
        ProofAttempt::AllReachable { candidates, took } => {
            doc.state = ProofStateDoc::AllReachable;
            (doc.candidates, doc.reachable) = (Some(*candidates), Some(*candidates));
            doc.seconds = Some(took.as_secs_f64());
        }
        ProofAttempt::Done(run) => {
            doc.state = ProofStateDoc::Done;
            doc.method = Some(run.method);
            doc.pause_seconds = Some(run.pause.as_secs_f64());
            doc.seconds = Some(run.took.as_secs_f64());
            (doc.candidates, doc.reachable) = (Some(run.candidates), Some(run.reachable));
            doc.marked_bytes = Some(run.marked_bytes);
            doc.gaps = run.gaps.iter().map(Into::into).collect();
        }
        ProofAttempt::Refused { .. } => doc.state = ProofStateDoc::Refused,
        ProofAttempt::Failed { .. } => doc.state = ProofStateDoc::Failed,
    }
    doc
}

fn process(Running { halt, held_seconds, cpu_seconds }: Running) -> ProcessDoc {
    ProcessDoc { halt, held_seconds, cpu_seconds }
}

fn probe(probe: &ProbeCoverage) -> ProbeDoc<'_> {
    ProbeDoc {
        event: probe.event,
        state: probe.state,
        reason: probe.reason.as_ref().map(phrases::probe_reason),
        covered_seconds: probe.covered_seconds,
        history: probe.history.iter().map(spell).collect(),
        history_left_out: probe.history_left_out,
    }
}

fn spell(&ProbeSpell { state, from_seconds, until_seconds }: &ProbeSpell) -> SpellDoc {
    SpellDoc { state, from_seconds, until_seconds }
}
