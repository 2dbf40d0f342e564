//! What is kept of the programs that a process ran before the one that it runs now.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{Assessment, Timestamp};
use crate::report::{json, words};

/// Programs that are told of one by one.
const MAX_TOLD: usize = 8;
/// Findings that are told of each.
const MAX_FINDINGS: usize = 3;

/// Programs that ended by executing another one, or themselves anew.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    notes: VecDeque<String>,
    /// How many there were before those.
    left_out: u64,
    /// The last assessments of those that something was found in.
    pub(super) found: VecDeque<Arc<Assessment>>,
}

impl Earlier {
    /// Adds the one that is over, by its last assessment; the next was first seen `at`. Gives
    /// back what there is to say of it.
    pub(super) fn add(&mut self, last: &Arc<Assessment>, at: Timestamp) -> String {
        if self.notes.len() == MAX_TOLD {
            self.notes.pop_front();
            self.left_out += 1;
        }
        let note = note(last, at);
        self.notes.push_back(note.clone());
        let judgement = last.judgement.as_ref();
        if judgement.is_some_and(|judgement| !judgement.findings.is_empty()) {
            if self.found.len() == MAX_TOLD {
                self.found.pop_front();
            }
            self.found.push_back(Arc::clone(last));
        }
        note
    }

    /// What there is to say of them, the latest last.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let more = (self.left_out > 0).then(|| {
            let times = words::counted(self.left_out, "more time");
            format!("the process executed another program {times} before")
        });
        more.into_iter().chain(self.notes.iter().cloned())
    }
}

fn note(last: &Assessment, at: Timestamp) -> String {
    let at = json::time(at).map_or_else(|| "an unknown time".to_owned(), |at| words::date(&at));
    let span = words::duration(last.window.duration);
    let findings = last.judgement.as_ref().map_or(&[][..], |judgement| &judgement.findings);
    let found = if findings.is_empty() {
        "nothing was found in it".to_owned()
    } else {
        let told = findings.iter().take(MAX_FINDINGS).map(|finding| {
            let group = last.groups.get(finding.goroutines().group);
            let place = group.and_then(|group| group.blocked_at).map(|frame| {
                let text = words::frame(&last.stacks, frame);
                format!(" at {} {}", text.function, text.place)
            });
            let (verdict, class) = (finding.verdict.name(), finding.class.name());
            let count = words::counted(finding.goroutines().count, "goroutine");
            format!("{verdict} {class}{} ({count})", place.unwrap_or_default())
        });
        let told: Vec<String> = told.collect();
        let number = words::counted(findings.len() as u64, "finding");
        format!("it had {number}: {}", told.join("; "))
    };
    format!(
        "the process executed another program, or itself anew, shortly before {at}: a new window \
         begins there; the program before it was watched for {span}, and {found}"
    )
}
