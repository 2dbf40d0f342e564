//! Who holds a heap that grows: a walk of it when growth is first seen, and one at the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::request::Request;
use super::seen::Seen;
use crate::analyze::held::{heap_growth, hold};
use crate::collect::attach::Options;
use crate::collect::attach::retained::retained;
use crate::host::memory::Allowance;
use crate::model::{Assessment, CoverageNote, Instance, Retained, TargetId};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};

/// How long each of them may take.
const LIMIT: Duration = Duration::from_secs(10);
/// A walk keeps some bits for each object, and the structures of spans: less than this part of the heap.
const PART: u64 = 25;
/// A heap of more bytes is not walked unasked: that would take longer than [`LIMIT`].
const MAX_HEAP: u64 = 32 << 30;

/// Walks the heaps of those targets that have a finding about it.
#[derive(Clone)]
pub(super) struct HeldBy {
    options: Options,
    /// The walks when growth was first seen.
    first: Arc<Mutex<HashMap<TargetId, Retained>>>,
}

impl HeldBy {
    pub(super) fn new(request: &Request) -> Self {
        Self { options: request.attach.clone(), first: Arc::default() }
    }

    fn first(&self) -> MutexGuard<'_, HashMap<TargetId, Retained>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Walks once more, and adds to the findings who holds the heaps.
    pub(super) fn add(&self, seen: &mut Seen) {
        for assessment in &mut seen.assessments {
            if heap_growth(assessment).is_none() {
                continue;
            }
            match self.walk(assessment) {
                Some(Ok(now)) => hold(assessment, &now, self.first().get(&assessment.target.id)),
                Some(Err(why)) => {
                    assessment.coverage.notes.push(CoverageNote::HeapNotWalked { why });
                }
                None => {}
            }
        }
    }

    /// Who holds the heap of a target; `None` for one that is no process.
    fn walk(&self, assessment: &Assessment) -> Option<Result<Retained, String>> {
        let Instance::Process { pid, library } = &assessment.target.id.instance else {
            return None;
        };
        let heap = assessment.memory.as_ref().and_then(|memory| memory.now.heap.as_ref());
        let bytes = heap.map_or(0, |heap| heap.in_use_bytes);
        let left = Allowance::read().map_or(u64::MAX, |it| it.left_bytes());
        if bytes > MAX_HEAP {
            return Some(Err("it is so large that a walk of it would take too long".to_owned()));
        }
        if bytes / PART > left {
            return Some(Err("the agent has too little memory left for it".to_owned()));
        }
        let options = Options { object: library.clone(), ..self.options.clone() };
        Some(retained(*pid, &options, LIMIT).map_err(|error| error.to_string()))
    }
}

impl Sink for HeldBy {
    fn name(&self) -> &'static str {
        "the walk of the heap"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        while let Some(update) = inbox.next() {
            let id = &update.assessment.target.id;
            if heap_growth(&update.assessment).is_none() || self.first().contains_key(id) {
                continue;
            }
            // Why it failed is said at the end, if it fails again.
            if let Some(Ok(first)) = self.walk(&update.assessment) {
                self.first().insert(id.clone(), first);
            }
        }
        Ok(())
    }
}
