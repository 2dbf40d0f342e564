//! Who allocated what a heap grew by: the memory profile is read when a target is first seen, and at the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::request::Request;
use super::seen::Seen;
use super::switch::{self, Switch};
use crate::analyze::allocated::{add_growth, may_have_grown};
use crate::collect::attach::Options;
use crate::collect::attach::allocated::allocated;
use crate::collect::attach::sampling::Sampling;
use crate::golang::image::Running;
use crate::model::{
    Allocated, Assessment, CoverageNote, Instance, NotAllocated, NotSampled, TargetId,
};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::phrases;

/// Reads the memory profiles of those targets that are processes.
#[derive(Clone)]
pub(super) struct AllocatedAt {
    options: Options,
    switch: Option<Switch>,
    first: Arc<Mutex<HashMap<TargetId, First>>>,
}

/// A target when it was first seen.
struct First {
    /// The process as it was before its profile was read; `None` where it was gone then.
    process: Option<Running>,
    /// Whether its allocations are sampled since, where that was asked for.
    sampling: Option<Result<Sampling, NotSampled>>,
    profile: Result<Allocated, NotAllocated>,
}

impl AllocatedAt {
    /// For targets that run, where their memory is looked at.
    pub(super) fn wanted(request: &Request, switch: Option<Switch>) -> Option<Self> {
        let is_wanted = !request.is_saved() && request.settings.subjects.memory;
        let options = request.attach.clone();
        is_wanted.then(|| Self { options, switch, first: Arc::default() })
    }

    fn first(&self) -> MutexGuard<'_, HashMap<TargetId, First>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads once more, and adds to the findings which lines allocated what was added.
    pub(super) fn add(&self, seen: &mut Seen) {
        for assessment in &mut seen.assessments {
            let first = self.first().remove(&assessment.target.id);
            let Some(First { process, sampling, profile }) = first else { continue };
            if let Ok(before) = &profile {
                charge(assessment, before);
            }
            if may_have_grown(assessment) {
                self.compare(assessment, process.as_ref(), profile);
            }
            assessment.coverage.notes.extend(sampling.and_then(switch::end));
        }
    }

    fn compare(
        &self,
        assessment: &mut Assessment,
        process: Option<&Running>,
        before: Result<Allocated, NotAllocated>,
    ) {
        let both = before.and_then(|before| Ok((before, self.read(&assessment.target.id)?)));
        // Of two programs nothing can be compared.
        let is_the_same = process.is_some_and(Running::is_the_same);
        match both.and_then(|both| if is_the_same { Ok(both) } else { Err(NotAllocated::Gone) }) {
            Ok((before, now)) => {
                charge(assessment, &now);
                add_growth(assessment, &now, &before);
            }
            Err(why) => {
                let why = phrases::not_allocated(&why);
                assessment.coverage.notes.push(CoverageNote::NotAllocated { why });
            }
        }
    }

    /// The memory profile of a process.
    fn read(&self, id: &TargetId) -> Result<Allocated, NotAllocated> {
        match &id.instance {
            Instance::Process { pid, .. } => allocated(*pid, &self.options_of(id)),
            _ => Err(NotAllocated::Gone),
        }
    }

    fn options_of(&self, id: &TargetId) -> Options {
        let object = match &id.instance {
            Instance::Process { library, .. } => library.clone(),
            _ => None,
        };
        Options { object, ..self.options.clone() }
    }
}

/// Counts what reading a profile has cost the target.
fn charge(assessment: &mut Assessment, profile: &Allocated) {
    assessment.overhead.charge(profile.coverage.cost, assessment.window.duration);
}

impl Sink for AllocatedAt {
    fn name(&self) -> &'static str {
        "reading the memory profile"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        while let Some(update) = inbox.next() {
            let target = &update.assessment.target;
            let Some(pid) = target.pid() else { continue };
            if !self.first().contains_key(&target.id) {
                // Before anything is read of it.
                let process = Running::find(pid);
                let options = self.options_of(&target.id);
                let sampling = self.switch.as_ref().map(|switch| switch.on(pid, &options));
                let profile = self.read(&target.id);
                self.first().insert(target.id.clone(), First { process, sampling, profile });
            }
        }
        Ok(())
    }
}
