//! What is kept of the programs that a process ran before the one that it runs now.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{
    Assessment, EarlierFinding, EarlierProgram, EarlierPrograms, SourceLine, Timestamp,
};

/// At most this many programs are kept, the latest.
const MAX_PROGRAMS: usize = 8;
/// At most this many findings are kept of each, the worst.
const MAX_FINDINGS: usize = 3;

/// Programs that ended by executing another one, or themselves anew.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    programs: VecDeque<Arc<EarlierProgram>>,
    /// How many there were before those.
    more: u64,
    /// The last assessments of those that something was found in.
    pub(super) found: VecDeque<Arc<Assessment>>,
}

impl Earlier {
    /// Adds the one that is over, by its last assessment; the next was first seen `at`.
    pub(super) fn add(&mut self, last: &Arc<Assessment>, at: Timestamp) -> Arc<EarlierProgram> {
        if self.programs.len() == MAX_PROGRAMS {
            self.programs.pop_front();
            self.more += 1;
        }
        let program = Arc::new(program(last, at));
        self.programs.push_back(Arc::clone(&program));
        if program.found > 0 {
            if self.found.len() == MAX_PROGRAMS {
                self.found.pop_front();
            }
            self.found.push_back(Arc::clone(last));
        }
        program
    }

    pub(super) fn programs(&self) -> EarlierPrograms {
        EarlierPrograms { known: self.programs.iter().cloned().collect(), more: self.more }
    }
}

fn program(last: &Assessment, replaced_at: Timestamp) -> EarlierProgram {
    let findings = last.judgement.as_ref().map_or(&[][..], |judgement| &judgement.findings);
    let worst = findings.iter().take(MAX_FINDINGS).map(|finding| {
        let frame = finding.group_in(&last.groups).and_then(|group| group.blocked_at);
        let line = frame.and_then(|frame| last.stacks.lookup(frame).ok());
        EarlierFinding {
            verdict: finding.verdict,
            class: finding.class,
            count: finding.goroutine_count(),
            blocked_at: line.map(|line| SourceLine {
                function: line.function.to_owned(),
                file: line.file.to_owned(),
                line: line.line,
            }),
        }
    });
    EarlierProgram {
        replaced_at,
        watched: last.window.duration,
        found: findings.len() as u64,
        worst: worst.collect(),
    }
}
