//! Who holds a heap that grows: a walk of it when growth is first seen, and one at the end; who holds descriptors that
//! pile up, and what goroutines wait on that are suspected to leak, by that at the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::request::Request;
use super::seen::Seen;
use crate::analyze::held::{add_would_free, heap_growth, hold, is_open, name_holders};
use crate::analyze::{has_suspects, hold_descriptors, hold_waits, pile_up, suspects};
use crate::collect::attach::Options;
use crate::collect::attach::retained::with_waits;
use crate::golang::image::Running;
use crate::model::{Assessment, CoverageNote, HeldWaits, Instance, Retained, Suspects, TargetId};
use crate::pipeline::{Inbox, Keep, Role, Sink, SinkError, Stop, Terms};
use crate::report::format;

/// Bytes of a heap that are walked in a second at least: a larger heap than the time is enough for is not begun.
const PER_SECOND: u64 = 3 << 30;

/// Walks the heaps of those targets that have a finding about it, about descriptors or about goroutines whose leak is not
/// proven, or of which nobody knows whether they leak.
#[derive(Clone)]
pub(super) struct HeldBy {
    options: Options,
    /// How long each walk may take.
    limit: Duration,
    seen: Arc<Mutex<HashMap<TargetId, Known>>>,
}

/// What a walk found, and who holds what suspects wait on.
type Walked = (Retained, Vec<HeldWaits>);

/// What is known of a target.
struct Known {
    /// The process as it was when it was first seen; `None` where it was gone then.
    process: Option<Running>,
    /// The walk when growth was first seen.
    first: Option<Retained>,
}

impl HeldBy {
    pub(super) fn new(request: &Request) -> Self {
        let options = request.attach.clone();
        Self { limit: options.budget.walk_limit(), options, seen: Arc::default() }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<TargetId, Known>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Walks once more, and adds who holds the heaps: to the findings, or where it is open whether they leak, to
    /// what is said of the memory; and who holds descriptors that findings are about, and what suspects wait on.
    pub(super) fn add(&self, seen: &mut Seen) {
        for assessment in &mut seen.assessments {
            let grows = heap_growth(assessment).is_some();
            let is_open = is_open(assessment);
            if !grows && !is_open && !pile_up(assessment) && !has_suspects(assessment) {
                continue;
            }
            let suspects = suspects(assessment);
            // For what goroutines wait on, roots are followed in an order of its own: whom memory counts for then does not
            // match the walk before.
            let is_apart = (grows || is_open) && !suspects.is_empty();
            if is_apart && let Some(Ok((_, waits))) = self.walk(assessment, &suspects) {
                hold_waits(assessment, waits);
            }
            let mut walked = self.walk(assessment, if is_apart { &[] } else { &suspects });
            if let Some(Ok((now, waits))) = &mut walked {
                // First, while findings are as they were asked about.
                hold_waits(assessment, std::mem::take(waits));
                hold_descriptors(assessment, &now.descriptors);
                if grows || is_open {
                    add_would_free(assessment, now);
                }
            }
            match walked {
                Some(Ok((now, _))) if grows => {
                    let known = self.seen();
                    let first = known.get(&assessment.target.id).and_then(|it| it.first.as_ref());
                    hold(assessment, &now, first);
                }
                Some(Ok((now, _))) if is_open => name_holders(assessment, now),
                Some(Ok(_)) => {}
                Some(Err(why)) => {
                    assessment.coverage.notes.push(CoverageNote::HeapNotWalked { why });
                }
                None => {}
            }
        }
    }

    /// Who holds the heap of a target; `None` for one that is no process.
    fn walk(
        &self,
        assessment: &Assessment,
        suspects: &[Suspects],
    ) -> Option<Result<Walked, String>> {
        let Instance::Process { pid, library } = &assessment.target.id.instance else {
            return None;
        };
        let heap = assessment.memory.as_ref().and_then(|memory| memory.now.heap.as_ref());
        let bytes = heap.map_or(0, |heap| heap.in_use_bytes);
        if bytes / PER_SECOND >= self.limit.as_secs() {
            return Some(Err(format!(
                "it is so large that a walk of it would take longer than {}, which --budget allows",
                format::duration(self.limit)
            )));
        }
        if !self.is_still_there(&assessment.target.id) {
            return Some(Err(GONE.to_owned()));
        }
        let options = Options { object: library.clone(), ..self.options.clone() };
        let walked =
            with_waits(*pid, &options, suspects, self.limit).map_err(|error| error.to_string());
        // What was walked may have been what came after it.
        Some(if self.is_still_there(&assessment.target.id) { walked } else { Err(GONE.to_owned()) })
    }

    /// Whether the process runs the program that was seen.
    fn is_still_there(&self, id: &TargetId) -> bool {
        self.seen().get(id).and_then(|it| it.process.as_ref()).is_some_and(Running::is_the_same)
    }
}

/// Why a process was not walked that is none any more.
const GONE: &str = "the process has ended, or runs another program";

impl Sink for HeldBy {
    fn name(&self) -> &'static str {
        "the walk of the heap"
    }

    fn terms(&self) -> Terms {
        Terms::shows(Keep::Newest, Role::Follows)
    }

    fn run(self: Box<Self>, inbox: &Inbox, _: &Stop) -> Result<(), SinkError> {
        while let Some(update) = inbox.next() {
            let target = &update.assessment.target;
            let is_walked = {
                let mut seen = self.seen();
                let new = || Known { process: target.pid().and_then(Running::find), first: None };
                seen.entry(target.id.clone()).or_insert_with(new).first.is_some()
            };
            if is_walked || heap_growth(&update.assessment).is_none() {
                continue;
            }
            // Why it failed is said at the end, if it fails again.
            if let Some(Ok((first, _))) = self.walk(&update.assessment, &[])
                && let Some(known) = self.seen().get_mut(&target.id)
            {
                known.first = Some(first);
            }
        }
        Ok(())
    }
}
