//! Who allocated what a heap grew by: the memory profile is read when a target is first seen, and at the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::request::Request;
use super::seen::Seen;
use crate::analyze::allocated::{add_growth, may_have_grown};
use crate::collect::attach::Options;
use crate::collect::attach::allocated::allocated;
use crate::model::{Allocated, Assessment, CoverageNote, Instance, TargetId};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::phrases;

/// Reads the memory profiles of those targets that are processes.
#[derive(Clone)]
pub(super) struct AllocatedAt {
    options: Options,
    /// What was read when each target was first seen.
    first: Arc<Mutex<HashMap<TargetId, Result<Allocated, String>>>>,
}

impl AllocatedAt {
    /// For targets that run, where their memory is looked at.
    pub(super) fn wanted(request: &Request) -> Option<Self> {
        let is_wanted = !request.is_saved() && request.settings.subjects.memory;
        is_wanted.then(|| Self { options: request.attach.clone(), first: Arc::default() })
    }

    fn first(&self) -> MutexGuard<'_, HashMap<TargetId, Result<Allocated, String>>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads once more, and adds to the findings which lines allocated what was added.
    pub(super) fn add(&self, seen: &mut Seen) {
        for assessment in &mut seen.assessments {
            if !may_have_grown(assessment) {
                continue;
            }
            let before = self.first().remove(&assessment.target.id);
            let now = before.and_then(|before| Some((self.read(assessment)?, before)));
            match now {
                Some((Ok(now), Ok(before))) => add_growth(assessment, &now, &before),
                Some((Err(why), _) | (_, Err(why))) => {
                    assessment.coverage.notes.push(CoverageNote::NotAllocated { why });
                }
                None => {}
            }
        }
    }

    /// The memory profile of a target, or why it has none; `None` for one that is no process.
    fn read(&self, assessment: &Assessment) -> Option<Result<Allocated, String>> {
        let Instance::Process { pid, library } = &assessment.target.id.instance else {
            return None;
        };
        let options = Options { object: library.clone(), ..self.options.clone() };
        Some(allocated(*pid, &options).map_err(|why| phrases::not_allocated(&why)))
    }
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
            let id = &update.assessment.target.id;
            if !self.first().contains_key(id)
                && let Some(first) = self.read(&update.assessment)
            {
                self.first().insert(id.clone(), first);
            }
        }
        Ok(())
    }
}
